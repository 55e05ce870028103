//! Thread: worker. Constant-Q power spectrum by halving the rate from octave to octave, as Basic Pitch's first layers do.

use crate::error::Result;
use crate::job_context::JobContext;

/// Samples of a kernel and of the low-pass filter.
const LENGTH: usize = 256;
/// Bins an octave.
const OCTAVE: usize = 36;
/// Octaves, the lowest of which is cut to the bins that are left.
const LEVELS: usize = 9;
/// All bins, from A0 up.
pub const BINS: usize = 309;
/// Running sums of a dot product: exact enough, and quick.
const LANES: usize = 16;
/// Frames between two looks at the job.
const CHECK: usize = 512;

/// The kernels of one octave, used for all.
pub struct ConstantQ {
    /// `[OCTAVE]`: first sample that is not zero, and the real and imaginary kernel from there on.
    kernels: Vec<(usize, Vec<f32>, Vec<f32>)>,
    lowpass: Vec<f32>,
    /// `[BINS]`: factor of each power.
    scale: Vec<f32>,
}

impl ConstantQ {
    /// `cosine` and `sine` `[36][256]`, `lowpass` `[256]`, `scale` `[309]` (of magnitudes), as in the checkpoint.
    pub fn new(cosine: &[f32], sine: &[f32], lowpass: Vec<f32>, scale: &[f32]) -> Self {
        let kernels = cosine
            .chunks(LENGTH)
            .zip(sine.chunks(LENGTH))
            .map(|(cosine, sine)| {
                let used = |index: &usize| cosine[*index] != 0.0 || sine[*index] != 0.0;
                let first = (0..LENGTH).find(used).unwrap_or(0);
                let end = (0..LENGTH).rev().find(used).map_or(0, |last| last + 1).max(first);
                (first, cosine[first..end].to_vec(), sine[first..end].to_vec())
            })
            .collect();
        Self { kernels, lowpass, scale: scale.iter().map(|scale| scale * scale).collect() }
    }

    /// Power `[BINS][frames]` of at least two seconds of audio, `len / hop + 1` frames.
    pub fn power(&self, audio: &[f32], hop: usize, context: &JobContext) -> Result<Vec<Vec<f32>>> {
        let frames = audio.len() / hop + 1;
        let mut power = vec![vec![0.0; frames]; BINS];
        let mut level_audio = audio.to_vec();
        for level in 0..LEVELS {
            let level_hop = hop >> level;
            let padded = mirrored(&level_audio);
            for (frame, window) in padded.windows(LENGTH).step_by(level_hop).take(frames).enumerate() {
                if frame % CHECK == 0 {
                    context.check()?;
                }
                for (kernel, (first, cosine, sine)) in self.kernels.iter().enumerate() {
                    // Counted down from the top: the lowest octave has fewer bins.
                    let Some(bin) = (BINS + kernel).checked_sub(OCTAVE * (level + 1)) else { continue };
                    let samples = &window[*first..];
                    let (real, imaginary) = (dot(cosine, samples), dot(sine, samples));
                    power[bin][frame] = (real * real + imaginary * imaginary) * self.scale[bin];
                }
            }
            if level + 1 < LEVELS {
                level_audio = self.halved(&level_audio, context)?;
            }
        }
        Ok(power)
    }

    /// Low-passed, and every second sample. Sums are in double precision: what rounding adds here would be heard in the
    /// logarithm of the quiet low octaves.
    fn halved(&self, audio: &[f32], context: &JobContext) -> Result<Vec<f32>> {
        let margin = (LENGTH - 1) / 2;
        let mut padded = vec![0.0; margin];
        padded.extend_from_slice(audio);
        padded.resize(audio.len() + 2 * margin, 0.0);
        let mut result = Vec::with_capacity(audio.len() / 2);
        for (index, window) in padded.windows(LENGTH).step_by(2).enumerate() {
            if index % (CHECK * LENGTH) == 0 {
                context.check()?;
            }
            let mut sums = [0.0_f64; LANES / 2];
            for (weights, samples) in self.lowpass.chunks_exact(LANES / 2).zip(window.chunks_exact(LANES / 2)) {
                for lane in 0..LANES / 2 {
                    sums[lane] += f64::from(weights[lane]) * f64::from(samples[lane]);
                }
            }
            result.push(sums.iter().sum::<f64>() as f32);
        }
        Ok(result)
    }
}

/// Audio with half a kernel mirrored on both sides, the edge samples not repeated; longer than half a kernel.
fn mirrored(audio: &[f32]) -> Vec<f32> {
    let half = LENGTH / 2;
    let at = |index: usize| audio.get(index).copied().unwrap_or(0.0);
    let before = (1..=half).rev().map(at);
    let after = (1..=half).map(|index| (audio.len() - 1).checked_sub(index).map_or(0.0, at));
    before.chain(audio.iter().copied()).chain(after).collect()
}

/// Dot product of `weights` with as many samples.
fn dot(weights: &[f32], samples: &[f32]) -> f32 {
    let samples = &samples[..weights.len()];
    let (weight_blocks, weight_rest) = weights.as_chunks::<LANES>();
    let (sample_blocks, sample_rest) = samples.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (weights, samples) in weight_blocks.iter().zip(sample_blocks) {
        for lane in 0..LANES {
            sums[lane] += weights[lane] * samples[lane];
        }
    }
    let rest: f32 = weight_rest.iter().zip(sample_rest).map(|(weight, sample)| weight * sample).sum();
    sums.iter().sum::<f32>() + rest
}
