//! Thread: worker. The take itself, laid beside a rendition of it to be compared: at its tempo, rate and loudness.

use super::Rendition;
use super::audio::anchors;
use super::loudness::measure_roughly;
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::resample::resample_in;
use crate::stretch::warp;
use crate::time::{Beats, SongGrid};

/// Highest true peak that the take is raised to.
const CEILING_DBTP: f32 = -1.0;

/// What was sung, `audio` of so many beats on a grid of its own: frame 0 of the result belongs on frame 0 of the rendition, and it is as long.
/// It is as loud as the rendition, unless its peaks forbid that.
///
/// # Errors
/// [`crate::Error::OutOfRange`] for a tempo or rate too far away; [`crate::Error::Cancelled`].
pub fn beside(
    audio: &AudioBuffer,
    grid: &SongGrid,
    length: Beats,
    rendition: &Rendition,
    context: &JobContext,
) -> Result<AudioBuffer> {
    let target = SongGrid { tempo: rendition.grid.tempo.clone(), ..grid.clone() };
    let at_tempo = if target.tempo == grid.tempo {
        audio.clone()
    } else {
        warp(audio, &anchors(grid, &target, length, audio.rate), context)?
    };
    let rate = rendition.rate();
    let at_rate = resample_in(&at_tempo, rate, context)?;
    let (lufs, peak_dbtp) = measure_roughly(&at_rate, context)?;
    let gain_db = (rendition.loudness.integrated_lufs - lufs).min(CEILING_DBTP - peak_dbtp);
    let gain = 10.0_f32.powf(gain_db.clamp(-60.0, 60.0) / 20.0);
    let first = rendition.grid.frame_of(grid.start, rate).0;
    let mut beside = AudioBuffer::silent(rate, at_rate.channels.len().max(1), rendition.mix.frames());
    for (to, from) in beside.channels.iter_mut().zip(&at_rate.channels) {
        let skipped = usize::try_from(-first).unwrap_or(0).min(from.len());
        let offset = usize::try_from(first).unwrap_or(0).min(to.len());
        to[offset..].iter_mut().zip(&from[skipped..]).for_each(|(to, from)| *to = from * gain);
    }
    Ok(beside)
}
