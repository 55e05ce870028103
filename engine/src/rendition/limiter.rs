//! Thread: worker. Peak control of the master: a true-peak limiter that looks ahead, and a gentle bus compressor.
//!
//! Both work on curves with a value every few frames, so trying another drive costs no new filtering, and a long song little memory.

use super::passes::pieces;
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::SampleRate;
use std::collections::VecDeque;

/// Points between two frames that the peak detector looks at.
const OVERSAMPLING: usize = 4;
/// Taps of one phase of the interpolator.
const TAPS: usize = 12;
/// How far ahead the limiter sees.
const LOOK_AHEAD_SECONDS: f64 = 0.003;
/// Time the limiter takes to let go.
const RELEASE_SECONDS: f64 = 0.08;
/// Values of a curve in a second, about: fine against the look-ahead.
const CURVE_HZ: u32 = 6_000;
/// Values between two looks at whether to stop.
const CHECK_EVERY_VALUES: usize = 1 << 16;

/// One value for every few frames of a sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Frames a value stands for.
    pub block: usize,
    /// The values.
    pub values: Vec<f32>,
}

impl Curve {
    /// The largest value.
    pub fn largest(&self) -> f32 {
        self.values.iter().fold(0.0, |largest, &value| largest.max(value))
    }

    /// Multiplies samples by the curve as a gain, `values[n]` being the gain at frame `n * block` and straight lines between them; `from` is
    /// the frame of the first sample.
    pub fn apply(&self, from: usize, samples: &mut [f32]) {
        let gain = |index: usize| self.values.get(index).or(self.values.last()).copied().unwrap_or(1.0);
        let mut done = 0;
        while done < samples.len() {
            let (index, first) = ((from + done) / self.block, (from + done) % self.block);
            let count = (self.block - first).min(samples.len() - done);
            let (start, slope) = (gain(index), (gain(index + 1) - gain(index)) / self.block as f32);
            for (place, sample) in samples[done..done + count].iter_mut().enumerate() {
                *sample *= start + slope * (first + place) as f32;
            }
            done += count;
        }
    }
}

/// Largest absolute value in or just after each block of frames, between the samples too, over all channels.
///
/// Interpolates four-fold with a Hann-windowed sinc, as ITU-R BS.1770-4 annex 2 asks for.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn true_peak_curve(audio: &AudioBuffer, context: &JobContext) -> Result<Curve> {
    let (half, phases) = (TAPS / 2, phases());
    let block = (audio.rate.0 / CURVE_HZ).max(1) as usize;
    let mut values = vec![0.0_f32; audio.frames().div_ceil(block)];
    let mut padded = Vec::new();
    for channel in &audio.channels {
        for range in pieces(channel.len(), context) {
            let range = range?;
            padded.clear();
            padded.resize((half - 1).saturating_sub(range.start), 0.0);
            let end = (range.end + half).min(channel.len());
            padded.extend_from_slice(&channel[range.start.saturating_sub(half - 1)..end]);
            padded.resize(range.len() + TAPS - 1, 0.0);
            for (window, frame) in padded.windows(TAPS).zip(range) {
                let mut largest = window[half - 1].abs();
                for phase in &phases {
                    let value: f32 = window.iter().zip(phase).map(|(sample, tap)| sample * tap).sum();
                    largest = largest.max(value.abs());
                }
                let value = &mut values[frame / block];
                *value = value.max(largest);
            }
        }
    }
    Ok(Curve { block, values })
}

/// The interpolator's taps for the points between two frames.
fn phases() -> [[f32; TAPS]; OVERSAMPLING - 1] {
    let half = TAPS / 2;
    std::array::from_fn(|phase| {
        let shift = (phase + 1) as f64 / OVERSAMPLING as f64;
        std::array::from_fn(|tap| {
            let x = tap as f64 - (half as f64 - 1.0) - shift;
            let arc = std::f64::consts::PI * x;
            let window = 0.5 + 0.5 * (std::f64::consts::PI * x / half as f64).cos();
            (arc.sin() / arc * window) as f32
        })
    })
}

