//! Thread: worker. The resonant low-pass of a region: two poles, whose cutoff may move while it sounds.

use super::voice::BLOCK;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// A two-pole low-pass, in double precision: its lowest cutoffs are a thousandth of the rate.
///
/// Computed as it is written in textbooks, every output waits for the one before. Multiplied out by its mirror image, an output
/// needs only those two and four before, and a processor works on two at once. What was multiplied in cancels exactly as long as
/// the inputs before a block are taken back from the outputs with the block's own coefficients.
#[derive(Debug, Clone)]
pub struct LowPass {
    hz: f32,
    /// Gain of the inputs, and the shares of the outputs one and two before.
    coefficients: [f64; 3],
    inputs: [f64; 2],
    /// The last outputs, newest last.
    outputs: [f64; 4],
}

impl LowPass {
    /// At rest.
    pub fn new() -> Self {
        Self { hz: 0.0, coefficients: [0.0; 3], inputs: [0.0; 2], outputs: [0.0; 4] }
    }

    fn tune(&mut self, cutoff_hz: f32, resonance: f32, rate_hz: f32) {
        // Less than a cent is not worth the sines.
        if (cutoff_hz - self.hz).abs() < 5e-4 * self.hz {
            return;
        }
        self.hz = cutoff_hz;
        let turn = TAU * f64::from(cutoff_hz / rate_hz).clamp(1e-5, 0.49);
        // A peak of 1 is the flattest response; above, the quality is nearly the peak.
        let peak = f64::from(resonance.max(1.0));
        let quality = peak - (1.0 - FRAC_1_SQRT_2) / (1.0 + 6.0 * (peak - 1.0));
        let (sine, cosine) = turn.sin_cos();
        let side = sine / (2.0 * quality);
        let whole = 1.0 + side;
        self.coefficients = [0.5 * (1.0 - cosine) / whole, 2.0 * cosine / whole, (side - 1.0) / whole];
    }

    /// Filters a block of at most [`BLOCK`] frames in place. `resonance` is the peak over the level of low frequencies, as a
    /// factor.
    pub fn run(&mut self, block: &mut [f32], cutoff_hz: f32, resonance: f32, rate_hz: f32) {
        self.tune(cutoff_hz, resonance, rate_hz);
        let [gain, one, two] = self.coefficients;
        let [a, b, c, d] = self.outputs;
        let mut sums = [0.0_f64; BLOCK + 2];
        sums[0] = c - one * b - two * a;
        sums[1] = d - one * c - two * b;
        let mut inputs = [0.0_f64; BLOCK + 2];
        inputs[..2].copy_from_slice(&self.inputs);
        let length = block.len().min(BLOCK);
        for (input, sample) in inputs[2..].iter_mut().zip(block.iter()) {
            *input = f64::from(*sample);
        }
        for index in 0..length {
            sums[index + 2] = gain * (inputs[index + 2] + 2.0 * inputs[index + 1] + inputs[index]);
        }
        let mut outputs = [0.0_f64; BLOCK + 4];
        outputs[..4].copy_from_slice(&self.outputs);
        let (near, far) = (one * one + 2.0 * two, -two * two);
        for index in 0..length {
            let sum = sums[index + 2] + one * sums[index + 1] - two * sums[index];
            outputs[index + 4] = (sum + far * outputs[index]) + near * outputs[index + 2];
        }
        for (sample, output) in block.iter_mut().zip(&outputs[4..]) {
            *sample = *output as f32;
        }
        self.inputs = [inputs[length], inputs[length + 1]];
        // What is too small to hear would slow the processor down.
        let settle = |index: usize| if outputs[index].abs() < 1e-30 { 0.0 } else { outputs[index] };
        self.outputs = [length, length + 1, length + 2, length + 3].map(settle);
    }
}
