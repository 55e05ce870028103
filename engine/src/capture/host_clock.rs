//! Thread: any, the audio thread included. The host's own count of whole frames, and a block cut where the host's loop wraps inside it.

#![allow(clippy::cast_possible_truncation, reason = "positions are sane, far below 2^53")]

use super::transport::TransportStamp;
use crate::time::{Beats, Bpm, SampleRate};

/// Nearer than this to a whole frame, a position in beats stands for that frame; what is left is the host's rounding.
const ON_GRID_FRAMES: f64 = 0.01;

/// The host's own count of whole frames, at the tempo of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HostClock {
    frames_per_beat: f64,
    /// How far the whole frames lie from multiples of `frames_per_beat`: not zero in a song whose tempo changed before.
    phase: f64,
    /// The whole frame of the stamp.
    pub now: i64,
}

impl HostClock {
    /// From a stamp that gives beats and a tempo.
    pub fn of(stamp: &TransportStamp, rate: SampleRate) -> Option<Self> {
        let frames_per_beat = 60.0 / stamp.tempo?.0 * rate.hz();
        let exact = stamp.beats? * frames_per_beat;
        let now = exact.round();
        let phase = exact - now;
        let phase = if phase.abs() < ON_GRID_FRAMES { 0.0 } else { phase };
        Some(Self { frames_per_beat, phase, now: now as i64 })
    }

    /// The whole frame nearest to a position in beats.
    pub fn frame_of(&self, beats: f64) -> i64 {
        (beats * self.frames_per_beat - self.phase).round() as i64
    }

    /// The position of a whole frame in beats.
    pub fn beats_of(&self, frame: i64) -> f64 {
        (frame as f64 + self.phase) / self.frames_per_beat
    }

    /// The last whole beat whose frame is not after `frame`.
    pub fn beat_before(&self, frame: i64) -> i64 {
        let near = self.beats_of(frame).round() as i64;
        if self.frame_of(near as f64) <= frame { near } else { near - 1 }
    }
}

/// A stretch of a block through which song time runs straight on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// First frame in the block.
    pub offset: usize,
    /// Length.
    pub frames: usize,
    /// The transport at its first frame.
    pub stamp: TransportStamp,
}

/// The host's active loop, in whole frames of its own count.
#[derive(Debug, Clone, Copy)]
struct HostLoop {
    clock: HostClock,
    start: i64,
    end: i64,
}

/// Iterator over the pieces of a block; see [`pieces`].
#[derive(Debug, Clone)]
pub struct Pieces {
    stamp: TransportStamp,
    around: Option<HostLoop>,
    now: i64,
    offset: usize,
    frames: usize,
}

/// Splits a block where the host's loop wraps inside it: after the frame before the loop's end comes the loop's start. A
/// loop shorter than the block wraps several times. Without a loop, a tempo or beats the block is one piece.
pub fn pieces(stamp: &TransportStamp, rate: SampleRate, frames: usize) -> Pieces {
    let around = stamp.loop_beats.filter(|_| stamp.playing).and_then(|(start, end)| {
        let clock = HostClock::of(stamp, rate)?;
        let around = HostLoop { clock, start: clock.frame_of(start), end: clock.frame_of(end) };
        // A position behind the loop plays on and never wraps.
        (around.start < around.end && clock.now < around.end).then_some(around)
    });
    let now = around.map_or(0, |around| around.clock.now);
    Pieces { stamp: *stamp, around, now, offset: 0, frames }
}

impl Iterator for Pieces {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let left = self.frames.checked_sub(self.offset).filter(|&left| left > 0)?;
        let Some(HostLoop { clock, start, end }) = self.around else {
            let piece = Piece { offset: self.offset, frames: left, stamp: self.stamp };
            self.offset = self.frames;
            return Some(piece);
        };
        let frames = usize::try_from(end - self.now).map_or(left, |until| until.min(left));
        let piece = Piece { offset: self.offset, frames, stamp: self.stamp };
        self.offset += frames;
        self.now = start;
        let beats = clock.beats_of(start);
        if let (Some(seconds), Some(before)) = (self.stamp.seconds, self.stamp.beats) {
            let tempo = self.stamp.tempo.unwrap_or(Bpm(120.0));
            self.stamp.seconds = Some(seconds + (Beats(beats) - Beats(before)).seconds(tempo).0);
        }
        self.stamp.beats = Some(beats);
        Some(piece)
    }
}
