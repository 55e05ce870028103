//! Thread: worker. The melody on top of chords: one line of notes, and what is left.
//!
//! Not simply the highest note of each moment: an inner voice that climbs over a held melody is softer and far from the line.
//! The line is the sequence of notes that is best as a whole: high among what sounds with it, loud, close to the note before.

use super::PolyNote;

/// Worth of a note with nothing above it, and what each note above costs.
const TOP: f32 = 1.5;
const BELOW: f32 = 0.75;
/// What a decibel under the loudest note of the moment costs.
const SOFT: f32 = 0.1;
/// Semitones from note to note that cost nothing, and what each further costs.
const STEP: f32 = 3.0;
const LEAP: f32 = 0.25;
/// What a second of rest costs, up to two.
const REST: f64 = 1.0;
const LONGEST_REST: f64 = 2.0;
/// What leaving a note that still sounds for a lower one costs.
const DESERTS: f32 = 2.0;
/// Seconds within which notes begin together, and beyond which a note still sounds.
const TOGETHER: f64 = 0.06;
const NEXT: f64 = 0.07;
const STILL: f64 = 0.12;
/// Notes looked back at for the one before.
const REACH: usize = 60;

/// Which of `notes` (in order of their onsets) are the top voice, in order.
pub fn top_voice(notes: &[PolyNote]) -> Vec<usize> {
    let mut best: Vec<(f32, Option<usize>)> = Vec::with_capacity(notes.len());
    for (index, note) in notes.iter().enumerate() {
        let alone = worth(notes, index);
        let mut score = (alone, None);
        for before in (index.saturating_sub(REACH)..index).rev() {
            let last = &notes[before];
            if note.onset.0 - last.onset.0 < NEXT {
                continue;
            }
            let leap = (f32::from(note.key) - f32::from(last.key)).abs();
            let rest = (note.onset.0 - last.offset.0).clamp(0.0, LONGEST_REST);
            let deserted = last.offset.0 > note.onset.0 + STILL && note.key < last.key;
            let cost = LEAP * (leap - STEP).max(0.0) + (REST * rest) as f32 + if deserted { DESERTS } else { 0.0 };
            let value = best[before].0 + alone - cost;
            if value > score.0 {
                score = (value, Some(before));
            }
        }
        best.push(score);
    }
    let mut line = Vec::new();
    let mut at = (0..best.len()).reduce(|top, index| if best[index].0 > best[top].0 { index } else { top });
    while let Some(index) = at {
        line.push(index);
        at = best[index].1;
    }
    line.reverse();
    line
}

/// How much a note sounds like a melody by itself.
fn worth(notes: &[PolyNote], index: usize) -> f32 {
    let note = &notes[index];
    let begins = note.onset.0 + TOGETHER;
    let until = notes.partition_point(|other| other.onset.0 < begins);
    let sounding = notes[..until].iter().filter(|other| other.offset.0 > begins || other.onset == note.onset);
    let (mut above, mut loudest) = (0, note.level_db);
    for other in sounding {
        above += usize::from(other.key > note.key);
        loudest = loudest.max(other.level_db);
    }
    let height = if above == 0 { TOP } else { -BELOW * above as f32 };
    height + SOFT * (note.level_db - loudest)
}
