//! Thread: worker. Fewer and coarser steps, as old samplers and games sounded.

use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::rendition::passes::CHECK_EVERY;

/// Steps a second at the smallest and at full amount.
const STEPS_HZ: (f32, f32) = (40_000.0, 6_500.0);
/// Bits at the smallest and at full amount, for the part's own peak.
const BITS: (f32, f32) = (15.0, 5.0);

/// Holds samples and rounds them, more of both from 0 to 1. What it folds back is its sound.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn crush(audio: &mut AudioBuffer, amount: f32, context: &JobContext) -> Result<()> {
    let peak = audio.peak();
    if peak <= 0.0 {
        return Ok(());
    }
    let rate = audio.rate.0.max(1) as f32;
    let steps_hz = STEPS_HZ.0 * (STEPS_HZ.1 / STEPS_HZ.0).powf(amount);
    let advance = (steps_hz / rate).min(1.0);
    let step = peak * 2.0_f32.powf(1.0 - (BITS.0 + (BITS.1 - BITS.0) * amount));
    for channel in &mut audio.channels {
        let (mut phase, mut held) = (1.0_f32, 0.0);
        for piece in channel.chunks_mut(CHECK_EVERY) {
            context.check()?;
            for sample in piece {
                if phase >= 1.0 {
                    phase -= 1.0;
                    held = (*sample / step).round() * step;
                }
                phase += advance;
                *sample = held;
            }
        }
    }
    Ok(())
}
