//! Thread: gui, worker. The shelf: the library with the user's own styles, kept up to date while the program runs.
//!
//! Nothing watches the folder by itself. Whoever asks for the library makes the shelf look at the files' times, at most once a
//! second, and read what has changed. A file with a mistake keeps its last good version; the mistake is told until it is mended.

use super::StyleLibrary;
use crate::error::{Error, Result};
use crate::generation::style::Style;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Between two looks at the folder.
const PATIENCE: Duration = Duration::from_secs(1);

/// More than this is no style: the largest built in has some thirty thousand bytes.
const MOST_BYTES: u64 = 1_000_000;

/// What tells whether a file has changed: its time and its length.
type Stamp = (Option<SystemTime>, u64);

/// One file of the folder.
struct Entry {
    stamp: Stamp,
    /// Its last good version, with the text it was read from.
    good: Option<(Style, String)>,
    /// What is wrong with it now.
    mistake: Option<Error>,
}

struct State {
    library: Arc<StyleLibrary>,
    files: BTreeMap<PathBuf, Entry>,
    /// The folder itself cannot be read.
    closed: Option<Error>,
    looked: Option<Instant>,
}

/// The styles there are at this moment.
pub struct StyleShelf {
    folder: Option<PathBuf>,
    builtin: StyleLibrary,
    state: Mutex<State>,
}

impl StyleShelf {
    /// The built-in styles and those of a folder, which need not exist yet. Mistakes in its files are no errors here: see
    /// [`Self::mistakes`].
    ///
    /// # Errors
    /// [`Error::Style`] when a built-in style is broken.
    pub fn open(folder: Option<PathBuf>) -> Result<Self> {
        let builtin = StyleLibrary::builtin()?;
        let library = Arc::new(builtin.clone());
        let state = State { library, files: BTreeMap::new(), closed: None, looked: None };
        Ok(Self { folder, builtin, state: Mutex::new(state) })
    }

    /// The library as the files are now, or were less than a second ago. Never for the audio thread: it reads files.
    pub fn library(&self) -> Arc<StyleLibrary> {
        let mut state = self.state.lock();
        if state.looked.is_none_or(|looked| looked.elapsed() >= PATIENCE) {
            self.look_at(&mut state);
        }
        state.library.clone()
    }

    /// Looks at the files now; whether the library became another one.
    pub fn look(&self) -> bool {
        self.look_at(&mut self.state.lock())
    }

    /// What is wrong in the user's files at this moment: [`Error::Style`] with file and line, [`Error::File`].
    pub fn mistakes(&self) -> Vec<Error> {
        let state = self.state.lock();
        state.closed.iter().chain(state.files.values().filter_map(|entry| entry.mistake.as_ref())).cloned().collect()
    }

    /// Where the user's styles lie.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    fn look_at(&self, state: &mut State) -> bool {
        state.looked = Some(Instant::now());
        let Some(folder) = &self.folder else { return false };
        let paths = match style_files(folder) {
            Ok(paths) => paths,
            Err(error) => {
                // A disk that is away for a moment takes nothing off the shelf.
                state.closed = Some(error);
                return false;
            }
        };
        state.closed = None;
        let before = state.files.len();
        state.files.retain(|path, _| paths.contains(path));
        let mut changed = state.files.len() != before;
        for path in paths {
            let stamp = stamp(&path);
            let known = state.files.get(&path);
            if known.is_some_and(|entry| entry.stamp == stamp) {
                continue;
            }
            let last_good = state.files.remove(&path).and_then(|entry| entry.good);
            let entry = match self.read(&path, stamp) {
                Ok(good) => {
                    changed |= last_good.is_none_or(|(style, _)| style != good.0);
                    Entry { stamp, good: Some(good), mistake: None }
                }
                Err(mistake) => Entry { stamp, good: last_good, mistake: Some(mistake) },
            };
            state.files.insert(path, entry);
        }
        if changed {
            let mut library = self.builtin.clone();
            for (style, text) in state.files.values().filter_map(|entry| entry.good.as_ref()) {
                library.revise(text);
                library.insert(style.clone());
            }
            state.library = Arc::new(library);
        }
        changed
    }

    fn read(&self, path: &Path, stamp: Stamp) -> Result<(Style, String)> {
        let file = file_name(path);
        if stamp.1 > MOST_BYTES {
            let reason = format!("the file has {} bytes; a style has at most {MOST_BYTES}", stamp.1);
            return Err(Error::Style { file, line: 1, reason });
        }
        let text = std::fs::read_to_string(path).map_err(|error| Error::file("read", path, &error))?;
        Ok((self.builtin.read(&file, &text)?, text))
    }
}

/// The style files of a folder: every file that ends in `.toml`, in order of name; none when there is no folder.
pub(super) fn style_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::file("read", folder, &error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|error| Error::file("read", folder, &error))?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml") && path.is_file());
    paths.sort();
    Ok(paths)
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn stamp(path: &Path) -> Stamp {
    std::fs::metadata(path).map_or((None, 0), |data| (data.modified().ok(), data.len()))
}
