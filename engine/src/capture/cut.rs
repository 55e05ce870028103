//! Thread: worker. A capture mode is a cut: which record frames, and where in the song they lie. Pure functions of the
//! history.
//!
//! Sound reaches us later than the song it was sung to by the input offset: what was recorded at frame `r` belongs to the song
//! at `r - offset`. Record time never jumps, so the frames of a song range are simply the later ones, across any loop jump.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "record frames and song frames of one history: whole, not negative, below 2^53"
)]

use super::history::{History, Join, Segment};
use super::take::{Take, TakeNote, TakeSource};
use super::trim::{MARGIN, Margins, Tail};
use crate::error::{Error, Result};
use crate::time::{Beats, Frames, SampleRate, Seconds, SongGrid, TempoMap, TempoPoint};
use serde::{Deserialize, Serialize};

/// How a take begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureMode {
    /// From arming to stopping by hand, with or without a running song.
    Free,
    /// This many bars, from the next bar line on.
    Bars(u32),
    /// One whole pass of the host's loop.
    LoopRegion,
}

/// How much of what was just hummed is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Recall {
    /// The last whole bars.
    Bars(u32),
    /// The last stretch of time.
    Seconds(Seconds),
}

impl CaptureMode {
    /// What a take made so says of itself.
    pub fn source(self) -> TakeSource {
        match self {
            Self::Free => TakeSource::Free,
            Self::Bars(_) => TakeSource::Bars,
            Self::LoopRegion => TakeSource::Loop,
        }
    }
}

/// A piece of record time and where in the song it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// Record frame at which the song was at the take's start.
    pub start: u64,
    /// Record frame after the last.
    pub end: u64,
    /// Frames by which the audio lies later than that.
    pub offset_frames: i64,
    /// Where in the song.
    pub grid: SongGrid,
    /// Whether the song told, or `grid` is a guess.
    pub on_grid: bool,
    /// Length in song time.
    pub length: Beats,
    /// How it was made.
    pub source: TakeSource,
}

impl Cut {
    /// Record frames of the audio.
    pub fn audio(&self) -> (i64, i64) {
        (self.start as i64 + self.offset_frames, self.end as i64 + self.offset_frames)
    }
}

/// How far an armed take is.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// It has not begun.
    Waiting,
    /// It began at a record frame and is to become so long.
    Recording {
        /// Record frame at which the song was at the take's start.
        start: u64,
        /// Length to come, if the mode sets one.
        target: Option<Beats>,
    },
    /// All its frames are there.
    Complete(Cut),
}

/// How far a take is that was armed at a record frame. `offset_frames` is the input offset.
pub fn progress(history: &History, mode: CaptureMode, armed_at: u64, offset_frames: i64) -> Progress {
    let bars = match mode {
        CaptureMode::Free => return Progress::Recording { start: armed_at, target: None },
        CaptureMode::Bars(bars) => Some(bars.max(1)),
        CaptureMode::LoopRegion => None,
    };
    let (segments, rate) = (history.segments(), history.rate());
    let first = segments.partition_point(|segment| segment.end() < armed_at);
    for (index, segment) in segments.iter().enumerate().skip(first) {
        let span = match bars {
            Some(bars) => next_bars(segment, rate, armed_at, bars),
            None => next_loop(segment, rate, armed_at),
        };
        let Some((from, to)) = span else { continue };
        let start = whole_frame(segment, from, rate).max(segment.start.max(armed_at));
        if start >= segment.end() {
            continue;
        }
        let target = Beats(to - from);
        match run_until(&segments[index..], rate, to, start, target) {
            Run::Broken => {}
            Run::Open => return Progress::Recording { start, target: Some(target) },
            Run::Reached(end) => {
                if end as i64 + offset_frames > history.end() as i64 {
                    return Progress::Recording { start, target: Some(target) };
                }
                let Some(grid) = grid_from(&segments[index..], rate, from, end) else { continue };
                let source = mode.source();
                return Progress::Complete(Cut {
                    start,
                    end,
                    offset_frames,
                    grid,
                    on_grid: true,
                    length: target,
                    source,
                });
            }
        }
    }
    Progress::Waiting
}

/// What was recorded since `start`, as it is at a record frame: a free take that is stopped, or another cut short.
///
/// # Errors
/// [`Error::EmptyTake`] when nothing was recorded.
pub fn unfinished(history: &History, mode: CaptureMode, start: u64, until: u64, offset_frames: i64) -> Result<Cut> {
    let until = until.min(history.end());
    let (segments, rate) = (history.segments(), history.rate());
    let first = segments.partition_point(|segment| segment.end() <= start);
    let anchor = (first..segments.len()).find(|&index| segments[index].beats_at(start, rate).is_some());
    let song = anchor.and_then(|index| {
        let from = segments[index].beats_at(start, rate)?;
        Some((from, grid_from(&segments[index..], rate, from, until)?))
    });
    // Without a song there is nothing to be late for.
    let offset_frames = if song.is_some() { offset_frames } else { 0 };
    let end = until as i64 - offset_frames;
    if end <= start as i64 {
        return Err(Error::EmptyTake);
    }
    let on_grid = song.is_some();
    let (tempo, metre) = history.last_tempo();
    let grid = song.map_or_else(|| SongGrid::at_origin(tempo, metre), |(_, grid)| grid);
    let seconds = Frames(end - start as i64).seconds(rate);
    let length = grid.beat_at(seconds) - grid.start;
    Ok(Cut { start, end: end as u64, offset_frames, grid, on_grid, length, source: mode.source() })
}

