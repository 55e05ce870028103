//! Thread: any. What a user corrected about the melody, as a chunk of its own beside the contents list.
//!
//! ```text
//! deflate(JSON { version, region, heard, done, undone })
//! ```
//! A Cantus that knows no corrections keeps the chunk without reading it. It may also have heard another take since, so the
//! chunk names the melody it belongs to.

use super::container::Chunk;
use super::{packed, unreadable};
use crate::analysis::Analysis;
use crate::analysis::edit::EditHistory;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

pub(super) const TAG: [u8; 4] = *b"EDIT";
/// Version of the chunk. Chunks of newer ones are kept, and not used.
const VERSION: u32 = 1;
/// Bytes of JSON that are read at most: a take's 10,000 corrections of a thousand notes each.
const MOST: usize = 64 << 20;

/// Corrections that were read, and the melody they are of.
#[derive(Serialize, Deserialize)]
pub(super) struct Corrections {
    version: u32,
    /// The region they belong to, by its place. Sessions of one region did not say.
    #[serde(default)]
    region: usize,
    /// Names the notes that were corrected.
    heard: u64,
    #[serde(flatten)]
    history: EditHistory,
}

/// The chunk of the region at a place; none when nothing was corrected.
/// `heard` is the [`name`] of its melody.
pub(super) fn chunk(region: usize, history: &EditHistory, heard: Option<u64>) -> Result<Option<Chunk>> {
    if history.is_empty() {
        return Ok(None);
    }
    let heard = heard.unwrap_or_else(|| name(None));
    let corrections = Corrections { version: VERSION, region, heard, history: history.clone() };
    let text = serde_json::to_vec(&corrections).map_err(|error| Error::internal("saving", error))?;
    Ok(Some(Chunk { tag: TAG, bytes: packed::deflate(&text).into() }))
}

/// Reads the chunk; `None` when a newer version wrote it.
pub(super) fn read(chunk: &Chunk) -> Result<Option<Corrections>> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let damaged = |_| unreadable("its corrections are damaged");
    let text = packed::inflate(&chunk.bytes, MOST)?;
    let Version { version } = serde_json::from_slice(&text).map_err(damaged)?;
    if version > VERSION {
        return Ok(None);
    }
    serde_json::from_slice(&text).map(Some).map_err(damaged)
}

impl Corrections {
    /// The place of the region they belong to.
    pub fn region(&self) -> usize {
        self.region
    }

    /// The corrections that are possible for a melody; none when they were made for another.
    pub fn fitting(self, heard: Option<&Analysis>) -> EditHistory {
        let Some(analysis) = heard.filter(|_| name(heard) == self.heard) else { return EditHistory::default() };
        let mut history = self.history;
        history.fit(analysis);
        history
    }
}

/// Names a melody by the keys of its notes: times may be rounded on their way through text.
pub(super) fn name(heard: Option<&Analysis>) -> u64 {
    let keys: Vec<u8> = heard.iter().flat_map(|analysis| &analysis.notes).map(|note| note.key).collect();
    xxh3_64(&keys)
}
