//! Thread: gui. How files get out of the window and into it; knows neither the engine nor the rest of the window.
//!
//! Out, from a handle in the window, once its files are written:
//!
//! ```ignore
//! if handle.drag_started() {
//!     let window = DragWindow::of(frame.baseview_window());
//!     self.drag = start(window, &[path], "Cantus Jazz 3.wav").ok();
//! }
//! match self.drag.as_ref().map(Drag::poll) {
//!     None | Some(DragState::Dragging) => {}
//!     Some(ended) => { self.drag = None; self.ended(ended); }
//! }
//! ```
//!
//! In: `OpenToDrops::of(DragWindow::of(frame.baseview_window()))`, made and held when the window is built; then `dropped(ui.ctx())`
//! each frame, and `hovering(ui.ctx())` to show where. Files that are opened without a mouse come from
//! `Browser`; files that were written are shown by `reveal`, and their path is copied by `copy_path`.
#![deny(missing_docs)]

mod browse;
mod drag_out;
mod drop_in;
#[cfg(target_os = "macos")]
mod macos;
mod reveal;
#[cfg(target_os = "linux")]
mod uri;
#[cfg(windows)]
mod windows;
#[cfg(target_os = "linux")]
mod x11;

pub use browse::{Browser, Recent};
pub use drag_out::{Drag, DragState, DragWindow, start};
pub use drop_in::{DroppedFiles, Hovering, OpenToDrops, dropped, hovering, is_sound_or_midi};
pub use reveal::{copy_path, reveal};
