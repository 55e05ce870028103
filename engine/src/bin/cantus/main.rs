//! Thread: main. The command line: the same stages as the plugin, on files.

mod analyze;
mod arguments;
mod direction;
mod models;
mod progress;
mod prompt;
mod render;
mod styles;

use arguments::{Command, HELP};
use cantus_engine::worker::server::serve;
use std::io::BufWriter;
use std::process::ExitCode;

/// A failure of the work itself.
const FAILED: u8 = 1;
/// The command line was not understood.
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    end_quietly_on_a_closed_pipe();
    let command = match arguments::parse() {
        Ok(command) => command,
        Err(misuse) => {
            eprintln!("cantus: {misuse}\nTry: cantus --help");
            return ExitCode::from(MISUSED);
        }
    };
    let result = match &command {
        Command::Help => {
            print!("{HELP}\n{}", direction::HELP);
            Ok(0)
        }
        Command::Version => {
            println!("cantus {}", env!("CARGO_PKG_VERSION"));
            Ok(0)
        }
        Command::Analyze(order) => analyze::run(order),
        Command::Render(order) => render::run(order).map(|()| 0),
        Command::Styles(order) => styles::run(order),
        Command::Prompt { words, json, folder } => prompt::run(words, *json, folder.as_ref()).map(|()| 0),
        Command::Worker => serve(std::io::stdin().lock(), BufWriter::new(std::io::stdout())).map(|()| 0),
        Command::Models(order) => models::run(order).map(|()| 0),
    };
    progress::clear();
    match result {
        Ok(0) => ExitCode::SUCCESS,
        // Each was told where it failed; the others are done.
        Ok(_) => ExitCode::from(FAILED),
        Err(error) => {
            eprintln!("cantus: {error}");
            ExitCode::from(FAILED)
        }
    }
}

/// `cantus styles | head -1` is no failure: the program ends as other programs do there.
#[cfg(unix)]
fn end_quietly_on_a_closed_pipe() {
    // SAFETY: sets a signal back to the system's default, before there is another thread.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

#[cfg(not(unix))]
fn end_quietly_on_a_closed_pipe() {}
