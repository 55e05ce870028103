//! Thread: worker. Risers: one long note into each phrase.

use super::bass::nearest;
use super::sheet::{Sheet, note};
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;

/// A note through each bar that leads into a phrase, ending with it.
pub fn riser(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let middle = (f32::from(part.register.0) + f32::from(part.register.1)) / 2.0;
    let mut notes = Vec::new();
    let leads = |index: usize, ends: bool| ends || sheet.fill(index).is_some();
    for (index, bar) in sheet.bars.bars.iter().enumerate().filter(|(_, bar)| !bar.pickup && !bar.closing) {
        if !sheet.joins(part, bar) || !leads(index, bar.ends_phrase) {
            continue;
        }
        let key = nearest(sheet.harmony.at(bar.to - 0.05).root, middle, part.register);
        notes.push(note(bar.from, bar.to, key, sheet.velocity('x', bar)));
    }
    sheet.groove.humanise(&mut notes, part, &mut chance);
    // It ends where the phrase begins, however loosely it began.
    for note in &mut notes {
        if let Some(written) = note.written {
            let bar = &sheet.bars.bars[sheet.bars.at(written.0)];
            note.length.0 = (bar.to - note.start.0).max(0.05);
        }
    }
    notes
}
