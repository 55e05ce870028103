//! Thread: worker. Short spectra, every 4 ms: when something happens, not at which pitch.

use crate::analysis::f0;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Samples at 16 kHz of a spectrum: 32 ms.
const LENGTH: usize = 512;

/// Makes spectra of audio at 16 kHz.
pub(super) struct Spectra {
    window: Vec<f32>,
    transform: Arc<dyn RealToComplex<f32>>,
    input: Vec<f32>,
    lines: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Spectra {
    /// Samples from one spectrum to the next.
    pub const STEP: usize = 64;
    /// Seconds from one to the next.
    pub const STEP_SECONDS: f64 = Self::STEP as f64 / 16_000.0;
    /// Hertz from one line to the next.
    pub const LINE_HZ: f32 = f0::RATE.0 as f32 / LENGTH as f32;

    pub fn new() -> Self {
        let transform = RealFftPlanner::<f32>::new().plan_fft_forward(LENGTH);
        // Scaled so that a sine of amplitude one has power one.
        let window = (0..LENGTH)
            .map(|index| (0.5 - 0.5 * (TAU * index as f64 / LENGTH as f64).cos()) as f32 * 4.0 / LENGTH as f32)
            .collect();
        Self {
            window,
            input: transform.make_input_vec(),
            lines: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            power: vec![0.0; LENGTH / 2 + 1],
            transform,
        }
    }

    /// Power of each line around sample `step * STEP`; the audio is silent outside itself.
    pub fn power(&mut self, audio: &[f32], step: usize) -> &[f32] {
        let shifted = step * Self::STEP;
        for (index, (value, window)) in self.input.iter_mut().zip(&self.window).enumerate() {
            let sample = (shifted + index).checked_sub(LENGTH / 2).and_then(|at| audio.get(at));
            *value = sample.map_or(0.0, |sample| sample * window);
        }
        // Cannot fail: the buffers come from this very transform.
        let transformed = self.transform.process_with_scratch(&mut self.input, &mut self.lines, &mut self.scratch);
        debug_assert!(transformed.is_ok());
        self.power.iter_mut().zip(&self.lines).for_each(|(power, line)| *power = line.norm_sqr());
        &self.power
    }
}
