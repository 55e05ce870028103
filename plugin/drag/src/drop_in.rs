//! Thread: gui. Files that another program drops on the window.

use crate::drag_out::DragWindow;
use egui::{Context, Pos2};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

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

/// Tells a thread that its handle has gone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    #[cfg(target_os = "linux")]
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Keeps a window open to drops where it lies within a host's window: programs ask only the outermost. On X11 that takes a thread,
/// which ends when the window goes or this is dropped; elsewhere the system looks into the host's window by itself.
#[derive(Debug, Default)]
pub struct OpenToDrops {
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl OpenToDrops {
    /// Opens a window to drops; call it when the editor is built, and drop what it held before.
    pub fn of(window: DragWindow<'_>) -> Self {
        let stop = Stop::default();
        let thread = open(window, stop.clone());
        Self { stop, thread }
    }
}

impl Drop for OpenToDrops {
    fn drop(&mut self) {
        self.stop.0.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

#[cfg(target_os = "linux")]
fn open(window: DragWindow<'_>, stop: Stop) -> Option<JoinHandle<()>> {
    let (editor, display) = (window.x11()?, window.display().map(str::to_owned));
    let run = move || crate::x11::stand_in(display.as_deref(), editor, &stop);
    std::thread::Builder::new().name("cantus-drop".into()).spawn(run).ok()
}

#[cfg(not(target_os = "linux"))]
fn open(_window: DragWindow<'_>, _stop: Stop) -> Option<JoinHandle<()>> {
    None
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
