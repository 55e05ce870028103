//! `random-checkpoint`: a MusicGen-melody checkpoint of the real shape, for measuring without the real weights.

use crate::{Result, cargo};

/// The word `random-checkpoint`. Options go to the program that writes it.
pub fn run(options: &[String]) -> Result<()> {
    let mut build = cargo::cargo();
    build.args(["build", "--package", "cantus-tests", "--bin", "cantus-random-checkpoint"]);
    cargo::run(&mut build, "Building the program that writes checkpoints")?;
    let program = cargo::profile_dir(false).join(cargo::program("cantus-random-checkpoint"));
    cargo::run(std::process::Command::new(program).args(options), "Writing the checkpoint")
}
