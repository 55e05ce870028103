//! Thread: gui. Files that another program drops on the window.

use egui::{Context, Pos2};
use std::path::{Path, PathBuf};

/// Endings of the files that Cantus can open, in small letters.
pub(crate) const ENDINGS: [&str; 10] = ["wav", "wave", "flac", "mp3", "ogg", "oga", "aif", "aiff", "mid", "midi"];

/// Files that were let go over the window, in this frame.
#[derive(Debug, Clone, PartialEq)]
pub struct DroppedFiles {
    /// At least one.
    pub paths: Vec<PathBuf>,
    /// Where, in points; `None` when the system did not say.
    pub position: Option<Pos2>,
}

/// Files that are held over the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Hovering {
    /// At least one.
    pub paths: Vec<PathBuf>,
    /// Where, in points; `None` when the system did not say.
    pub position: Option<Pos2>,
    /// Whether one of them looks like sound or MIDI.
    pub welcome: bool,
}

/// What was dropped since the last frame.
pub fn dropped(context: &Context) -> Option<DroppedFiles> {
    let (paths, position) = context.input(|input| {
        let paths: Vec<PathBuf> = input.raw.dropped_files.iter().map(|file| file.path().to_path_buf()).collect();
        (paths, input.pointer.latest_pos())
    });
    (!paths.is_empty()).then_some(DroppedFiles { paths, position })
}

/// What is held over the window now.
pub fn hovering(context: &Context) -> Option<Hovering> {
    let (paths, position) = context.input(|input| {
        let paths: Vec<PathBuf> = input.raw.hovered_files.iter().filter_map(|file| file.path.clone()).collect();
        (paths, input.pointer.latest_pos())
    });
    let welcome = paths.iter().any(|path| is_sound_or_midi(path));
    (!paths.is_empty()).then_some(Hovering { paths, position, welcome })
}

/// Whether a file's name ends as one of those that Cantus can open.
pub fn is_sound_or_midi(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}
