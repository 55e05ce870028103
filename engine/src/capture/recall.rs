//! Thread: collector. What I just hummed: the last bars or seconds, cut out of what is remembered anyway.
//!
//! The song may have jumped meanwhile, and a take lies in one piece of song. So every run of the song within reach is a candidate, and
//! the one with the most sound wins, the latest among equals: in a loop that is the last whole pass rather than the bar since it began
//! again. What was hummed after the song stopped comes first when there is a second of it.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "record frames of one history: whole, not negative, below 2^53"
)]

use super::cut::{Cut, Recall, grid_from, whole_frame};
use super::history::{History, Join, Segment};
use super::sound::{self, Gate};
use super::take::TakeSource;
use crate::error::{Error, Result};
use crate::time::{Beats, Frames, SampleRate, Seconds, SongGrid};

/// So much sound after the song stopped is what was meant.
const HUMMED_WITHOUT_SONG: Seconds = Seconds(1.0);
/// An older run must have so much more sound than a later one.
const CLEARLY_MORE: f64 = 1.1;
/// Missing this much of what was asked for is rounding.
const HARDLY: f64 = 0.02;

/// A piece of song through which it ran straight on, with changes of tempo and metre.
struct Run<'a> {
    segments: &'a [Segment],
    /// How the song came to its start.
    join: Join,
    /// Record frame after its last, or after the last that counts.
    end: u64,
    /// Why it ended: `None` when it is the one that still runs.
    left: Option<Join>,
}

/// A cut that could be what was meant.
struct Candidate {
    cut: Cut,
    sound: Seconds,
    /// How much of what was asked for is there, 0 to 1.
    share: f64,
    /// Why not all.
    why: &'static str,
    on_song: bool,
    latest: bool,
}

/// The cut of what had just been hummed at a record frame, and what there is to say about it. `offset_frames` is the input offset.
///
/// # Errors
/// [`Error::NoMelody`] when nothing was heard in the time that was asked for.
pub fn recall(history: &History, what: Recall, now: u64, offset_frames: i64) -> Result<(Cut, Vec<String>)> {
    let gate = Gate::of(history);
    let now = now.min(history.end());
    let runs = runs(history, now);
    let sung_to = (now as i64 - offset_frames).clamp(0, now as i64) as u64;
    let ran_last = runs.iter().rev().find(|run| run.has_song(history.rate()));
    let heard_until = ran_last.map_or(0, |run| run.end.min(sung_to));
    let reach = heard_until.saturating_sub(span_frames(history, what));
    let mut candidates = Vec::new();
    for (age, run) in runs.iter().rev().enumerate() {
        let latest = age == 0;
        let found = if run.has_song(history.rate()) {
            if run.end <= reach {
                break;
            }
            sung_to_a_song(history, run, what, offset_frames, sung_to, &gate)
        } else if latest {
            Some(hummed_alone(history, run, what, &gate))
        } else {
            None
        };
        candidates.extend(found.map(|candidate| Candidate { latest, ..candidate }));
    }
    let chosen = choose(candidates).ok_or_else(|| {
        let seconds = Frames((history.end() - history.first()) as i64).seconds(history.rate()).0;
        let reason = if seconds > 0.0 { "what was asked for is silent" } else { "nothing has been heard yet" };
        Error::NoMelody { reason: format!("{reason}. Hum, and then recall it.") }
    })?;
    let remarks = remarks(history, what, &chosen);
    Ok((chosen.cut, remarks))
}

fn choose(candidates: Vec<Candidate>) -> Option<Candidate> {
    let (alone, with_song): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|candidate| !candidate.on_song);
    let alone = alone.into_iter().find(|candidate| candidate.sound >= sound::LEAST);
    if alone.as_ref().is_some_and(|candidate| candidate.sound >= HUMMED_WITHOUT_SONG) {
        return alone;
    }
    let sounding = with_song.into_iter().filter(|candidate| candidate.sound >= sound::LEAST);
    // From the latest to the oldest.
    let best = sounding.reduce(|best, older| if older.sound.0 > best.sound.0 * CLEARLY_MORE { older } else { best });
    best.or(alone)
}

