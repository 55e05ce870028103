//! Thread: worker. The keys of a counter-line: a Viterbi search over its strokes.
//!
//! What it costs: tones outside the chord, most on strong places; rubbing or crossing the tune while both sound; leaps; going
//! where the tune goes; and fifths and octaves in parallel with it, which nobody may afford.

use super::super::chance::Chance;
use super::super::harmony::Chord;
use super::super::lead::Idiom;
use super::super::sheet::Sheet;
use super::{Stroke, Sung};
use crate::generation::style::Part;

/// Overlaps shorter than this are not heard as sounding together, in beats.
const TOGETHER: f64 = 0.06;
/// Semitones the line keeps from the tune.
const CLEAR: i32 = 3;
/// What nobody may afford.
const FORBIDDEN: f32 = 60.0;
/// Seeds shake every key's cost by so much.
const SHAKE: f32 = 0.45;

/// How much a style likes what.
struct Taste {
    /// Thirds and sevenths of the chord.
    guide: f32,
    /// A key held or struck again into a new chord.
    common: f32,
}

/// A search for the keys of a line.
pub struct Search<'a> {
    sheet: &'a Sheet<'a>,
    part: &'a Part,
    tune: &'a [Sung],
    taste: Taste,
    /// Whether the line lies under the tune.
    below: bool,
    /// One draw a key and stroke, from a table that strokes walk through.
    noise: Vec<f32>,
}

impl<'a> Search<'a> {
    /// For a tune.
    pub fn new(sheet: &'a Sheet<'a>, part: &'a Part, tune: &'a [Sung], idiom: Idiom, chance: &mut Chance) -> Self {
        // Swing players walk through the guide tones; orchestras keep what two chords share.
        let taste = if idiom.swung {
            Taste { guide: 1.0, common: 0.0 }
        } else {
            Taste { guide: 0.25, common: 0.2 + idiom.appoggiatura }
        };
        let time: f64 = tune.iter().map(|note| note.1 - note.0).sum();
        let mean = tune.iter().map(|note| f64::from(note.2) * (note.1 - note.0)).sum::<f64>() / time.max(1e-6);
        let (low, high) = (f64::from(part.register.0), f64::from(part.register.1));
        // More room on one side decides; the register's middle where both have some.
        let below = mean - low >= high - mean || mean - low >= 12.0 && (low + high) / 2.0 <= mean + 4.0;
        let noise = (0..512).map(|_| chance.gumbel()).collect();
        Self { sheet, part, tune, taste, below, noise }
    }

    /// A key for each stroke, or `None` where the tune leaves no room.
    pub fn keys(&self, strokes: &[Stroke]) -> Vec<Option<u8>> {
        let mut columns: Vec<Vec<(i32, f32, usize)>> = Vec::with_capacity(strokes.len());
        for (index, stroke) in strokes.iter().enumerate() {
            let mut column = Vec::new();
            for key in self.part.register.0..=self.part.register.1 {
                let Some(own) = self.own_cost(i32::from(key), stroke) else { continue };
                let shaken = own + SHAKE * -self.noise[(index * 37 + usize::from(key) * 5) % self.noise.len()];
                let (mut best, mut from) = (0.0, 0);
                let before = columns.last().filter(|before: &&Vec<_>| !before.is_empty());
                if let Some(before) = before {
                    best = f32::INFINITY;
                    for (place, &(other, total, _)) in before.iter().enumerate() {
                        let cost = total + self.step_cost(other, i32::from(key), &strokes[index - 1], stroke);
                        if cost < best {
                            (best, from) = (cost, place);
                        }
                    }
                }
                column.push((i32::from(key), shaken + best, from));
            }
            columns.push(column);
        }
        let mut keys = vec![None; strokes.len()];
        let mut at: Option<usize> = None;
        for index in (0..columns.len()).rev() {
            let column = &columns[index];
            let best = || (0..column.len()).min_by(|a, b| column[*a].1.total_cmp(&column[*b].1));
            let place = at.filter(|place| *place < column.len()).or_else(best);
            keys[index] = place.map(|place| column[place].0.clamp(0, 127) as u8);
            at = place.map(|place| column[place].2);
        }
        keys
    }

    /// The tune's notes that sound with a stroke.
    fn over(&self, stroke: &Stroke) -> impl Iterator<Item = &Sung> {
        let (start, end) = (stroke.start, stroke.end);
        let first = self.tune.partition_point(|note| note.1 <= start + TOGETHER);
        self.tune[first..].iter().take_while(move |note| note.0 < end - TOGETHER)
    }

