//! `screenshots`: pictures of the window in every state, drawn without a display.

use crate::packages::{self, EDITOR, LINKER};
use crate::{Result, cargo};
use std::path::PathBuf;
use std::process::Command;

/// The word `screenshots`.
pub fn run(options: &[String]) -> Result<()> {
    let folder = match options {
        [] => PathBuf::from("screenshots"),
        [name, folder] if name == "--out" => PathBuf::from(folder),
        _ => return Err("cargo xtask screenshots knows one option: --out DIR.".to_owned()),
    };
    packages::ensure(&[LINKER, EDITOR])?;
    let mut build = cargo::cargo();
    build.args(["build", "--package", "cantus-tests", "--example", "cantus-screens"]);
    cargo::run(&mut build, "Building the window")?;
    let program = cargo::profile_dir(false).join("examples").join(cargo::program("cantus-screens"));
    cargo::run(Command::new(program).arg(folder), "Drawing the window")
}
