//! Thread: audio. The short fades that every audible discontinuity crosses.

use crate::time::{SampleRate, Seconds};
use std::f32::consts::PI;

/// What is left sounds on for so long, falling.
const OUT: Seconds = Seconds(0.003);
/// What begins in the middle of a sound rises for so long; shorter, so that the first attack after it keeps its edge.
const IN: Seconds = Seconds(0.001);

/// Raised cosines of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fade {
    out_frames: usize,
    in_frames: usize,
}

impl Fade {
    /// For a rate.
    pub fn new(rate: SampleRate) -> Self {
        let frames = |time: Seconds| time.frames(rate).index().unwrap_or(0).max(1);
        Self { out_frames: frames(OUT), in_frames: frames(IN) }
    }

    /// Frames until what is left is silent.
    pub fn out_frames(self) -> usize {
        self.out_frames
    }

    /// Frames until what begins is at full gain.
    pub fn in_frames(self) -> usize {
        self.in_frames
    }

    /// Gain of what is left, `done` frames after the discontinuity.
    pub fn out_gain(self, done: usize) -> f32 {
        falling(done, self.out_frames)
    }

    /// Gain of what begins, `done` frames after the discontinuity.
    pub fn in_gain(self, done: usize) -> f32 {
        1.0 - falling(done, self.in_frames)
    }
}

/// From just below 1 to just above 0, then 0.
fn falling(done: usize, frames: usize) -> f32 {
    if done >= frames {
        return 0.0;
    }
    let phase = (done + 1) as f32 / (frames + 1) as f32;
    0.5 + 0.5 * (PI * phase).cos()
}
