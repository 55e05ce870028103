//! What anybody can measure of chords under a melody. None of it is the arranger's own arithmetic.

use cantus_engine::analysis::{Analysis, note_name};
use cantus_engine::generation::score::ChordSpan;

/// A note held for a beat, as sung: a little shorter than written.
const BEAT: f64 = 0.9;
/// A note and a chord that sound together for less than this are only loose timing.
const TOGETHER: f64 = 0.4;

pub fn at(chords: &[ChordSpan], position: f64) -> &ChordSpan {
    chords.iter().rev().find(|chord| chord.start.0 <= position + 1e-6).unwrap_or(&chords[0])
}

/// Notes of a beat or longer a semitone beside a chord tone, that are no chord tones themselves, none of the style's tensions over
/// the root, and do not move on by step into the chord that sounds then. `blue` allows low thirds, fifths and sevenths over major.
/// Each with the index of its chord.
pub fn clashes(chords: &[ChordSpan], analysis: &Analysis, tensions: &[u8], blue: bool) -> Vec<(usize, String)> {
    // What is sung after the score's end is not heard.
    let last = chords.last().map_or(0.0, |chord| chord.start.0 + chord.length.0);
    let notes: Vec<(f64, f64, u8)> = analysis
        .notes
        .iter()
        .map(|note| (analysis.beat_at(note.onset).0, analysis.beat_at(note.offset).0.min(last), note.key))
        .collect();
    let mut clashes = Vec::new();
    for (index, &(start, end, key)) in notes.iter().enumerate() {
        if end - start < BEAT {
            continue;
        }
        for (number, chord) in chords.iter().enumerate() {
            let together = end.min(chord.start.0 + chord.length.0) - start.max(chord.start.0);
            let distance = |tone: &u8| (key % 12 + 12 - tone) % 12;
            let beside = chord.tones.iter().any(|tone| matches!(distance(tone), 1 | 11));
            let interval = distance(&chord.root);
            let is_blue = blue && chord.tones.contains(&((chord.root + 4) % 12)) && matches!(interval, 3 | 6 | 10);
            if together < TOGETHER
                || !beside
                || chord.tones.contains(&(key % 12))
                || tensions.contains(&interval)
                || is_blue
            {
                continue;
            }
            let resolves = notes.get(index + 1).is_some_and(|&(next, _, to)| {
                next - end < 0.5
                    && (1..=2).contains(&to.abs_diff(key))
                    && at(chords, next + 0.1).tones.contains(&(to % 12))
            });
            if !resolves {
                clashes.push((number, format!("{} over {} at {start:.2}", note_name(key), chord.symbol)));
            }
        }
    }
    clashes
}

/// Changes of chord a bar.
pub fn changes_a_bar(chords: &[ChordSpan], bars: f64) -> f64 {
    let changes = chords.windows(2).filter(|pair| pair[0].symbol != pair[1].symbol).count();
    (1 + changes) as f64 / bars
}

/// Share of the time in which two harmonisations have different roots or qualities.
pub fn apart(a: &[ChordSpan], b: &[ChordSpan]) -> f64 {
    let end = a.last().map_or(0.0, |chord| chord.start.0 + chord.length.0);
    let steps = ((end - a[0].start.0) * 4.0) as usize;
    let differ = |step: &usize| {
        let position = a[0].start.0 + (*step as f64 + 0.5) / 4.0;
        let (one, other) = (at(a, position), at(b, position));
        (one.root, &one.tones) != (other.root, &other.tones)
    };
    (0..steps).filter(differ).count() as f64 / steps.max(1) as f64
}

/// Mean distance of neighbouring chords in the tonal space of Harte, Sandler and Gasser (2006): CTD of Yeh et al. (2021).
pub fn chord_tonal_distance(chords: &[ChordSpan]) -> f64 {
    let point = |chord: &ChordSpan| {
        let mut point = [0.0; 6];
        for tone in &chord.tones {
            for (circle, (step, radius)) in [(7.0, 1.0), (3.0, 1.0), (4.0, 0.5)].into_iter().enumerate() {
                let turns =
                    std::f64::consts::TAU * f64::from(*tone) * if circle == 0 { 7.0 / 12.0 } else { step / 12.0 };
                point[2 * circle] += radius * turns.sin() / chord.tones.len() as f64;
                point[2 * circle + 1] += radius * turns.cos() / chord.tones.len() as f64;
            }
        }
        point
    };
    let distances: Vec<f64> = chords
        .windows(2)
        .map(|pair| {
            let (a, b) = (point(&pair[0]), point(&pair[1]));
            a.iter().zip(&b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
        })
        .collect();
    distances.iter().sum::<f64>() / distances.len().max(1) as f64
}
