//! Thread: worker. Rendition: a score becomes audio that can be played, exported and judged.
//!
//! [`audio`] fits what an engine made as audio to the song, by the beat that [`align`] finds. For a score,
//! [`part`] plays each track with the sounds of the [`sampler`] and the [`oscillator`]s, [`strip`], [`effects`] and [`room`] give it its place,
//! [`stems`] its level, [`mixdown`] adds them up, [`mastering`] makes the sum loud where that is wanted, [`fidelity`] measures how the melody
//! came through. [`render`] is the whole stage.

pub mod align;
pub mod audio;
pub mod beside;
mod biquad;
mod clarity;
pub mod effects;
pub mod fidelity;
pub mod levels;
pub mod limiter;
pub mod looped;
pub mod loudness;
mod masking;
pub mod mastering;
pub mod mixdown;
pub mod oscillator;
pub mod part;
mod passes;
pub mod room;
pub mod sampler;
mod stems;
pub mod strip;

use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::score::{Level, Master, Role, Score};
use crate::generation::{Recipe, Request};
use crate::job_context::{JobContext, Stage};
use crate::time::{Frames, SampleRate, SongGrid};
use audio::AudioMade;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use stems::Plan;

/// One part as audio, at the session level.
#[derive(Debug, Clone, PartialEq)]
pub struct Stem {
    /// What it plays.
    pub role: Role,
    /// Instrument name.
    pub instrument: String,
    /// Stereo, as long as the mix.
    pub audio: AudioBuffer,
}

/// How well a rendition keeps the melody, measured on its audio.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Fidelity {
    /// Share of the melody's frames whose loudest pitch class in the lead stem is the sung one, 0 to 1.
    pub lead_chroma: f32,
    /// The same in the full mix.
    pub mix_chroma: f32,
    /// Share of notes that sound in the right octave in the lead.
    pub octave: f32,
    /// Share of sung onsets that the lead meets within 50 ms.
    pub onset: f32,
}

/// Levels of the finished mix.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated, EBU R128.
    pub integrated_lufs: f32,
    /// Largest true peak.
    pub true_peak_dbtp: f32,
    /// Integrated loudness of the lead stem minus that of all other stems together, in LU.
    pub lead_over_backing_lu: f32,
    /// How far the backing stands over the lead in the octave where it masks it most, in dB, while the lead sounds; negative where the lead
    /// is the louder. Only octaves that carry the lead count. 0 without a lead or a backing.
    #[serde(default)]
    pub lead_masked_db: f32,
    /// The middle of that octave, in Hz.
    #[serde(default)]
    pub lead_masked_hz: f32,
    /// By how much all stems were turned down because the mix would have clipped, in dB. 0 as a rule.
    #[serde(default)]
    pub turned_down_db: f32,
}

/// Where the time went, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Pitch, notes, chroma, key. 0 when the analysis was already there.
    pub analysis_ms: f32,
    /// Harmony and parts.
    pub arrangement_ms: f32,
    /// Score to audio.
    pub render_ms: f32,
    /// Balance, room, loudness, fidelity.
    pub mix_ms: f32,
}

/// A finished rendition.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendition {
    /// What was asked for.
    pub recipe: Recipe,
    /// Human name: "Jazz 1".
    pub name: String,
    /// Where it lies in the song.
    pub grid: SongGrid,
    /// Frames of the region itself; the audio is longer by a tail that rings out.
    pub region: Frames,
    /// The mix, stereo, 24-bit values: at the session level the sum of the stems, at the loud level that sum mastered.
    pub mix: AudioBuffer,
    /// The parts, at the session level in either case. Empty when only the mix was kept.
    pub stems: Vec<Stem>,
    /// The notes, when the engine wrote any.
    pub score: Option<Score>,
    /// How it keeps the melody.
    pub fidelity: Fidelity,
    /// Its levels.
    pub loudness: Loudness,
    /// How long it took.
    pub timings: Timings,
    /// What is known of music that was made as audio; `None` when a score was played.
    pub made: Option<AudioMade>,
}

impl Rendition {
    /// How the lead keeps the melody, when there is a lead to listen to.
    pub fn lead_fidelity(&self) -> Option<Fidelity> {
        let led = |score: &Score| score.tracks.iter().any(|track| track.role == Role::Lead);
        let heard = self.made.is_none() && self.score.as_ref().is_none_or(led);
        heard.then_some(self.fidelity)
    }

    /// The sum of the stems, as long as the mix.
    pub fn premaster(&self) -> AudioBuffer {
        // A detached context cannot be cancelled, which is the only way to fail.
        let sum = passes::sum(&self.stems, self.rate(), self.mix.frames(), &JobContext::detached());
        sum.unwrap_or_else(|_| AudioBuffer::silent(self.rate(), 2, self.mix.frames()))
    }

    /// Whether its parts are there as sound, as far as it has any. Of a rendition that a project kept only the mix is there, until its
    /// notes are played again.
    pub fn has_its_parts(&self) -> bool {
        self.made.is_some() || !self.stems.is_empty()
    }

    /// The rate of all its audio.
    pub fn rate(&self) -> SampleRate {
        self.mix.rate
    }
}

/// Who is handed the first two bars of a mix, at the session level, while the rest is still being rendered.
pub type Early<'a> = &'a (dyn Fn(AudioBuffer) + Sync);

