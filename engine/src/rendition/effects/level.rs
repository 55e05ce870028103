//! Thread: worker. How loud a part is while it plays: what drive, compression and dust are measured against.

use super::filter::{OnePole, Section, Tuning};
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;

/// What counts as silence, in mean square.
const SILENCE: f64 = 1e-12;
/// Tenths of a second in a window.
const WINDOW: usize = 4;

/// Level of the passages that are no rests, as amplitude: the root of the mean square over windows of 0.4 s, those 10 dB under the
/// mean left out, as ITU-R BS.1770 does it. Treble counts as the ear hears it when `as_heard`. `None` for silence.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn programme_level(audio: &AudioBuffer, as_heard: bool, context: &JobContext) -> Result<Option<f32>> {
    let block = (audio.rate.0 as usize / 10).max(1);
    let mut powers = vec![0.0_f64; audio.frames().div_ceil(block)];
    // A shelf of 4 dB above 1.5 kHz and no bass below 40 Hz, roughly the standard's weighting.
    let low_cut = Tuning::new(40.0, 0.5, audio.rate);
    for channel in &audio.channels {
        context.check()?;
        let (mut shelf, mut section) = (OnePole::at(1_500.0, audio.rate), Section::default());
        for (power, samples) in powers.iter_mut().zip(channel.chunks(block)) {
            let mut sum = 0.0_f32;
            for &sample in samples {
                let heard = if as_heard {
                    let lifted = sample + 0.58 * (sample - shelf.low(sample));
                    section.step(lifted, &low_cut).high
                } else {
                    sample
                };
                sum += heard * heard;
            }
            section.rest();
            *power += f64::from(sum) / block as f64;
        }
    }
    let window = WINDOW.min(powers.len().max(1));
    let powers: Vec<f64> = powers.windows(window).map(|powers| powers.iter().sum::<f64>() / window as f64).collect();
    let mean_above = |floor: f64| {
        let (sum, count) = powers
            .iter()
            .filter(|&&power| power > floor)
            .fold((0.0, 0_u32), |(sum, count), power| (sum + power, count + 1));
        (count > 0).then(|| sum / f64::from(count))
    };
    let gated = mean_above(SILENCE).and_then(|mean| mean_above(0.1 * mean));
    let channels = audio.channels.len().max(1) as f64;
    Ok(gated.map(|power| (power / channels).sqrt() as f32))
}

/// Brings audio back to a level measured before.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn restore(audio: &mut AudioBuffer, level: f32, context: &JobContext) -> Result<()> {
    let Some(now) = programme_level(audio, true, context)? else { return Ok(()) };
    let gain = (level / now).clamp(0.01, 100.0);
    for channel in &mut audio.channels {
        context.check()?;
        channel.iter_mut().for_each(|sample| *sample *= gain);
    }
    Ok(())
}
