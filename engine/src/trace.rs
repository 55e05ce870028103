//! Thread: gui, worker. A diary for support and tests: one JSON line an event, into the file that `CANTUS_TRACE` names.
//!
//! Without the variable nothing is opened and nothing is formatted. Never called from the audio thread.

use parking_lot::Mutex;
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::OnceLock;

static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();

/// Writes an event. `make` runs only when somebody asked for a trace.
pub fn trace(make: impl FnOnce() -> Value) {
    let file = FILE.get_or_init(|| {
        let path = std::env::var_os("CANTUS_TRACE")?;
        OpenOptions::new().create(true).append(true).open(path).ok().map(Mutex::new)
    });
    if let Some(file) = file {
        let line = format!("{}\n", make());
        // A trace that cannot be written must not disturb the work it describes.
        let _ = file.lock().write_all(line.as_bytes());
    }
}
