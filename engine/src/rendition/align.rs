//! Thread: worker. Where the beat of made music lies against the song's: tempo and offset, from onset strengths alone.
//!
//! Music made for a tempo keeps it only roughly, and begins when it likes. A comb of the song's own pulses, stretched by up to
//! [`WIDEST`] and shifted by up to half a beat, is laid over the onset curve; the best one is refined in finer steps.

use crate::error::{Error, Result};
use crate::job_context::{JobContext, Stage};
use crate::time::{SampleRate, Seconds};
use realfft::RealFftPlanner;
use serde::{Deserialize, Serialize};

/// Furthest that the music's tempo may be from the song's.
pub const WIDEST: f64 = 0.08;
/// Below this nothing is moved: what was found may be chance.
pub const SURE: f32 = 0.5;

/// Seconds between two values of the onset curve, and the window it looks through.
const HOP_SECONDS: f64 = 0.005;
const WINDOW_SECONDS: f64 = 0.016;
/// From an attack's beginning to its place on the curve: between clicks, which come out 5 ms early, and sampled instruments, whose
/// attacks take some milliseconds to rise and come out as late.
const ANTICIPATION_SECONDS: f64 = 0.002_5;
/// A rise of the logarithms of all bins together that could be an onset.
const LEAST_RISE: f32 = 20.0;
/// The comb looks at this much music; the line through the onsets goes on from there.
const COMB_SECONDS: f64 = 30.0;
/// Steps of the comb.
const RATIO_STEP: f64 = 0.000_5;
const SHIFT_STEP_SECONDS: f64 = 0.005;
/// Weight of the half-beats between the pulses.
const OFF_BEAT: f32 = 0.4;
/// How much less likely the far end of each range is than its middle.
const FAR_RATIO: f64 = 0.25;
const FAR_SHIFT: f64 = 0.35;
/// The finer search moves each end of the comb so far, in such steps; what lies so near in the end is the beat.
const NEAR_SECONDS: f64 = 0.05;
const FINE_SECONDS: f64 = 0.002_5;
const LAST_SECONDS: f64 = 0.012;

/// How made music lies against the song.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Alignment {
    /// Time in the music that passes in one second of the song: 1.03 is 3 % slow.
    pub ratio: f64,
    /// Where in the music the region begins.
    pub offset: Seconds,
    /// 0 to 1: how clearly the music has this beat.
    pub confidence: f32,
}

impl Alignment {
    /// Music that is taken as it is.
    pub const NONE: Self = Self { ratio: 1.0, offset: Seconds(0.0), confidence: 0.0 };

    /// Whether it is worth acting on.
    pub fn is_sure(&self) -> bool {
        self.confidence >= SURE
    }
}

/// Finds tempo and offset of mono music against the song's pulses, given in seconds from the start of the region, in order.
///
/// Music without a beat, or shorter than two pulses, gives [`Alignment::NONE`].
///
/// # Errors
/// [`Error::Cancelled`], [`Error::Internal`] from a transform.
pub fn measure_alignment(
    mono: &[f32],
    rate: SampleRate,
    pulses: &[Seconds],
    context: &JobContext,
) -> Result<Alignment> {
    context.progress(Stage::Alignment, 0.0)?;
    let curve = Curve::of(mono, rate, context)?;
    let length = mono.len() as f64 / rate.hz();
    let inside: Vec<f64> = pulses.iter().map(|pulse| pulse.0).filter(|&pulse| pulse < length).collect();
    let gap = match inside.as_slice() {
        [first, .., last] => (last - first) / (inside.len() - 1) as f64,
        _ => return Ok(Alignment::NONE),
    };
    if inside.len() < 4 || curve.is_flat() || !(0.05..10.0).contains(&gap) {
        return Ok(Alignment::NONE);
    }
    let (ratio, shift, confidence) = comb(&curve, &inside, gap, context)?;
    context.progress(Stage::Alignment, 0.6)?;
    let (ratio, shift) = refine(&curve, &inside, gap, (ratio, shift));
    // Past the range the comb found only its own border.
    let confidence = if (ratio - 1.0).abs() > WIDEST { 0.0 } else { confidence };
    Ok(Alignment { ratio, offset: Seconds(shift), confidence })
}

