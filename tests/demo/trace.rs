//! Thread: main. Reads the plugin's diary while it is written.

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The diary, read up to where it has got.
pub struct Trace {
    lines: BufReader<File>,
    half: String,
}

impl Trace {
    /// Makes the file and tells the plugin about it. Before any plugin is loaded.
    pub fn begin(path: &Path) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("Cannot write {}: {error}", path.display());
        File::create(path).map_err(fail)?;
        // SAFETY: called once, at the beginning of the program, while there is one thread.
        unsafe { std::env::set_var("CANTUS_TRACE", path) };
        Ok(Self { lines: BufReader::new(File::open(path).map_err(fail)?), half: String::new() })
    }

    /// The events since the last call.
    pub fn news(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while self.lines.read_line(&mut self.half).is_ok_and(|count| count > 0) {
            if self.half.ends_with('\n') {
                events.extend(serde_json::from_str(&self.half).ok());
                self.half.clear();
            }
        }
        events
    }
}