/// Plays, balances and adds up a score, masters it where the recipe asks for the loud level, and measures the result against the melody.
///
/// Same score, request and rate: same samples, to the bit, on one machine. `timings` are the only thing that differs;
/// its analysis and arrangement are left at 0 for the caller to fill in.
///
/// # Errors
/// [`Error::Cancelled`](crate::Error::Cancelled); [`Error::OutOfRange`](crate::Error::OutOfRange) for a rate or length no song has.
pub fn render(
    score: &Score,
    request: &Request,
    name: &str,
    rate: SampleRate,
    context: &JobContext,
) -> Result<Rendition> {
    render_early(score, request, name, rate, None, context)
}

/// [`render`], which hands out the first two bars as soon as they are there.
///
/// # Errors
/// As [`render`].
pub fn render_early(
    score: &Score,
    request: &Request,
    name: &str,
    rate: SampleRate,
    early: Option<Early>,
    context: &JobContext,
) -> Result<Rendition> {
    let began = Instant::now();
    context.progress(Stage::Render, 0.0)?;
    let plan = Plan::of(score, rate, true)?;
    if let Some(early) = early {
        early(plan.first_bars(context)?);
    }
    let total: usize = score.tracks.iter().map(|track| track.notes.len()).sum();
    let done = AtomicUsize::new(0);
    let played = || {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        context.progress(Stage::Render, (done as f32 / total.max(1) as f32).min(1.0))
    };
    let mut stems = plan.stems(context, &played)?;
    let rendered = Instant::now();
    context.progress(Stage::Mix, 0.0)?;
    let frames = stems.first().map_or(plan.region, |stem| stem.audio.frames());
    let (mut mix, mut integrated_lufs, mut true_peak_dbtp, turned_down_db) =
        mixdown::add_up(&mut stems, rate, frames, context)?;
    context.progress(Stage::Mix, 0.4)?;
    let region = plan.region;
    let mut score = score.clone();
    if turned_down_db > 0.0 {
        score.remarks.retain(|remark| !remark.starts_with(TURNED_DOWN));
        score.remarks.push(format!("{TURNED_DOWN} {turned_down_db:.1} dB so that its peaks do not clip."));
    }
    let loudness = mixdown::lead_and_backing(&stems, &mix, context)?;
    context.progress(Stage::Mix, 0.5)?;
    if request.recipe.direction.level == Level::Loud {
        (mix, integrated_lufs, true_peak_dbtp) = loud(mix, &score.master, context)?;
    }
    context.progress(Stage::Mix, 0.8)?;
    let fidelity = fidelity::measure_fidelity(&request.analysis, &score, &stems, &mix, context)?;
    context.progress(Stage::Mix, 1.0)?;
    let milliseconds = |from: Instant, to: Instant| (to - from).as_secs_f32() * 1000.0;
    let timings = Timings {
        render_ms: milliseconds(began, rendered),
        mix_ms: milliseconds(rendered, Instant::now()),
        ..Timings::default()
    };
    Ok(Rendition {
        recipe: request.recipe.clone(),
        name: name.to_owned(),
        grid: score.grid.clone(),
        region: Frames::from(region),
        mix,
        stems,
        score: Some(score),
        fidelity,
        loudness: Loudness { integrated_lufs, true_peak_dbtp, turned_down_db, ..loudness },
        timings,
        made: None,
    })
}

/// What a remark begins with when a mix was turned down.
const TURNED_DOWN: &str = "The whole band was turned down by";

/// A sum of stems with the style's glue, mastered: the mix, its loudness in LUFS and its true peak in dBTP.
fn loud(mut sum: AudioBuffer, touch: &Master, context: &JobContext) -> Result<(AudioBuffer, f32, f32)> {
    effects::apply_master(&mut sum, &strip::sum_touch(touch), context)?;
    mastering::master(sum, mastering::LOUD_LUFS, context)
}

/// The mix at the loud level, and what it measures: what files are given by default. Nothing is rendered again.
///
/// # Errors
/// [`Error::Cancelled`](crate::Error::Cancelled), [`Error::Internal`](crate::Error::Internal) from the meter.
pub fn master_for_export(rendition: &Rendition, context: &JobContext) -> Result<(AudioBuffer, Loudness)> {
    if rendition.recipe.direction.level == Level::Loud {
        return Ok((rendition.mix.clone(), rendition.loudness));
    }
    let touch = rendition.score.as_ref().map(|score| score.master).unwrap_or_default();
    let (mix, integrated_lufs, true_peak_dbtp) = loud(rendition.mix.clone(), &touch, context)?;
    Ok((mix, Loudness { integrated_lufs, true_peak_dbtp, ..rendition.loudness }))
}

/// The stems of a rendition without room and echo, as long and as loud as those it has. `None` when it has no score.
///
/// # Errors
/// As [`render`].
pub fn dry_stems(rendition: &Rendition, context: &JobContext) -> Result<Option<Vec<Stem>>> {
    let Some(score) = &rendition.score else { return Ok(None) };
    let mut stems = Plan::of(score, rendition.rate(), false)?.stems(context, &|| context.check())?;
    for stem in &mut stems {
        if rendition.loudness.turned_down_db > 0.0 {
            passes::scale_to_24_bit(&mut stem.audio, part::db(-rendition.loudness.turned_down_db), context)?;
        }
        stem.audio.channels.iter_mut().for_each(|channel| channel.resize(rendition.mix.frames(), 0.0));
    }
    Ok(Some(stems))
}
