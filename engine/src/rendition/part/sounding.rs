//! Thread: worker. A note that sounds: its voice or its made audio, on its way into the part.

use super::db;
use super::place::Cut;
use crate::audio::AudioBuffer;
use crate::rendition::biquad::Biquad;
use crate::rendition::sampler::line_at;
use crate::rendition::sampler::voice::{BLOCK, Moves, STEPS, Voice};
use std::f32::consts::{FRAC_PI_2, PI};
use std::sync::Arc;

/// How a sound opens with the player's strength, in cents of the filter a decibel, and how far at most.
const BRIGHTNESS_CENTS_PER_DB: f32 = 200.0;
const BRIGHTNESS_CENTS: [f32; 2] = [-2_400.0, 1_200.0];

/// Where the sound of a note comes from.
#[derive(Debug)]
pub enum Source {
    /// A region of the sound set, rendered as it is needed.
    Voice(Box<Voice>),
    /// Audio that was made before, mono or stereo, from its first frame on.
    Made(Arc<AudioBuffer>),
}

/// What a note's voices have in common.
#[derive(Debug, Default)]
pub struct Curves {
    /// Frames from the note's start, and semitones.
    pub bend: Vec<(f64, f32)>,
    /// Frames from the note's start, and decibels.
    pub gain_db: Vec<(f64, f32)>,
    /// Whether the gain opens and closes the sound, too.
    pub opens: bool,
}

impl Curves {
    fn moves(&self, frame: u64) -> Moves {
        let strength = |frame: u64| {
            let cents = BRIGHTNESS_CENTS_PER_DB * line_at(&self.gain_db, frame as f64);
            cents.clamp(BRIGHTNESS_CENTS[0], BRIGHTNESS_CENTS[1])
        };
        Moves { bend: line_at(&self.bend, frame as f64), brightness: self.opens.then(|| strength(frame)) }
    }
}

/// A sound on its way.
#[derive(Debug)]
pub struct Sounding {
    /// Its first frame in the region.
    pub start: usize,
    /// What sounds.
    pub source: Source,
    /// Pitch and gain.
    pub curves: Arc<Curves>,
    /// Bells that make a lead clear.
    pub bells: Vec<Biquad>,
    /// Gains of left and right.
    pub sides: [f32; 2],
    /// Frames it takes to fade in, and whether by the sine's quarter, as a slur.
    pub soften: usize,
    /// Whether it fades in as a slur.
    pub is_slurred: bool,
    /// Where it is faded out, in frames of the region.
    pub cut: Option<Cut>,
}

impl Sounding {
    /// Adds the stretch from frame `at` of the region on, at most [`BLOCK`] frames and not before its start.
    pub fn add(&mut self, at: usize, left: &mut [f32], right: &mut [f32]) {
        let length = left.len().min(right.len()).min(BLOCK);
        let from = at.saturating_sub(self.start);
        let mut blocks = [[0.0_f32; BLOCK]; 2];
        let channels = match &mut self.source {
            Source::Voice(voice) => {
                let curves = &self.curves;
                voice.render(&mut blocks[0][..length], |frame| curves.moves(frame));
                1
            }
            Source::Made(sound) => {
                for (block, channel) in blocks.iter_mut().zip(&sound.channels) {
                    let rest = channel.get(from..).unwrap_or(&[]);
                    let frames = rest.len().min(length);
                    block[..frames].copy_from_slice(&rest[..frames]);
                }
                sound.channels.len().min(2)
            }
        };
        if channels == 1 {
            for bell in &mut self.bells {
                blocks[0][..length].iter_mut().for_each(|sample| *sample = bell.run(f64::from(*sample)) as f32);
            }
        }
        let [mono, other] = &blocks;
        let other = if channels == 2 { other } else { mono };
        let (first, last) = (self.gain_at(from), self.gain_at(from + length));
        let slope = (last - first) / length.max(1) as f32;
        let [to_left, to_right] = self.sides;
        for ((left, sample), step) in left[..length].iter_mut().zip(mono).zip(&STEPS) {
            *left += sample * ((first + slope * step) * to_left);
        }
        for ((right, sample), step) in right[..length].iter_mut().zip(other).zip(&STEPS) {
            *right += sample * ((first + slope * step) * to_right);
        }
    }

    /// Where the gain has a corner between these two frames of the region, if it has one: blocks end there.
    pub fn corner(&self, from: usize, to: usize) -> Option<usize> {
        let cut =
            self.cut.and_then(|cut| Some([usize::try_from(cut.at).ok()?, usize::try_from(cut.at + cut.frames).ok()?]));
        let cut = cut.unwrap_or([usize::MAX; 2]);
        [self.start + self.soften, cut[0], cut[1]].into_iter().filter(|corner| (from + 1..to).contains(corner)).min()
    }

    /// Whether nothing of it is left at a frame of the region.
    pub fn is_over(&self, at: usize) -> bool {
        let is_cut = self.cut.is_some_and(|cut| at as i64 >= cut.at + cut.frames);
        is_cut
            || match &self.source {
                Source::Voice(voice) => voice.has_ended(),
                Source::Made(sound) => at >= self.start + sound.frames(),
            }
    }

    /// The gain at a frame from the start.
    fn gain_at(&self, from: usize) -> f32 {
        let mut gain =
            if self.curves.gain_db.is_empty() { 1.0 } else { db(line_at(&self.curves.gain_db, from as f64)) };
        if from < self.soften {
            // Its first frame sounds already.
            let share = (from as f32 + 1.0) / (self.soften as f32 + 1.0);
            gain *= if self.is_slurred { (FRAC_PI_2 * share).sin() } else { share };
        }
        if let Some(cut) = self.cut {
            let since = (self.start + from) as i64 - cut.at;
            if since > 0 {
                let share = (since as f32 / cut.frames.max(1) as f32).min(1.0);
                gain *= if cut.is_slur { (FRAC_PI_2 * share).cos() } else { 0.5 + 0.5 * (PI * share).cos() };
            }
        }
        gain
    }
}
