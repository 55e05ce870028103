//! Thread: worker. What SwiftF0 sees: three magnitude spectra of different lengths on one log-spaced frequency axis.

use crate::analysis::f0::HOP;
use crate::analysis::f0::network::BINS;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Keeps the logarithm of silence finite; a value of the model.
const FLOOR: f32 = 1e-8;

/// One spectrum length with its window and filterbank.
pub struct Spectrum {
    window: Vec<f32>,
    /// For each bin the first spectral line it weighs, and its weights from there on. The bank is sparse: stored whole it
    /// would cost more than the transform.
    bank: Vec<(usize, Vec<f32>)>,
    transform: Arc<dyn RealToComplex<f32>>,
}

/// Buffers of one thread for one spectrum.
pub struct Scratch {
    frame: Vec<f32>,
    lines: Vec<Complex<f32>>,
    work: Vec<Complex<f32>>,
    magnitude: Vec<f32>,
}

impl Spectrum {
    /// `window` `[length]` and `bank` `[length / 2 + 1][BINS]`, row by row, as in the checkpoint.
    pub fn new(window: Vec<f32>, bank: &[f32]) -> Self {
        let transform = RealFftPlanner::new().plan_fft_forward(window.len());
        let column = |bin: usize| bank.iter().skip(bin).step_by(BINS).copied();
        let bank = (0..BINS)
            .map(|bin| {
                let first = column(bin).position(|weight| weight != 0.0).unwrap_or(0);
                let last = column(bin).rposition(|weight| weight != 0.0).unwrap_or(0);
                (first, column(bin).take(last + 1).skip(first).collect())
            })
            .collect();
        Self { window, bank, transform }
    }

    /// Buffers for [`Self::features`].
    pub fn scratch(&self) -> Scratch {
        Scratch {
            frame: vec![0.0; self.window.len()],
            lines: self.transform.make_output_vec(),
            work: self.transform.make_scratch_vec(),
            magnitude: vec![0.0; self.window.len() / 2 + 1],
        }
    }

    /// Log magnitudes, one a bin, of the frame centred on sample `HOP * frame`; the audio is silent outside itself.
    pub fn features(
        &self,
        audio: &[f32],
        gain: f32,
        frame: usize,
        scratch: &mut Scratch,
        mut store: impl FnMut(usize, f32),
    ) {
        let length = self.window.len();
        // Index of the window's first sample, shifted up by half a window to stay positive.
        let shifted = frame * HOP;
        for (index, (sample, window)) in scratch.frame.iter_mut().zip(&self.window).enumerate() {
            let source = (shifted + index).checked_sub(length / 2).and_then(|source| audio.get(source));
            *sample = source.map_or(0.0, |source| source * gain * window);
        }
        // Cannot fail: the buffers come from `scratch`, which takes their lengths from this very transform.
        let transformed =
            self.transform.process_with_scratch(&mut scratch.frame, &mut scratch.lines, &mut scratch.work);
        debug_assert!(transformed.is_ok());
        for (magnitude, line) in scratch.magnitude.iter_mut().zip(&scratch.lines) {
            *magnitude = (line.re * line.re + line.im * line.im).sqrt();
        }
        for (bin, (first, weights)) in self.bank.iter().enumerate() {
            let energy: f32 =
                weights.iter().zip(&scratch.magnitude[*first..]).map(|(weight, line)| weight * line).sum();
            store(bin, (energy + FLOOR).ln());
        }
    }
}
