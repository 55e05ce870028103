//! Thread: worker. MusicGen-melody (arXiv 2306.05284): text and melody in, music out, from the user's own checkpoint.
//!
//! Behaviour follows audiocraft `896ec7c`, tensors follow `transformers` 5.23. The weights are CC-BY-NC 4.0 and never part of Cantus.
//!
//! A piece is a prefix of conditions ([`conditioning`], [`text`]) and columns of codes that a transformer draws one after another
//! ([`delay_pattern`], [`sampling`]); EnCodec ([`encodec`]) makes sound of them.

mod attention;
mod audiocraft;
pub mod check;
pub mod conditioning;
pub mod config;
mod decoder;
pub mod delay_pattern;
mod device;
pub mod encodec;
mod gelu;
mod generate;
mod inspect;
mod kv_cache;
pub mod layout;
mod linear;
pub mod positions;
mod prefix;
pub mod sampling;
mod sound;
mod tensor_layers;
pub mod text;
mod weights;

pub use device::DeviceChoice;
pub use inspect::{Logits, Stepper};
pub use weights::{LoadReport, Quantised};

use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::job_context::JobContext;
use crate::time::Seconds;
use config::Config;
use decoder::Decoder;
use encodec::{Encodec, EncodecConfig};
use prefix::{KeptRows, Projections};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use text::{T5Config, TextEncoder};

/// Melody frames in a second: 32 kHz in hops of 4096.
pub const MELODY_FRAMES_PER_SECOND: f64 = 7.8125;

/// How the language model's weights are held. The rest of the model is small, and always exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// As published, in 32 bits: 5.5 GB for the small checkpoints. For comparing.
    F32,
    /// 8.5 bits a weight, 1.5 GB. Its odds are 0.001 nats from the exact model's, measured with random weights; it is several times as fast, and where processors multiply bytes
    /// no slower than 4 bits: the default.
    #[default]
    #[serde(rename = "q8-0")]
    Q8_0,
    /// 4.5 bits a weight, 0.8 GB, for machines with little memory. Its odds are 0.1 nats from the exact model's, measured with random weights.
    #[serde(rename = "q4-k")]
    Q4K,
    /// 16 bits a weight, 2.8 GB, for graphics processors: the fastest there. Processors are many times slower with it than with any other.
    F16,
}

impl Precision {
    /// Whether weights have fewer bits than the formats that any program computes in.
    fn is_quantised(self) -> bool {
        matches!(self, Self::Q8_0 | Self::Q4K)
    }
}

/// The melody to follow.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Melody {
    /// None: the model is free.
    #[default]
    None,
    /// From a recording, any rate from 8 to 192 kHz, heard as the reference hears it. Repeated when the music is longer.
    Wave(AudioBuffer),
    /// Pitch classes, C first, [`MELODY_FRAMES_PER_SECOND`] frames a second: one of twelve as in training, or several for chords. Repeated when
    /// the music is longer. None of them is no melody.
    Frames(Vec<[f32; 12]>),
}

/// How codes are drawn. The defaults are audiocraft's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sampling {
    /// Only the so many likeliest codes; 0 for all. Those as likely as the last stay.
    pub top_k: usize,
    /// Only the likeliest codes that together have this probability; 0 for [`Self::top_k`] instead.
    pub top_p: f32,
    /// Above 1 evens the odds, below sharpens them; 0 always takes the likeliest.
    pub temperature: f32,
    /// How strongly text and melody lead: 1 as in training, more for more. 1 or less halves the work.
    pub cfg_coef: f32,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { top_k: 250, top_p: 0.0, temperature: 1.0, cfg_coef: 3.0 }
    }
}

impl Sampling {
    fn check(&self) -> Result<()> {
        let rows = [
            ("The temperature", self.temperature, 0.0..=100.0),
            ("Top-p", self.top_p, 0.0..=1.0),
            ("The guidance", self.cfg_coef, 0.0..=100.0),
        ];
        for (what, value, range) in rows {
            if !range.contains(&value) {
                let expected = format!("between {} and {}", range.start(), range.end());
                return Err(Error::OutOfRange { what, got: value.to_string(), expected });
            }
        }
        Ok(())
    }
}

/// What to make.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioRequest {
    /// A description in English; empty for none.
    pub text: String,
    /// The melody to follow.
    pub melody: Melody,
    /// Length of the result, what it continues included. Beyond 30 s it is made in overlapping windows.
    pub seconds: Seconds,
    /// Another seed, another piece.
    pub seed: u64,
    /// How codes are drawn.
    pub sampling: Sampling,
    /// Music to go on from, any rate, shorter than the result, which begins with it. What does not fill a frame of 20 ms is left out.
    pub continue_from: Option<AudioBuffer>,
}

/// How a checkpoint is loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// How the language model's weights are held.
    pub precision: Precision,
    /// A folder for quantised weights, made when it is not there: quantising takes a minute, reading them back seconds. Those of a checkpoint that
    /// was replaced are removed. Without, they are made at every start, in a file beside the checkpoint that is gone with the process, or, where
    /// none can be written, in memory, which holds them twice.
    pub weights_cache: Option<PathBuf>,
    /// Threads that compute. All cores, up to 8, when absent. They share candle's quantised products only where the environment, before anything
    /// is computed, says `CANDLE_NUM_THREADS=1`; otherwise candle's own threads make them, which stand still on busy machines.
    pub threads: Option<usize>,
    /// What runs the language model. Text encoder and codec stay on the processor.
    pub device: DeviceChoice,
}

/// A loaded checkpoint. Generating does not change it: several threads may, and wait for each other inside.
pub struct MusicGen {
    config: Config,
    decoder: Decoder,
    projections: Projections,
    text: TextEncoder,
    codec: Encodec,
    kept: Mutex<KeptRows>,
    pool: rayon::ThreadPool,
}

