//! Thread: worker. Spectra of overlapping windows, masks on them, and the way back to audio, piece by piece so that a long
//! take needs no more memory than a short one.

use crate::error::Result;
use crate::job_context::JobContext;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;
use std::f64::consts::TAU;

/// Frames masked at once.
const PIECE: usize = 128;

/// Magnitudes of some frames in a row.
pub struct Spectrogram {
    magnitudes: Vec<Vec<f32>>,
}

impl Spectrogram {
    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.magnitudes.len()
    }

    /// The spectrum of a frame.
    pub fn magnitudes(&self, frame: usize) -> &[f32] {
        &self.magnitudes[frame]
    }

    /// Each spectral line over time.
    pub fn lines(&self) -> impl Iterator<Item = Vec<f32>> + '_ {
        let count = self.magnitudes.first().map_or(0, Vec::len);
        (0..count).map(|line| self.magnitudes.iter().map(|frame| frame[line]).collect())
    }
}

/// `N` parts of `audio`, each as long. `mask` fills `[part][frame][line]`, zero before, for the frames of a spectrogram, the
/// first of which has the number given; it sees `context_frames` more on both sides than are used. Frame `t` is centred on
/// sample `hop * t`; `length` is a multiple of `4 * hop` or equal to it.
pub fn masked<const N: usize>(
    audio: &[f32],
    length: usize,
    hop: usize,
    context_frames: usize,
    context: &JobContext,
    mut mask: impl FnMut(&Spectrogram, isize, &mut [Vec<Vec<f32>>; N]),
) -> Result<[Vec<f32>; N]> {
    let lines = length / 2 + 1;
    let window: Vec<f32> =
        (0..length).map(|index| (0.5 - 0.5 * (TAU * index as f64 / length as f64).cos()) as f32).collect();
    // Hann twice, four or more times overlapped, adds up to a constant; the transform back is not normalised.
    let energy: f32 = window.iter().map(|value| value * value).sum();
    let scale = hop as f32 / energy / length as f32;
    let mut planner = RealFftPlanner::<f32>::new();
    let (forward, backward) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
    let mut samples = forward.make_input_vec();
    let mut parts: [Vec<f32>; N] = std::array::from_fn(|_| vec![0.0; audio.len()]);
    // The windows that reach into the audio.
    let reach = (length / 2 / hop) as isize;
    let (mut first, end) = (-reach, (audio.len() / hop) as isize + reach + 1);
    while first < end {
        let used = PIECE.min((end - first) as usize);
        let seen_from = first - context_frames as isize;
        let mut spectra: Vec<Vec<Complex<f32>>> = Vec::with_capacity(used + 2 * context_frames);
        for frame in seen_from..first + (used + context_frames) as isize {
            context.check()?;
            let start = frame * hop as isize - (length / 2) as isize;
            for (index, (sample, window)) in samples.iter_mut().zip(&window).enumerate() {
                let source = usize::try_from(start + index as isize).ok().and_then(|source| audio.get(source));
                *sample = source.map_or(0.0, |source| source * window);
            }
            let mut spectrum = forward.make_output_vec();
            let transformed = forward.process(&mut samples, &mut spectrum);
            debug_assert!(transformed.is_ok(), "the buffers come from the transform itself");
            spectra.push(spectrum);
        }
        let magnitudes = spectra.iter().map(|spectrum| spectrum.iter().map(|line| line.norm()).collect()).collect();
        let mut masks: [Vec<Vec<f32>>; N] = std::array::from_fn(|_| vec![vec![0.0; lines]; spectra.len()]);
        mask(&Spectrogram { magnitudes }, seen_from, &mut masks);
        for (part, masks) in parts.iter_mut().zip(&masks) {
            for frame in context_frames..context_frames + used {
                context.check()?;
                let mut spectrum: Vec<Complex<f32>> =
                    spectra[frame].iter().zip(&masks[frame]).map(|(line, mask)| line * mask).collect();
                // What the transform back takes for granted.
                spectrum[0].im = 0.0;
                spectrum[lines - 1].im = 0.0;
                let transformed = backward.process(&mut spectrum, &mut samples);
                debug_assert!(transformed.is_ok(), "the buffers come from the transform itself");
                let start = (seen_from + frame as isize) * hop as isize - (length / 2) as isize;
                for (index, (sample, window)) in samples.iter().zip(&window).enumerate() {
                    let target = usize::try_from(start + index as isize).ok().and_then(|target| part.get_mut(target));
                    if let Some(target) = target {
                        *target += sample * window * scale;
                    }
                }
            }
        }
        first += used as isize;
    }
    Ok(parts)
}
