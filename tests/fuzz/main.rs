//! Attacks everything that reads what others wrote, and everything a host may call.
//!
//! `cantus-fuzz` without `--in` only supervises: each target runs in a process of its own, so that a crash, a hang or too much memory
//! ends that process and leaves its input behind.

// A failed unwrap is a failed input.
#![allow(clippy::unwrap_used)]

#[cfg(unix)]
mod coverage;
#[cfg(unix)]
mod draw;
#[cfg(unix)]
mod driver;
#[cfg(unix)]
mod mutate;
#[cfg(unix)]
mod supervisor;
#[cfg(unix)]
mod targets;
#[cfg(unix)]
mod watch;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    supervisor::main()
}

#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("The attacks run on Unix only: they need its limits of memory and time.");
    std::process::ExitCode::FAILURE
}
