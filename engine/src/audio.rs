//! Thread: any. Audio buffers that carry their rate.

use crate::time::{Frames, SampleRate};
use serde::{Deserialize, Serialize};

/// Planar audio: `channels[c][frame]`, all channels of one length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioBuffer {
    /// Frames per second.
    pub rate: SampleRate,
    /// One vector of samples a channel, nominal range -1 to 1.
    pub channels: Vec<Vec<f32>>,
}

impl AudioBuffer {
    /// Silence.
    pub fn silent(rate: SampleRate, channels: usize, frames: usize) -> Self {
        Self { rate, channels: vec![vec![0.0; frames]; channels] }
    }

    /// One channel.
    pub fn mono(rate: SampleRate, samples: Vec<f32>) -> Self {
        Self { rate, channels: vec![samples] }
    }

    /// Frames in each channel.
    pub fn frames(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// Frames in each channel, as a unit.
    pub fn length(&self) -> Frames {
        Frames::from(self.frames())
    }

    /// The average of all channels: what every analysis listens to.
    pub fn to_mono(&self) -> Vec<f32> {
        match self.channels.as_slice() {
            [] => Vec::new(),
            [only] => only.clone(),
            many => {
                let gain = 1.0 / many.len() as f32;
                (0..self.frames()).map(|frame| many.iter().map(|channel| channel[frame]).sum::<f32>() * gain).collect()
            }
        }
    }

    /// Adds another buffer onto this one from a frame on. Frames outside this buffer are dropped.
    pub fn add(&mut self, other: &Self, at: Frames) {
        for (mine, theirs) in self.channels.iter_mut().zip(&other.channels) {
            let skip = usize::try_from(-at.0).unwrap_or(0);
            let start = at.index().unwrap_or(0);
            for (sample, add) in mine.iter_mut().skip(start).zip(theirs.iter().skip(skip)) {
                *sample += add;
            }
        }
    }

    /// Largest absolute sample.
    pub fn peak(&self) -> f32 {
        self.channels.iter().flatten().fold(0.0, |peak, sample| peak.max(sample.abs()))
    }

    /// Rounds every sample to 24 bits, so that storing the audio as 24-bit integers later changes nothing.
    pub fn quantise_24_bit(&mut self) {
        self.channels.iter_mut().flatten().for_each(|sample| *sample = at_24_bit(*sample));
    }
}

/// A sample rounded to what 24 bits can hold.
pub fn at_24_bit(sample: f32) -> f32 {
    const STEP: f32 = 8_388_608.0;
    // Adding zero turns a negative one, which no integer has, into the plain one.
    (sample * STEP).round().clamp(-STEP, STEP - 1.0) / STEP + 0.0
}
