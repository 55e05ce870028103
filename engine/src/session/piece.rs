//! Thread: any. Piece: a chunk that is made once and saved again and again, with the text that stands for it in a project.
//!
//! A session as text is the base64 of its container, in pieces with a full stop between them. So a save joins texts that are there.

use super::container::{self, Chunk};
use super::{packed, unreadable};
use crate::error::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, OnceLock};

/// What stands between the pieces of a text; base64 does not use it.
pub(super) const BETWEEN: char = '.';

/// Plain data as deflated JSON.
pub(super) const DEFLATED: [u8; 4] = *b"PART";
/// Plain data as JSON, for a save that cannot wait.
pub(super) const HASTY: [u8; 4] = *b"PRAW";
/// Bytes of JSON in a piece that are read at most.
const MOST_JSON: usize = 64 << 20;

/// A chunk and its text. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Piece {
    chunk: Chunk,
    text: Arc<OnceLock<String>>,
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.chunk.bytes, &other.chunk.bytes) || self.chunk == other.chunk
    }
}

impl Piece {
    pub(super) fn new(tag: [u8; 4], bytes: Arc<[u8]>) -> Self {
        Self { chunk: Chunk { tag, bytes }, text: Arc::default() }
    }

    /// Of plain data, as small as may be. Thread: worker; it takes milliseconds.
    ///
    /// # Errors
    /// [`Error::Internal`] when the data cannot be written, which would be a bug.
    pub fn of(data: &impl Serialize) -> Result<Self> {
        let json = serde_json::to_vec(data).map_err(|error| Error::internal("saving", error))?;
        Ok(Self::new(DEFLATED, packed::deflate(&json).into()))
    }

    /// Of plain data, as quickly as may be.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn hasty(data: &impl Serialize) -> Result<Self> {
        let json = serde_json::to_vec(data).map_err(|error| Error::internal("saving", error))?;
        Ok(Self::new(HASTY, json.into()))
    }

    /// The chunk.
    pub fn chunk(&self) -> &Chunk {
        &self.chunk
    }

    /// Makes the text, so that a save finds it. Thread: worker.
    pub fn prepare(&self) {
        self.text();
    }

    /// Whether the text is there.
    pub fn is_prepared(&self) -> bool {
        self.text.get().is_some()
    }

    pub(super) fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let mut bytes = Vec::with_capacity(self.chunk.bytes.len() + 20);
            container::push(&mut bytes, &self.chunk);
            STANDARD.encode(bytes)
        })
    }
}

/// Reads plain data out of a chunk that a piece was written as.
pub(super) fn read<T: DeserializeOwned>(chunk: &Chunk) -> Result<T> {
    let json = match chunk.tag {
        DEFLATED => packed::inflate(&chunk.bytes, MOST_JSON)?.into(),
        _ => chunk.bytes.clone(),
    };
    if json.len() > MOST_JSON || !super::sane::numbers_fit(&json) {
        return Err(unreadable("a part of it is larger than anything Cantus writes"));
    }
    serde_json::from_slice(&json).map_err(|error| unreadable(&format!("a part of it is damaged ({error})")))
}

/// A container as text.
pub(super) fn join(pieces: &[Piece]) -> String {
    let length: usize = pieces.iter().map(|piece| piece.text().len() + 1).sum();
    let mut text = String::with_capacity(length + 64);
    text.push_str(&STANDARD.encode(container::head(pieces.len())));
    for piece in pieces {
        text.push(BETWEEN);
        text.push_str(piece.text());
    }
    text
}

/// A container out of its text, in one piece or in several.
pub(super) fn split(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 4);
    for piece in text.split(BETWEEN) {
        STANDARD
            .decode_vec(piece, &mut bytes)
            .map_err(|_| unreadable("it contains characters that do not belong there"))?;
    }
    Ok(bytes)
}
