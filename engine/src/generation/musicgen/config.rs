//! Thread: worker. What a checkpoint says of itself: `config.json`, and the shapes that follow from it.
//!
//! Files of different ages omit different keys; an absent key has the value that `transformers` gives it.

use super::unusable;
use crate::error::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// The part of `config.json` that shapes the model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Config {
    /// Always `musicgen_melody`.
    pub model_type: String,
    /// Pitch classes of the melody.
    #[serde(default = "twelve")]
    pub num_chroma: usize,
    /// Melody frames in front of every piece: 235 at 7.8125 Hz are 30 s.
    #[serde(default = "chroma_length")]
    pub chroma_length: usize,
    /// The language model.
    #[serde(default)]
    pub decoder: DecoderConfig,
    /// T5, as its own code reads it.
    #[serde(default)]
    pub text_encoder: serde_json::Value,
    /// EnCodec, as its own code reads it.
    #[serde(default)]
    pub audio_encoder: serde_json::Value,
}

/// The language model's part of `config.json`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct DecoderConfig {
    /// Codes of one codebook. One more embedding row stands for "nothing yet".
    pub vocab_size: usize,
    /// Width of the hidden states.
    pub hidden_size: usize,
    /// Transformer layers.
    pub num_hidden_layers: usize,
    /// Attention heads.
    pub num_attention_heads: usize,
    /// Width inside the feed-forward part.
    pub ffn_dim: usize,
    /// Token streams: 4, or 8 for stereo.
    pub num_codebooks: usize,
    /// 1 or 2.
    pub audio_channels: usize,
    /// The code of "nothing yet", which is also the first column.
    pub pad_token_id: usize,
    /// The first column's code.
    pub bos_token_id: usize,
    /// Always `gelu`, the one with the error function.
    pub activation_function: String,
    /// Whether embeddings are multiplied by the root of their width.
    pub scale_embedding: bool,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self {
            vocab_size: 2048,
            hidden_size: 1024,
            num_hidden_layers: 24,
            num_attention_heads: 16,
            ffn_dim: 4096,
            num_codebooks: 4,
            audio_channels: 1,
            pad_token_id: 2048,
            bos_token_id: 2048,
            activation_function: "gelu".into(),
            scale_embedding: false,
        }
    }
}

fn twelve() -> usize {
    12
}

fn chroma_length() -> usize {
    235
}

impl DecoderConfig {
    /// Width of one head.
    pub fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// Codebooks of one channel.
    pub fn codebooks_per_channel(&self) -> usize {
        self.num_codebooks / self.audio_channels
    }
}

impl Config {
    /// Reads and checks `config.json` of a folder.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read; [`Error::Model`] naming it when it is no MusicGen-melody's.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let text = std::fs::read_to_string(&path).map_err(|error| Error::file("read", &path, &error))?;
        let raw: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
            unusable(format!("{} is not readable JSON ({error}). Download it again.", path.display()))
        })?;
        Self::from_json(raw, &path)
    }

    /// [`Self::read`] of text that is parsed already; `path` is for messages.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_json(raw: serde_json::Value, path: &Path) -> Result<Self> {
        let kind = raw.get("model_type").and_then(serde_json::Value::as_str).unwrap_or("unnamed").to_owned();
        if kind != "musicgen_melody" {
            return Err(unusable(format!(
                "{} belongs to a model of the kind \"{kind}\", not \"musicgen_melody\". Choose the folder of \
                 facebook/musicgen-melody, -melody-large, -stereo-melody or -stereo-melody-large.",
                path.display()
            )));
        }
        let config: Self = serde_json::from_value(raw).map_err(|error| {
            unusable(format!("{} has a value that cannot be used ({error}). Download it again.", path.display()))
        })?;
        config.check(path)?;
        Ok(config)
    }

    fn check(&self, path: &Path) -> Result<()> {
        let decoder = &self.decoder;
        let within = |value: usize, most: usize| (1..=most).contains(&value);
        let is_sane = within(decoder.vocab_size, 1 << 20)
            && within(decoder.hidden_size, 1 << 16)
            && within(decoder.num_hidden_layers, 1024)
            && within(decoder.num_attention_heads, 1024)
            && within(decoder.ffn_dim, 1 << 20)
            && within(decoder.num_codebooks, 64)
            && within(self.chroma_length, 1 << 14)
            && self.num_chroma == 12
            && within(decoder.audio_channels, 2)
            && decoder.num_codebooks.is_multiple_of(decoder.audio_channels)
            && decoder.hidden_size.is_multiple_of(decoder.num_attention_heads)
            && decoder.hidden_size.is_multiple_of(2)
            && decoder.hidden_size > 2
            && decoder.pad_token_id == decoder.vocab_size
            && decoder.bos_token_id == decoder.vocab_size;
        if !is_sane {
            let what = format!("{} describes a shape that no MusicGen-melody has.", path.display());
            return Err(unusable(what + " Download it again."));
        }
        if decoder.activation_function != "gelu" {
            let name = &decoder.activation_function;
            let what = format!("{} asks for the activation \"{name}\"; only \"gelu\" is known.", path.display());
            return Err(unusable(what));
        }
        Ok(())
    }
}
