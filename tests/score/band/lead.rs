//! Thread: main. Whether the lead plays the melody.

use super::fit::Sung;
use cantus_engine::generation::score::{Role, Score};

/// Share of the melody's notes that the lead's score has at the same beat, in one octave throughout; and nothing else.
pub fn events(score: &Score, melody: &[Sung]) -> f64 {
    let Some(track) = score.tracks.iter().find(|track| track.role == Role::Lead) else { return 0.0 };
    let same = |octave: i32| {
        let plays = |note: &&Sung| {
            track.notes.iter().any(|played| {
                (played.start.0 - note.start).abs() < 1e-3 && i32::from(played.key) == i32::from(note.key) + 12 * octave
            })
        };
        melody.iter().filter(plays).count()
    };
    let best = (-5..=5).map(same).max().unwrap_or(0);
    best as f64 / melody.len().max(track.notes.len()).max(1) as f64
}

/// Steps between neighbouring notes that go another way in the lead than in the melody, in words.
pub fn turned(score: &Score, melody: &[Sung]) -> Vec<String> {
    let Some(track) = score.tracks.iter().find(|track| track.role == Role::Lead) else { return Vec::new() };
    let played = |note: &Sung| {
        let near = |at: f64| (at - note.start).abs();
        let best = track.notes.iter().min_by(|a, b| near(a.start.0).total_cmp(&near(b.start.0)))?;
        (near(best.start.0) < 0.26).then_some(i32::from(best.key))
    };
    let mut found = Vec::new();
    for pair in melody.windows(2) {
        let (Some(first), Some(second)) = (played(&pair[0]), played(&pair[1])) else { continue };
        let wanted = i32::from(pair[1].key) - i32::from(pair[0].key);
        if wanted.signum() != (second - first).signum() {
            found.push(format!("a step of {wanted} at beat {:.2} became {}", pair[1].start, second - first));
        }
    }
    found
}
