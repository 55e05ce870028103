//! A screen for tests that open the editor on machines without one.

use crate::Result;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A private Xvfb, ended on drop; or nothing, when the machine has a screen or is no X11 system.
pub struct Display {
    server: Option<(Child, String)>,
}

impl Display {
    /// The screen that is there, or a private one.
    pub fn open() -> Result<Self> {
        if !cfg!(target_os = "linux") || std::env::var_os("DISPLAY").is_some_and(|display| !display.is_empty()) {
            return Ok(Self { server: None });
        }
        // The server picks a free number and writes it to its standard output.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("Xvfb could not be started: {error}."))?;
        let mut number = String::new();
        if let Some(output) = server.stdout.take() {
            BufReader::new(output).read_line(&mut number).ok();
        }
        let number = number.trim().to_owned();
        let mut display = Self { server: Some((server, format!(":{number}"))) };
        if number.is_empty() {
            display.close();
            return Err("Xvfb ended before it opened a screen.".into());
        }
        Ok(display)
    }

    /// Points a command at the screen.
    pub fn show(&self, command: &mut Command) {
        if let Some((_, name)) = &self.server {
            command.env("DISPLAY", name).env("LIBGL_ALWAYS_SOFTWARE", "1");
        }
    }

    fn close(&mut self) {
        if let Some((mut server, _)) = self.server.take() {
            server.kill().ok();
            server.wait().ok();
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.close();
    }
}
