//! Thread: audio. The one short fade that every discontinuity crosses.

use crate::time::{SampleRate, Seconds};

/// Length of the fade.
pub const FADE_MS: f64 = 3.0;

/// A raised cosine that falls from just below 1 to just above 0, one gain a frame.
#[derive(Debug)]
pub struct Fade {
    gains: Vec<f32>,
}

impl Fade {
    /// The fade at a rate.
    #[allow(clippy::cast_possible_truncation, reason = "a gain between 0 and 1")]
    pub fn new(rate: SampleRate) -> Self {
        let frames = Seconds(FADE_MS / 1000.0).frames(rate).index().unwrap_or(0).max(1);
        let step = std::f64::consts::PI / (frames as f64 + 1.0);
        let gains = (1..=frames).map(|frame| (0.5 + 0.5 * (step * frame as f64).cos()) as f32).collect();
        Self { gains }
    }

    /// Frames it takes.
    pub fn frames(&self) -> usize {
        self.gains.len()
    }

    /// The falling gains from an age on, in frames; empty when the fade is over.
    pub fn gains_from(&self, age: usize) -> &[f32] {
        self.gains.get(age..).unwrap_or(&[])
    }
}

/// A gain that crosses the fade whenever it is given a new value, and is exactly that value afterwards.
#[derive(Debug, Clone, Copy)]
pub struct Glide {
    from: f32,
    to: f32,
    age: usize,
}

impl Glide {
    /// At rest at a value.
    pub const fn resting_at(value: f32) -> Self {
        Self { from: value, to: value, age: usize::MAX }
    }

    /// Sets out for a value from wherever it is now. Nothing happens when it is already bound there.
    pub fn aim(&mut self, to: f32, fade: &Fade) {
        if to != self.to {
            *self = Self { from: self.value_after(0, fade), to, age: 0 };
        }
    }

    /// The value when it no longer moves.
    pub fn resting(&self, fade: &Fade) -> Option<f32> {
        (self.remaining(fade) == 0).then_some(self.to)
    }

    /// Frames until it comes to rest.
    pub fn remaining(&self, fade: &Fade) -> usize {
        if self.from == self.to { 0 } else { fade.frames().saturating_sub(self.age) }
    }

    /// The value some frames from now.
    pub fn value_after(&self, frames: usize, fade: &Fade) -> f32 {
        match fade.gains_from(self.age.saturating_add(frames)).first() {
            Some(gain) => self.to + (self.from - self.to) * gain,
            None => self.to,
        }
    }

    /// Multiplies samples by it, from where it is now.
    pub fn scale(&self, samples: &mut [f32], fade: &Fade) {
        match self.resting(fade) {
            Some(1.0) => {}
            Some(gain) => samples.iter_mut().for_each(|sample| *sample *= gain),
            None => {
                for (frame, sample) in samples.iter_mut().enumerate() {
                    *sample *= self.value_after(frame, fade);
                }
            }
        }
    }

    /// Lets time pass.
    pub fn advance(&mut self, frames: usize) {
        self.age = self.age.saturating_add(frames);
    }
}
