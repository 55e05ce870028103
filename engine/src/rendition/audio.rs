//! Thread: worker. Audio that an engine made becomes a rendition: on the song's beat, in whole bars, as loud as every other.

use super::align::{Alignment, measure_alignment};
use super::{Fidelity, Loudness, Rendition, Timings, fidelity, mastering};
use crate::analysis::Analysis;
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::generation::Request;
use crate::generation::direction::Ending;
use crate::generation::score::{
    Level, Master, Preset, Role, Room, RoomKind, SESSION_LUFS, Score, ScoreNote, Strip, Track,
};
use crate::job_context::{JobContext, Stage};
use crate::resample::resample_in;
use crate::stretch::{Anchor, cut, stretch, warp};
use crate::time::{Beats, Frames, SampleRate, Seconds, SongGrid};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// Rings on after the region, faded.
const TAIL_SECONDS: f64 = 0.35;
/// Music does not begin with a click.
const FADE_IN_SECONDS: f64 = 0.003;
/// Nearer than this the tempo is left alone: 20 ms over half a minute.
const SAME_TEMPO: f64 = 0.000_6;

/// What is known of a rendition that an engine made as audio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioMade {
    /// The melody it was made from, as one part: what goes into the MIDI file.
    pub melody: Score,
    /// How it lay against the song before it was fitted.
    pub alignment: Alignment,
    /// Whether it was stopped before its end.
    pub partial: bool,
    /// What the user should know of it, as sentences.
    pub remarks: Vec<String>,
}

/// Fits, cuts and masters audio that was made for a request. `partial` audio gives as many whole bars as there are of it.
///
/// # Errors
/// [`Error::NoMelody`] when there is less than a bar; [`Error::OutOfRange`] for a rate that cannot be; [`Error::Cancelled`].
pub fn from_audio(
    audio: &AudioBuffer,
    request: &Request,
    name: &str,
    (rate, partial): (SampleRate, bool),
    context: &JobContext,
) -> Result<Rendition> {
    let began = Instant::now();
    let analysis = &request.analysis;
    let grid = &analysis.grid;
    let alignment = measure_alignment(&audio.to_mono(), audio.rate, &pulses(grid, analysis.length), context)?;
    let mut remarks = Vec::new();
    let (fitted, applied) = fit(audio, alignment, rate, &mut remarks, context)?;
    context.progress(Stage::Alignment, 1.0)?;
    let length = whole_bars(&fitted, analysis, rate, partial)?;
    if partial {
        let bars = |beats: Beats| beats.0 / grid.metre.bar().0.max(0.25);
        remarks.push(format!("Stopped early: {:.0} of {:.0} bars.", bars(length), bars(analysis.length).ceil()));
    }
    let region = grid.frame_of(grid.start + length, rate);
    let premaster = cut_region(fitted, region, rate);
    let aligned = Instant::now();
    context.progress(Stage::Mix, 0.3)?;
    let target_lufs = if request.recipe.direction.level == Level::Loud { mastering::LOUD_LUFS } else { SESSION_LUFS };
    let (mix, integrated_lufs, true_peak_dbtp) = mastering::master(premaster, target_lufs, context)?;
    context.progress(Stage::Mix, 0.8)?;
    let mix_chroma = fidelity::mix_agreement(analysis, grid, length, &mix, context)?;
    context.progress(Stage::Mix, 1.0)?;
    let milliseconds = |from: Instant, to: Instant| (to - from).as_secs_f32() * 1000.0;
    Ok(Rendition {
        recipe: request.recipe.clone(),
        name: name.to_owned(),
        grid: grid.clone(),
        region,
        mix,
        stems: Vec::new(),
        score: None,
        fidelity: Fidelity { mix_chroma, ..Fidelity::default() },
        loudness: Loudness { integrated_lufs, true_peak_dbtp, ..Loudness::default() },
        timings: Timings {
            render_ms: milliseconds(began, aligned),
            mix_ms: milliseconds(aligned, Instant::now()),
            ..Timings::default()
        },
        made: Some(AudioMade { melody: melody_score(analysis, length), alignment: applied, partial, remarks }),
    })
}

