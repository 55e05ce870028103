//! Thread: gui, and one of its own on Windows. Dragging as Windows (OLE) and macOS (AppKit) do it, through the crate `drag`.
//!
//! Nobody has run this yet: it was only type-checked.

use crate::drag_out::{DragState, Progress};
use native_drag::{DragItem, DragResult, Image, Options, start_drag};
use raw_window_handle::HasWindowHandle;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

/// What goes along with the pointer; both systems want a picture.
const CARD: &[u8] = include_bytes!("native/card.png");

/// Hands the files to the system. On Windows this returns when they are let go, on macOS at once.
fn hand_over(window: &impl HasWindowHandle, files: Vec<PathBuf>, progress: &Arc<Progress>) {
    let heard = progress.clone();
    let ended = move |result, _| {
        heard.set(match result {
            DragResult::Dropped => DragState::Dropped,
            DragResult::Cancel => DragState::Cancelled,
        });
    };
    let card = Image::Raw(CARD.to_vec());
    // The crate takes some failures of the system for impossible; they must not take the host along.
    let begun = catch_unwind(AssertUnwindSafe(|| {
        start_drag(window, DragItem::Files(files), card, ended, Options::default()).map_err(|error| error.to_string())
    }));
    let trouble = match begun {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(_) => "the system did not begin it".to_owned(),
    };
    progress.set(DragState::Failed(format!("The drag broke off: {trouble}. Try again, or use Copy path.")));
}

/// The window's view must be handed over on the main thread, in the mouse event that began the drag; baseview draws there.
#[cfg(target_os = "macos")]
pub(crate) fn begin(
    window: raw_window_handle::WindowHandle<'_>,
    files: Vec<PathBuf>,
    progress: Arc<Progress>,
) -> Result<Option<std::thread::JoinHandle<()>>, String> {
    hand_over(&window, files, &progress);
    Ok(None)
}

/// `DoDragDrop` returns when the button is up, and runs a message loop until then: on the window's own thread, that loop would
/// call the window while it is drawn.
#[cfg(windows)]
pub(crate) fn begin(
    window: raw_window_handle::WindowHandle<'_>,
    files: Vec<PathBuf>,
    progress: Arc<Progress>,
) -> Result<Option<std::thread::JoinHandle<()>>, String> {
    use raw_window_handle::{HandleError, RawWindowHandle, Win32WindowHandle, WindowHandle};
    use windows_sys::Win32::System::Ole::{OleInitialize, OleUninitialize};

    /// A window's number, which may be named on any thread.
    struct Window(std::num::NonZeroIsize);
    impl HasWindowHandle for Window {
        fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
            let raw = RawWindowHandle::Win32(Win32WindowHandle::new(self.0));
            // SAFETY: a number; the crate only looks at what kind of window it is.
            Ok(unsafe { WindowHandle::borrow_raw(raw) })
        }
    }

    let RawWindowHandle::Win32(handle) = window.as_raw() else {
        return Err("This window cannot begin a drag. Use Copy path.".into());
    };
    let window = Window(handle.hwnd);
    let run = move || {
        // SAFETY: the reserved argument is null as it must be; the pair below ends it on this very thread.
        let ready = unsafe { OleInitialize(std::ptr::null()) } >= 0;
        hand_over(&window, files, &progress);
        if ready {
            // SAFETY: it was initialised above, and nothing of the drag is left.
            unsafe { OleUninitialize() };
        }
        // A drag that told nothing has ended all the same.
        progress.end();
    };
    let thread = std::thread::Builder::new().name("cantus-drag".into()).spawn(run);
    thread.map(Some).map_err(|error| format!("The drag could not begin: {error}."))
}
