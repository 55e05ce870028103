//! Thread: worker. Peak control of the master: a true-peak limiter that looks ahead, and a gentle bus compressor.
//!
//! Both work on gain curves of the whole mix, so trying another drive costs no new filtering.

use super::CHECK_EVERY;
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::SampleRate;

/// Points between two frames that the peak detector looks at.
const OVERSAMPLING: usize = 4;
/// Taps of one phase of the interpolator.
const TAPS: usize = 12;
/// How far ahead the limiter sees.
const LOOK_AHEAD_SECONDS: f64 = 0.003;
/// Time the limiter takes to let go.
const RELEASE_SECONDS: f64 = 0.08;

/// Largest absolute value at or just after each frame, between the samples too, over all channels.
///
/// Interpolates four-fold with a Hann-windowed sinc, as ITU-R BS.1770-4 annex 2 asks for.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn true_peak_curve(audio: &AudioBuffer, context: &JobContext) -> Result<Vec<f32>> {
    let half = TAPS / 2;
    let phases: Vec<[f32; TAPS]> = (1..OVERSAMPLING)
        .map(|phase| {
            let shift = phase as f64 / OVERSAMPLING as f64;
            std::array::from_fn(|tap| {
                let x = tap as f64 - (half as f64 - 1.0) - shift;
                let arc = std::f64::consts::PI * x;
                let window = 0.5 + 0.5 * (std::f64::consts::PI * x / half as f64).cos();
                (arc.sin() / arc * window) as f32
            })
        })
        .collect();
    let mut curve = vec![0.0_f32; audio.frames()];
    for channel in &audio.channels {
        let mut padded = vec![0.0_f32; half - 1];
        padded.extend_from_slice(channel);
        padded.resize(padded.len() + half, 0.0);
        for (frame, peak) in curve.iter_mut().enumerate() {
            if frame.is_multiple_of(CHECK_EVERY) {
                context.check()?;
            }
            let window = &padded[frame..frame + TAPS];
            let mut largest = window[half - 1].abs();
            for phase in &phases {
                let value: f32 = window.iter().zip(phase).map(|(sample, tap)| sample * tap).sum();
                largest = largest.max(value.abs());
            }
            *peak = peak.max(largest);
        }
    }
    Ok(curve)
}

/// The gain of every frame that keeps `peaks * drive * gain` at or under `ceiling`: ramps down before a peak, holds, recovers.
pub fn limiter_gain(peaks: &[f32], drive: f32, ceiling: f32, rate: SampleRate) -> Vec<f32> {
    let ahead = ((LOOK_AHEAD_SECONDS * rate.hz()) as usize).max(2);
    let wanted: Vec<f32> = peaks.iter().map(|peak| (ceiling / (peak * drive).max(ceiling)).min(1.0)).collect();
    let mut held = minimum_ahead(&wanted, ahead);
    let release = 1.0 - (-1.0 / (RELEASE_SECONDS * rate.hz())).exp() as f32;
    let mut gain = 1.0_f32;
    for value in &mut held {
        gain = value.min(gain + (1.0 - gain) * release);
        *value = gain;
    }
    // The mean over the look-ahead turns steps into ramps that end exactly where the peak is. It never exceeds what the
    // peak allows, because every value in the window already saw that peak.
    let mut sum = ahead as f64;
    let mut smooth = Vec::with_capacity(held.len());
    for (frame, value) in held.iter().enumerate() {
        let leaving = frame.checked_sub(ahead).map_or(1.0, |index| held[index]);
        sum += f64::from(*value) - f64::from(leaving);
        smooth.push((sum / ahead as f64) as f32);
    }
    smooth
}

/// For every frame the smallest of itself and the `ahead - 1` values after it (van Herk's two passes).
fn minimum_ahead(values: &[f32], ahead: usize) -> Vec<f32> {
    let mut prefix = values.to_vec();
    let mut suffix = values.to_vec();
    for index in 1..values.len() {
        if index % ahead != 0 {
            prefix[index] = prefix[index].min(prefix[index - 1]);
        }
    }
    for index in (0..values.len().saturating_sub(1)).rev() {
        if (index + 1) % ahead != 0 {
            suffix[index] = suffix[index].min(suffix[index + 1]);
        }
    }
    let last = values.len().saturating_sub(1);
    (0..values.len()).map(|index| suffix[index].min(prefix[(index + ahead - 1).min(last)])).collect()
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
    /// The gain of every frame: attack 8 ms, so that strokes keep their edge, release 120 ms.
    pub fn gain(self, peaks: &[f32], rate: SampleRate) -> Vec<f32> {
        let pole = |seconds: f64| 1.0 - (-1.0 / (seconds * rate.hz())).exp() as f32;
        let (attack, release) = (pole(0.008), pole(0.12));
        let threshold = super::part::db(self.threshold_db);
        let slope = 1.0 / self.ratio.max(1.0) - 1.0;
        let mut level = 0.0_f32;
        peaks
            .iter()
            .map(|&peak| {
                level += (peak - level) * if peak > level { attack } else { release };
                if level <= threshold { 1.0 } else { (level / threshold).powf(slope) }
            })
            .collect()
    }
}
