//! Thread: worker. Pads: chords held for as long as they last, common tones tied over.

use super::chords::voicings;
use super::fills::breathes_before;
use super::sheet::{Sheet, note};
use crate::generation::score::ScoreNote;
use crate::generation::style::{LastChord, Part};
use crate::time::Beats;

/// Counts of silence in the tune that are a breath.
const BREATH: f64 = 0.9;
/// How much softer a last chord that swells begins.
const SWELL_DB: f32 = -8.0;

/// Held chords. Every phrase is struck anew, and every chord before which the singer took breath, so that they breathe too.
pub fn hold(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let keys = voicings(sheet, part);
    let mut notes: Vec<ScoreNote> = Vec::new();
    // Indices of the notes that sound at the end of the chord before.
    let mut held: Vec<usize> = Vec::new();
    for (chord, keys) in sheet.harmony.chords.iter().zip(&keys) {
        let bar = &sheet.bars.bars[sheet.bars.at(chord.start)];
        if !sheet.plays(part, bar) {
            held.clear();
            continue;
        }
        let on_line = (chord.start - bar.from).abs() < 1e-6;
        let breath = breathes_before(sheet.tune, chord.start, BREATH * sheet.bars.count_beats);
        let anew = on_line && (bar.in_phrase == 0 || bar.closing) || breath;
        let velocity = sheet.velocity('x', bar);
        let end = if bar.closing && sheet.form.last == LastChord::Hit {
            chord.start + (sheet.last_chord_end(bar) - bar.from) * 2.0
        } else {
            chord.end
        };
        let mut now = Vec::new();
        for key in keys {
            let tied = held.iter().copied().find(|&index| !anew && notes[index].key == *key);
            match tied {
                Some(index) => {
                    notes[index].length = Beats(end - notes[index].start.0);
                    now.push(index);
                }
                None => {
                    notes.push(note(chord.start, end, *key, velocity));
                    now.push(notes.len() - 1);
                }
            }
        }
        held = now;
    }
    for note in &mut notes {
        note.length = Beats(note.length.0 * f64::from(part.gate));
    }
    sheet.groove.humanise(&mut notes, part, &mut chance);
    if let Some(bar) = sheet.closing(part).filter(|_| sheet.form.last == LastChord::Swell) {
        for note in notes.iter_mut().filter(|note| note.start.0 > bar.from - 0.25) {
            let beats = note.length.0 as f32;
            note.expression_db = vec![(0.0, SWELL_DB), (0.6 * beats, 0.0), (beats, 0.0)];
        }
    }
    notes
}