/// The same music on another grid or at another rate: stretched and resampled instead of played again.
///
/// # Errors
/// [`Error::OutOfRange`] for a tempo or rate too far away; [`Error::Cancelled`].
pub fn on_grid(rendition: &Rendition, grid: &SongGrid, rate: SampleRate, context: &JobContext) -> Result<Rendition> {
    context.progress(Stage::Render, 0.0)?;
    let Some(made) = &rendition.made else {
        return Err(Error::internal("stretching the music", "it was not made as audio"));
    };
    let length = made.melody.length;
    let old_rate = rendition.rate();
    let mut mix = rendition.mix.clone();
    if *grid != rendition.grid {
        let anchors = anchors(&rendition.grid, grid, length, old_rate);
        mix = warp(&mix, &anchors, context)?;
    }
    context.progress(Stage::Render, 0.7)?;
    mix = resample_in(&mix, rate, context)?;
    let region = grid.frame_of(grid.start + length, rate);
    let tail = (TAIL_SECONDS * rate.hz()) as i64;
    let frames = usize::try_from((region.0 + tail).min(mix.frames() as i64).max(region.0)).unwrap_or(0);
    mix.channels.iter_mut().for_each(|channel| channel.resize(frames, 0.0));
    fade_edges(&mut mix, region.index().unwrap_or(0));
    // Stretched attacks stand a little higher than they did.
    let (mix, integrated_lufs, true_peak_dbtp) = mastering::hold_peaks(&mix, context)?;
    let melody = Score { grid: grid.clone(), ..made.melody.clone() };
    Ok(Rendition {
        grid: grid.clone(),
        region,
        mix,
        loudness: Loudness { integrated_lufs, true_peak_dbtp, ..rendition.loudness },
        made: Some(AudioMade { melody, ..made.clone() }),
        ..rendition.clone()
    })
}

/// Moments that both grids name, in frames: every change of tempo in either, the start and the end.
pub(super) fn anchors(from: &SongGrid, to: &SongGrid, length: Beats, rate: SampleRate) -> Vec<Anchor> {
    let points =
        |grid: &SongGrid| -> Vec<f64> { grid.tempo.points().iter().map(|point| (point.at - grid.start).0).collect() };
    let mut beats: Vec<f64> = points(from).into_iter().chain(points(to)).collect();
    // A quarter of a beat apart at least: pieces too short to be stretched well change nothing audible.
    beats.retain(|&beat| beat > 0.25 && beat < length.0 - 0.25);
    beats.extend([0.0, length.0]);
    beats.sort_by(f64::total_cmp);
    beats.dedup_by(|next, kept| *next - *kept < 0.25);
    let frame = |grid: &SongGrid, beat: f64| grid.frame_of(grid.start + Beats(beat), rate);
    beats.iter().map(|&beat| Anchor { source: frame(from, beat), target: frame(to, beat) }).collect()
}

/// The song's beats from the start of the region, in seconds: quarters, or dotted quarters in 6/8 and its kin.
fn pulses(grid: &SongGrid, length: Beats) -> Vec<Seconds> {
    let metre = grid.metre;
    let compound = metre.denominator == 8 && metre.numerator.is_multiple_of(3) && metre.numerator > 3;
    let step = if compound { 1.5 } else { 1.0 };
    let first = (grid.start.0 / step).ceil() as i64;
    let last = ((grid.start + length).0 / step).ceil() as i64;
    (first..last).map(|pulse| grid.tempo.seconds_between(grid.start, Beats(pulse as f64 * step))).collect()
}

/// Music that begins with the region and runs at the song's tempo, at a rate; and what was done for that.
fn fit(
    audio: &AudioBuffer,
    alignment: Alignment,
    rate: SampleRate,
    remarks: &mut Vec<String>,
    context: &JobContext,
) -> Result<(AudioBuffer, Alignment)> {
    let mut applied = alignment;
    if !alignment.is_sure() {
        remarks.push("No clear beat was found in it, so it is played as it was made.".to_owned());
        applied = Alignment { confidence: alignment.confidence, ..Alignment::NONE };
    } else if (alignment.ratio - 1.0).abs() < SAME_TEMPO {
        applied.ratio = 1.0;
    } else {
        let slower = if alignment.ratio > 1.0 { "slow" } else { "fast" };
        remarks.push(format!(
            "It was {:.1} % too {slower} and was fitted to the song.",
            (alignment.ratio - 1.0).abs() * 100.0
        ));
    }
    let from = applied.offset.frames(audio.rate).0;
    let music = cut(audio, from, audio.frames() as i64);
    let music = resample_in(&music, rate, context)?;
    let frames = (music.frames() as f64 / applied.ratio).round() as usize;
    Ok((stretch(&music, frames, context)?, applied))
}

