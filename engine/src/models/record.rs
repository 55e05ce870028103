//! Thread: worker. What Cantus fetched into a folder, beside the files themselves: their checksums, for a later check.

use super::settings::write_whole;
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The record's name in a model's folder.
pub(super) const FILE: &str = ".cantus-fetched.json";
/// The folder, inside a model's, for what is not finished. While it is there, the model is not.
pub(super) const UNFINISHED: &str = ".fetching";

/// Where a model's files came from and what they were.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Record {
    /// The hub's repository.
    pub repository: String,
    /// The exact version: a commit.
    pub revision: String,
    /// The files.
    pub files: BTreeMap<String, RecordedFile>,
}

/// One file as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct RecordedFile {
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
    /// Whether the hub stated a checksum that this content met.
    pub confirmed: bool,
}

impl Record {
    /// The record of a folder. `None` when the files were put there by hand, or the record cannot be read.
    pub fn read(dir: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(dir.join(FILE)).ok()?).ok()
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`Error::File`] when the folder cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| Error::internal("saving", error))?;
        write_whole(&dir.join(FILE), &text)
    }
}
