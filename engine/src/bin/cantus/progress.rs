//! Thread: main, workers. Progress on a terminal; nothing when the output goes into a file or another program.

use cantus_engine::job_context::{CancelToken, JobContext};
use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;

const WIDTH: usize = 24;

/// A context that draws a bar on the terminal, if there is one.
pub fn context(what: &str) -> JobContext {
    if !stderr().is_terminal() {
        return JobContext::detached();
    }
    let what = what.to_owned();
    JobContext::new(
        CancelToken::default(),
        Arc::new(move |progress| {
            let filled = (progress.fraction * WIDTH as f32) as usize;
            let bar: String = (0..WIDTH).map(|cell| if cell < filled { '█' } else { '░' }).collect();
            // Progress that cannot be shown is not worth stopping for.
            let _ = write!(stderr(), "\r\x1b[K{what} {bar} {}", progress.words());
            let _ = stderr().flush();
        }),
    )
}

/// Wipes the bar before anything else is printed.
pub fn clear() {
    if stderr().is_terminal() {
        let _ = write!(stderr(), "\r\x1b[K");
    }
}
