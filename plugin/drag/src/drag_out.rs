//! Thread: gui. A drag of files that begins in the window and ends in another program.

use parking_lot::Mutex;
#[cfg(target_os = "linux")]
use raw_window_handle::RawWindowHandle;
use raw_window_handle::{HasWindowHandle, WindowHandle};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// How far a drag is. All but the first are final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DragState {
    /// The button is down, or the program under the pointer is still fetching the files.
    Dragging,
    /// Another program took the files.
    Dropped,
    /// Escape, a release over nothing that takes files, or the window went.
    Cancelled,
    /// A sentence that says what went wrong.
    Failed(String),
}

/// The window a drag begins in.
#[derive(Debug, Clone, Copy)]
pub struct DragWindow<'a> {
    #[cfg_attr(windows, expect(dead_code, reason = "OLE asks for no window"))]
    handle: Option<WindowHandle<'a>>,
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "other systems have one screen to drag on"))]
    display: Option<&'a str>,
}

impl<'a> DragWindow<'a> {
    /// The window behind a handle; the editor's is `frame.baseview_window()`.
    pub fn of(window: &'a impl HasWindowHandle) -> Self {
        Self { handle: window.window_handle().ok(), display: None }
    }

    /// A drag that begins in no window of ours.
    pub fn none() -> Self {
        Self { handle: None, display: None }
    }

    /// The X server to drag on, where it is not the one that `DISPLAY` names.
    pub fn on_display(self, display: &'a str) -> Self {
        Self { display: Some(display), ..self }
    }

    /// The X server, where it is not the usual one.
    #[cfg(target_os = "linux")]
    pub(crate) fn display(self) -> Option<&'a str> {
        self.display
    }

    /// Its number on an X server.
    #[cfg(target_os = "linux")]
    pub(crate) fn x11(self) -> Option<u32> {
        match self.handle?.as_raw() {
            RawWindowHandle::Xcb(handle) => Some(handle.window.get()),
            RawWindowHandle::Xlib(handle) => u32::try_from(handle.window).ok(),
            _ => None,
        }
    }
}

/// What the thread of a drag and its handle share.
#[derive(Debug)]
pub(crate) struct Progress {
    state: Mutex<DragState>,
    stop: AtomicBool,
}

impl Progress {
    /// Whether the handle has gone.
    #[cfg(target_os = "linux")]
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, state: DragState) {
        *self.state.lock() = state;
    }
}

/// A drag that goes on. Dropping it ends the drag and joins its thread, within some hundredths of a second; so nothing of it
/// outlives the window that holds it.
#[derive(Debug)]
pub struct Drag {
    progress: Arc<Progress>,
    thread: Option<JoinHandle<()>>,
}

impl Drag {
    /// How far it is; never waits.
    pub fn poll(&self) -> DragState {
        self.progress.state.lock().clone()
    }
}

impl Drop for Drag {
    fn drop(&mut self) {
        self.progress.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Begins to drag files that are already written. Call it while the mouse button is down, from `response.drag_started()`.
/// `label` goes along with the pointer.
///
/// The files must stay where they are: programs refer to them as often as they copy them.
///
/// # Errors
/// A sentence: a file is not there, or the system gives no thread.
pub fn start(window: DragWindow<'_>, files: &[PathBuf], label: &str) -> Result<Drag, String> {
    if files.is_empty() {
        return Err("There is no file to drag.".into());
    }
    let files = files.iter().map(|file| whole_path(file)).collect::<Result<Vec<PathBuf>, String>>()?;
    let progress = Arc::new(Progress { state: Mutex::new(DragState::Dragging), stop: AtomicBool::new(false) });
    let thread = begin(window, files, label.to_owned(), progress.clone())?;
    Ok(Drag { progress, thread })
}

/// From the root, as other programs need it.
fn whole_path(file: &Path) -> Result<PathBuf, String> {
    if !file.exists() {
        return Err(format!("{} is not there any more. Export it again.", file.display()));
    }
    std::path::absolute(file).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(target_os = "linux")]
fn begin(
    window: DragWindow<'_>,
    files: Vec<PathBuf>,
    label: String,
    progress: Arc<Progress>,
) -> Result<Option<JoinHandle<()>>, String> {
    let (own, display) = (window.x11(), window.display.map(str::to_owned));
    let run = move || {
        let ended = crate::x11::drag(display.as_deref(), own, &files, &label, &progress);
        progress.set(ended);
    };
    let thread = std::thread::Builder::new().name("cantus-drag".into()).spawn(run);
    thread.map(Some).map_err(|error| format!("The drag could not begin: {error}."))
}

/// The system's own loop runs until the button is up; nothing can call it off before.
#[cfg(windows)]
fn begin(
    _window: DragWindow<'_>,
    files: Vec<PathBuf>,
    _label: String,
    progress: Arc<Progress>,
) -> Result<Option<JoinHandle<()>>, String> {
    let run = move || progress.set(crate::windows::drag(&files));
    let thread = std::thread::Builder::new().name("cantus-drag".into()).spawn(run);
    thread.map(Some).map_err(|error| format!("The drag could not begin: {error}."))
}

#[cfg(target_os = "macos")]
fn begin(
    window: DragWindow<'_>,
    files: Vec<PathBuf>,
    _label: String,
    progress: Arc<Progress>,
) -> Result<Option<JoinHandle<()>>, String> {
    let handle = window.handle.ok_or("There is no window to drag from. Use Copy path.")?;
    crate::macos::begin(handle, &files, progress)?;
    Ok(None)
}
