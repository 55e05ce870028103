//! Thread: gui, worker. What a user has settled for every project: a small file that can be read and edited by hand.
//!
//! ```toml
//! exports = "/Volumes/Songs/Cantus"
//! embed_sound = true
//! ```
//! What is not in the file has its usual value. Lines that this version does not know are kept.

use crate::error::{Error, Result};
use crate::export::names::usual_exports_folder;
use crate::export::write_file;
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What a user has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where exported and dragged files go; an absolute path. `None` is the usual place.
    pub exports: Option<PathBuf>,
    /// Whether new instances keep sound in the project.
    pub embed_sound: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { exports: None, embed_sound: true }
    }
}

/// A settings file that is larger than this is none.
const MOST_BYTES: u64 = 1 << 20;

impl Settings {
    /// Where they lie: `settings.toml` in `CANTUS_DATA_DIR`, or in `Cantus` in the user's folder of settings. `None` when the system names no
    /// such folder.
    pub fn path() -> Option<PathBuf> {
        let named = std::env::var_os("CANTUS_DATA_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let folder = named.or_else(|| Some(dirs::config_dir()?.join("Cantus")))?;
        Some(folder.join("settings.toml"))
    }

    /// This user's settings. A file that cannot be used counts as none: nobody may be kept from working by it.
    pub fn of_user() -> Self {
        Self::path().and_then(|path| Self::read(&path).ok()).unwrap_or_default()
    }

    /// Reads a file; one that is not there holds the usual values.
    ///
    /// # Errors
    /// [`Error::File`] when it is not a file of settings.
    pub fn read(path: &Path) -> Result<Self> {
        let table = table(path)?;
        let exports = table.get("exports").and_then(Value::as_str).map(PathBuf::from);
        Ok(Self {
            // A relative place would depend on where the host was started.
            exports: exports.filter(|folder| folder.is_absolute()),
            embed_sound: table.get("embed_sound").and_then(Value::as_bool).unwrap_or(true),
        })
    }

    /// Writes them into a file, whole or not at all. What else is in it stays.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be written, or is not a file of settings: then it stays as it is.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut table = table(path)?;
        match &self.exports {
            Some(folder) => {
                table.insert("exports".to_owned(), Value::String(folder.to_string_lossy().into_owned()));
            }
            None => {
                table.remove("exports");
            }
        }
        table.insert("embed_sound".to_owned(), Value::Boolean(self.embed_sound));
        write_file(path, table.to_string().as_bytes())
    }

    /// The folder of exported and dragged files.
    pub fn exports_folder(&self) -> PathBuf {
        self.exports.clone().unwrap_or_else(usual_exports_folder)
    }
}

fn table(path: &Path) -> Result<Table> {
    let unreadable = |reason: String| Error::File { action: "read", path: path.to_owned(), reason };
    match fs::metadata(path) {
        Ok(facts) if facts.len() > MOST_BYTES => return Err(unreadable("it is too large for settings".to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Table::new()),
        Err(error) => return Err(unreadable(error.to_string())),
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    text.parse().map_err(|error: toml::de::Error| unreadable(error.message().to_owned()))
}
