//! Thread: worker. Comping: voiced chords in a rhythm.

use super::harmony::Chord;
use super::melody::lowest_between;
use super::sheet::{Sheet, note};
use super::voicing::{VoicingRule, voice};
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;

/// The keys of every chord of the score for a part, each close to the one before.
pub fn voicings(sheet: &Sheet<'_>, part: &Part) -> Vec<Vec<u8>> {
    let rule = VoicingRule { kind: part.voicing, voices: part.voices, register: part.register };
    let mut keys: Vec<Vec<u8>> = Vec::with_capacity(sheet.harmony.chords.len());
    for chord in &sheet.harmony.chords {
        let before = keys.last().map_or(&[][..], Vec::as_slice);
        keys.push(voice(chord, rule, before, lowest_between(sheet.tune, chord.start, chord.end)));
    }
    keys
}

/// Chords in the part's rhythm. Soft steps are left out where the tune is busy.
pub fn comp(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let plan = sheet.plan(part, &mut chance);
    let keys = voicings(sheet, part);
    let mut notes = Vec::new();
    for bar in sheet.bars.bars.iter().filter(|bar| plan.plays(bar)) {
        let busy = sheet.is_busy(bar);
        for step in sheet.place(plan.groove(bar), bar) {
            if busy && step.symbol == 'o' {
                continue;
            }
            let velocity = sheet.velocity(step.symbol, bar);
            let mut at = step.start;
            let end = step.start + (step.end - step.start) * f64::from(part.gate);
            let mut index = chord_at(sheet, part, at);
            // A chord held into a change is struck again there with the new one.
            while at < end - 0.03 {
                let until = end.min(sheet.harmony.chords[index].end);
                notes.extend(keys[index].iter().map(|key| note(at, until, *key, velocity)));
                at = until;
                if end - at < 0.2 || index + 1 >= keys.len() {
                    break;
                }
                index += 1;
            }
        }
    }
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}

/// The chord a step belongs to: a stroke just before a change is already the next one, for parts that anticipate.
fn chord_at(sheet: &Sheet<'_>, part: &Part, at: f64) -> usize {
    let index = sheet.harmony.index_at(at);
    let chord: &Chord = &sheet.harmony.chords[index];
    let near = chord.end - at < 0.55 * sheet.bars.count_beats.min(1.0);
    if part.anticipate && near && index + 1 < sheet.harmony.chords.len() { index + 1 } else { index }
}
