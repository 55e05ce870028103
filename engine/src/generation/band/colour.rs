//! Thread: worker. Colour: a run into a phrase, a bell at its start.

use super::sheet::{Sheet, note, written};
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;

/// Runs upwards over the chord of the bar before each group of `every` bars, and a rolled chord where the piece starts.
pub fn run(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let mut notes = Vec::new();
    let (low, high) = part.register;
    for bar in sheet.bars.bars.iter().filter(|bar| !bar.pickup && sheet.joins(part, bar)) {
        if bar.in_phrase == 0 || bar.closing {
            // A rolled chord opens the phrase.
            let chord = sheet.harmony.at(bar.from);
            let start = low + chance.pick(&[2.0, 1.0]).unwrap_or(0) as u8 * 5;
            let keys = (start..=high).filter(|key| chord.tones.contains(&(key % 12))).take(5);
            for (index, key) in keys.enumerate() {
                let at = bar.from + index as f64 * 0.08;
                let velocity = sheet.velocity('o', bar);
                notes.push(written(note(at, (at + 2.0).min(bar.to.max(at + 0.1)), key, velocity), bar.from));
            }
        }
        let leads = bar.ends_phrase || (bar.in_phrase + 1).is_multiple_of(part.every);
        if bar.closing || !leads || bar.to - bar.from < 1.0 {
            continue;
        }
        // Four or eight notes a beat would be a glissando; three are a run one can hear.
        let beats = if sheet.is_busy(bar) { 1.0 } else { sheet.bars.count_beats.clamp(1.0, 2.0) };
        let chord = sheet.harmony.at(bar.to - 0.05);
        let keys: Vec<u8> = (low..=high).filter(|key| chord.tones.contains(&(key % 12))).collect();
        let count = ((beats * 6.0).round() as usize).min(keys.len());
        let last = keys.len() - count;
        let first = chance.pick(&vec![1.0; last + 1]).unwrap_or(0);
        for (index, key) in keys[first..first + count].iter().enumerate() {
            let at = bar.to - beats + beats * index as f64 / count as f64;
            let velocity = sheet.velocity('o', bar) as usize * (70 + 30 * index / count) / 100;
            notes.push(note(at, (at + 1.0).min(bar.to.max(at + 0.05)), *key, velocity.clamp(1, 127) as u8));
        }
    }
    notes.sort_by(|a, b| a.start.0.total_cmp(&b.start.0).then(a.key.cmp(&b.key)));
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}

/// One high chord tone at the start of every so many bars, above or clear of the tune.
pub fn bell(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let mut notes = Vec::new();
    let (low, high) = part.register;
    for bar in sheet.bars.bars.iter().filter(|bar| sheet.plays(part, bar)) {
        let chord = sheet.harmony.at(bar.from);
        let strongest = [chord.tones.first(), chord.tones.get(2), chord.tones.get(1)];
        let class = strongest[chance.pick(&[3.0, 2.0, 1.0]).unwrap_or(0)].copied().unwrap_or(chord.root);
        let keys: Vec<u8> = (low..=high).filter(|key| key % 12 == class).collect();
        let Some(key) = chance.pick(&vec![1.0; keys.len()]).map(|index| keys[index]) else { continue };
        notes.push(note(bar.from, bar.from + (bar.to - bar.from).min(3.0), key, sheet.velocity('o', bar)));
    }
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}