impl MusicGen {
    /// Loads a folder as downloaded: a Hugging Face checkpoint, or audiocraft's `state_dict.bin` and `compression_state_dict.bin` with a folder `t5-base` beside
    /// them that holds google-t5/t5-base.
    ///
    /// # Errors
    /// [`Error::Model`] or [`Error::File`], one sentence that names the file and says what to do; [`Error::Cancelled`].
    pub fn load(folder: &Path, precision: Precision, context: &JobContext) -> Result<(Self, LoadReport)> {
        Self::load_with(folder, &LoadOptions { precision, ..LoadOptions::default() }, context)
    }

    /// [`Self::load`] with more to say.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_with(folder: &Path, options: &LoadOptions, context: &JobContext) -> Result<(Self, LoadReport)> {
        context.check()?;
        let device = options.device.open(options.precision)?;
        let (config, checkpoint) = weights::open(folder)?;
        let text_config: T5Config = part_of_config(folder, "text_encoder", &config.text_encoder)?;
        let codec_config: EncodecConfig = part_of_config(folder, "audio_encoder", &config.audio_encoder)?;
        let mut report = checkpoint.check(&config)?;
        let checkpoint = Arc::new(checkpoint);
        let threads = options.threads.unwrap_or_else(|| candle_core::utils::get_num_threads().min(8)).max(1);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("cantus-music-{index}"))
            .build()
            .map_err(failed)?;
        let tokenizer = ["tokenizer.json", "t5-base/tokenizer.json"].map(|name| folder.join(name));
        let tokenizer = tokenizer.iter().find(|path| path.is_file()).ok_or_else(|| {
            let place = folder.join("tokenizer.json");
            unusable(format!("{} is missing. It belongs to the checkpoint; download it, too.", place.display()))
        })?;
        let text = TextEncoder::load(&checkpoint.var_builder("text_encoder"), &text_config, tokenizer)?;
        let codec = Encodec::load(&checkpoint.var_builder("audio_encoder"), &codec_config)?;
        let projections = Projections::load(&checkpoint, &config, text_config.d_model)?;
        // These were copied; their pages in the mapped file are of no more use.
        for start in ["text_encoder.", "audio_encoder."] {
            checkpoint.forget_below(start);
        }
        if codec.config().codebooks() != config.decoder.codebooks_per_channel() {
            let place = folder.join("config.json");
            let reason = format!(
                "{} gives the codec {} codebooks and the decoder {} a channel. Download it again.",
                place.display(),
                codec.config().codebooks(),
                config.decoder.codebooks_per_channel()
            );
            return Err(unusable(reason));
        }
        let cache = options.weights_cache.as_deref();
        let (decoder, quantised) =
            pool.install(|| Decoder::load(&checkpoint, &config.decoder, options.precision, device, cache, context))?;
        report.quantised = quantised;
        let kept = prefix::nothing_kept();
        Ok((Self { config, decoder, projections, text, codec, kept, pool }, report))
    }

    /// 1 or 2.
    pub fn channels(&self) -> usize {
        self.config.decoder.audio_channels
    }

    /// Bytes that the keys and values of a piece take at most: two rows to the end of one window.
    pub fn cache_bytes(&self, seconds: Seconds) -> usize {
        let frames = seconds.0.clamp(0.0, 30.0) * self.codec.config().frame_rate() as f64;
        let positions = self.config.chroma_length + self.pattern().columns(frames as usize);
        2 * self.decoder.cache_shape().bytes(positions)
    }

    /// Makes music at 32 kHz. Calls `on_audio` with each newly finished stretch; returns the whole, which is all stretches in a row.
    ///
    /// The same request gives the same music on the same machine. Progress is the share of the music that is made, within
    /// [`crate::job_context::Stage::Generation`].
    ///
    /// # Errors
    /// [`Error::Cancelled`] within a layer's work, some tens of milliseconds: what `on_audio` got is the partial result. [`Error::OutOfRange`] for a length or
    /// a sampling that cannot be; [`Error::Model`] when the weights give nothing sane.
    pub fn generate(
        &self,
        request: &AudioRequest,
        context: &JobContext,
        on_audio: &mut dyn FnMut(&AudioBuffer),
    ) -> Result<AudioBuffer> {
        let mut whole = self.generate_lanes(request, &[request.seed], context, &mut |_, audio| on_audio(audio))?;
        whole.pop().ok_or_else(|| failed("no music came"))
    }

    /// Several pieces that differ in their seeds and share all work on text, melody and prefix, two at a time at little more than the cost
    /// of one. Each is what [`Self::generate`] makes of its seed, but for rounding. The request's own seed does not count.
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub fn generate_variations(
        &self,
        request: &AudioRequest,
        seeds: &[u64],
        context: &JobContext,
        on_audio: &mut dyn FnMut(usize, &AudioBuffer),
    ) -> Result<Vec<AudioBuffer>> {
        self.generate_lanes(request, seeds, context, on_audio)
    }
}

/// A part of `config.json` that other code knows how to read.
fn part_of_config<T: serde::de::DeserializeOwned>(folder: &Path, name: &str, part: &serde_json::Value) -> Result<T> {
    let part = if part.is_null() { serde_json::json!({}) } else { part.clone() };
    serde_json::from_value(part).map_err(|error| {
        let place = folder.join("config.json");
        unusable(format!("{} has a {name} that cannot be used ({error}). Download it again.", place.display()))
    })
}

/// A checkpoint that cannot be used, and why.
fn unusable(reason: String) -> Error {
    Error::Model { name: "MusicGen-melody", reason }
}

/// A failure inside the model's code.
fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal("making music", error.to_string().lines().next().unwrap_or_default())
}
