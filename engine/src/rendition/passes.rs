//! Thread: worker. Passes over whole channels, in pieces: between two of them every pass looks whether to stop.
//!
//! An hour of sound is a quarter of a billion samples, so that even adding two channels takes too long to be waited for. Nothing here takes memory that
//! grows with the length.

use super::Stem;
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::SampleRate;
use std::ops::Range;

/// Frames between two looks at whether to stop, in loops over whole channels: a few milliseconds of the costliest of them.
pub const CHECK_EVERY: usize = 1 << 15;

/// The frames of a sound, piece by piece, each after a look whether to stop.
pub fn pieces(frames: usize, context: &JobContext) -> impl Iterator<Item = Result<Range<usize>>> {
    let piece = move |from: usize| context.check().map(|()| from..(from + CHECK_EVERY).min(frames));
    (0..frames).step_by(CHECK_EVERY).map(piece)
}

/// Does something to every piece of every channel; it is told the piece's first frame.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn change(audio: &mut AudioBuffer, context: &JobContext, mut work: impl FnMut(usize, &mut [f32])) -> Result<()> {
    for channel in &mut audio.channels {
        for range in pieces(channel.len(), context) {
            let range = range?;
            work(range.start, &mut channel[range]);
        }
    }
    Ok(())
}

/// All samples louder or softer.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn scale(audio: &mut AudioBuffer, gain: f32, context: &JobContext) -> Result<()> {
    change(audio, context, |_, piece| piece.iter_mut().for_each(|sample| *sample *= gain))
}

/// All samples louder or softer and rounded to 24 bits; what is not finite becomes 0.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn scale_to_24_bit(audio: &mut AudioBuffer, gain: f32, context: &JobContext) -> Result<()> {
    change(audio, context, |_, piece| {
        for sample in piece {
            let value = *sample * gain;
            *sample = if value.is_finite() { crate::audio::at_24_bit(value) } else { 0.0 };
        }
    })
}

/// Largest absolute sample.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn peak(audio: &AudioBuffer, context: &JobContext) -> Result<f32> {
    let mut peak = 0.0_f32;
    for channel in &audio.channels {
        for range in pieces(channel.len(), context) {
            peak = channel[range?].iter().fold(peak, |peak, sample| peak.max(sample.abs()));
        }
    }
    Ok(peak)
}

/// The last frame that is louder than a floor in any channel.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn last_over(audio: &AudioBuffer, floor: f32, context: &JobContext) -> Result<Option<usize>> {
    let mut last = None;
    for channel in &audio.channels {
        let mut end = channel.len();
        while end > 0 {
            context.check()?;
            let from = end.saturating_sub(CHECK_EVERY);
            if let Some(found) = channel[from..end].iter().rposition(|sample| sample.abs() > floor) {
                last = last.max(Some(from + found));
                break;
            }
            end = from;
        }
    }
    Ok(last)
}

/// The sum of stems, each sample added in double precision: exact for 24-bit values.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn sum(stems: &[Stem], rate: SampleRate, frames: usize, context: &JobContext) -> Result<AudioBuffer> {
    let mut total = AudioBuffer { rate, channels: Vec::with_capacity(2) };
    for channel in 0..2 {
        let mut samples = Vec::with_capacity(frames);
        let sources: Vec<&[f32]> =
            stems.iter().filter_map(|stem| stem.audio.channels.get(channel)).map(Vec::as_slice).collect();
        for range in pieces(frames, context) {
            let range = range?;
            let mut piece = vec![0.0_f64; range.len()];
            for source in &sources {
                let there = source.get(range.start..range.end.min(source.len())).unwrap_or(&[]);
                piece.iter_mut().zip(there).for_each(|(sum, sample)| *sum += f64::from(*sample));
            }
            samples.extend(piece.iter().map(|&sample| sample as f32));
        }
        total.channels.push(samples);
    }
    Ok(total)
}

/// The average of all channels.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn mono(audio: &AudioBuffer, context: &JobContext) -> Result<Vec<f32>> {
    let mut samples = Vec::with_capacity(audio.frames());
    let gain = 1.0 / audio.channels.len().max(1) as f32;
    for range in pieces(audio.frames(), context) {
        for frame in range? {
            samples.push(audio.channels.iter().map(|channel| channel[frame]).sum::<f32>() * gain);
        }
    }
    Ok(samples)
}
