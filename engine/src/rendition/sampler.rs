//! Thread: worker. The sampler: notes of the sound set as audio at any rate, each started and let go on its very frame, bent and
//! opened by curves.
//!
//! [`sound_set`] reads the file, [`generator`] holds what its numbers mean, [`voice`] renders one region with [`envelope`],
//! [`interpolation`] and [`filter`].

mod envelope;
mod filter;
mod generator;
mod interpolation;
mod riff;
pub mod sound_set;
pub mod voice;

use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::generation::score::Preset;
use crate::job_context::JobContext;
use crate::resample;
use crate::time::SampleRate;
use sound_set::{Looping, Region, SoundSet};
use voice::{BLOCK, Moves, Touch, Voice};

/// Longest ring after the end of a note. What still sounds then is faded.
const LONGEST_RING_SECONDS: f64 = 3.0;
/// Fade of a sound that does not end by itself.
const END_FADE_SECONDS: f64 = 0.01;

/// What to play: a key of a preset, how hard and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NoteShape {
    /// The sound.
    pub preset: Preset,
    /// MIDI key.
    pub key: u8,
    /// 1 to 127.
    pub velocity: u8,
    /// Frames until the key is let go, at the output rate. `None` lets a one-shot ring out by itself.
    pub held: Option<u64>,
}

/// The sound set played at one rate.
#[derive(Debug, Clone, Copy)]
pub struct Sampler {
    set: &'static SoundSet,
    rate: SampleRate,
}

impl Sampler {
    /// The built-in set at an output rate.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a rate no audio device has, [`Error::Internal`] when the sound set cannot be read.
    pub fn new(rate: SampleRate) -> Result<Self> {
        Self::with(SoundSet::embedded()?, rate)
    }

    /// Another set.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a rate no audio device has.
    pub fn with(set: &'static SoundSet, rate: SampleRate) -> Result<Self> {
        if !resample::RATES.contains(&rate.0) {
            return Err(Error::OutOfRange {
                what: "The sample rate",
                got: format!("{} Hz", rate.0),
                expected: "between 8000 and 192000 Hz".into(),
            });
        }
        Ok(Self { set, rate })
    }

    /// The output rate.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// The voices of a struck key; none where the preset has no sound.
    pub fn strike(&self, shape: NoteShape, touch: Touch) -> Vec<Voice> {
        let (key, velocity) = (shape.key.min(127), shape.velocity.clamp(1, 127));
        let regions = self.set.struck(shape.preset, key, velocity);
        regions
            .map(|region| {
                let mut voice = Voice::new(self.set, region, key, velocity, self.rate, touch);
                if let Some(held) = shape.held {
                    voice.let_go_at(held.max(1));
                }
                voice
            })
            .collect()
    }

    /// One note as audio, mono, its first frame at the key's stroke; regions that lie left or right are heard alike.
    ///
    /// `bend` is the pitch curve: frames from the start, and semitones from the key; between points it is a straight line,
    /// outside them flat.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn play(&self, shape: NoteShape, bend: &[(f64, f32)], context: &JobContext) -> Result<AudioBuffer> {
        let mut voices = self.strike(shape, Touch::default());
        let mut sound = Vec::new();
        let ring = (LONGEST_RING_SECONDS * self.rate.hz()) as u64;
        let longest = shape.held.unwrap_or(ring).saturating_add(ring);
        let mut block = [0.0; BLOCK];
        while voices.iter().any(|voice| !voice.has_ended()) && (sound.len() as u64) < longest {
            if sound.len() % (BLOCK << 8) == 0 {
                context.check()?;
            }
            let from = sound.len();
            sound.resize(from + BLOCK, 0.0);
            for voice in &mut voices {
                voice.render(&mut block, |frame| Moves { bend: line_at(bend, frame as f64), brightness: None });
                sound[from..].iter_mut().zip(&block).for_each(|(sum, sample)| *sum += sample);
            }
        }
        if sound.len() as u64 >= longest {
            let fade = ((END_FADE_SECONDS * self.rate.hz()) as usize).min(sound.len());
            let start = sound.len() - fade;
            for (index, sample) in sound[start..].iter_mut().enumerate() {
                *sample *= 1.0 - (index + 1) as f32 / fade as f32;
            }
        }
        Ok(AudioBuffer::mono(self.rate, sound))
    }

    /// The first region a key struck at a velocity plays.
    fn region(&self, preset: Preset, key: u8, velocity: u8) -> Option<&'static Region> {
        self.set.struck(preset, key.min(127), velocity.clamp(1, 127)).next()
    }

    /// Which sounds of a kit cut each other off: hats, triangles, cuicas, whistles. `None` cuts nothing.
    pub fn choke_group(&self, preset: Preset, key: u8, velocity: u8) -> Option<i32> {
        // Hats choke each other in every kit, also in those whose regions forget to say so.
        const HATS: i32 = 1;
        if matches!(key, 42 | 44 | 46) {
            return Some(HATS);
        }
        let class = self.region(preset, key, velocity)?.exclusive_class();
        (class != 0).then_some(1000 + i32::from(class))
    }

    /// Whether a sound goes on until its key is let go.
    pub fn loops(&self, preset: Preset, key: u8, velocity: u8) -> bool {
        self.region(preset, key, velocity).is_some_and(|region| region.looping() != Looping::No)
    }
}

/// A polyline's value: straight between points, flat outside.
pub fn line_at(points: &[(f64, f32)], at: f64) -> f32 {
    let after = points.partition_point(|point| point.0 <= at);
    match (after.checked_sub(1).and_then(|index| points.get(index)), points.get(after)) {
        (Some(before), Some(next)) => {
            let share = ((at - before.0) / (next.0 - before.0).max(1e-9)) as f32;
            before.1 + (next.1 - before.1) * share
        }
        (Some(only), None) | (None, Some(only)) => only.1,
        (None, None) => 0.0,
    }
}
