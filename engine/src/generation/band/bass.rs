//! Thread: worker. Bass lines: chord degrees in a rhythm, and the walking bass. Timpani play degrees too.

use super::harmony::Chord;
use super::sheet::{Sheet, note};
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;
use crate::generation::style::steps;

/// The key of a pitch class within a register nearest to another key.
fn nearest(class: u8, near: f32, register: (u8, u8)) -> u8 {
    let mut best = (register.0, f32::INFINITY);
    for key in (register.0..=register.1).filter(|key| key % 12 == class) {
        let distance = (f32::from(key) - near).abs();
        if distance < best.1 {
            best = (key, distance);
        }
    }
    best.0
}

/// The tone of a chord that a degree names: its third, fifth or seventh whatever their quality, else the root.
fn degree(chord: &Chord, symbol: char) -> u8 {
    let wanted: &[u8] = match symbol {
        '3' => &[3, 4, 5, 2],
        '5' => &[7, 6, 8],
        '7' => &[10, 11, 9],
        _ => &[0],
    };
    let class = |interval: &u8| (chord.root + interval) % 12;
    wanted.iter().map(class).find(|class| chord.tones.contains(class)).unwrap_or(chord.root)
}

/// Where roots lie: low in the register, so that a third and fifth fit above.
fn home(part: &Part) -> f32 {
    f32::from(part.register.0) + 0.35 * f32::from(part.register.1 - part.register.0)
}

/// A line of chord degrees in the part's rhythm.
pub fn degrees(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let plan = sheet.plan(part, &mut chance);
    let home = home(part);
    let mut notes = Vec::new();
    let mut before = home;
    for bar in sheet.bars.bars.iter().filter(|bar| plan.plays(bar)) {
        let fill = plan.fill.filter(|_| bar.ends_phrase && sheet.bars.bars.len() > 1);
        for step in sheet.place(fill.unwrap_or_else(|| plan.groove(bar)), bar) {
            let index = sheet.harmony.index_at(step.start);
            let chord = &sheet.harmony.chords[index];
            // Roots stay near home so that the line does not drift; other degrees stay near the note before.
            let root = nearest(chord.root, 0.6 * home + 0.4 * before, part.register);
            let key = match step.symbol {
                '8' => {
                    if root + 12 <= part.register.1 {
                        root + 12
                    } else {
                        root
                    }
                }
                'a' => approach(chord, sheet.harmony.after(index), f32::from(root), part.register, sheet),
                '3' | '5' | '7' => {
                    // The tone above the root, or below when that is out of the register.
                    let class = degree(chord, step.symbol);
                    let above = root + (class + 12 - root % 12) % 12;
                    if above <= part.register.1 { above } else { nearest(class, f32::from(root), part.register) }
                }
                _ => root,
            };
            let on_one = (step.start - bar.line).abs() < 0.02;
            let symbol = if matches!(step.symbol, 'X' | 'x' | 'o') {
                step.symbol
            } else if on_one {
                'X'
            } else {
                'x'
            };
            let velocity = sheet.velocity(symbol, bar);
            if step.symbol == 'r' {
                notes.extend(roll(step.start, step.end.min(bar.to), key, velocity, sheet.tempo));
            } else {
                let held = (step.end - step.start) * f64::from(part.gate);
                // A bass note never hangs over into a chord it does not belong to.
                let end = (step.start + held).min(chord.end.max(step.start + 0.1));
                notes.push(note(step.start, end, key, velocity));
                if step.end > chord.end + 0.45 && index + 1 < sheet.harmony.chords.len() && chord.end < bar.to - 0.1 {
                    let next = &sheet.harmony.chords[index + 1];
                    let key = nearest(next.root, 0.6 * home + 0.4 * f32::from(key), part.register);
                    notes.push(note(chord.end, step.end.min(next.end), key, velocity));
                }
            }
            before = f32::from(key);
        }
    }
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}

/// A note that leads into the next chord's root: its neighbour in the scale, or a semitone below, or the fifth when the chord stays.
fn approach(chord: &Chord, next: &Chord, near: f32, register: (u8, u8), sheet: &Sheet<'_>) -> u8 {
    if chord.root == next.root {
        return nearest(degree(chord, '5'), near, register);
    }
    let target = nearest(next.root, near, register);
    let below = target.saturating_sub(1).max(register.0);
    let scale_below = target.saturating_sub(2).max(register.0);
    if near > f32::from(target) && target + 2 <= register.1 {
        return if sheet.harmony.scale[usize::from((target + 1) % 12)] { target + 1 } else { target + 2 };
    }
    if sheet.harmony.scale[usize::from(below % 12)] { below } else { scale_below }
}

