//! Thread: worker. Bass lines of chord degrees in a rhythm. Timpani play them too.

use super::bars::Bar;
use super::harmony::Chord;
use super::sheet::{PlacedStep, Sheet, note, written};
use crate::generation::score::{Preset, Role, ScoreNote};
use crate::generation::style::Part;

/// The key of a pitch class within a register nearest to another key.
pub fn nearest(class: u8, near: f32, register: (u8, u8)) -> u8 {
    let mut best = (register.0, f32::INFINITY);
    for key in (register.0..=register.1).filter(|key| key % 12 == class) {
        let distance = (f32::from(key) - near).abs();
        if distance < best.1 {
            best = (key, distance);
        }
    }
    best.0
}

/// The pitch class a degree names over a chord: its third, fifth or seventh whatever their quality, the key's second, fourth or
/// sixth over its root, else the root.
fn degree(chord: &Chord, scale: &[bool; 12], symbol: char) -> u8 {
    let class = |interval: &u8| (chord.root + interval) % 12;
    let (wanted, of_the_key): (&[u8], &[u8]) = match symbol {
        '2' => (&[2, 1], &[2, 1]),
        '3' => (&[3, 4, 5, 2], &[]),
        '4' => (&[5], &[5, 6]),
        '5' => (&[7, 6, 8], &[]),
        '6' => (&[9], &[9, 8]),
        '7' => (&[10, 11, 9], &[]),
        _ => (&[0], &[]),
    };
    let tone = wanted.iter().map(class).find(|class| chord.tones.contains(class));
    let step = of_the_key.iter().map(class).find(|class| scale[usize::from(*class)]);
    let plain = of_the_key.first().map(class);
    tone.or(step).or(plain).unwrap_or(chord.root)
}

/// Where roots lie: low in the register, so that a third and fifth fit above.
pub fn home(part: &Part) -> f32 {
    f32::from(part.register.0) + 0.35 * f32::from(part.register.1 - part.register.0)
}

/// A line of chord degrees in the part's rhythm.
pub fn degrees(sheet: &Sheet<'_>, part: &Part) -> Vec<ScoreNote> {
    let mut chance = sheet.chance(part);
    let plan = sheet.plan(part, &mut chance);
    let mut line = Line { home: home(part), before: home(part), stands: None, notes: Vec::new() };
    for (index, bar) in sheet.grooving(part) {
        let steps = sheet.steps(&plan, index, None);
        for step in &steps {
            if !sheet.leaves_out(part, *step, bar) {
                line.play(sheet, part, bar, *step);
            }
        }
        // At the end of a phrase a bass leads on, where the tune leaves room and its pattern says nothing.
        let room = sheet.fill(index).is_some() && plan.fill.is_none();
        let free = steps.iter().all(|step| step.written < bar.to - 0.8 * sheet.bars.count_beats);
        if room && free && part.role == Role::Bass && sheet.luck(part, "lead on", bar.from) < 0.6 {
            line.lead_on(sheet, part, bar, bar.to);
        } else if part.role == Role::Bass {
            added(sheet, part, bar, &steps, &mut line);
        }
    }
    let mut notes = line.notes;
    if let Some(bar) = sheet.closing(part) {
        last_note(sheet, part, bar, &mut notes);
    }
    notes.sort_by(|a, b| a.start.0.total_cmp(&b.start.0));
    sheet.groove.humanise(&mut notes, part, &mut chance);
    if part.preset == SUB_808 {
        glide(sheet, part, &mut notes);
    }
    notes
}

/// The sound that glides from note to note.
const SUB_808: Preset = Preset { bank: 120, program: 0 };
/// Notes that lie nearer than this touch, in beats.
const TOUCH_BEATS: f64 = 0.15;
/// How long a glide takes.
const GLIDE_MS: f32 = 90.0;

/// Slides into a note from the one it touches, as producers draw them under an 808.
fn glide(sheet: &Sheet<'_>, part: &Part, notes: &mut [ScoreNote]) {
    for index in 1..notes.len() {
        let (before, note) = (&notes[index - 1], &notes[index]);
        let gap = note.start.0 - (before.start.0 + before.length.0);
        let from = f32::from(before.key) - f32::from(note.key);
        let place = note.written.unwrap_or(note.start).0;
        if from == 0.0 || gap > TOUCH_BEATS || sheet.luck(part, "glide", place) >= 0.7 {
            continue;
        }
        let beats = (sheet.groove.beats(GLIDE_MS) as f32).min(0.5 * note.length.0 as f32);
        notes[index].bend = vec![(0.0, from), (beats, 0.0)];
    }
}

/// The chord a note that anticipates belongs to: in the last count before a change, the next one; at the end of a loop, the first.
fn ahead(sheet: &Sheet<'_>, step: PlacedStep<'_>, here: usize) -> usize {
    let chord = &sheet.harmony.chords[here];
    let late = step.written > chord.start + 0.02 && chord.end - step.written < sheet.count_beats() + 0.02;
    match (late, here + 1 < sheet.harmony.chords.len()) {
        (true, true) => here + 1,
        (true, false) if sheet.bars.closing().is_none() => 0,
        _ => here,
    }
}

struct Line {
    home: f32,
    before: f32,
    /// The bar line and chord of the last root, and its key: one root a chord, however far the line went meanwhile.
    stands: Option<(f64, usize, u8)>,
    notes: Vec<ScoreNote>,
}

impl Line {
    /// Roots stay near home so that the line does not drift; other degrees stay near the note before.
    fn root(&self, class: u8, part: &Part) -> u8 {
        nearest(class, 0.6 * self.home + 0.4 * self.before, part.register)
    }