fn remarks(history: &History, what: Recall, chosen: &Candidate) -> Vec<String> {
    let mut remarks = Vec::new();
    if !chosen.latest && chosen.on_song && chosen.cut.on_grid {
        let running = history.last_stamp().playing;
        if running {
            remarks.push(
                "The song has jumped since, as at the end of a loop: the take is from before, where more was sung."
                    .to_owned(),
            );
        }
    }
    if chosen.share < 1.0 - HARDLY {
        let got = match what {
            Recall::Bars(bars) => {
                format!("{:.1} of {bars} bars", chosen.cut.length.0 / chosen.cut.grid.metre.bar().0)
            }
            Recall::Seconds(asked) => format!("{:.1} of {:.1} seconds", chosen.share * asked.0, asked.0),
        };
        remarks.push(format!("The take has {got}: {}.", chosen.why));
    }
    remarks
}

/// The runs of everything remembered, oldest first.
fn runs(history: &History, now: u64) -> Vec<Run<'_>> {
    let segments = history.segments();
    let segments = &segments[..segments.partition_point(|segment| segment.start < now)];
    let mut starts: Vec<usize> =
        (0..segments.len()).filter(|&index| index == 0 || segments[index].join != Join::Continues).collect();
    starts.push(segments.len());
    if segments.is_empty() {
        return Vec::new();
    }
    let run = |bounds: &[usize]| Run {
        segments: &segments[bounds[0]..bounds[1]],
        join: segments[bounds[0]].join,
        end: segments[bounds[1] - 1].end().min(now),
        left: segments.get(bounds[1]).map(|segment| segment.join),
    };
    starts.windows(2).map(run).filter(|run| run.end > history.first()).collect()
}

impl Run<'_> {
    fn start(&self) -> u64 {
        self.segments.first().map_or(0, |segment| segment.start)
    }

    fn has_song(&self, rate: SampleRate) -> bool {
        self.segments.first().is_some_and(|segment| segment.beats_at(segment.start, rate).is_some())
    }

    fn index_at(&self, frame: u64) -> usize {
        self.segments.partition_point(|segment| segment.end() <= frame).min(self.segments.len() - 1)
    }

    /// The last bar line at or before a record frame, in beats, and its segment.
    fn line_before(&self, frame: u64, rate: SampleRate) -> Option<f64> {
        let segment = &self.segments[self.index_at(frame)];
        let half_a_frame = 0.5 / segment.frames_per_beat(rate)?;
        let position = segment.beats_at(frame, rate)? + half_a_frame;
        Some(segment.stamp.bar_lines().before(position))
    }

    /// The record frame of a song position, and the index of its segment; `None` outside the run.
    fn frame_of(&self, beats: f64, rate: SampleRate) -> Option<(u64, usize)> {
        self.segments.iter().enumerate().find_map(|(index, segment)| {
            let frame = whole_frame(segment, beats, rate);
            let last = index + 1 == self.segments.len();
            let inside = frame >= segment.start && (frame < segment.end() || last && frame == segment.end());
            inside.then_some((frame, index))
        })
    }

    /// The bar line so many bars before another, by the metres that were in force; `None` when it lies before the run.
    fn bars_before(&self, line: f64, bars: u32, rate: SampleRate) -> Option<(u64, usize)> {
        let mut at = line;
        for _ in 0..bars {
            let within = self.frame_of(at, rate).map_or(0, |(frame, _)| frame.saturating_sub(1));
            at -= self.segments[self.index_at(within)].stamp.bar_lines().apart;
        }
        self.frame_of(at, rate)
    }
}

/// What is asked for, in record time at the present tempo.
fn span_frames(history: &History, what: Recall) -> u64 {
    let (tempo, metre) = history.last_tempo();
    let seconds = match what {
        Recall::Bars(bars) => Beats(f64::from(bars.max(1)) * metre.bar().0).seconds(tempo),
        Recall::Seconds(seconds) => seconds,
    };
    seconds.frames(history.rate()).0.max(0) as u64
}