/// The largest value of [`true_peak_curve`], without the curve: what cannot be it is not interpolated.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn true_peak(audio: &AudioBuffer, context: &JobContext) -> Result<f32> {
    /// Frames that are left out together.
    const STRETCH: usize = 64;
    let (half, phases) = (TAPS / 2, phases());
    // Between samples of at most 1 the interpolator gives at most the sum of its taps' sizes.
    let most = phases.iter().map(|phase| phase.iter().map(|tap| tap.abs()).sum()).fold(1.0_f32, f32::max);
    let mut peak = super::passes::peak(audio, context)?;
    for channel in &audio.channels {
        for range in pieces(channel.len(), context) {
            for from in range?.step_by(STRETCH) {
                let to = (from + STRETCH).min(channel.len());
                let near = &channel[from.saturating_sub(half - 1)..(to + half).min(channel.len())];
                if near.iter().fold(0.0_f32, |largest, sample| largest.max(sample.abs())) * most <= peak {
                    continue;
                }
                for window in near.windows(TAPS) {
                    for phase in &phases {
                        let value: f32 = window.iter().zip(phase).map(|(sample, tap)| sample * tap).sum();
                        peak = peak.max(value.abs());
                    }
                }
            }
        }
    }
    Ok(peak)
}

/// The gain that keeps `peaks * drive * gain` at or under `ceiling`, times `drive`: ramps down before a peak, holds, recovers. For
/// [`Curve::apply`].
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn limiter_gain(peaks: &Curve, drive: f32, ceiling: f32, rate: SampleRate, context: &JobContext) -> Result<Curve> {
    let second = rate.hz() / peaks.block as f64;
    let ahead = ((LOOK_AHEAD_SECONDS * second) as usize).max(2);
    let release = 1.0 - (-1.0 / (RELEASE_SECONDS * second)).exp() as f32;
    // The gain at a block's edge is heard in the blocks on both sides of it.
    let allowed = |edge: usize| {
        let peak = |block: Option<usize>| block.and_then(|block| peaks.values.get(block)).copied().unwrap_or(0.0);
        let peak = peak(edge.checked_sub(1)).max(peak(Some(edge)));
        (ceiling / (peak * drive).max(ceiling)).min(1.0)
    };
    let edges = peaks.values.len() + 1;
    let mut values = Vec::with_capacity(edges);
    // Edges that are the smallest of all from themselves to the end of the look-ahead, smallest first.
    let mut minima: VecDeque<(usize, f32)> = VecDeque::with_capacity(ahead);
    // What the mean below still holds.
    let mut held: VecDeque<f32> = std::iter::repeat_n(1.0, ahead).collect();
    let (mut sum, mut gain) = (ahead as f64, 1.0_f32);
    for seen in 0..edges + ahead - 1 {
        if seen % CHECK_EVERY_VALUES == 0 {
            context.check()?;
        }
        if seen < edges {
            let value = allowed(seen);
            while minima.back().is_some_and(|&(_, last)| last >= value) {
                minima.pop_back();
            }
            minima.push_back((seen, value));
        }
        let Some(edge) = (seen + 1).checked_sub(ahead) else { continue };
        while minima.front().is_some_and(|&(first, _)| first < edge) {
            minima.pop_front();
        }
        let smallest = minima.front().map_or(1.0, |&(_, smallest)| smallest);
        gain = smallest.min(gain + (1.0 - gain) * release);
        // The mean over the look-ahead turns steps into ramps that end exactly where the peak is. It never exceeds what the
        // peak allows, because every value in the window already saw that peak.
        held.push_back(gain);
        sum += f64::from(gain) - f64::from(held.pop_front().unwrap_or(1.0));
        values.push((sum / ahead as f64) as f32 * drive);
    }
    Ok(Curve { block: peaks.block, values })
}

/// A compressor's settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compressor {
    /// Level above which it works, in dB of peak.
    pub threshold_db: f32,
    /// Input decibels for one output decibel above the threshold.
    pub ratio: f32,
}

impl Compressor {
    /// The gain of every block: attack 8 ms, so that strokes keep their edge, release 120 ms. For [`Curve::apply`].
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`].
    pub fn gain(self, peaks: &Curve, rate: SampleRate, context: &JobContext) -> Result<Curve> {
        let second = rate.hz() / peaks.block as f64;
        let pole = |seconds: f64| 1.0 - (-1.0 / (seconds * second)).exp() as f32;
        let (attack, release) = (pole(0.008), pole(0.12));
        let threshold = super::part::db(self.threshold_db);
        let slope = 1.0 / self.ratio.max(1.0) - 1.0;
        let mut level = 0.0_f32;
        let mut values = Vec::with_capacity(peaks.values.len());
        for (index, &peak) in peaks.values.iter().enumerate() {
            if index % CHECK_EVERY_VALUES == 0 {
                context.check()?;
            }
            level += (peak - level) * if peak > level { attack } else { release };
            values.push(if level <= threshold { 1.0 } else { (level / threshold).powf(slope) });
        }
        Ok(Curve { block: peaks.block, values })
    }
}
