//! Thread: its own. Dragging on X11.

use crate::drag_out::{DragState, Progress};
use std::path::PathBuf;

pub(crate) fn drag(_own: Option<u32>, files: &[PathBuf], _label: &str, progress: &Progress) -> DragState {
    let _ = crate::uri::uri_list(files);
    while !progress.stopped() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    DragState::Cancelled
}
