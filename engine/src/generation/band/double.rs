//! Thread: worker. Doubling: the tune again on another instrument, and second voices in thirds and sixths.

use super::harmony::Harmony;
use super::lead::{folded, octave_fit};
use super::melody::MelodyNote;
use super::sheet::Sheet;
use crate::generation::direction::LeadVoice;
use crate::generation::score::{Role, ScoreNote};
use crate::generation::style::Part;
use crate::generation::style::presets::{bends, sustains};

/// How much softer the second voice strikes.
const SOFTER: f32 = 0.9;

/// What a part that doubles the lead plays: its notes again, or the second voice that takes the counter-line's place.
pub fn play(lead: &[ScoreNote], sheet: &Sheet<'_>, part: &Part, keys: (u8, u8), voice: LeadVoice) -> Vec<ScoreNote> {
    match voice {
        LeadVoice::Thirds | LeadVoice::Sixths if part.role == Role::Counter => {
            second_voice(lead, sheet, part, keys, voice)
        }
        _ => unison(lead, sheet, part, keys),
    }
}

/// The tune as another instrument plays it: in unison where its keys allow that, else octaves away as a whole.
fn unison(lead: &[ScoreNote], sheet: &Sheet<'_>, part: &Part, keys: (u8, u8)) -> Vec<ScoreNote> {
    let line: Vec<MelodyNote> = lead.iter().map(as_melody).collect();
    // A register that holds the tune is not left for a nicer octave: unison is what was asked for.
    let asked = i32::from(part.transpose);
    let inside = |shift: i32| {
        let playable = i32::from(keys.0)..=i32::from(keys.1);
        line.iter().all(|note| playable.contains(&(i32::from(note.key) + shift)))
    };
    let shift = [asked, asked - 12, asked + 12].into_iter().find(|shift| inside(*shift));
    let shift = shift.unwrap_or_else(|| octave_fit(&line, part.register, keys));
    let mut notes = voiced(lead, &folded(&line, shift, keys), part, 1.0);
    // Two players are never quite together; a stream of its own keeps the tune itself where it is.
    sheet.groove.humanise(&mut notes, part, &mut sheet.chance(part));
    notes
}

/// A second voice below the tune in thirds or sixths, each from the chord of its moment; above it where the instrument has no keys below.
fn second_voice(
    lead: &[ScoreNote],
    sheet: &Sheet<'_>,
    part: &Part,
    keys: (u8, u8),
    voice: LeadVoice,
) -> Vec<ScoreNote> {
    let (size, reach) = if voice == LeadVoice::Sixths { (SIXTHS, 9) } else { (THIRDS, 4) };
    let room_below = lead.iter().filter(|note| note.key >= keys.0 + reach).count();
    let room_above = lead.iter().filter(|note| note.key + reach <= keys.1).count();
    let side = if room_below * 10 >= lead.len() * 9 || room_below >= room_above { -1 } else { 1 };
    let line = harmonised(lead, sheet.harmony, &size, side, keys);
    let kept: Vec<ScoreNote> =
        lead.iter().zip(&line).filter(|(_, key)| key.is_some()).map(|(note, _)| note.clone()).collect();
    let keys: Vec<u8> = line.into_iter().flatten().collect();
    voiced(&kept, &keys, part, SOFTER)
}

/// Intervals to the tune in semitones, and what each costs.
const THIRDS: [(i32, f32); 4] = [(3, 0.0), (4, 0.0), (5, 1.2), (2, 3.5)];
const SIXTHS: [(i32, f32); 4] = [(8, 0.0), (9, 0.0), (7, 1.2), (10, 3.5)];

/// The cheapest line of intervals: tones of the chord where the tune rests, of the key elsewhere, no open interval twice in a row.
fn harmonised(
    lead: &[ScoreNote],
    harmony: &Harmony,
    sizes: &[(i32, f32); 4],
    side: i32,
    keys: (u8, u8),
) -> Vec<Option<u8>> {
    let mut columns: Vec<Vec<(i32, f32, usize)>> = Vec::with_capacity(lead.len());
    for (index, note) in lead.iter().enumerate() {
        let end = note.start.0 + note.length.0;
        let rests = note.length.0 >= 0.9 || lead.get(index + 1).is_none_or(|next| next.start.0 - end > 0.5);
        // What is struck a little ahead of a change belongs to the change.
        let chord = harmony.at(note.start.0 + 0.1);
        let mut column = Vec::new();
        for &(size, cost) in sizes {
            let key = i32::from(note.key) + side * size;
            if !(i32::from(keys.0)..=i32::from(keys.1)).contains(&key) {
                continue;
            }
            let class = key.rem_euclid(12) as u8;
            let tone = chord.tones.contains(&class);
            let mut own = cost;
            if !tone {
                own += if rests { 2.2 } else { 0.5 };
                let rubs = chord.tones.iter().any(|tone| matches!((class + 12 - tone) % 12, 1 | 11));
                own += if rubs && rests { 1.0 } else { 0.0 };
                own += if harmony.scale[usize::from(class)] { 0.0 } else { 3.0 };
            }
            let (mut best, mut from) = (0.0, 0);
            if let (Some(before), Some(earlier)) = (columns.last(), index.checked_sub(1).map(|index| &lead[index])) {
                best = f32::INFINITY;
                for (place, &(other, total, _)) in before.iter().enumerate() {
                    let (own_step, tune_step) = (key - other, i32::from(note.key) - i32::from(earlier.key));
                    let interval = (i32::from(earlier.key) - other).abs();
                    let open = tune_step != 0 && own_step != 0 && interval == size && matches!(size, 5 | 7);
                    let leaps = (own_step.abs() - tune_step.abs() - 2).max(0) as f32;
                    let step = total + if open { 6.0 } else { 0.0 } + 0.4 * leaps;
                    if step < best {
                        (best, from) = (step, place);
                    }
                }
                if before.is_empty() {
                    best = 0.0;
                }
            }
            column.push((key, own + best, from));
        }
        columns.push(column);
    }
    let mut line = vec![None; lead.len()];
    let mut at: Option<usize> = None;
    for index in (0..columns.len()).rev() {
        let column = &columns[index];
        // Where the voice had to rest, the line before it begins anew from its own best end.
        let best = || (0..column.len()).min_by(|a, b| column[*a].1.total_cmp(&column[*b].1));
        let place = at.filter(|place| *place < column.len()).or_else(best);
        line[index] = place.map(|place| column[place].0.clamp(0, 127) as u8);
        at = place.map(|place| column[place].2);
    }
    line
}

fn as_melody(note: &ScoreNote) -> MelodyNote {
    MelodyNote {
        source: 0,
        start: note.start.0,
        end: note.start.0 + note.length.0,
        stretch: 1.0,
        meant: note.start.0,
        key: note.key,
        loudness: 0.5,
        weight: 1.0,
        passing: false,
    }
}

/// The lead's notes on other keys, with as much of their curves as the instrument can play.
fn voiced(lead: &[ScoreNote], keys: &[u8], part: &Part, softer: f32) -> Vec<ScoreNote> {
    let play = |(note, &key): (&ScoreNote, &u8)| ScoreNote {
        key,
        velocity: (f32::from(note.velocity) * softer).round().clamp(1.0, 127.0) as u8,
        bend: if bends(part.preset) { note.bend.clone() } else { Vec::new() },
        expression_db: if sustains(part.preset) { note.expression_db.clone() } else { Vec::new() },
        ..note.clone()
    };
    lead.iter().zip(keys).map(play).collect()
}
