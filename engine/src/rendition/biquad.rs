//! Thread: worker. Second-order filter sections.

use super::passes::CHECK_EVERY;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::SampleRate;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// A second-order section, direct form 2 transposed, in double precision.
#[derive(Debug, Clone)]
pub struct Biquad {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Biquad {
    /// From coefficients with `a0` = 1: `b0 b1 b2`, and `a1 a2`.
    pub fn new(b: [f64; 3], a: [f64; 2]) -> Self {
        Self { b, a, state: [0.0; 2] }
    }

    /// A bell (R. Bristow-Johnson's cookbook) that lifts or cuts around a frequency.
    pub fn bell(hz: f64, gain_db: f64, q: f64, rate: SampleRate) -> Self {
        let turn = TAU * hz / rate.hz();
        let amplitude = 10.0_f64.powf(gain_db / 40.0);
        let alpha = turn.sin() / (2.0 * q);
        let a0 = 1.0 + alpha / amplitude;
        let middle = -2.0 * turn.cos() / a0;
        Self::new(
            [(1.0 + alpha * amplitude) / a0, middle, (1.0 - alpha * amplitude) / a0],
            [middle, (1.0 - alpha / amplitude) / a0],
        )
    }

    /// A Butterworth high-pass.
    pub fn high_pass(hz: f64, rate: SampleRate) -> Self {
        let turn = TAU * hz / rate.hz();
        let alpha = turn.sin() * FRAC_1_SQRT_2;
        let a0 = 1.0 + alpha;
        let side = (1.0 + turn.cos()) / 2.0 / a0;
        Self::new([side, -2.0 * side, side], [-2.0 * turn.cos() / a0, (1.0 - alpha) / a0])
    }

    /// The next sample.
    pub fn run(&mut self, input: f64) -> f64 {
        let output = self.b[0] * input + self.state[0];
        self.state[0] = self.b[1] * input - self.a[0] * output + self.state[1];
        self.state[1] = self.b[2] * input - self.a[1] * output;
        output
    }

    /// A whole channel, in place.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`].
    pub fn filter(mut self, samples: &mut [f32], context: &JobContext) -> Result<()> {
        for piece in samples.chunks_mut(CHECK_EVERY) {
            context.check()?;
            for sample in piece {
                *sample = self.run(f64::from(*sample)) as f32;
            }
        }
        Ok(())
    }
}