/// Onset strength over time: never negative, mean 1.
struct Curve {
    values: Vec<f32>,
}

impl Curve {
    /// Rises of the spectrum's logarithm, summed over frequency, above their surroundings.
    fn of(mono: &[f32], rate: SampleRate, context: &JobContext) -> Result<Self> {
        let hop = (HOP_SECONDS * rate.hz()).round().max(1.0) as usize;
        let window = ((WINDOW_SECONDS * rate.hz()) as usize).next_power_of_two().max(16);
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(window);
        let hann: Vec<f32> =
            (0..window).map(|index| 0.5 - 0.5 * (std::f32::consts::TAU * index as f32 / window as f32).cos()).collect();
        let peak =
            mono.iter().filter(|sample| sample.is_finite()).fold(1e-9_f32, |peak, sample| peak.max(sample.abs()));
        let (mut input, mut output) = (fft.make_input_vec(), fft.make_output_vec());
        let mut before: Vec<f32> = vec![0.0; output.len()];
        let count = mono.len() / hop + 1;
        let mut values = Vec::with_capacity(count);
        for frame in 0..count {
            if frame % 64 == 0 {
                context.check()?;
            }
            let start = (frame * hop) as i64 - (window / 2) as i64;
            for (index, (sample, weight)) in input.iter_mut().zip(&hann).enumerate() {
                let at = usize::try_from(start + index as i64).ok();
                let heard = at.and_then(|at| mono.get(at)).copied().unwrap_or(0.0);
                *sample = if heard.is_finite() { heard / peak * weight } else { 0.0 };
            }
            fft.process(&mut input, &mut output).map_err(|error| Error::internal("finding the beat", error))?;
            let mut rise = 0.0;
            for (bin, last) in output.iter().zip(&mut before) {
                let now = (1.0 + 10.0 * bin.norm()).ln();
                rise += (now - *last).max(0.0);
                *last = now;
            }
            // The edges where the music was cut are no onsets.
            let edge = frame * hop <= window || frame * hop + window >= mono.len();
            values.push(if edge { 0.0 } else { rise });
        }
        // A steady sound has rises too, but none that could be an onset.
        if values.iter().fold(0.0_f32, |most, &rise| most.max(rise)) < LEAST_RISE {
            values.fill(0.0);
        }
        Ok(Self { values: above_surroundings(&values) })
    }

    fn is_flat(&self) -> bool {
        self.values.iter().all(|&value| value == 0.0)
    }

    /// Standard deviation; the mean is 1.
    fn spread(&self) -> f64 {
        let squares: f64 = self.values.iter().map(|&value| (f64::from(value) - 1.0).powi(2)).sum();
        (squares / self.values.len().max(1) as f64).sqrt()
    }

    /// At a time, between the values.
    fn at(&self, seconds: f64) -> f32 {
        let place = (seconds + ANTICIPATION_SECONDS) / HOP_SECONDS;
        let index = place.floor();
        if index < 0.0 {
            return 0.0;
        }
        let value = |index: usize| self.values.get(index).copied().unwrap_or(0.0);
        let share = (place - index) as f32;
        let index = index as usize;
        value(index) * (1.0 - share) + value(index + 1) * share
    }

    /// Around a time, the nearer the more.
    fn around(&self, seconds: f64) -> f32 {
        let side = 2.0 * HOP_SECONDS;
        self.at(seconds) + 0.5 * (self.at(seconds - side) + self.at(seconds + side))
    }

