//! Thread: gui. Files that were opened before, newest first, kept in a file of the user's.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// More would not be looked through.
const MOST: usize = 12;

/// Files that were opened before.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    /// Where the list is kept; `None` keeps it for this session only.
    kept_in: Option<PathBuf>,
    files: Vec<PathBuf>,
}

impl Recent {
    /// Reads the list kept in `file`, a path on each line. A file that is not there, or cannot be read, is an empty list.
    pub fn kept_in(file: PathBuf) -> Self {
        let mut recent = Self { kept_in: Some(file), files: Vec::new() };
        recent.read();
        recent
    }

    /// A list for this session only.
    pub fn of_this_session() -> Self {
        Self::default()
    }

    /// The files, newest first; those that have gone are left out.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path).filter(|file| file.exists())
    }

    /// The folder of the newest file that is still there.
    pub fn folder(&self) -> Option<&Path> {
        self.files().next()?.parent()
    }

    /// Puts a file at the top and keeps the list.
    ///
    /// # Errors
    /// A sentence when the list could not be written; it holds for this session all the same.
    pub fn add(&mut self, file: &Path) -> Result<(), String> {
        // Another window may have added to it.
        self.read();
        self.files.retain(|old| old != file);
        self.files.insert(0, file.to_path_buf());
        self.files.truncate(MOST);
        let Some(kept_in) = &self.kept_in else { return Ok(()) };
        let lines = self.files.iter().filter_map(|file| file.to_str()).filter(|file| !file.contains(['\n', '\r']));
        let text: String = lines.map(|file| format!("{file}\n")).collect();
        write_whole(kept_in, &text).map_err(|error| format!("The list of recent files was not saved: {error}."))
    }

    fn read(&mut self) {
        let Some(kept_in) = &self.kept_in else { return };
        match std::fs::read_to_string(kept_in) {
            Ok(text) => {
                self.files = text.lines().filter(|line| !line.is_empty()).take(MOST).map(PathBuf::from).collect();
            }
            Err(error) if error.kind() == ErrorKind::NotFound => self.files.clear(),
            // What is known stays.
            Err(_) => {}
        }
    }
}

/// Writes beside and renames, so that a reader never sees half a list.
fn write_whole(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = file.with_extension(format!("new-{}", std::process::id()));
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, file)
}