    fn play(&mut self, sheet: &Sheet<'_>, part: &Part, bar: &Bar, step: PlacedStep<'_>) {
        let here = sheet.harmony.index_at(step.start);
        let index = if part.anticipate { ahead(sheet, step, here) } else { here };
        let chord = &sheet.harmony.chords[index];
        let root = match self.stands {
            Some((line, known, root)) if line == bar.line && known == index => root,
            _ => self.root(sheet.bass_of(chord), part),
        };
        self.stands = Some((bar.line, index, root));
        let key = match step.symbol {
            '8' => {
                if root + 12 <= part.register.1 {
                    root + 12
                } else {
                    root
                }
            }
            'L' => {
                if root >= part.register.0 + 12 {
                    root - 12
                } else {
                    root
                }
            }
            'a' => approach(sheet, part, index, f32::from(root), step.written),
            '2'..='7' => {
                // The tone above the root, or below when that is out of the register.
                let class = degree(chord, &sheet.harmony.scale, step.symbol);
                let above = root + (class + 12 - root % 12) % 12;
                if above <= part.register.1 { above } else { nearest(class, f32::from(root), part.register) }
            }
            _ => root,
        };
        let velocity = sheet.degree_velocity(&step, bar);
        self.before = f32::from(key);
        if step.symbol == 'r' {
            self.notes.extend(roll(step.start, step.end.min(bar.to), key, velocity, sheet.tempo));
            return;
        }
        let held = (step.end - step.start) * f64::from(part.gate);
        // A bass note never hangs over into a chord it does not belong to.
        let until = if index < here { bar.to } else { chord.end };
        let end = (step.start + held).min(until.max(step.start + 0.1));
        self.notes.push(written(note(step.start, end, key, velocity), step.written));
        if index == here
            && step.end > chord.end + 0.45
            && index + 1 < sheet.harmony.chords.len()
            && chord.end < bar.to - 0.1
        {
            let next = &sheet.harmony.chords[index + 1];
            let key = self.root(sheet.bass_of(next), part);
            self.notes.push(note(chord.end, step.end.min(next.end), key, velocity));
        }
    }

    /// An eighth before a change, a note that leads into it.
    fn lead_on(&mut self, sheet: &Sheet<'_>, part: &Part, bar: &Bar, change: f64) {
        let half = sheet.bars.count_beats / 2.0;
        let on_paper = change - half;
        let at = bar.line + sheet.groove.swung((on_paper - bar.line) / sheet.scale());
        if at < bar.from || at > change - 0.05 {
            return;
        }
        for note in self.notes.iter_mut().filter(|note| note.start.0 + note.length.0 > at - 0.02) {
            note.length.0 = (at - 0.02 - note.start.0).max(0.05);
        }
        let key = approach(sheet, part, sheet.harmony.index_at(at), self.before, on_paper);
        self.notes.push(written(
            note(at, at + (change - at) * f64::from(part.gate), key, sheet.velocity('o', bar)),
            on_paper,
        ));
        self.before = f32::from(key);
    }
}

/// Notes that lead into changes between the written ones, where complexity asks for them.
fn added(sheet: &Sheet<'_>, part: &Part, bar: &Bar, steps: &[PlacedStep<'_>], line: &mut Line) {
    let share = 0.7 * sheet.mood.adds();
    let changes =
        sheet.harmony.chords.iter().map(|chord| chord.end).filter(|at| *at > bar.from && *at <= bar.to + 1e-6);
    let changes: Vec<f64> = changes.collect();
    for change in changes {
        let place = change - sheet.bars.count_beats / 2.0;
        let free = steps.iter().all(|step| (step.written - place).abs() > 0.3);
        if free && sheet.luck(part, "added", place) < share {
            line.lead_on(sheet, part, bar, change);
        }
    }
}

/// The root under a last chord.
pub fn last_note(sheet: &Sheet<'_>, part: &Part, bar: &Bar, notes: &mut Vec<ScoreNote>) {
    let chord = sheet.harmony.at(bar.from + 0.01);
    let key = nearest(sheet.bass_of(chord), home(part), part.register);
    notes.push(note(bar.from, sheet.last_chord_end(bar), key, sheet.velocity('X', bar)));
}

/// A note that leads into the next chord's root: its neighbour in the scale, or a semitone away, or the fifth above it; the chord's own
/// fifth when it stays.
pub fn approach(sheet: &Sheet<'_>, part: &Part, index: usize, near: f32, place: f64) -> u8 {
    let register = part.register;
    let scale = &sheet.harmony.scale;
    let (chord, next) = (&sheet.harmony.chords[index], sheet.harmony.after(index));
    let (here, there) = (sheet.bass_of(chord), sheet.bass_of(next));
    if here == there {
        return nearest(degree(chord, scale, '5'), near, register);
    }
    let target = nearest(there, near, register);
    let luck = sheet.luck(part, "approach", place);
    let above = near > f32::from(target) && target + 2 <= register.1;
    if luck < 0.2 {
        // A dominant.
        return nearest((there + 7) % 12, near, register);
    }
    if luck < 0.4 {
        return if above { target + 1 } else { target.saturating_sub(1).max(register.0) };
    }
    if above {
        return if scale[usize::from((target + 1) % 12)] { target + 1 } else { target + 2 };
    }
    let below = target.saturating_sub(1).max(register.0);
    if scale[usize::from(below % 12)] { below } else { target.saturating_sub(2).max(register.0) }
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
