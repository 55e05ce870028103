//! Thread: worker. Words as the language model reads them: pieces of words, then a T5 encoder's states.
//!
//! MusicGen was trained with `t5-base`, version 1.0. Source: Hugging Face transformers 5.23.0, to whose tensors this is compared;
//! audiocraft `896ec7c` for what an empty prompt is.

mod describe;
mod t5;
mod tokenizer;

pub use describe::describe;
pub use t5::T5Config;

use crate::error::{Error, Result};
use crate::job_context::JobContext;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::path::Path;
use t5::T5Encoder;
use tokenizer::PromptTokenizer;

/// What the encoder says of a batch of prompts.
#[derive(Debug, Clone)]
pub struct TextStates {
    /// `[prompts, length, d_model]`, single precision. States of padding are there, but mean nothing.
    pub hidden: Tensor,
    /// `[prompts, length]`, single precision: 1 for a piece of the prompt, 0 for padding. All 0 for a prompt without words: the
    /// model was trained to take vectors of zeros for "anything".
    pub mask: Tensor,
}

/// Tokenizer and encoder.
pub struct TextEncoder {
    tokenizer: PromptTokenizer,
    encoder: T5Encoder,
    device: Device,
}

impl TextEncoder {
    /// From `weights` at `text_encoder` and the checkpoint's `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::Model`] for a tokenizer file that is none, for sizes that are not those of T5 1.0, and for a tensor that is missing or
    /// has another shape; [`Error::File`] when the tokenizer file cannot be read.
    pub fn load(weights: &VarBuilder, config: &T5Config, tokenizer_json: &Path) -> Result<Self> {
        config.check()?;
        let tokenizer = PromptTokenizer::load(tokenizer_json)?;
        let encoder = T5Encoder::load(weights, config).map_err(broken)?;
        Ok(Self { tokenizer, encoder, device: weights.device().clone() })
    }

    /// The pieces of a prompt as ids, with the end mark. A prompt without words is the end mark alone.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails.
    pub fn tokens(&self, prompt: &str) -> Result<Vec<u32>> {
        self.tokenizer.tokens(prompt)
    }

    /// The words that ids are the pieces of, the end mark left out. For comparing: what the tokenizer does not know is lost.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails.
    pub fn text_of(&self, ids: &[u32]) -> Result<String> {
        self.tokenizer.text_of(ids)
    }

    /// The states of `prompts`, the shorter ones padded to the longest. Nothing is cut off: a long prompt only takes more time.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer and the encoder are not of one model; [`Error::Cancelled`].
    pub fn encode(&self, prompts: &[&str], context: &JobContext) -> Result<TextStates> {
        let mut ids = prompts.iter().map(|prompt| self.tokens(prompt)).collect::<Result<Vec<_>>>()?;
        let length = ids.iter().map(Vec::len).max().unwrap_or(0);
        let mut mask = Vec::with_capacity(ids.len());
        for (ids, prompt) in ids.iter_mut().zip(prompts) {
            let words = if prompt.trim().is_empty() { 0 } else { ids.len() };
            mask.push((0..length).map(|at| u32::from(at < words)).collect());
            ids.resize(length, self.encoder.padding());
        }
        self.states(&ids, &mask, context)
    }

    /// The states of ids that are already there, `[prompt][length]`, with a mask of the same shape.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn states(&self, ids: &[Vec<u32>], mask: &[Vec<u32>], context: &JobContext) -> Result<TextStates> {
        let length = ids.first().map_or(0, Vec::len);
        let fits = |rows: &[Vec<u32>]| rows.len() == ids.len() && rows.iter().all(|row| row.len() == length);
        if length == 0 || !fits(ids) || !fits(mask) {
            return Err(Error::internal("reading the prompt", "the prompts of a batch do not fit"));
        }
        if let Some(id) = ids.iter().flatten().find(|&&id| id as usize >= self.encoder.vocabulary()) {
            let reason = format!(
                "tokenizer.json knows piece {id}, but the text encoder has only {}. The files are of different models; fetch them again.",
                self.encoder.vocabulary()
            );
            return Err(Error::Model { name: "MusicGen", reason });
        }
        let shape = (ids.len(), length);
        let flat = |rows: &[Vec<u32>]| Tensor::from_vec(rows.concat(), shape, &self.device);
        let mask = flat(mask).and_then(|mask| mask.to_dtype(DType::F32)).map_err(broken)?;
        let ids = flat(ids).map_err(broken)?;
        let hidden = self.encoder.forward(&ids, &mask, context)?;
        Ok(TextStates { hidden, mask })
    }
}

/// What the library says of a tensor, without the backtrace that may follow the first line.
fn broken(error: candle_core::Error) -> Error {
    let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
    Error::Model { name: "MusicGen", reason: format!("{reason} (in its text encoder). Fetch the model again.") }
}