    /// The strongest onset near a time, between the values, and its strength.
    fn onset_near(&self, seconds: f64, reach: f64) -> Option<(f64, f32)> {
        let index = |seconds: f64| ((seconds + ANTICIPATION_SECONDS) / HOP_SECONDS).max(0.0);
        let (from, to) = (index(seconds - reach).ceil() as usize, index(seconds + reach).floor() as usize);
        let last = self.values.len().checked_sub(2)?;
        let best = (from.max(1)..=to.min(last)).max_by(|&a, &b| self.values[a].total_cmp(&self.values[b]))?;
        let (left, middle, right) = (self.values[best - 1], self.values[best], self.values[best + 1]);
        if middle <= 0.0 || middle < left || middle < right {
            return None;
        }
        // The top of a parabola through three values.
        let bend = left - 2.0 * middle + right;
        let shift = if bend < 0.0 { 0.5 * (left - right) / bend } else { 0.0 };
        Some(((best as f64 + f64::from(shift)) * HOP_SECONDS - ANTICIPATION_SECONDS, middle))
    }
}

/// What stands out of a moving average and of the moment before, smoothed over three values, mean 1.
fn above_surroundings(values: &[f32]) -> Vec<f32> {
    let reach = (0.5 / HOP_SECONDS) as usize;
    // What follows an attack rises, too, as long as it swells and rattles; the attack is its beginning.
    let short = (0.05 / HOP_SECONDS) as usize;
    let mut sums = vec![0.0_f64];
    for value in values {
        sums.push(sums[sums.len() - 1] + f64::from(*value));
    }
    let mut out: Vec<f32> = (0..values.len())
        .map(|index| {
            let mean = |from: usize, to: usize| ((sums[to] - sums[from]) / (to - from).max(1) as f64) as f32;
            let around = mean(index.saturating_sub(reach), (index + reach + 1).min(values.len()));
            let before = mean(index.saturating_sub(short), index);
            (values[index] - (1.2 * around).max(1.2 * before)).max(0.0)
        })
        .collect();
    // One crash, or the edge where a held sound begins, must not outweigh a bar of strokes.
    let mut sorted = out.clone();
    sorted.retain(|&value| value > 0.0);
    sorted.sort_by(f32::total_cmp);
    let usual = sorted.get(sorted.len() * 4 / 5).copied().unwrap_or(0.0);
    out.iter_mut().for_each(|value| *value = value.min(1.5 * usual).sqrt());
    let plain = out.clone();
    for index in 1..out.len().saturating_sub(1) {
        out[index] = 0.25 * plain[index - 1] + 0.5 * plain[index] + 0.25 * plain[index + 1];
    }
    let mean = out.iter().map(|&value| f64::from(value)).sum::<f64>() / out.len().max(1) as f64;
    if mean > 1e-9 {
        out.iter_mut().for_each(|value| *value /= mean as f32);
    } else {
        out.fill(0.0);
    }
    out
}

