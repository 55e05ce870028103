//! Thread: worker. The header of a safetensors file, checked against the file's real size before anything is mapped.
//!
//! Reading past the end of a mapped file kills the process, so a file that promises more than it holds must be found here.

use super::unusable;
use crate::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// What the header says of one tensor.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(in super::super) struct Described {
    pub(in super::super) dtype: String,
    pub(in super::super) shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// A file's header: tensors by name, and its free text.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Header {
    pub(in super::super) tensors: BTreeMap<String, Described>,
    pub(in super::super) notes: BTreeMap<String, String>,
}

/// Longest header that is believed: the format's own limit.
const LONGEST: u64 = 100_000_000;

impl Header {
    /// Reads and checks the header of a file.
    ///
    /// # Errors
    /// [`Error::File`], or [`Error::Model`] with a sentence that names the file and says what to do.
    pub(in super::super) fn read(path: &Path) -> Result<Self> {
        let failed = |error: &std::io::Error| Error::file("read", path, error);
        let mut file = std::fs::File::open(path).map_err(|error| failed(&error))?;
        let size = file.metadata().map_err(|error| failed(&error))?.len();
        let bad = |what: &str| unusable(format!("{} {what}", path.display()));
        let mut start = Vec::new();
        file.by_ref().take(8).read_to_end(&mut start).map_err(|error| failed(&error))?;
        match start.as_slice() {
            b"version " => {
                return Err(bad(
                    "is only a Git LFS pointer. Fetch the file itself, with \"git lfs pull\" or by download.",
                ));
            }
            [b'<', ..] => return Err(bad("is a web page, not weights. Download the file itself.")),
            [b'P', b'K', 3, 4, ..] => return Err(bad("is a PyTorch or zip file under the name of safetensors.")),
            _ => {}
        }
        let Ok(length) = <[u8; 8]>::try_from(start.as_slice()).map(u64::from_le_bytes) else {
            return Err(bad("is empty or cut off. Download it again."));
        };
        if length > LONGEST {
            return Err(bad("is not a safetensors file, or is damaged. Download it again."));
        }
        if length + 8 > size {
            return Err(bad("is cut off. Download it again."));
        }
        let mut text = Vec::new();
        file.take(length).read_to_end(&mut text).map_err(|error| failed(&error))?;
        let damaged = "has a damaged beginning. Download it again.";
        let raw: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&text).map_err(|_| bad(damaged))?;
        let mut header = Self::default();
        for (name, value) in raw {
            if name == "__metadata__" {
                header.notes = serde_json::from_value(value).unwrap_or_default();
            } else {
                let tensor: Described = serde_json::from_value(value).map_err(|_| bad(damaged))?;
                header.tensors.insert(name, tensor);
            }
        }
        let end = header.tensors.values().map(|tensor| tensor.data_offsets.1).max().unwrap_or(0);
        let expected = end.saturating_add(8 + length);
        if size < expected {
            let what = format!("is cut off: {size} of {expected} bytes are there. Download it again.");
            return Err(bad(&what));
        }
        if header.tensors.values().any(|tensor| !tensor.is_consistent()) {
            return Err(bad(damaged));
        }
        Ok(header)
    }
}

impl Described {
    fn is_consistent(&self) -> bool {
        let width: u64 = match self.dtype.as_str() {
            "F64" | "I64" | "U64" => 8,
            "F32" | "I32" | "U32" => 4,
            "F16" | "BF16" | "I16" | "U16" => 2,
            "BOOL" | "U8" | "I8" => 1,
            // Kinds that are not read: their size does not matter.
            _ => return true,
        };
        let count = self.shape.iter().try_fold(width, |total, &dim| total.checked_mul(dim as u64));
        let (start, end) = self.data_offsets;
        end.checked_sub(start).is_some_and(|length| Some(length) == count)
    }
}
