//! Thread: worker. Loudness as ITU-R BS.1770-4 and EBU R128 define it, in a form that can be asked again cheaply after a gain
//! change; the finished mix is measured by the ebur128 crate.

use super::biquad::Biquad;
use super::limiter::{Curve, true_peak};
use super::passes::pieces;
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::gating::gated_mean;
use crate::job_context::JobContext;
use crate::time::SampleRate;
use ebur128::{EbuR128, Mode};

/// What is reported for silence, where the standard says minus infinity.
pub const SILENCE_LUFS: f32 = -70.0;

/// Most frames of a value of [`WeightedPower`].
const LONGEST_BLOCK: usize = 64;

/// The two filters of BS.1770 at any rate, by the bilinear transform of their analogue prototypes.
fn k_weighting(rate: SampleRate) -> [Biquad; 2] {
    let tangent = |hz: f64| (std::f64::consts::PI * (hz / rate.hz()).min(0.49)).tan();
    let shelf = {
        let (k, q) = (tangent(1_681.974_450_955_533), 0.707_175_236_955_419_6);
        let high = 10.0_f64.powf(3.999_843_853_973_347 / 20.0);
        let band = high.powf(0.499_666_774_154_541_6);
        let a0 = 1.0 + k / q + k * k;
        Biquad::new(
            [(high + band * k / q + k * k) / a0, 2.0 * (k * k - high) / a0, (high - band * k / q + k * k) / a0],
            [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0],
        )
    };
    let low_cut = {
        let (k, q) = (tangent(38.135_470_876_024_44), 0.500_327_037_323_877_3);
        let a0 = 1.0 + k / q + k * k;
        Biquad::new([1.0, -2.0, 1.0], [2.0 * (k * k - 1.0) / a0, (1.0 - k / q + k * k) / a0])
    };
    [shelf, low_cut]
}

/// K-weighted power of a sound, one mean about every millisecond, channels summed.
#[derive(Debug, Clone)]
pub struct WeightedPower {
    rate: SampleRate,
    /// Frames a value stands for; a whole number of values makes a step of 100 ms.
    block: usize,
    values: Vec<f32>,
}

/// K-weighted energy of a sound in steps of 100 ms: all that gating needs.
#[derive(Debug, Clone)]
pub struct EnergyCurve {
    /// Mean square, summed over the channels, one value a step.
    steps: Vec<f64>,
}

impl WeightedPower {
    /// Of a whole sound.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn of(audio: &AudioBuffer, context: &JobContext) -> Result<Self> {
        Self::of_samples(audio, audio.frames(), context, |channel, frame| audio.channels[channel][frame])
    }

    /// Of some frames of a sound, as if there were silence before them.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn of_range(audio: &AudioBuffer, range: std::ops::Range<usize>, context: &JobContext) -> Result<Self> {
        let end = range.end.min(audio.frames());
        let start = range.start.min(end);
        Self::of_samples(audio, end - start, context, |channel, frame| audio.channels[channel][start + frame])
    }

    /// Of what one sound has more than another, which is as long and has as many channels.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn of_difference(audio: &AudioBuffer, less: &AudioBuffer, context: &JobContext) -> Result<Self> {
        Self::of_samples(audio, audio.frames().min(less.frames()), context, |channel, frame| {
            audio.channels[channel][frame] - less.channels[channel][frame]
        })
    }

    fn of_samples(
        like: &AudioBuffer,
        frames: usize,
        context: &JobContext,
        sample: impl Fn(usize, usize) -> f32,
    ) -> Result<Self> {
        let rate = like.rate;
        let step = step_frames(rate);
        let block = (1..=LONGEST_BLOCK).rev().find(|block| step.is_multiple_of(*block)).unwrap_or(1);
        let mut values = vec![0.0_f32; frames.div_ceil(block)];
        // Two channels at a time: a filter waits for its own last output, two need not wait for each other.
        for first in (0..like.channels.len()).step_by(2) {
            let second = (first + 1 < like.channels.len()).then_some(first + 1);
            let [mut shelf, mut low_cut] = k_weighting(rate);
            let [mut other_shelf, mut other_low_cut] = k_weighting(rate);
            let mut sum = 0.0_f64;
            for range in pieces(frames, context) {
                for frame in range? {
                    let other = second.map_or(0.0, |channel| sample(channel, frame));
                    let weighted = low_cut.run(shelf.run(f64::from(sample(first, frame))));
                    let other = other_low_cut.run(other_shelf.run(f64::from(other)));
                    sum += weighted * weighted + other * other;
                    if (frame + 1) % block == 0 {
                        values[frame / block] += (sum / block as f64) as f32;
                        sum = 0.0;
                    }
                }
            }
        }
        Ok(Self { rate, block, values })
    }

    /// Its energy.
    pub fn energy(&self) -> EnergyCurve {
        self.energy_after(|_| 1.0)
    }

    /// Its energy after a gain that changes slowly against the filters, given as curves whose values are multiplied.
    pub fn shaped(&self, gains: &[&Curve]) -> EnergyCurve {
        self.energy_after(|index| {
            let middle = index * self.block + self.block / 2;
            gains.iter().map(|gain| gain.values.get(middle / gain.block).copied().unwrap_or(1.0)).product()
        })
    }

    fn energy_after(&self, gain: impl Fn(usize) -> f32) -> EnergyCurve {
        let count = step_frames(self.rate) / self.block;
        let energy = |(step, powers): (usize, &[f32])| {
            let power = |(index, power): (usize, &f32)| {
                let gain = f64::from(gain(step * count + index));
                f64::from(*power) * gain * gain
            };
            powers.iter().enumerate().map(power).sum::<f64>() / count as f64
        };
        EnergyCurve { steps: self.values.chunks_exact(count).enumerate().map(energy).collect() }
    }
}

