//! Thread: worker. Stereo width for sounds that have none: a side signal that disappears when both sides are summed.

use super::filter::{Section, Tuning};
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::rendition::passes::CHECK_EVERY;

/// All-passes that smear the middle into something the ear takes for another place: delays in seconds.
const SMEAR_SECONDS: [f64; 3] = [0.0057, 0.0113, 0.0167];
/// How strongly they do.
const SMEAR: f32 = 0.55;
/// Bass stays in the middle.
const FROM_HZ: f32 = 220.0;
/// Level of the side against the middle at full width.
const SIDE: f32 = 0.8;

/// Spreads a part by an amount of 0 to 1. Stereo only; other layouts are left alone.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn widen(audio: &mut AudioBuffer, amount: f32, context: &JobContext) -> Result<()> {
    let rate = audio.rate;
    let [left, right] = audio.channels.as_mut_slice() else { return Ok(()) };
    let tuning = Tuning::new(FROM_HZ, std::f32::consts::FRAC_1_SQRT_2, rate);
    let mut section = Section::default();
    let mut smears = SMEAR_SECONDS.map(|seconds| (vec![0.0_f32; (seconds * rate.hz()).round().max(1.0) as usize], 0));
    let side_gain = amount * SIDE;
    let even = (1.0 + side_gain * side_gain).sqrt().recip();
    for (left, right) in left.chunks_mut(CHECK_EVERY).zip(right.chunks_mut(CHECK_EVERY)) {
        context.check()?;
        for (left, right) in left.iter_mut().zip(right) {
            let mut smeared = section.step(0.5 * (*left + *right), &tuning).high;
            for (ring, at) in &mut smears {
                let late = ring[*at];
                let kept = smeared + SMEAR * late;
                ring[*at] = if kept.abs() < 1e-18 { 0.0 } else { kept };
                smeared = late - SMEAR * kept;
                *at = if *at + 1 == ring.len() { 0 } else { *at + 1 };
            }
            let side = side_gain * smeared;
            *left = (*left + side) * even;
            *right = (*right - side) * even;
        }
    }
    Ok(())
}