/// The take of a cut.
///
/// # Errors
/// [`Error::OutOfRange`] when the cut begins before what is remembered.
pub fn take(history: &History, cut: &Cut, id: u64) -> Result<Take> {
    let rate = history.rate();
    let (from, to) = cut.audio();
    if from < history.first() as i64 {
        let ago = Frames(history.end() as i64 - from).seconds(rate).0;
        let kept = Frames((history.end() - history.first()) as i64).seconds(rate).0;
        return Err(Error::OutOfRange {
            what: "The start of the recording",
            got: format!("{ago:.1} seconds ago"),
            expected: format!("within the {kept:.1} seconds that are remembered"),
        });
    }
    let (from, to) = (from as u64, to.max(from) as u64);
    let margins = margins(history, from, to);
    let audio = crate::audio::AudioBuffer { rate, channels: history.read(from, to) };
    let lost_frames =
        history.lost().iter().map(|&(at, frames)| (at + frames).min(to).saturating_sub(at.max(from))).sum();
    Ok(Take {
        id,
        source: cut.source,
        audio,
        notes: notes(history, from, to),
        grid: cut.grid.clone(),
        on_grid: cut.on_grid,
        length: cut.length,
        lost_frames,
        remarks: Vec::new(),
        margins,
    })
}

/// The frames around record frames `from..to` that are kept with them, as far as they are there.
fn whole_range(history: &History, from: u64, to: u64) -> (u64, u64) {
    let margin = MARGIN.frames(history.rate()).0.unsigned_abs();
    (from.saturating_sub(margin).max(history.first()).min(from), (to + margin).min(history.end()).max(to))
}

fn margins(history: &History, from: u64, to: u64) -> Margins {
    let (first, end) = whole_range(history, from, to);
    let read = |from: u64, to: u64| if from < to { history.read(from, to) } else { Vec::new() };
    let notes = if (first, end) == (from, to) { Vec::new() } else { notes(history, first, end) };
    Margins { before: read(first, from), after: read(to, end), notes, captured: None }
}

/// A take whose tail is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tailless {
    capture: u64,
    first: u64,
    delivered: u64,
    until: u64,
}

impl Tailless {
    /// Of a cut that was just made a take of; `None` when its tail is there.
    pub fn of(history: &History, cut: &Cut, capture: u64) -> Option<Self> {
        let (from, to) = cut.audio();
        let (from, to) = (from.max(0) as u64, to.max(0) as u64);
        let (first, delivered) = whole_range(history, from, to);
        let until = to + MARGIN.frames(history.rate()).0.unsigned_abs();
        (delivered < until).then_some(Self { capture, first, delivered, until })
    }

    /// The tail once it is there, or as far as it is when nothing more will come.
    pub fn tail(&self, history: &History, nothing_more: bool) -> Option<Tail> {
        let end = self.until.min(history.end());
        let due = end == self.until || nothing_more;
        (due && self.delivered >= history.first() && end > self.delivered).then(|| Tail {
            capture: self.capture,
            audio: history.read(self.delivered, end),
            notes: notes(history, self.first, end),
        })
    }
}

/// The first bars that begin inside a segment, at or after arming: start and end in beats.
fn next_bars(segment: &Segment, rate: SampleRate, armed_at: u64, bars: u32) -> Option<(f64, f64)> {
    let position = position_from(segment, rate, armed_at)?;
    let lines = segment.stamp.bar_lines();
    let from = lines.after(position);
    Some((from, from + lines.apart * f64::from(bars)))
}

/// Song time until an armed take begins, as far as the song tells now.
pub fn starts_in(history: &History, mode: CaptureMode) -> Option<Beats> {
    let (segment, rate) = (history.segments().last()?, history.rate());
    let now = position_from(segment, rate, history.end())?;
    let start = match mode {
        CaptureMode::Free => now,
        CaptureMode::Bars(bars) => next_bars(segment, rate, history.end(), bars)?.0,
        CaptureMode::LoopRegion => {
            let (start, end) = segment.stamp.loop_beats?;
            if now <= start { start } else { now.max(end) }
        }
    };
    Some(Beats((start - now).max(0.0)))
}