/// The last bars or seconds of a run of the song.
fn sung_to_a_song(
    history: &History,
    run: &Run,
    what: Recall,
    offset_frames: i64,
    sung_to: u64,
    gate: &Gate,
) -> Option<Candidate> {
    let rate = history.rate();
    let late = |frame: u64| (frame as i64 + offset_frames).max(0) as u64;
    // The oldest frame whose sound is still there.
    let oldest = (history.first() as i64 - offset_frames).max(0) as u64;
    let earliest = run.start().max(oldest);
    let until = run.end.min(sung_to);
    if until <= earliest {
        return None;
    }
    let mut end = until;
    let mut asked_from = None;
    let asked = match what {
        Recall::Seconds(_) => {
            let frames = span_frames(history, what);
            asked_from = end.checked_sub(frames).filter(|&from| from >= earliest);
            frames
        }
        Recall::Bars(bars) => {
            let line = run.line_before(until, rate)?;
            let whole = run.frame_of(line, rate).filter(|&(frame, _)| frame > earliest);
            // A song that was stopped or left in the middle of a bar may have been sung to up to there, and a loop ends where it ends.
            let sung_on = |line: u64| match run.left {
                None => false,
                Some(Join::LoopWrap) => true,
                Some(_) => gate.sound(history, late(line), late(until)) >= sound::LEAST,
            };
            if let Some((frame, _)) = whole {
                end = if sung_on(frame) { until } else { frame };
                let counted = if end == frame || run.left != Some(Join::LoopWrap) { Some(line) } else { None };
                asked_from = match counted {
                    Some(line) => run.bars_before(line, bars.max(1), rate),
                    // The bars before the loop's end, which need not be a bar line.
                    None => run.segments.last().and_then(|last| {
                        let position = last.beats_at(until, rate)?;
                        run.bars_before(position, bars.max(1), rate)
                    }),
                }
                .map(|(frame, _)| frame)
                .filter(|&frame| frame >= earliest);
            }
            span_frames(history, what)
        }
    };
    let start = asked_from.unwrap_or(earliest);
    let index = run.index_at(start);
    let from = run.segments[index].beats_at(start, rate)?;
    // A bar line is where the song says, not where its frame was rounded to.
    let from = nearest_line(&run.segments[index], from, rate);
    let grid = grid_from(&run.segments[index..], rate, from, end)?;
    let length = grid.beat_at(Frames((end - start) as i64).seconds(rate)) - grid.start;
    let length = whole_bars(length, grid.metre.bar(), &run.segments[index], rate);
    let share = if asked_from.is_some() { 1.0 } else { (end - start) as f64 / asked.max(1) as f64 };
    let why = match run.join {
        _ if earliest > run.start() => "no more is remembered",
        Join::Jump if run.start() == 0 => "no more has been heard",
        Join::LoopWrap => "the song jumped to the start of its loop there",
        _ => "the song was started or jumped there",
    };
    let sound = gate.sound(history, late(start), late(end));
    let cut = Cut { start, end, offset_frames, grid, on_grid: true, length, source: TakeSource::Recall };
    Some(Candidate { cut, sound, share: share.min(1.0), why, on_song: true, latest: false })
}

fn nearest_line(segment: &Segment, beats: f64, rate: SampleRate) -> f64 {
    let near = segment.stamp.bar_lines().nearest(beats);
    let frames = segment.frames_per_beat(rate).map_or(f64::INFINITY, |frames| (near - beats).abs() * frames);
    if frames <= 0.5 { near } else { beats }
}

fn whole_bars(length: Beats, bar: Beats, segment: &Segment, rate: SampleRate) -> Beats {
    let near = (length.0 / bar.0).round() * bar.0;
    let frames = segment.frames_per_beat(rate).map_or(f64::INFINITY, |frames| (near - length.0).abs() * frames);
    if near > 0.0 && frames <= 1.0 { Beats(near) } else { length }
}

/// What was hummed since the song stopped, or where there is none.
fn hummed_alone(history: &History, run: &Run, what: Recall, gate: &Gate) -> Candidate {
    let (tempo, metre) = history.last_tempo();
    let asked = span_frames(history, what);
    let (earliest, end) = (run.start().max(history.first()), run.end);
    let start = end.saturating_sub(asked).max(earliest);
    let grid = SongGrid::at_origin(tempo, metre);
    let length = grid.beat_at(Frames((end - start) as i64).seconds(history.rate()));
    let why = if run.start() > history.first() { "the song stopped there" } else { "no more is remembered" };
    Candidate {
        sound: gate.sound(history, start, end),
        share: (end - start) as f64 / asked.max(1) as f64,
        why,
        cut: Cut { start, end, offset_frames: 0, grid, on_grid: false, length, source: TakeSource::Recall },
        on_song: false,
        latest: true,
    }
}
