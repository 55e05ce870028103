//! Thread: worker. Saturation that does not fold back: twice the rate, and each step the mean of the curve over the way the
//! signal takes (antiderivative anti-aliasing, Parker et al. 2016).
//!
//! The curve is x / √(1 + x²). Its antiderivative is √(1 + x²), so that the mean between two samples a and b comes to
//! (a + b) / (√(1 + a²) + √(1 + b²)), which needs no special case for small steps.

use super::filter::OnePole;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::SampleRate;

/// Pairs of taps of the half-band filter.
const PAIRS: usize = 16;
/// Samples that a piece needs on either side of it.
const AROUND: usize = 2 * PAIRS + 2;
/// Frames a piece.
const PIECE: usize = 1 << 14;
/// What the curve's asymmetry shifts is taken out below this.
const OFFSET_HZ: f32 = 8.0;

/// The half-band filter's odd taps, one side: a sinc under a Kaiser window, unity at 0 Hz.
fn taps() -> [f32; PAIRS] {
    let bessel = |x: f64| {
        let (mut sum, mut term) = (1.0, 1.0);
        for order in 1..30 {
            term *= (x / 2.0 / f64::from(order)).powi(2);
            sum += term;
        }
        sum
    };
    let mut taps = [0.0_f64; PAIRS];
    for (index, tap) in taps.iter_mut().enumerate() {
        let place = index as f64 + 0.5;
        let window = bessel(8.0 * (1.0 - (place / (PAIRS as f64 + 0.5)).powi(2)).sqrt()) / bessel(8.0);
        let sign = if index % 2 == 0 { 1.0 } else { -1.0 };
        *tap = window * sign / (std::f64::consts::PI * place);
    }
    let sum: f64 = 2.0 * taps.iter().sum::<f64>();
    taps.map(|tap| (tap / sum) as f32)
}

/// The half-band filter between the samples `at` and `at + 1` of a row.
#[inline]
fn between(row: &[f32], at: usize, taps: &[f32; PAIRS]) -> f32 {
    let before = &row[at + 1 - PAIRS..=at];
    let after = &row[at + 1..=at + PAIRS];
    (0..PAIRS).map(|index| taps[index] * (before[PAIRS - 1 - index] + after[index])).sum()
}

/// Drives a channel into the curve, in place: `input` times the sample plus `bias`, then `output` times what comes out. Without
/// delay; what is constant is removed.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn saturate(
    samples: &mut [f32],
    (input, bias, output): (f32, f32, f32),
    rate: SampleRate,
    context: &JobContext,
) -> Result<()> {
    let taps = taps();
    let mut offset = OnePole::at(OFFSET_HZ, rate);
    let shift = bias / (1.0 + bias * bias).sqrt();
    // One piece with its surroundings as they were: the samples, and those half-way between them.
    let mut whole = vec![0.0_f32; PIECE + 2 * AROUND];
    let mut halves = vec![0.0_f32; PIECE + 2 * AROUND];
    let mut before = [0.0_f32; AROUND];
    let frames = samples.len();
    for from in (0..frames).step_by(PIECE) {
        context.check()?;
        let length = PIECE.min(frames - from);
        whole.fill(0.0);
        whole[..AROUND].copy_from_slice(&before);
        let until = (from + length + AROUND).min(frames);
        whole[AROUND..AROUND + until - from].copy_from_slice(&samples[from..until]);
        let kept = AROUND + length;
        before.copy_from_slice(&whole[kept - AROUND..kept]);
        let used = length + 2 * AROUND;
        for sample in &mut whole[..used] {
            *sample = *sample * input + bias;
        }
        for (at, half) in halves.iter_mut().enumerate().take(used - PAIRS).skip(PAIRS) {
            *half = between(&whole, at, &taps);
        }
        bend(&mut whole[..used], &mut halves[..used]);
        for (index, sample) in samples[from..from + length].iter_mut().enumerate() {
            let at = index + AROUND;
            let bent = 0.5 * (whole[at] + between(&halves, at - 1, &taps)) - shift;
            *sample = (bent - offset.low(bent)) * output;
        }
    }
    Ok(())
}

/// The curve's mean over each half step, in place.
fn bend(whole: &mut [f32], halves: &mut [f32]) {
    let root = |x: f32| (1.0 + x * x).sqrt();
    let (mut last, mut last_root) = (whole[0], root(whole[0]));
    for (sample, half) in whole.iter_mut().zip(halves) {
        let (middle, end) = (*sample, *half);
        let (middle_root, end_root) = (root(middle), root(end));
        *sample = (last + middle) / (last_root + middle_root);
        *half = (middle + end) / (middle_root + end_root);
        (last, last_root) = (end, end_root);
    }
}
