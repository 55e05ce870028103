//! Thread: worker. Noise that is the same every time: white, and the two colours of a game console's shift register.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// White noise and chance, by a seed.
#[derive(Debug, Clone)]
pub struct Noise(ChaCha8Rng);

impl Noise {
    /// For a key of a sound: the same key always sounds the same.
    pub fn seeded(bank: u8, program: u8, key: u8) -> Self {
        Self(ChaCha8Rng::seed_from_u64(u64::from(bank) << 16 | u64::from(program) << 8 | u64::from(key)))
    }

    /// The next sample, -1 to 1, every value as likely.
    #[inline]
    pub fn white(&mut self) -> f32 {
        self.0.next_u32() as i32 as f32 * (1.0 / 2_147_483_648.0)
    }

    /// Another noise for a part of the same sound.
    pub fn of_part(&self, part: u8) -> Self {
        let mut random = self.0.clone();
        random.set_stream(u64::from(part) + 1);
        Self(random)
    }

    /// A random phase.
    pub fn phase(&mut self) -> u32 {
        self.0.next_u32()
    }
}

/// A shift register of fifteen bits, stepped at a frequency of its own. Each output sample is the mean over its own time, so that steps
/// between two samples do not jump.
#[derive(Debug, Clone)]
pub struct ShiftRegister {
    bits: u16,
    /// Which bit is fed back with the lowest: the second for long noise, the seventh for a metallic tone.
    tap: u32,
    phase: f32,
    level: f32,
}

impl ShiftRegister {
    /// Freshly switched on. `metallic` repeats after 93 steps.
    pub fn new(metallic: bool) -> Self {
        Self { bits: 1, tap: if metallic { 6 } else { 1 }, phase: 0.0, level: -1.0 }
    }

    fn advance(&mut self) {
        let feedback = (self.bits ^ (self.bits >> self.tap)) & 1;
        self.bits = (self.bits >> 1) | (feedback << 14);
        self.level = if self.bits & 1 == 1 { 1.0 } else { -1.0 };
    }

    /// The next sample; `steps` is how many steps fall into it, up to 64.
    #[inline]
    pub fn next(&mut self, steps: f32) -> f32 {
        let steps = steps.clamp(1e-4, 64.0);
        let mut left = steps;
        let mut sum = 0.0;
        while left >= 1.0 - self.phase {
            let here = 1.0 - self.phase;
            sum += here * self.level;
            left -= here;
            self.phase = 0.0;
            self.advance();
        }
        sum += left * self.level;
        self.phase += left;
        sum / steps
    }
}
