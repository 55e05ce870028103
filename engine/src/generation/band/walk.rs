//! Thread: worker. The walking bass: one note a count, roots where chords begin, steps and chord tones between, and a leading note
//! before each change. Found by the cheapest path over all counts.

use super::bars::Bar;
use super::bass::{degrees, home, last_note};
use super::sheet::{Sheet, note, written};
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;

/// Complexity below which a walking bass plays in two.
const IN_TWO: f32 = -0.4;

/// A walking bass; metres that the part has patterns for play those.
pub fn walk(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    if part.patterns.iter().any(|pattern| pattern.metre == sheet.bars.metre) {
        return degrees(sheet, part);
    }
    let mut chance = sheet.chance(part);
    let beats = beats(sheet, part);
    let (low, high) = part.register;
    let width = usize::from(high - low) + 1;
    let home = home(part) + 2.0;
    // Where the line is heading, bar by bar: up in one, down in another.
    let headings: Vec<f32> =
        sheet.bars.bars.iter().map(|bar| 12.0 * (sheet.luck(part, "heading", bar.from) - 0.45)).collect();
    let mut costs: Vec<f32> = (low..=high).map(|key| 0.08 * (f32::from(key) - home).abs()).collect();
    let mut back: Vec<Vec<usize>> = Vec::with_capacity(beats.len());
    for (index, beat) in beats.iter().enumerate() {
        let mut next = vec![f32::INFINITY; width];
        let mut from = vec![0; width];
        let goal = home + headings[beat.bar];
        for (to, key) in (low..=high).enumerate() {
            let drift = 0.03 * (f32::from(key) - home).abs() + 0.09 * (f32::from(key) - goal).abs();
            let own = key_cost(key, beat, sheet) + drift + 0.5 * chance.uniform();
            if index == 0 {
                next[to] = costs[to] + own;
                continue;
            }
            for (at, cost) in costs.iter().enumerate() {
                let moved = cost + move_cost(at.abs_diff(to), beat.first);
                if moved < next[to] {
                    next[to] = moved;
                    from[to] = at;
                }
            }
            next[to] += own;
        }
        costs = next;
        back.push(from);
    }
    let mut at = 0;
    for (index, cost) in costs.iter().enumerate() {
        if *cost < costs[at] {
            at = index;
        }
    }
    let mut keys = vec![0u8; beats.len()];
    for index in (0..beats.len()).rev() {
        keys[index] = low + at as u8;
        at = back[index][at];
    }
    let mut notes = Vec::with_capacity(beats.len());
    for (index, (beat, key)) in beats.iter().zip(&keys).enumerate() {
        let bar = &sheet.bars.bars[beat.bar];
        // The backbeat has a little more weight, as a bassist plays with the hi-hat.
        let velocity = sheet.velocity('x', bar).saturating_add(if beat.light { 6 } else { 0 }).min(127);
        let next = beats.get(index + 1).map_or(bar.to, |next| next.at).min(bar.to);
        notes.push(note(beat.at, beat.at + (next - beat.at) * f64::from(part.gate), *key, velocity));
        skip(sheet, part, bar, (beat.at, next), *key, &mut notes);
    }
    if let Some(bar) = sheet.closing(part) {
        last_note(sheet, part, bar, &mut notes);
    }
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}

/// A short note off the beat, as walkers throw in, where complexity asks for them.
fn skip(sheet: &Sheet<'_>, part: &Part, bar: &Bar, (at, next): (f64, f64), key: u8, notes: &mut Vec<ScoreNote>) {
    let middle = at + (next - at) / 2.0;
    if sheet.luck(part, "skip", middle) >= 0.3 * sheet.mood.adds() {
        return;
    }
    let played = bar.line + sheet.groove.swung((middle - bar.line) / sheet.scale());
    if let Some(last) = notes.last_mut() {
        last.length.0 = last.length.0.min(played - at - 0.02);
    }
    let end = played + 0.6 * (next - played);
    notes.push(written(note(played, end, key, sheet.velocity('o', bar)), middle));
}

/// One count of a walking bass.
struct Beat {
    at: f64,
    bar: usize,
    chord: usize,
    /// The chord begins here.
    first: bool,
    /// The next count has another chord.
    leads: bool,
    /// The chord lasts on from the bar before.
    carried: bool,
    /// A count of the backbeat.
    light: bool,
}

fn beats(sheet: &Sheet<'_>, part: &Part) -> Vec<Beat> {
    let mut beats: Vec<Beat> = Vec::new();
    let in_two = sheet.mood.complexity < IN_TWO;
    for (index, bar) in sheet.grooving(part) {
        let places = sheet.pulses(bar);
        let count = sheet.count_beats();
        for (place, &(at, number)) in places.iter().enumerate() {
            if at < bar.from - 1e-6 || at > bar.to - 0.1 {
                continue;
            }
            let chord = sheet.harmony.index_at(at);
            let begins = (at - sheet.harmony.chords[chord].start).abs() < 0.02;
            let light = number % 2 == 1;
            if in_two && light && !begins {
                continue;
            }
            let same_before = chord > 0 && sheet.harmony.chords[chord - 1].symbol == sheet.harmony.chords[chord].symbol;
            let step = places.get(place + 1).map_or(count, |next| next.0 - at) * if in_two { 2.0 } else { 1.0 };
            let leads = sheet.harmony.chords[chord].end - at < step + 0.02;
            beats.push(Beat { at, bar: index, chord, first: begins, leads, carried: begins && same_before, light });
        }
    }
    beats
}

fn key_cost(key: u8, beat: &Beat, sheet: &Sheet<'_>) -> f32 {
    let chord = &sheet.harmony.chords[beat.chord];
    let next = sheet.harmony.after(beat.chord);
    let (here, there) = (sheet.bass_of(chord), sheet.bass_of(next));
    let class = key % 12;
    let is_tone = chord.tones.contains(&class);
    if beat.first {
        let other = if beat.carried && chord.bass.is_none() { 0.3 } else { 4.0 };
        return if class == here {
            0.0
        } else if is_tone {
            other
        } else {
            9.0
        };
    }
    if beat.leads && there != here {
        let above = (class + 12 - there) % 12;
        return match above {
            1 | 11 => 0.0,
            2 | 10 => 0.4,
            7 => 0.6,
            0 => 2.5,
            _ if is_tone => 1.2,
            _ => 3.0,
        };
    }
    if is_tone {
        0.0
    } else if sheet.harmony.scale[usize::from(class)] {
        0.6
    } else {
        1.6
    }
}

fn move_cost(semitones: usize, into_chord: bool) -> f32 {
    match semitones {
        0 => 2.2,
        1 | 2 => 0.0,
        3 | 4 => 0.4,
        5 | 7 => {
            if into_chord {
                0.5
            } else {
                0.8
            }
        }
        6 | 8..=9 => 1.6,
        // The drop of an octave is a walker's way to gain room.
        12 => {
            if into_chord {
                1.1
            } else {
                1.4
            }
        }
        _ => 3.0,
    }
}
