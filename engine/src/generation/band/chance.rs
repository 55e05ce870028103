//! Thread: worker. Seeded chance: one stream a purpose, so that a change in one part leaves the others as they were.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of chance.
pub struct Chance {
    stream: ChaCha8Rng,
    /// Place of the seed in a sequence that spreads neighbouring seeds evenly over 0 to 1.
    place: f64,
    /// Step of that sequence, irrational.
    step: f64,
}

/// Steps whose multiples spread evenly: fractional parts of the golden ratio and of some square roots.
const STEPS: [f64; 4] = [0.618_033_988_749_895, 0.414_213_562_373_095, 0.732_050_807_568_877, 0.302_775_637_731_995];

impl Chance {
    /// The stream of a purpose under a seed.
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a keeps the streams of different purposes apart.
        let mut mixed = 0xcbf2_9ce4_8422_2325_u64;
        for byte in purpose.bytes() {
            mixed = (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let step = STEPS[(mixed >> 40) as usize % STEPS.len()];
        // Large seeds lose their low bits in a float; folding keeps neighbours apart.
        let place = (mixed >> 11) as f64 / (1_u64 << 53) as f64 + (seed % 1_000_003) as f64 * step;
        Self { stream: ChaCha8Rng::seed_from_u64(seed ^ mixed), place, step }
    }

    /// Uniform in 0 to 1, 1 excluded.
    pub fn uniform(&mut self) -> f32 {
        self.stream.random::<f32>()
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
        let at = self.uniform();
        choose(weights, at)
    }

    /// An index by weight, so that neighbouring seeds choose differently wherever the weights allow it.
    pub fn pick_spread(&mut self, weights: &[f32]) -> Option<usize> {
        let at = self.place.rem_euclid(1.0) as f32;
        // Later choices of the stream go their own way.
        self.place = self.place * 7.0 + self.step;
        choose(weights, at)
    }
}

fn choose(weights: &[f32], at: f32) -> Option<usize> {
    let total: f32 = weights.iter().sum();
    if weights.is_empty() || total.is_nan() || total <= 0.0 {
        return None;
    }
    let mut left = at * total;
    for (index, weight) in weights.iter().enumerate() {
        if *weight > 0.0 && left < *weight {
            return Some(index);
        }
        left -= weight;
    }
    weights.iter().rposition(|weight| *weight > 0.0)
}

/// A number from 0 to 1, 1 excluded, that belongs to a seed, a part, a purpose and a place.
pub fn at(seed: u64, part: u64, purpose: &str, place: u64) -> f32 {
    let mut mixed = seed ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for value in purpose.bytes().map(u64::from).chain([place]) {
        // SplitMix64: every bit of the sum reaches every bit of the result.
        mixed = (mixed ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
    }
    (mixed >> 40) as f32 / (1_u64 << 24) as f32
}
