//! Thread: collector. Bars that are counted before a take may begin.
//!
//! They are counted from the bar line after arming on, so that the musician hears whole bars of her song; a song that jumps
//! or starts is counted from there anew. Around a loop the bars go on. Where no song runs they last what its tempo says.

#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "record frames, whole and not negative")]

use super::history::{History, Join, Segment};
use crate::time::{Beats, Frames, SampleRate};

/// How far the count is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Count {
    /// So much song time is left.
    Counting(Beats),
    /// The take may begin from this record frame on.
    Over(u64),
}

/// Counts `bars` for a take that was armed at a record frame.
pub fn count(history: &History, armed_at: u64, bars: u32) -> Count {
    let (segments, rate) = (history.segments(), history.rate());
    if bars == 0 {
        return Count::Over(armed_at);
    }
    let (mut begun, mut at, mut left) = (armed_at, armed_at, bars + 1);
    for segment in segments.iter().filter(|segment| segment.end() > armed_at) {
        if segment.join == Join::Jump && segment.start > armed_at {
            (begun, at, left) = (segment.start, segment.start, bars + 1);
        }
        if segment.beats_at(segment.start, rate).is_none() {
            let Some(frames) = standing_bars(history, bars) else { continue };
            // A count without a song has no bar line to wait for.
            if begun + frames <= segment.end() {
                return Count::Over(begun + frames);
            }
            continue;
        }
        while let Some(line) = next_line(segment, rate, at) {
            if line >= segment.end() {
                break;
            }
            left -= 1;
            if left == 0 {
                return Count::Over(line);
            }
            at = line + 1;
        }
        at = at.max(segment.end());
    }
    Count::Counting(left_over(history, begun, left, bars))
}

/// Record frames of bars when no song runs.
fn standing_bars(history: &History, bars: u32) -> Option<u64> {
    let (tempo, metre) = history.last_tempo();
    let seconds = Beats(metre.bar().0 * f64::from(bars)).seconds(tempo);
    u64::try_from(seconds.frames(history.rate()).0).ok()
}

/// The record frame of the first bar line at or after a record frame, by the line of one segment.
fn next_line(segment: &Segment, rate: SampleRate, at: u64) -> Option<u64> {
    let at = at.max(segment.start);
    let half_a_frame = 0.5 / segment.frames_per_beat(rate)?;
    let position = segment.beats_at(at, rate)? - half_a_frame;
    let next = segment.stamp.bar_lines().after(position);
    Some((segment.frame_at(next, rate)?.round() as u64).max(at))
}

fn left_over(history: &History, begun: u64, lines_left: u32, bars: u32) -> Beats {
    let (rate, end) = (history.rate(), history.end());
    let (tempo, metre) = history.last_tempo();
    let segment = history.segments().last();
    let Some((segment, position)) = segment.and_then(|segment| Some((segment, segment.beats_at(end, rate)?))) else {
        let whole = standing_bars(history, bars).unwrap_or(0);
        let left = (begun + whole).saturating_sub(end);
        return Frames(left as i64).seconds(rate).beats(tempo);
    };
    let line = next_line(segment, rate, end).and_then(|line| segment.beats_at(line, rate)).unwrap_or(position);
    Beats(line - position + metre.bar().0 * f64::from(lines_left.saturating_sub(1)))
}