/// A roll that grows: strokes a little under a tenth of a second apart.
pub fn roll(start: f64, end: f64, key: u8, velocity: u8, tempo: f64) -> Vec<ScoreNote> {
    let stroke = if tempo > 110.0 {
        0.25
    } else if tempo > 70.0 {
        1.0 / 6.0
    } else {
        0.125
    };
    let strokes = ((end - start) / stroke - 1e-6).floor().max(0.0) as usize + 1;
    (0..strokes)
        .map(|index| {
            let growth = 0.5 + 0.5 * index as f32 / strokes as f32;
            let at = start + index as f64 * stroke;
            note(at, (at + stroke * 1.5).min(end.max(at + 0.05)), key, (f32::from(velocity) * growth).max(1.0) as u8)
        })
        .collect()
}

/// A walking bass: one note a count, roots where chords begin, steps and chord tones between, and a leading note before each
/// change. Found by the cheapest path over all counts; metres that are not counted in quarters play the part's patterns.
pub fn walk(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let own = part.patterns.iter().any(|pattern| pattern.metre == sheet.bars.metre);
    if own || steps::counts(sheet.bars.metre) != usize::from(sheet.bars.metre.numerator) {
        return degrees(sheet, part);
    }
    let mut chance = sheet.chance(part);
    let beats = beats(sheet);
    let (low, high) = part.register;
    let width = usize::from(high - low) + 1;
    let home = home(part) + 2.0;
    let mut costs: Vec<f32> = (low..=high).map(|key| 0.08 * (f32::from(key) - home).abs()).collect();
    let mut back: Vec<Vec<usize>> = Vec::with_capacity(beats.len());
    for (index, beat) in beats.iter().enumerate() {
        let mut next = vec![f32::INFINITY; width];
        let mut from = vec![0; width];
        for (to, key) in (low..=high).enumerate() {
            let own = key_cost(key, beat, sheet) + 0.05 * (f32::from(key) - home).abs() + 0.5 * chance.uniform();
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
    for (beat, key) in beats.iter().zip(keys) {
        let bar = &sheet.bars.bars[sheet.bars.at(beat.at)];
        // The backbeat has a little more weight, as a bassist plays with the hi-hat.
        let backbeat = ((beat.at - bar.line) / sheet.bars.count_beats).round() as usize % 2 == 1;
        let velocity = sheet.velocity('x', bar).saturating_add(if backbeat { 6 } else { 0 }).min(127);
        let end = (beat.at + sheet.bars.count_beats * f64::from(part.gate)).min(bar.to);
        notes.push(note(beat.at, end, key, velocity));
    }
    sheet.groove.humanise(&mut notes, part, &mut chance);
    notes
}

/// One count of a walking bass.
struct Beat {
    at: f64,
    chord: usize,
    /// The chord begins here.
    first: bool,
    /// The next count has another chord.
    leads: bool,
    /// The chord lasts on from the bar before.
    carried: bool,
}

fn beats(sheet: &Sheet<'_>) -> Vec<Beat> {
    let mut beats: Vec<Beat> = Vec::new();
    let count = sheet.bars.count_beats;
    for bar in sheet.bars.bars.iter().filter(|bar| !bar.pickup) {
        for index in 0..steps::counts(sheet.bars.metre) {
            let at = bar.line + index as f64 * count;
            if at < bar.from - 1e-6 || at > bar.to - 0.1 {
                continue;
            }
            let chord = sheet.harmony.index_at(at);
            let begins = (at - sheet.harmony.chords[chord].start).abs() < 0.02;
            let same_before = chord > 0 && sheet.harmony.chords[chord - 1].symbol == sheet.harmony.chords[chord].symbol;
            let leads = sheet.harmony.chords[chord].end - at < count + 0.02;
            beats.push(Beat { at, chord, first: begins, leads, carried: begins && same_before });
        }
    }
    beats
}

fn key_cost(key: u8, beat: &Beat, sheet: &Sheet<'_>) -> f32 {
    let chord = &sheet.harmony.chords[beat.chord];
    let next = sheet.harmony.after(beat.chord);
    let class = key % 12;
    let is_tone = chord.tones.contains(&class);
    if beat.first {
        let other = if beat.carried { 0.3 } else { 4.0 };
        return if class == chord.root {
            0.0
        } else if is_tone {
            other
        } else {
            9.0
        };
    }
    if beat.leads && next.root != chord.root {
        let above = (class + 12 - next.root) % 12;
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
        12 => 1.4,
        _ => 3.0,
    }
}