    /// What a key costs by itself; `None` where it may not be.
    fn own_cost(&self, key: i32, stroke: &Stroke) -> Option<f32> {
        let class = key.rem_euclid(12) as u8;
        let mut cost = 0.0;
        let strong = self.sheet.bars.strength(stroke.start) >= 0.6;
        // Every chord the note lies in, by how much of it does.
        for (chord, share) in self.chords(stroke) {
            cost += share * self.chord_cost(class, chord, strong || stroke.end - stroke.start > 0.8)?;
        }
        for &(start, end, sung) in self.over(stroke) {
            let together = (end.min(stroke.end) - start.max(stroke.start)) as f32;
            let distance = if self.below { i32::from(sung) - key } else { key - i32::from(sung) };
            if distance < CLEAR {
                return None;
            }
            cost += together.clamp(0.25, 1.5)
                * match distance % 12 {
                    1 | 11 => FORBIDDEN,
                    2 | 10 => 1.3,
                    6 => 1.4,
                    0 => 1.6,
                    5 | 7 => 0.5,
                    _ => 0.0,
                };
            // Far from the tune the two do not speak to each other.
            cost += 0.04 * (distance - 16).max(0) as f32;
        }
        let centre = (i32::from(self.part.register.0) + i32::from(self.part.register.1)) / 2;
        Some(cost + 0.05 * (key - centre).abs() as f32)
    }

    /// Chords under a stroke with the share of it that each takes.
    fn chords(&self, stroke: &Stroke) -> impl Iterator<Item = (&Chord, f32)> {
        let first = self.sheet.harmony.index_at(stroke.start);
        let (start, end) = (stroke.start, stroke.end);
        let chords = self.sheet.harmony.chords[first..].iter().take_while(move |chord| chord.start < end - TOGETHER);
        chords.map(move |chord| {
            let share = (chord.end.min(end) - chord.start.max(start)) / (end - start).max(1e-6);
            (chord, share.clamp(0.0, 1.0) as f32)
        })
    }

    fn chord_cost(&self, class: u8, chord: &Chord, weighty: bool) -> Option<f32> {
        if let Some(place) = chord.tones.iter().position(|tone| *tone == class) {
            let interval = (class + 12 - chord.root) % 12;
            let guide = matches!(interval, 3 | 4 | 10 | 11);
            return Some(if guide { -self.taste.guide } else { 0.15 * f32::from(u8::from(place == 0)) });
        }
        if !self.sheet.harmony.scale[usize::from(class)] {
            return None;
        }
        let rubs = chord.tones.iter().any(|tone| matches!((class + 12 - tone) % 12, 1 | 11));
        Some(match (weighty, rubs) {
            (true, true) => 14.0,
            (true, false) => 7.0,
            (false, true) => 2.4,
            (false, false) => 1.2,
        })
    }

    /// What it costs to go from one key to the next.
    fn step_cost(&self, from: i32, to: i32, before: &Stroke, stroke: &Stroke) -> f32 {
        let step = (to - from).abs();
        let mut cost = match step {
            0 if stroke.free => 1.1,
            0 => 0.3 - self.taste.common,
            1 | 2 => 0.0,
            3 | 4 => 0.45,
            5 => 0.9,
            7 => 1.3,
            12 => 2.2,
            6 => 3.0,
            8 | 9 => 2.4,
            _ => 5.0,
        };
        // Outside tones come and go by step.
        let foreign = |key: i32, stroke: &Stroke| {
            let chord = self.sheet.harmony.at(stroke.start);
            !chord.tones.contains(&(key.rem_euclid(12) as u8))
        };
        if step > 2 && (foreign(from, before) || foreign(to, stroke)) {
            cost += 2.5;
        }
        if stroke.anew {
            cost *= 0.4;
        }
        let (Some(earlier), Some(later)) = (self.sung_at(before.start), self.sung_at(stroke.start)) else {
            return cost;
        };
        let tune = i32::from(later) - i32::from(earlier);
        if step != 0 && tune != 0 {
            cost += if (to - from).signum() == tune.signum() { 0.7 } else { -0.5 };
        }
        // The sonority right before the stroke is what the ear compares with.
        let left = self.sung_at(stroke.start - 0.2).unwrap_or(earlier);
        for old in [earlier, left] {
            let (was, is) = ((i32::from(old) - from).rem_euclid(12), (i32::from(later) - to).rem_euclid(12));
            if step != 0 && old != later && was == is && matches!(is, 0 | 7 | 5) {
                cost += if is == 5 { 1.0 } else { FORBIDDEN };
            }
        }
        cost
    }

    /// The key of the tune that sounds at a place, or sounded last.
    fn sung_at(&self, at: f64) -> Option<u8> {
        let after = self.tune.partition_point(|note| note.0 <= at + 0.16);
        after.checked_sub(1).map(|index| self.tune[index].2)
    }
}
