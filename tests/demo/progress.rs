//! Thread: main. A progress bar on a terminal; nothing when the output goes elsewhere.

use std::io::{IsTerminal, Write, stderr};

const WIDTH: usize = 30;

/// Shows how far something is.
pub fn show(what: &str, fraction: f64) {
    if stderr().is_terminal() {
        let filled = (fraction.clamp(0.0, 1.0) * WIDTH as f64) as usize;
        let bar: String = (0..WIDTH).map(|cell| if cell < filled { '█' } else { '░' }).collect();
        write!(stderr(), "\r\x1b[K{bar} {what}").ok();
        stderr().flush().ok();
    }
}

/// Wipes the bar.
pub fn clear() {
    if stderr().is_terminal() {
        write!(stderr(), "\r\x1b[K").ok();
    }
}
