//! A long session of the built plugin in a host: captures, generations, swaps, projects saved and opened, storms of parameters,
//! tempo changes, regions, windows. Nothing may grow once everything has been in use, and the library goes while jobs run.

// A failed unwrap is a failed soak.
#![allow(clippy::unwrap_used)]

#[cfg(unix)]
mod growth;
#[cfg(unix)]
mod session;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    use lexopt::prelude::{Long, ValueExt};
    let (mut minutes, mut proves) = (30.0, false);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next().unwrap() {
        match argument {
            Long("minutes") => minutes = arguments.value().unwrap().parse().unwrap(),
            Long("prove") => proves = true,
            _ => {
                eprintln!(
                    "cantus-soak [--minutes N] [--prove]\n  --prove goes on with a host that leaks, which must be found."
                );
                return std::process::ExitCode::from(2);
            }
        }
    }
    match session::soak(minutes, proves) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("The soak runs on Unix only: it reads memory, threads and files as Linux tells them.");
    std::process::ExitCode::FAILURE
}
