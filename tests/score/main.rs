//! Thread: main. The score: what Cantus promises of its ear and of its band, measured from outside.

mod band;
mod melody;

use std::ffi::OsString;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, String>;

/// Why there is no score.
enum Failure {
    /// The words were not understood.
    Misuse(String),
    /// The work failed.
    Work(String),
}

fn main() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = if words.first().is_some_and(|word| word == "band") {
        words.remove(0);
        band::score(words)
    } else {
        melody::score(words)
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Misuse(misuse)) => {
            eprintln!("cantus-score: {misuse}");
            ExitCode::from(2)
        }
        Err(Failure::Work(failure)) => {
            eprintln!("cantus-score: {failure}");
            ExitCode::FAILURE
        }
    }
}
