//! Thread: main. Other people's programs: whether they are here, and running them to an end that is never later than a limit.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than any host needs for the song on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(400);

/// A program in `PATH`.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Puts a command into a group of its own, so that what it starts can be ended with it.
pub fn apart(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command
}

/// A program that goes on in the background and ends, with all that it started, when this is dropped.
pub struct Background(Child);

impl Background {
    /// Starts it; what it says goes to a file.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self, String> {
        let log = File::create(log).map_err(|error| format!("Cannot write {}: {error}.", log.display()))?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let name = command.get_program().to_string_lossy().into_owned();
        let child = apart(command).stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        child.map(Self).map_err(|error| format!("{name} could not be started: {error}."))
    }

    /// Whether it has ended, and well.
    pub fn ended(&mut self) -> Option<bool> {
        self.0.try_wait().ok().flatten().map(|status| status.success())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Ok(group) = i32::try_from(self.0.id()) {
            for (signal, patience) in [(libc::SIGTERM, 20), (libc::SIGKILL, 20)] {
                // SAFETY: sends a signal to the group of a child that was not waited for yet, or whose number nobody else has taken.
                unsafe { libc::kill(-group, signal) };
                for _ in 0..patience {
                    if self.ended().is_some() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Runs a program to its end; gives what it said. Its last words are the reason when it fails.
pub fn run(command: &mut Command, log: &Path) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let begun = Instant::now();
    let mut running = Background::start(command, log)?;
    let said = || String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
    loop {
        match running.ended() {
            Some(true) => return Ok(said()),
            Some(false) => return Err(last_words(&said(), &name)),
            None if begun.elapsed() > PATIENCE => {
                return Err(format!(
                    "{name} did not end within {} s: {}",
                    PATIENCE.as_secs(),
                    last_words(&said(), &name)
                ));
            }
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn last_words(said: &str, name: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(3)..].join(" | ");
    if last.is_empty() { format!("{name} failed without a word.") } else { last }
}

/// The last line that a program said.
pub fn last_line(said: &str) -> &str {
    said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("").trim()
}

/// The environment of a plugin under test: its diary and its files lie in the check's folder.
pub fn at_home<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    command.env("CANTUS_TRACE", folder.join("trace")).env("CANTUS_DATA_DIR", folder.join("data"))
}
