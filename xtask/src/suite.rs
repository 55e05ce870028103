//! `test` and `tidy`: the one test program, with the built plugin at hand.

use crate::bundle::{self, Options};
use crate::display::Display;
use crate::packages::{self, EDITOR, LINKER};
use crate::{Result, cargo};
use std::process::Command;
use std::time::Instant;

/// The word `test`.
pub fn run(options: &[String]) -> Result<()> {
    let passed_on = match options.split_first() {
        None => &[],
        Some((first, rest)) if first == "--" => rest,
        Some((first, _)) => {
            return Err(format!("cargo xtask test has no option \"{first}\". Words for the tests go after --."));
        }
    };
    let began = Instant::now();
    packages::ensure(&[LINKER, EDITOR])?;
    let folder = bundle::build(Options::default())?;
    let display = Display::open()?;
    let mut tests = suite();
    let data = folder.join("test-data");
    // What an interrupted run left behind is nobody's; the user's own takes are none of the tests' business.
    let _ = std::fs::remove_dir_all(&data);
    tests.env("CANTUS_BUNDLE", &folder).env("CANTUS_DATA_DIR", &data).arg("--").args(passed_on);
    display.show(&mut tests);
    let outcome = cargo::run(&mut tests, "Testing");
    println!("cargo xtask test took {:.1} s.", began.elapsed().as_secs_f64());
    outcome
}

/// The word `tidy`.
pub fn tidy() -> Result<()> {
    packages::ensure(&[LINKER])?;
    cargo::run(suite().args(["--", "tidy::"]), "The tidy test")
}

fn suite() -> Command {
    let mut command = cargo::cargo();
    command.args(["test", "--package", "cantus-tests", "--test", "suite"]);
    command
}
