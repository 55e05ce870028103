//! Cargo, and the folders it works in.

use crate::Result;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where Cargo builds: `CARGO_TARGET_DIR`, or `target` in the workspace.
pub fn target_dir() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    // Like Cargo, a relative folder starts where the person stands.
    named.and_then(|folder| std::path::absolute(folder).ok()).unwrap_or_else(|| root().join("target"))
}

/// The folder of finished programs and libraries of a profile.
pub fn profile_dir(release: bool) -> PathBuf {
    target_dir().join(if release { "release" } else { "debug" })
}

/// The file name of a program on this system.
pub fn program(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Cargo, in the workspace.
pub fn cargo() -> Command {
    // Cargo names itself to the programs it runs, toolchain included.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("CARGO_TARGET_DIR", target_dir());
    // Building for another system would put everything into other folders than those bundled from.
    command.env_remove("CARGO_BUILD_TARGET");
    // What Cargo set for building this program must not leak into other builds: it would make them look changed.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_this_build = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if of_this_build.iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command, doing: &str) -> Result<()> {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{doing} failed ({status}).")),
        Err(error) => Err(format!("{doing} could not start {}: {error}.", command.get_program().display())),
    }
}

/// Refuses options of a word that has none.
pub fn no_options(word: &str, options: &[String]) -> Result<()> {
    match options.first() {
        None => Ok(()),
        Some(option) => Err(format!("cargo xtask {word} has no option \"{option}\".")),
    }
}
