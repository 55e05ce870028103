//! Random melodies in a mode: a seeded walk on its scale in plain rhythms, which ends at home.

use super::super::tunes::{analysis, grid, major};
use cantus_engine::analysis::{Analysis, key};

/// Modes: name, semitones above the tonic.
pub const MODES: [(&str, &[i32]); 8] = [
    ("major", &[0, 2, 4, 5, 7, 9, 11]),
    ("mixolydian", &[0, 2, 4, 5, 7, 9, 10]),
    ("lydian", &[0, 2, 4, 6, 7, 9, 11]),
    ("natural minor", &[0, 2, 3, 5, 7, 8, 10]),
    ("harmonic minor", &[0, 2, 3, 5, 7, 8, 11]),
    ("dorian", &[0, 2, 3, 5, 7, 9, 10]),
    ("pentatonic", &[0, 2, 4, 7, 9]),
    ("blues", &[0, 3, 5, 6, 7, 10]),
];

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A melody of eight bars. The key is what the analysis makes of it.
pub fn melody(mode: usize, seed: u64) -> Analysis {
    let mut random = Random::new(seed.wrapping_mul(64) + mode as u64);
    let steps = MODES[mode].1;
    let metre = [(4, 4), (4, 4), (4, 4), (3, 4), (6, 8), (5, 4), (7, 8), (12, 8)][random.below(8) as usize];
    let place = grid(0.0, 70.0 + random.below(90) as f64, metre);
    let bar = place.metre.bar().0;
    let bars = 8;
    let tonic = 55 + random.below(12) as i32;
    let count = steps.len() as i32;
    let pitch = |degree: i32| tonic + 12 * degree.div_euclid(count) + steps[degree.rem_euclid(count) as usize];
    let mut notes = Vec::new();
    let mut degree = [0, 2, 4][random.below(3) as usize].min(count - 1);
    for number in 0..bars {
        let mut left = bar;
        while left > 0.2 {
            let last = number + 1 == bars;
            let lengths: &[f64] = if metre.1 == 8 { &[0.5, 0.5, 1.0, 1.5] } else { &[0.5, 0.5, 1.0, 1.0, 2.0] };
            let mut length = lengths[random.below(lengths.len() as u64) as usize].min(left);
            if last && left < bar {
                length = left;
                degree = 0;
            }
            let start = f64::from(number) * bar + bar - left;
            if random.below(10) > 0 || last {
                notes.push((start, start + length * 0.94, pitch(degree) as u8));
            }
            left -= length;
            let step = [-2, -1, -1, 0, 1, 1, 2, 3, -3][random.below(9) as usize];
            degree = (degree + step).clamp(-3, count + 3);
        }
    }
    let mut heard = analysis(&notes, place.clone(), f64::from(bars) * bar, major(0));
    heard.key = key::key(&heard.notes, &place, true);
    heard
}
