//! Thread: worker. Seeded chance: one stream a purpose, so that a change in one part leaves the others as they were.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of chance.
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of a purpose under a seed.
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a keeps the streams of different purposes apart.
        let mut mixed = 0xcbf2_9ce4_8422_2325_u64;
        for byte in purpose.bytes() {
            mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(ChaCha8Rng::seed_from_u64(seed ^ mixed))
    }

    /// Uniform in 0 to 1, 1 excluded.
    pub fn uniform(&mut self) -> f32 {
        self.0.random::<f32>()
    }

    /// True with a probability.
    pub fn hit(&mut self, probability: f32) -> bool {
        self.uniform() < probability
    }

    /// Bell-shaped around 0 with a standard deviation, never beyond 2.5 of them.
    pub fn bell(&mut self, deviation: f32) -> f32 {
        let sum: f32 = (0..6).map(|_| self.uniform()).sum();
        (((sum - 3.0) * std::f32::consts::SQRT_2) * deviation).clamp(-2.5 * deviation, 2.5 * deviation)
    }

    /// Gumbel noise: added to scores, the best one is a draw from their softmax.
    pub fn gumbel(&mut self) -> f32 {
        -(-(self.uniform().clamp(1e-6, 1.0 - 1e-6)).ln()).ln()
    }

    /// An index by weight; `None` when nothing has weight.
    pub fn pick(&mut self, weights: &[f32]) -> Option<usize> {
        let total: f32 = weights.iter().sum();
        if weights.is_empty() || total.is_nan() || total <= 0.0 {
            return None;
        }
        let mut left = self.uniform() * total;
        for (index, weight) in weights.iter().enumerate() {
            if *weight > 0.0 && left < *weight {
                return Some(index);
            }
            left -= weight;
        }
        weights.iter().rposition(|weight| *weight > 0.0)
    }
}