/// The best comb: its ratio, its shift, and how much better than chance it is, 0 to 1.
fn comb(curve: &Curve, pulses: &[f64], gap: f64, context: &JobContext) -> Result<(f64, f64, f32)> {
    let pulses: Vec<f64> = pulses.iter().copied().filter(|&pulse| pulse < COMB_SECONDS + pulses[0]).collect();
    let teeth: Vec<(f64, f32)> = pulses
        .iter()
        .map(|&pulse| (pulse, 1.0))
        .chain(pulses.windows(2).map(|pair| (0.5 * (pair[0] + pair[1]), OFF_BEAT)))
        .collect();
    let weight: f32 = teeth.iter().map(|tooth| tooth.1).sum();
    let steps = (WIDEST / RATIO_STEP).round() as i64;
    let shifts = (0.5 * gap / SHIFT_STEP_SECONDS).floor() as i64;
    let (mut best, mut best_score, mut best_plain) = ((1.0, 0.0), 0.0, 0.0);
    for step in -steps..=steps {
        context.check()?;
        let ratio = 1.0 + step as f64 * RATIO_STEP;
        let far_ratio = 1.0 - FAR_RATIO * (step as f64 / steps as f64).powi(2);
        for shift in -shifts..=shifts {
            let seconds = shift as f64 * SHIFT_STEP_SECONDS;
            let hits: f32 = teeth.iter().map(|&(pulse, weight)| weight * curve.at(seconds + ratio * pulse)).sum();
            let plain = hits / weight;
            let far_shift = 1.0 - FAR_SHIFT * (seconds / (0.5 * gap)).powi(2);
            let score = f64::from(plain) * far_ratio * far_shift;
            if score > best_score {
                (best, best_score, best_plain) = ((ratio, seconds), score, f64::from(plain));
            }
        }
    }
    // How far the mean of so many draws from the curve would stray by chance. The best of the many combs that were tried strays four
    // to eight times as far in music without a beat, and more than ten times in music with one.
    let draws = weight * weight / teeth.iter().map(|tooth| tooth.1 * tooth.1).sum::<f32>();
    let stray = curve.spread() / f64::from(draws).sqrt();
    let confidence = (((best_plain - 1.0) / stray.max(1e-9) - 4.0) / 10.0).clamp(0.0, 1.0) as f32;
    Ok((best.0, best.1, confidence))
}

/// The comb once more with finer steps and on the beats only, from its stretch of music on to the end; then a straight line through
/// the onsets that are left next to its teeth. A player's early and late notes pull a line, but hardly the place where most agree.
fn refine(curve: &Curve, pulses: &[f64], gap: f64, (mut ratio, mut shift): (f64, f64)) -> (f64, f64) {
    let (first, end) = (pulses[0], pulses[pulses.len() - 1]);
    let mut until = first + COMB_SECONDS;
    // The first search looks as far as the comb's steps and a swung off-beat may have misled it.
    let mut reach = NEAR_SECONDS.min(gap / 6.0);
    loop {
        let teeth: Vec<f64> = pulses.iter().copied().filter(|&pulse| pulse <= until).collect();
        let span = (teeth[teeth.len() - 1] - first).max(gap);
        let (mut best, mut most) = ((ratio, shift), 0.0);
        let steps = (reach / FINE_SECONDS).ceil() as i64;
        for at_start in -steps..=steps {
            for at_end in -steps..=steps {
                let (early, late) = (at_start as f64 * FINE_SECONDS, at_end as f64 * FINE_SECONDS);
                let turned = ratio + (late - early) / span;
                let moved = shift + early - (turned - ratio) * first;
                let hits: f32 = teeth.iter().map(|pulse| curve.around(moved + turned * pulse)).sum();
                if hits > most {
                    (best, most) = ((turned, moved), hits);
                }
            }
        }
        (ratio, shift) = best;
        if until >= end {
            break;
        }
        until = first + (until - first) * 1.6;
        // From here on the line only has to follow what it knows already.
        reach = 0.02_f64.min(reach);
    }
    fit_line(curve, pulses, (ratio, shift))
}

/// Least squares through the onsets within a few milliseconds of the pulses; strong ones count for more.
fn fit_line(curve: &Curve, pulses: &[f64], (ratio, shift): (f64, f64)) -> (f64, f64) {
    let mut sums = [0.0_f64; 5];
    for &pulse in pulses {
        let Some((onset, strength)) = curve.onset_near(shift + ratio * pulse, LAST_SECONDS) else { continue };
        let weight = f64::from(strength);
        let products = [1.0, pulse, onset, pulse * pulse, pulse * onset];
        sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += weight * product);
    }
    let [total, x, y, xx, xy] = sums;
    let spread = total * xx - x * x;
    let slope = if spread > 1e-6 * total * total { (total * xy - x * y) / spread } else { return (ratio, shift) };
    // A line that turns away from the comb went through too few onsets.
    if (slope - ratio).abs() > 0.005 { (ratio, shift) } else { (slope, (y - slope * x) / total) }
}
