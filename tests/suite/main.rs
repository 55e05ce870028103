//! The one test binary: every stage by itself, then the bundled plugin in a real CLAP host.

// A failed unwrap is a failed test.
#![allow(clippy::unwrap_used)]

mod allocations;
mod analysis;
mod capture;
mod command_line;
mod drag;
mod export;
mod generation;
mod host;
mod instance;
mod jobs;
mod melody_matters;
mod models;
mod musicgen;
mod playback;
mod plugin;
mod rendition;
mod robustness;
mod roll;
mod session;
mod settings;
mod tidy;
mod window;
mod worker;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Tests that measure time, or start or count threads of the process, run one at a time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
