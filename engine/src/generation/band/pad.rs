//! Thread: worker. Pads: chords held for as long as they last, common tones tied over.

use super::chords::voicings;
use super::sheet::{Sheet, note};
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;
use crate::time::Beats;

/// Held chords. Every phrase is struck anew, so that it breathes.
pub fn hold(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let keys = voicings(sheet, part);
    let mut notes: Vec<ScoreNote> = Vec::new();
    // Indices of the notes that sound at the end of the chord before.
    let mut sounding: Vec<usize> = Vec::new();
    for (chord, keys) in sheet.harmony.chords.iter().zip(&keys) {
        let bar = &sheet.bars.bars[sheet.bars.at(chord.start)];
        if bar.pickup {
            continue;
        }
        let new_phrase = bar.in_phrase == 0 && (chord.start - bar.from).abs() < 1e-6;
        let velocity = sheet.velocity('x', bar);
        let mut now = Vec::new();
        for key in keys {
            let tied = sounding.iter().copied().find(|&index| !new_phrase && notes[index].key == *key);
            match tied {
                Some(index) => {
                    notes[index].length = Beats(chord.end - notes[index].start.0);
                    now.push(index);
                }
                None => {
                    notes.push(note(chord.start, chord.end, *key, velocity));
                    now.push(notes.len() - 1);
                }
            }
        }
        sounding = now;
    }
    for note in &mut notes {
        note.length = Beats(note.length.0 * f64::from(part.gate));
    }
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}
