//! Thread: worker. Arpeggios: the voiced chord one note after another.

use super::chords::{chord_at, voicings};
use super::sheet::{Sheet, note, written};
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;

/// The orders in which an arpeggio may go through a chord of so many voices.
fn order(voices: usize, kind: usize) -> Vec<usize> {
    let up = 0..voices;
    match kind {
        0 => up.collect(),
        1 => up.chain((1..voices.saturating_sub(1)).rev()).collect(),
        2 => up.rev().collect(),
        // The lowest voice between the others, as a thumb does.
        _ => (1..voices.max(2)).flat_map(|voice| [0, voice.min(voices - 1)]).collect(),
    }
}

/// Chord tones in the part's rhythm: numbered voices where the pattern numbers them, else the next one in the seed's order.
pub fn arp(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let plan = sheet.plan(part, &mut chance);
    let kind = chance.pick_spread(&[3.0, 3.0, 1.0, 1.5]).unwrap_or(0);
    let keys = voicings(sheet, part);
    let mut notes = Vec::new();
    let mut next = 0;
    for (index, bar) in sheet.grooving(part) {
        if bar.in_phrase == 0 {
            next = 0;
        }
        for step in sheet.steps(&plan, index, None) {
            if sheet.leaves_out(part, step, bar) {
                continue;
            }
            let index = chord_at(sheet, part, step.start);
            let chord = &keys[index];
            if chord.is_empty() {
                continue;
            }
            let voice = match step.symbol.to_digit(10) {
                Some(number) => number as usize - 1,
                None => {
                    let order = order(chord.len(), kind);
                    next += 1;
                    order[(next - 1) % order.len()]
                }
            };
            let key = upwards(chord, voice, part.register.1);
            let symbol = if step.symbol.is_ascii_digit() { 'x' } else { step.symbol };
            let velocity = sheet.velocity(symbol, bar);
            let end = step.start + (step.end - step.start) * f64::from(part.gate);
            // A tone that the next chord does not have is not held into it.
            let change = sheet.harmony.chords[index].end;
            let stays = keys.get(index + 1).is_none_or(|after| after.contains(&key));
            let end = if stays { end } else { end.min(change.max(step.start + 0.1)) };
            notes.push(written(note(step.start, end, key, velocity), step.written));
        }
    }
    if let Some(bar) = sheet.closing(part) {
        let chord = &keys[sheet.harmony.index_at(bar.from + 0.01)];
        let apart = sheet.groove.beats(45.0);
        for (voice, key) in chord.iter().enumerate() {
            let end = sheet.last_chord_end(bar);
            let at = (bar.from + voice as f64 * apart).min(end - 0.05);
            notes.push(written(note(at, end, *key, sheet.velocity('x', bar)), bar.from));
        }
    }
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}

/// A voice of a chord; voices beyond its highest are the lower ones an octave up, as far as the register allows.
fn upwards(chord: &[u8], voice: usize, highest: u8) -> u8 {
    let key = usize::from(chord[voice % chord.len()]) + 12 * (voice / chord.len());
    if key <= usize::from(highest) { key as u8 } else { chord[voice % chord.len()] }
}
