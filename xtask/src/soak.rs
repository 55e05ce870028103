//! `soak`: a long session of the built plugin in a host of the project's own.

use crate::bundle::{self, Options};
use crate::display::Display;
use crate::packages::{self, EDITOR, LINKER};
use crate::{Result, cargo};
use std::process::Command;

/// The word `soak`. Options go to the program.
pub fn run(options: &[String]) -> Result<()> {
    packages::ensure(&[LINKER, EDITOR])?;
    let folder = bundle::build(Options::default())?;
    let mut build = cargo::cargo();
    build.args(["build", "--package", "cantus-tests", "--bin", "cantus-soak"]);
    cargo::run(&mut build, "Building the host of the soak")?;
    let display = Display::open()?;
    let program = cargo::profile_dir(false).join(cargo::program("cantus-soak"));
    let mut soak = Command::new(program);
    soak.args(options).env("CANTUS_BUNDLE", folder);
    display.show(&mut soak);
    cargo::run(&mut soak, "The soak")
}
