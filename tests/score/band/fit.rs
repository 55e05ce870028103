//! Thread: main. How chords fit a melody.

use cantus_engine::analysis::Analysis;
use cantus_engine::generation::score::{ChordSpan, Score};
use cantus_engine::generation::style::Harmony;

/// A melody note in beats.
pub struct Sung {
    pub start: f64,
    pub end: f64,
    pub key: u8,
}

/// The corrected melody in song beats.
pub fn sung(analysis: &Analysis) -> Vec<Sung> {
    let notes = analysis.notes.iter();
    notes
        .map(|note| Sung { start: analysis.beat_at(note.onset).0, end: analysis.beat_at(note.offset).0, key: note.key })
        .collect()
}

/// The chord a note that begins here belongs to: one sung a little ahead of a change belongs to the change.
fn chord_at(chords: &[ChordSpan], at: f64) -> Option<&ChordSpan> {
    chords.iter().rev().find(|chord| chord.start.0 <= at + 0.1).or(chords.first())
}

/// Chord tones and well-resolved others among the melody's notes (CTnCTR of Yeh et al. 2021), with a stricter resolution: a
/// note outside its chord counts only if the next one lies one or two semitones away and in its own chord.
pub fn chord_tone_ratio(score: &Score, melody: &[Sung]) -> f64 {
    let is_tone =
        |note: &Sung| chord_at(&score.chords, note.start).is_some_and(|chord| chord.tones.contains(&(note.key % 12)));
    let resolves =
        |pair: &[Sung]| !is_tone(&pair[0]) && is_tone(&pair[1]) && (1..=2).contains(&pair[0].key.abs_diff(pair[1].key));
    let inside = melody.iter().filter(|note| is_tone(note)).count();
    let resolved = melody.windows(2).filter(|pair| resolves(pair)).count();
    (inside + resolved) as f64 / melody.len().max(1) as f64
}

/// Places where a note of a beat or longer rubs a semitone against a chord under it, is no tone of it, is no tension the style
/// states, and does not go on by step into the chord. In words.
pub fn clashes(score: &Score, melody: &[Sung], harmony: &Harmony) -> Vec<String> {
    let mut found = Vec::new();
    for (index, note) in melody.iter().enumerate() {
        for chord in &score.chords {
            let overlap = note.end.min(chord.start.0 + chord.length.0) - note.start.max(chord.start.0);
            if note.end - note.start < 1.0 - 0.05 || overlap < 0.5 || chord.locked {
                continue;
            }
            let class = note.key % 12;
            let rubs = chord.tones.iter().any(|tone| matches!((class + 12 - tone) % 12, 1 | 11));
            let over_root = (class + 12 - chord.root) % 12;
            let stated = harmony.tensions.contains(&over_root) || harmony.blue && matches!(over_root, 3 | 6 | 10);
            if chord.tones.contains(&class) || !rubs || stated {
                continue;
            }
            let resolves = melody.get(index + 1).is_some_and(|next| {
                let step = next.key.abs_diff(note.key);
                let home = chord_at(&score.chords, next.start).is_some_and(|its| its.tones.contains(&(next.key % 12)));
                (1..=2).contains(&step) && next.start - note.end < 0.5 && home
            });
            if !resolves {
                found.push(format!("key {} at beat {:.2} against {}", note.key, note.start, chord.symbol));
            }
        }
    }
    found
}
