//! Thread: worker. A stand-in with the signatures of the real model, until that is merged.

use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::{JobContext, Stage};
use crate::time::{SampleRate, Seconds};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Format of the weights in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Precision {
    /// Exact.
    #[default]
    F32,
    /// 8 bits.
    Q8_0,
    /// 4 bits.
    Q4K,
}

/// What the music follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Melody {
    /// Nothing.
    None,
    /// The chroma of this audio.
    Wave(AudioBuffer),
    /// Chroma frames of 4096 samples at 32 kHz.
    Frames(Vec<[f32; 12]>),
}

/// How tokens are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Best so many.
    pub top_k: usize,
    /// Or best that add up to this.
    pub top_p: f32,
    /// Temperature.
    pub temperature: f32,
    /// Guidance.
    pub cfg_coef: f32,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { top_k: 250, top_p: 0.0, temperature: 1.0, cfg_coef: 3.0 }
    }
}

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioRequest {
    /// Description.
    pub text: String,
    /// Melody.
    pub melody: Melody,
    /// Length.
    pub seconds: Seconds,
    /// Seed.
    pub seed: u64,
    /// Sampling.
    pub sampling: Sampling,
    /// Audio to go on from.
    pub continue_from: Option<AudioBuffer>,
}

/// What loading found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadReport;

/// The model.
#[derive(Debug)]
pub struct MusicGen;

impl MusicGen {
    /// Loads.
    pub fn load(_folder: &Path, _precision: Precision, context: &JobContext) -> Result<(Self, LoadReport)> {
        context.check()?;
        Ok((Self, LoadReport))
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        1
    }

    /// Makes audio.
    pub fn generate(
        &self,
        request: &AudioRequest,
        context: &JobContext,
        on_audio: &mut dyn FnMut(&AudioBuffer),
    ) -> Result<AudioBuffer> {
        let rate = SampleRate(32_000);
        let frames = (request.seconds.0 * 32_000.0) as usize;
        let all: Vec<f32> = (0..frames).map(|i| ((i as f32) * 0.05).sin() * 0.2).collect();
        for (index, chunk) in all.chunks(16_000).enumerate() {
            context.progress(Stage::Arrangement, index as f32 * 16_000.0 / frames as f32)?;
            std::thread::sleep(std::time::Duration::from_millis(20));
            on_audio(&AudioBuffer::mono(rate, chunk.to_vec()));
        }
        Ok(AudioBuffer::mono(rate, all))
    }
}
