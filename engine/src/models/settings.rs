//! Thread: any. What the user decided about models, in one small file of the data folder: licences, folders, where to fetch from.

use super::licence::Acceptance;
use crate::error::{Error, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The file's name in the models folder.
pub(super) const FILE: &str = "settings.json";

/// The user's decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    /// Licences that were accepted.
    pub licences: Vec<Acceptance>,
    /// Folders elsewhere that hold models.
    pub folders: Vec<PathBuf>,
    /// Address of the hub or of a mirror.
    pub endpoint: Option<String>,
}

impl Settings {
    /// Reads them; none yet is the default.
    ///
    /// # Errors
    /// [`Error::ModelFolder`] when the file is damaged: it is not replaced, because it holds decisions.
    pub fn read(models: &Path) -> Result<Self> {
        let path = models.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| Error::ModelFolder {
                reason: format!("the file is damaged ({error}). Delete it, and accept the licence again"),
                path,
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::file("read", path, &error)),
        }
    }

    /// Changes them on disk, whole or not at all.
    ///
    /// # Errors
    /// As [`Settings::read`], and [`Error::File`] when the folder cannot be written.
    pub fn change(models: &Path, change: impl FnOnce(&mut Self)) -> Result<()> {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut settings = Self::read(models)?;
        let before = settings.clone();
        change(&mut settings);
        if settings == before {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(&settings).map_err(|error| Error::internal("saving", error))?;
        write_whole(&models.join(FILE), &text)
    }
}

/// Writes a small file so that it is either the old one or the new one, also when the power fails between.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let fail = |error: std::io::Error| Error::file("write", path, &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let written = fs::File::create(&fresh).and_then(|mut file| {
        std::io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&fresh, path)).map_err(|error| {
        // What could not be finished is not left lying about.
        let _ = fs::remove_file(&fresh);
        fail(error)
    })
}
