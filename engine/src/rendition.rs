//! Thread: worker. Rendition: a score becomes audio that can be played, exported and judged.
//!
//! [`audio`] fits what an engine made as audio to the song, by the beat that [`align`] finds. For a score,
//! [`part`] plays each track with the sounds of [`synth`], [`room`] gives it its space, [`mixdown`] makes stems and the
//! mastered mix, [`fidelity`] measures how the melody came through. [`render`] is the whole stage.

pub mod align;
pub mod audio;
mod biquad;
mod clarity;
pub mod fidelity;
pub mod levels;
pub mod limiter;
pub mod loudness;
pub mod mixdown;
mod part;
mod passes;
pub mod room;
mod synth;

use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::generation::score::{Role, Score};
use crate::generation::{Recipe, Request};
use crate::job_context::{JobContext, Stage};
use crate::side_by_side::side_by_side;
use crate::time::{Frames, SampleRate, SongGrid};
use audio::AudioMade;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Longest ring after the region.
const TAIL_SECONDS: f64 = 2.5;
/// Longest region: an hour. Its audio alone is gigabytes.
const LONGEST_SECONDS: f64 = 3_600.0;

/// One part as audio, before the master.
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
    /// The mastered mix, stereo, 24-bit values.
    pub mix: AudioBuffer,
    /// The parts; they sum to the mix before its master gain and limiter. Empty when only the mix was kept.
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
        self.made.is_none().then_some(self.fidelity)
    }

    /// The sum of the stems, as long as the mix.
    pub fn premaster(&self) -> AudioBuffer {
        // A detached context cannot be cancelled, which is the only way to fail.
        let sum = passes::sum(&self.stems, self.rate(), self.mix.frames(), &JobContext::detached());
        sum.unwrap_or_else(|_| AudioBuffer::silent(self.rate(), 2, self.mix.frames()))
    }

    /// The rate of all its audio.
    pub fn rate(&self) -> SampleRate {
        self.mix.rate
    }
}

/// Plays, balances and masters a score, and measures the result against the melody.
///
/// Same score, request and rate: same samples, to the bit, on one machine. `timings` are the only thing that differs;
/// its analysis and arrangement are left at 0 for the caller to fill in.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::OutOfRange`] for a rate or length no song has.
pub fn render(
    score: &Score,
    request: &Request,
    name: &str,
    rate: SampleRate,
    context: &JobContext,
) -> Result<Rendition> {
    let began = Instant::now();
    context.progress(Stage::Render, 0.0)?;
    let region = score.grid.frame_of(score.grid.start + score.length, rate);
    let longest = LONGEST_SECONDS * rate.hz();
    let region_frames = region.index().filter(|&frames| score.length.0.is_finite() && frames as f64 <= longest);
    let Some(region_frames) = region_frames else {
        return Err(Error::OutOfRange {
            what: "The length of the region",
            got: format!("{} beats", score.length.0),
            expected: "between nothing and an hour".into(),
        });
    };
    let frames = region_frames + (TAIL_SECONDS * rate.hz()) as usize;
    let total: usize = score.tracks.iter().map(|track| track.notes.len()).sum();
    let done = AtomicUsize::new(0);
    let played = || {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        context.progress(Stage::Render, done as f32 / total.max(1) as f32)
    };
    let dry = side_by_side(score.tracks.iter().collect(), |_, track| {
        part::render_part(track, &score.grid, rate, region.0, frames, context, &played)
    })?;
    let rendered = Instant::now();
    context.progress(Stage::Mix, 0.0)?;
    let stems = side_by_side(dry, |index, mut audio| {
        let track = &score.tracks[index];
        room::add_room(&mut audio, &score.room, track.reverb, context)?;
        Ok(Stem { role: track.role, instrument: track.instrument.clone(), audio })
    })?;
    let mixdown::Mixdown { stems, mix, loudness } = mixdown::mix_down(stems, rate, region_frames, frames, context)?;
    context.progress(Stage::Mix, 0.8)?;
    let fidelity = fidelity::measure_fidelity(&request.analysis, score, &stems, &mix, context)?;
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
        region,
        mix,
        stems,
        score: Some(score.clone()),
        fidelity,
        loudness,
        timings,
        made: None,
    })
}
