//! Thread: worker. Prompts as numbered pieces of words, by the checkpoint's own tokenizer. The only user of tokenizers.

use crate::error::{Error, Result};
use std::path::Path;
use tokenizers::Tokenizer;

/// The tokenizer of a checkpoint.
pub struct PromptTokenizer(Tokenizer);

impl PromptTokenizer {
    /// From `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be read, [`Error::Model`] when it is not a tokenizer.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::file("read", path, &error))?;
        let unusable = |error: tokenizers::Error| Error::Model {
            name: "MusicGen",
            reason: format!("{} is not a tokenizer ({error}). Fetch it again.", path.display()),
        };
        let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(unusable)?;
        // The model was trained on whole descriptions, and batches are padded where they are put together.
        tokenizer.with_truncation(None).map_err(unusable)?;
        tokenizer.with_padding(None);
        Ok(Self(tokenizer))
    }

    /// The ids of a prompt's pieces and of the end mark.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails or gives nothing at all.
    pub fn tokens(&self, prompt: &str) -> Result<Vec<u32>> {
        let failed = |reason: String| Error::Model { name: "MusicGen", reason };
        let encoded = self.0.encode(prompt, true);
        let ids = encoded
            .map_err(|error| failed(format!("its tokenizer cannot read the prompt ({error})")))?
            .get_ids()
            .to_vec();
        if ids.is_empty() {
            return Err(failed("its tokenizer.json puts no end mark behind a prompt. Fetch the model again.".into()));
        }
        Ok(ids)
    }

    /// The words that ids are the pieces of, without the end mark.
    ///
    /// # Errors
    /// [`Error::Model`] when the tokenizer fails.
    pub fn text_of(&self, ids: &[u32]) -> Result<String> {
        let end = self.tokens("")?;
        self.0.decode(ids.strip_suffix(end.as_slice()).unwrap_or(ids), true).map_err(|error| Error::Model {
            name: "MusicGen",
            reason: format!("its tokenizer cannot put pieces together again ({error})"),
        })
    }
}
