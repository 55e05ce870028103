//! Thread: gui. A browser of files inside the window: no dialog of a toolkit, which would run on the host's thread and in its process.

pub(crate) mod folder;
mod recent;

pub use recent::Recent;

use egui::Ui;
use folder::Folder;
use std::path::PathBuf;

/// Where somebody looks for a sound or MIDI file to open.
pub struct Browser {
    folder: Folder,
    recent: Recent,
}

impl Browser {
    /// Opens where the newest of the recent files lies, or in the user's music.
    pub fn new(recent: Recent) -> Self {
        let folder = recent.folder().map(PathBuf::from).or_else(dirs::audio_dir).or_else(dirs::home_dir);
        let folder = Folder::read(&folder.unwrap_or_else(|| PathBuf::from("/")), false);
        Self { folder, recent }
    }

    /// Draws it into the space there is; the file that was chosen, once.
    pub fn show(&mut self, ui: &mut Ui) -> Option<PathBuf> {
        ui.label(self.folder.path.display().to_string());
        let chosen: Option<PathBuf> = None;
        if let Some(file) = &chosen {
            self.recent.add(file).ok();
        }
        chosen
    }
}
