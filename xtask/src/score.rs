//! `score`: how well melodies are heard, against recordings whose notes are known.

use crate::packages::{self, LINKER};
use crate::{Result, cargo};

/// The word `score`. Options go to the score program.
pub fn run(options: &[String]) -> Result<()> {
    packages::ensure(&[LINKER])?;
    let mut build = cargo::cargo();
    // A release build, because it also says how long listening takes.
    build.args(["build", "--release", "--package", "cantus-tests", "--bin", "cantus-score"]);
    cargo::run(&mut build, "Building the score program")?;
    let options = options.strip_prefix(&["--".to_owned()]).unwrap_or(options);
    let program = cargo::profile_dir(true).join(cargo::program("cantus-score"));
    cargo::run(std::process::Command::new(program).args(options), "The score")
}