/// How many beats of the region there are: all, or the whole bars of what was made.
fn whole_bars(fitted: &AudioBuffer, analysis: &Analysis, rate: SampleRate, partial: bool) -> Result<Beats> {
    if !partial {
        return Ok(analysis.length);
    }
    let grid = &analysis.grid;
    let there = grid.beat_at(fitted.length().seconds(rate)) - grid.start;
    let bar = grid.metre.bar().0.max(0.25);
    let bars = (there.0.min(analysis.length.0) / bar + 1e-6).floor();
    if bars < 1.0 {
        return Err(Error::NoMelody { reason: "less than a bar had been made.".to_owned() });
    }
    Ok(Beats(bars * bar))
}

/// Stereo, as long as the region and a short tail, without clicks at the ends.
fn cut_region(mut fitted: AudioBuffer, region: Frames, rate: SampleRate) -> AudioBuffer {
    fitted.channels.truncate(2);
    if fitted.channels.len() == 1 {
        fitted.channels.push(fitted.channels[0].clone());
    }
    let region = region.index().unwrap_or(0);
    let tail = (TAIL_SECONDS * rate.hz()) as usize;
    let frames = fitted.frames().min(region + tail).max(region);
    fitted.channels.iter_mut().for_each(|channel| channel.resize(frames, 0.0));
    for sample in fitted.channels.iter_mut().flatten() {
        *sample = if sample.is_finite() { *sample } else { 0.0 };
    }
    let peak = fitted.peak();
    if peak > 1.0 {
        fitted.channels.iter_mut().flatten().for_each(|sample| *sample /= peak);
    }
    fade_edges(&mut fitted, region);
    fitted
}

fn fade_edges(audio: &mut AudioBuffer, region: usize) {
    let rate = audio.rate.hz();
    let frames = audio.frames();
    let rise = ((FADE_IN_SECONDS * rate) as usize).min(frames);
    // Music that ends with the region still ends in a few milliseconds of fade.
    let fall = (frames - region.min(frames)).max(rise).min(frames);
    for channel in &mut audio.channels {
        for (index, sample) in channel[..rise].iter_mut().enumerate() {
            *sample *= index as f32 / rise as f32;
        }
        for (index, sample) in channel[frames - fall..].iter_mut().enumerate() {
            let share = (index + 1) as f32 / fall as f32;
            *sample *= 0.5 + 0.5 * (std::f32::consts::PI * share).cos();
        }
    }
}

/// The melody as one part, so that it can be written as MIDI.
fn melody_score(analysis: &Analysis, length: Beats) -> Score {
    let grid = &analysis.grid;
    let end = grid.start + length;
    let notes = analysis.notes.iter().filter_map(|note| {
        let (start, stop) = (analysis.beat_at(note.onset), analysis.beat_at(note.offset));
        (start < end && stop > start).then(|| ScoreNote {
            start,
            written: None,
            length: stop - start,
            key: note.key,
            velocity: (40.0 + 80.0 * note.loudness.clamp(0.0, 1.0)) as u8,
            bend: Vec::new(),
            expression_db: Vec::new(),
        })
    });
    let track = Track {
        role: Role::Lead,
        instrument: "Melody".to_owned(),
        preset: Preset { bank: 0, program: 0 },
        gain_db: 0.0,
        pan: 0.0,
        reverb: 0.0,
        strip: Strip::default(),
        notes: notes.collect(),
    };
    Score {
        style: String::new(),
        understood: Vec::new(),
        ignored: Vec::new(),
        grid: grid.clone(),
        length,
        key: Some(analysis.key.key),
        sections: Vec::new(),
        chords: Vec::new(),
        tracks: vec![track],
        room: Room { decay_seconds: 0.0, level_db: 0.0, kind: RoomKind::default() },
        delay: None,
        master: Master::default(),
        ending: Ending::default(),
        balance: None,
        remarks: Vec::new(),
    }
}
