//! Thread: worker. A rendition that leads back to its start, as audio that can be repeated: exactly as long as its region, and what rings at
//! its end sounds into its head. It is the second pass, not the first.

use super::loudness::measure;
use super::mastering::{LOUD_LUFS, master};
use super::{Loudness, Rendition, Stem, master_for_export, mixdown, passes, strip};
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::direction::Ending;
use crate::generation::score::Level;
use crate::job_context::JobContext;

/// What of the loop is played before and after it while it is mastered, so that compressor and limiter are in the same state at both ends.
const RUN_UP_SECONDS: f64 = 1.0;
/// Over so long the master of the end becomes the master of the head.
const SEAM_SECONDS: f64 = 0.02;

/// The rendition as a loop, at a level. One that does not lead back to its start is returned as it is, at that level.
///
/// Stems are wrapped each by itself and add up to the wrapped session mix exactly; were that to clip where head and tail meet, all are turned
/// down by one amount.
///
/// # Errors
/// [`crate::Error::Cancelled`], [`crate::Error::Internal`] from the meter.
pub fn looped(rendition: &Rendition, level: Level, context: &JobContext) -> Result<Rendition> {
    if !rendition.leads_back() {
        return at_level(rendition, level, context);
    }
    let region = rendition.region.index().unwrap_or(0).min(rendition.mix.frames());
    let mut loop_of = rendition.clone_facts();
    loop_of.recipe.direction.level = level;
    let mut sum = if rendition.stems.is_empty() {
        wrapped(&rendition.mix, region, context)?
    } else {
        for stem in &rendition.stems {
            let audio = wrapped(&stem.audio, region, context)?;
            loop_of.stems.push(Stem { audio, instrument: stem.instrument.clone(), role: stem.role });
        }
        let (sum, integrated_lufs, true_peak_dbtp, down_db) =
            mixdown::add_up(&mut loop_of.stems, rendition.rate(), region, context)?;
        let turned_down_db = rendition.loudness.turned_down_db + down_db;
        loop_of.loudness = Loudness { integrated_lufs, true_peak_dbtp, turned_down_db, ..rendition.loudness };
        sum
    };
    // A mix that was kept alone, and mastered before, is not mastered twice.
    let mastered = rendition.stems.is_empty() && rendition.recipe.direction.level == Level::Loud;
    if level == Level::Loud && region > 0 && !mastered {
        let touch = rendition.score.as_ref().map(|score| score.master).unwrap_or_default();
        let run_up = ((RUN_UP_SECONDS * rendition.rate().hz()) as usize).min(region);
        sum = with_run_up(&sum, run_up, context)?;
        super::effects::apply_master(&mut sum, &strip::sum_touch(&touch), context)?;
        let (mastered, integrated_lufs, true_peak_dbtp) = master(sum, LOUD_LUFS, context)?;
        sum = without_run_up(mastered, run_up, region);
        loop_of.loudness = Loudness { integrated_lufs, true_peak_dbtp, ..loop_of.loudness };
    }
    loop_of.mix = sum;
    Ok(loop_of)
}

/// The rendition with its mix at another level. One whose stems were not kept stays as it is when it is louder.
fn at_level(rendition: &Rendition, level: Level, context: &JobContext) -> Result<Rendition> {
    let own = rendition.recipe.direction.level;
    let mut other = Rendition { stems: rendition.stems.clone(), ..rendition.clone_facts() };
    (other.mix, other.loudness) = match (own, level) {
        (Level::Session, Level::Loud) => master_for_export(rendition, context)?,
        (Level::Loud, Level::Session) if !rendition.stems.is_empty() => {
            let sum = passes::sum(&rendition.stems, rendition.rate(), rendition.mix.frames(), context)?;
            let (integrated_lufs, true_peak_dbtp) = measure(&sum, context)?;
            (sum, Loudness { integrated_lufs, true_peak_dbtp, ..rendition.loudness })
        }
        _ => (rendition.mix.clone(), rendition.loudness),
    };
    other.recipe.direction.level = level;
    Ok(other)
}

impl Rendition {
    /// Whether what rings at its end belongs into its head when it is repeated: a score that ends, or audio that an engine made, begins anew.
    pub fn leads_back(&self) -> bool {
        self.score.as_ref().is_some_and(|score| score.ending == Ending::Loop)
    }

    /// Everything but the sound.
    fn clone_facts(&self) -> Self {
        Self {
            recipe: self.recipe.clone(),
            name: self.name.clone(),
            grid: self.grid.clone(),
            region: self.region,
            mix: AudioBuffer { rate: self.rate(), channels: Vec::new() },
            stems: Vec::new(),
            score: self.score.clone(),
            fidelity: self.fidelity,
            loudness: self.loudness,
            timings: self.timings,
            made: self.made.clone(),
        }
    }
}

/// The first `region` frames, with what comes after them added onto their head, as often around as it takes.
fn wrapped(audio: &AudioBuffer, region: usize, context: &JobContext) -> Result<AudioBuffer> {
    let mut channels = Vec::with_capacity(audio.channels.len());
    for channel in &audio.channels {
        let (head, tail) = channel.split_at(region.min(channel.len()));
        let mut samples = head.to_vec();
        samples.resize(region, 0.0);
        for round in tail.chunks(region.max(1)) {
            for (out, add) in samples.chunks_mut(passes::CHECK_EVERY).zip(round.chunks(passes::CHECK_EVERY)) {
                context.check()?;
                out.iter_mut().zip(add).for_each(|(sample, add)| *sample += add);
            }
        }
        channels.push(samples);
    }
    Ok(AudioBuffer { rate: audio.rate, channels })
}

/// Its own end before a loop, and its own head after it.
fn with_run_up(audio: &AudioBuffer, run_up: usize, context: &JobContext) -> Result<AudioBuffer> {
    let mut channels = Vec::with_capacity(audio.channels.len());
    for channel in &audio.channels {
        context.check()?;
        let mut samples = Vec::with_capacity(channel.len() + 2 * run_up);
        samples.extend_from_slice(&channel[channel.len() - run_up..]);
        samples.extend_from_slice(channel);
        samples.extend_from_slice(&channel[..run_up]);
        channels.push(samples);
    }
    Ok(AudioBuffer { rate: audio.rate, channels })
}

/// The loop again; its head comes out of what followed its end.
fn without_run_up(mut audio: AudioBuffer, run_up: usize, region: usize) -> AudioBuffer {
    let seam = ((SEAM_SECONDS * audio.rate.hz()) as usize).min(run_up);
    for channel in &mut audio.channels {
        for frame in 0..seam {
            let share = frame as f32 / seam as f32;
            let follows = channel[run_up + region + frame];
            let head = &mut channel[run_up + frame];
            *head = crate::audio::at_24_bit(follows + (*head - follows) * share);
        }
        channel.drain(..run_up);
        channel.truncate(region);
    }
    audio
}