fn step_frames(rate: SampleRate) -> usize {
    (rate.0 as usize / 10).max(1)
}

impl EnergyCurve {
    /// Integrated loudness in LUFS; `None` when nothing passes the absolute gate.
    pub fn integrated_lufs(&self) -> Option<f32> {
        let absolute = 10.0_f64.powf((-70.0 + 0.691) / 10.0);
        gated_mean(&self.steps, absolute).map(|energy| lufs(energy) as f32)
    }

    /// Loudness of everything, without gates, in LUFS; `None` when it is silent.
    pub fn mean_lufs(&self) -> Option<f32> {
        let mean = self.steps.iter().sum::<f64>() / self.steps.len().max(1) as f64;
        (mean > 1e-9).then(|| lufs(mean) as f32)
    }
}

fn lufs(energy: f64) -> f64 {
    -0.691 + 10.0 * energy.log10()
}

/// Integrated loudness in LUFS, [`SILENCE_LUFS`] for silence, and true peak in dBTP, as the ebur128 crate measures them.
///
/// # Errors
/// [`Error::Internal`] when the meter rejects the audio, [`Error::Cancelled`].
pub fn measure(audio: &AudioBuffer, context: &JobContext) -> Result<(f32, f32)> {
    measure_changed(audio, |_, _| (), context)
}

/// The same by our own meter, in a fifth of the time; its true peak may differ by some tenths of a decibel.
///
/// # Errors
/// [`Error::Cancelled`].
pub fn measure_roughly(audio: &AudioBuffer, context: &JobContext) -> Result<(f32, f32)> {
    let lufs = WeightedPower::of(audio, context)?.energy().integrated_lufs();
    let peak_db = 20.0 * true_peak(audio, context)?.max(1e-6).log10();
    Ok((lufs.map_or(SILENCE_LUFS, |lufs| lufs.max(SILENCE_LUFS)), peak_db))
}

/// [`measure`] of what a change would make of the audio; the change is given each piece with its first frame.
///
/// # Errors
/// As [`measure`].
pub fn measure_changed(
    audio: &AudioBuffer,
    change: impl Fn(usize, &mut [f32]),
    context: &JobContext,
) -> Result<(f32, f32)> {
    let failed = |error: ebur128::Error| Error::internal("mixing", error);
    let channels = u32::try_from(audio.channels.len()).unwrap_or(2);
    let mut meter = EbuR128::new(channels, audio.rate.0, Mode::I | Mode::TRUE_PEAK).map_err(failed)?;
    for range in pieces(audio.frames(), context) {
        let range = range?;
        let mut planes: Vec<Vec<f32>> = audio.channels.iter().map(|channel| channel[range.clone()].to_vec()).collect();
        planes.iter_mut().for_each(|plane| change(range.start, plane));
        let planes: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
        meter.add_frames_planar_f32(&planes).map_err(failed)?;
    }
    let integrated = meter.loudness_global().map_err(failed)? as f32;
    let mut peak = 0.0_f64;
    for channel in 0..channels {
        peak = peak.max(meter.true_peak(channel).map_err(failed)?);
    }
    let peak_db = (20.0 * peak.max(1e-6).log10()) as f32;
    Ok((if integrated.is_finite() { integrated.max(SILENCE_LUFS) } else { SILENCE_LUFS }, peak_db))
}
