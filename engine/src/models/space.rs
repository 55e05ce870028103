//! Thread: any. Room on the disk, and sizes in words.

use crate::error::{Error, Result};
use std::path::Path;

/// What is left free on the disk beside a model, in bytes: a full disk would take the user's recordings along.
pub const RESERVE_BYTES: u64 = 200_000_000;

/// Bytes the user may still write where `path` lies or will lie.
///
/// # Errors
/// [`Error::File`] when the system does not tell.
pub fn free_bytes(path: &Path) -> Result<u64> {
    let absolute = std::path::absolute(path).map_err(|error| Error::file("find", path, &error))?;
    let existing = absolute.ancestors().find(|folder| folder.exists()).unwrap_or(path);
    fs4::available_space(existing).map_err(|error| Error::file("measure the free space of", existing, &error))
}

/// A size as people read it: "6.23 GB", "68.5 kB". Powers of ten, as disks and download pages count.
pub fn size_words(bytes: u64) -> String {
    let units = [(1_000_000_000_u64, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            let value = bytes as f64 / *unit as f64;
            let digits = if value < 9.995 {
                2
            } else if value < 99.95 {
                1
            } else {
                0
            };
            format!("{value:.digits$} {name}")
        }
        None => format!("{bytes} bytes"),
    }
}
