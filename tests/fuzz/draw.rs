//! Chance, the same for the same seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Where every choice of a run comes from.
pub struct Draw(ChaCha8Rng);

impl Draw {
    /// The choices of input `number` of a run.
    pub fn new(seed: u64, number: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        chance.set_stream(number);
        Self(chance)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below a bound; 0 when the bound is.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.any() % bound.max(1) as u64) as usize
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several; there must be one.
    pub fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// A place among `length`, nearer to the start more often: headers matter more than bodies.
    pub fn place(&mut self, length: usize) -> usize {
        let most = if self.once_in(2) { length.min(128) } else { length };
        self.below(most)
    }
}