/// The loop, when its start lies inside a segment at or after arming.
fn next_loop(segment: &Segment, rate: SampleRate, armed_at: u64) -> Option<(f64, f64)> {
    let position = position_from(segment, rate, armed_at)?;
    segment.stamp.loop_beats.filter(|&(start, end)| start >= position && end > start)
}

/// The earliest song position that still rounds to the first usable frame of a segment.
fn position_from(segment: &Segment, rate: SampleRate, armed_at: u64) -> Option<f64> {
    let half_a_frame = 0.5 / segment.frames_per_beat(rate)?;
    Some(segment.beats_at(segment.start.max(armed_at), rate)? - half_a_frame)
}

pub(super) fn whole_frame(segment: &Segment, beats: f64, rate: SampleRate) -> u64 {
    segment.frame_at(beats, rate).map_or(u64::MAX, |frame| frame.round().max(0.0) as u64)
}

enum Run {
    /// The song got there at this record frame.
    Reached(u64),
    /// It is on its way.
    Open,
    /// It jumped before.
    Broken,
}

/// Follows the song from the first segment to a position. A loop too short to hold the target is followed round and round.
fn run_until(segments: &[Segment], rate: SampleRate, to: f64, start: u64, target: Beats) -> Run {
    for (index, segment) in segments.iter().enumerate() {
        match segment.join {
            Join::Jump if index > 0 => return Run::Broken,
            Join::LoopWrap if index > 0 => {
                let loop_beats = segments[0].stamp.loop_beats.map_or(f64::INFINITY, |(start, end)| end - start);
                return if loop_beats < target.0 { around(segments, rate, start, target) } else { Run::Broken };
            }
            _ => {}
        }
        let end = whole_frame(segment, to, rate);
        if end <= segment.end() {
            return Run::Reached(end.max(segment.start));
        }
    }
    Run::Open
}

/// A length in record time through any number of loop passes.
fn around(segments: &[Segment], rate: SampleRate, start: u64, target: Beats) -> Run {
    let Some(frames_per_beat) = segments[0].frames_per_beat(rate) else { return Run::Broken };
    let end = start + (target.0 * frames_per_beat).round() as u64;
    let reached = segments.last().map_or(0, Segment::end);
    let jumped = segments.iter().skip(1).any(|segment| segment.join == Join::Jump && segment.start < end);
    match (jumped, reached >= end) {
        (true, _) => Run::Broken,
        (false, true) => Run::Reached(end),
        (false, false) => Run::Open,
    }
}

/// The grid of a run that begins at a song position in the first segment and is followed up to a record frame.
pub(super) fn grid_from(segments: &[Segment], rate: SampleRate, from: f64, end: u64) -> Option<SongGrid> {
    let first = segments.first()?;
    let mut points = vec![TempoPoint { at: Beats(from), tempo: first.stamp.tempo? }];
    for segment in segments[1..].iter().take_while(|segment| segment.join == Join::Continues && segment.start < end) {
        if let (Some(at), Some(tempo)) = (segment.beats_at(segment.start, rate), segment.stamp.tempo) {
            points.push(TempoPoint { at: Beats(at), tempo });
        }
    }
    let map = TempoMap::new(points);
    Some(SongGrid {
        start: Beats(from),
        start_seconds: first.seconds_at(from)?,
        tempo: map.single().map_or_else(|| map.clone(), TempoMap::constant),
        metre: first.stamp.metre.unwrap_or_default(),
    })
}

/// A note struck this much before the take is meant for its first beat.
pub(super) const EARLY: Seconds = Seconds(0.1);

/// Pairs the notes on and off of record frames `from..to`. What still sounds at the end ends there.
fn notes(history: &History, from: u64, to: u64) -> Vec<TakeNote> {
    let rate = history.rate();
    let early = EARLY.frames(rate).index().unwrap_or(0) as u64;
    let time = |at: u64| Frames(at.clamp(from, to) as i64 - from as i64).seconds(rate);
    let mut notes: Vec<TakeNote> = Vec::new();
    let mut held: Vec<(u64, u8, u8, f32)> = Vec::new();
    let mut close = |held: &mut Vec<(u64, u8, u8, f32)>, index: usize, at: u64| {
        let (on, channel, key, velocity) = held.remove(index);
        if at > from && at > on {
            notes.push(TakeNote { onset: time(on), offset: time(at), key, velocity, channel });
        }
    };
    for &(at, event) in history.midi().iter().filter(|(at, _)| *at + early >= from && *at < to) {
        if let Some(index) = held.iter().position(|&(_, channel, key, _)| (channel, key) == (event.channel, event.key))
        {
            close(&mut held, index, at);
        }
        if event.velocity > 0.0 {
            held.push((at, event.channel, event.key, event.velocity.min(1.0)));
        }
    }
    while !held.is_empty() {
        close(&mut held, 0, to);
    }
    notes.sort_by(|a, b| a.onset.0.total_cmp(&b.onset.0).then(a.key.cmp(&b.key)));
    notes
}
