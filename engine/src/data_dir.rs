//! Thread: any. Where this user's own files of Cantus lie: models, spooled takes, the worker's program and its turn.

use std::path::PathBuf;

/// `CANTUS_DATA_DIR`, or `Cantus` in the user's data folder. `None` when the system names no such folder.
pub fn data_dir() -> Option<PathBuf> {
    let named = std::env::var_os("CANTUS_DATA_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(dirs::data_dir()?.join("Cantus")))
}
