//! Thread: worker. Riffs: a figure of the key's degrees that stays the same under every chord, as far as the chords allow it.

use super::bass::{approach, home, last_note, nearest, roll};
use super::harmony::{Chord, Harmony};
use super::sheet::{Sheet, note, written};
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;

/// Semitones of the key's degrees over its tonic, as the scale has them.
fn degree(harmony: &Harmony, number: u32) -> i32 {
    let choices: [&[i32]; 7] = [&[0], &[2, 1], &[4, 3], &[5, 6], &[7, 6], &[9, 8], &[10, 11]];
    let choices = choices[(number as usize - 1) % 7];
    let inside = |semitones: &&i32| harmony.scale[((i32::from(harmony.tonic) + **semitones) % 12) as usize];
    let found = choices.iter().find(inside).copied().unwrap_or(choices[0]);
    found + 12 * ((number as i32 - 1) / 7)
}

/// The key the figure's note becomes under a chord: itself where it belongs to the chord, or passes without rubbing against it; else the
/// chord's nearest tone.
fn adapted(key: i32, chord: &Chord, harmony: &Harmony, strong: bool) -> i32 {
    let class = key.rem_euclid(12) as u8;
    if chord.tones.contains(&class) {
        return key;
    }
    let rubs = chord.tones.iter().any(|tone| matches!((class + 12 - tone) % 12, 1 | 11));
    if !strong && !rubs && harmony.scale[usize::from(class)] {
        return key;
    }
    let near = (1..=3).flat_map(|by| [key - by, key + by]);
    near.into_iter().find(|near| chord.tones.contains(&(near.rem_euclid(12) as u8))).unwrap_or(key)
}

/// The figure in the part's rhythm.
pub fn riff(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let plan = sheet.plan(part, &mut chance);
    let (low, high) = (i32::from(part.register.0), i32::from(part.register.1));
    let tonic = i32::from(nearest(sheet.harmony.tonic, home(part), part.register));
    let mut notes = Vec::new();
    for (index, bar) in sheet.grooving(part) {
        for step in sheet.steps(&plan, index, None) {
            if sheet.leaves_out(part, step, bar) {
                continue;
            }
            let at = sheet.harmony.index_at(step.start);
            let chord = &sheet.harmony.chords[at];
            let figure = match step.symbol {
                'L' => tonic - 12,
                symbol => tonic + symbol.to_digit(10).map_or(0, |number| degree(sheet.harmony, number)),
            };
            let strong = sheet.bars.strength(step.written) >= 0.6;
            let mut key = if step.symbol == 'a' {
                i32::from(approach(sheet, part, at, tonic as f32, step.written))
            } else {
                adapted(figure, chord, sheet.harmony, strong)
            };
            // A given bass note stands on the chord's first beat.
            if let Some(bass) = chord.bass.filter(|_| (step.written - chord.start).abs() < 0.05) {
                key = i32::from(nearest(bass, key as f32, part.register));
            }
            while key < low {
                key += 12;
            }
            while key > high {
                key -= 12;
            }
            let key = key.clamp(low, high) as u8;
            let velocity = sheet.degree_velocity(&step, bar);
            if step.symbol == 'r' {
                notes.extend(roll(step.start, step.end.min(bar.to), key, velocity, sheet.tempo));
                continue;
            }
            let end = step.start + (step.end - step.start) * f64::from(part.gate);
            let stays = sheet.harmony.chords.get(at + 1).is_none_or(|next| next.tones.contains(&(key % 12)));
            let end = if stays { end } else { end.min(chord.end.max(step.start + 0.1)) };
            notes.push(written(note(step.start, end, key, velocity), step.written));
        }
    }
    if let Some(bar) = sheet.closing(part) {
        last_note(sheet, part, bar, &mut notes);
    }
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}
