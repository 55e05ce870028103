//! `measure`: what Cantus costs a song, as the table of the README.

use crate::bundle::{self, NAME, Options};
use crate::{Result, cargo};

/// The word `measure`. The debug build shows that the words work and aborts when the audio thread allocates; figures are those of the
/// release build.
pub fn run(options: &[String]) -> Result<()> {
    let debug = options.iter().any(|option| option == "--debug");
    let folder = bundle::build(Options { release: !debug, standalone: false })?;
    let mut build = cargo::cargo();
    build.args(["build", "--package", "cantus-tests", "--bin", "cantus-measure", "--example", "empty_plugin"]);
    cargo::run(build.args((!debug).then_some("--release")), "Building the measurement")?;
    let built = cargo::profile_dir(!debug);
    let empty = format!("{}empty_plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let mut measurement = std::process::Command::new(built.join(cargo::program("cantus-measure")));
    measurement.arg(folder.join(format!("{NAME}.clap"))).arg(built.join("examples").join(empty));
    let options = options.iter().filter(|option| *option != "--" && *option != "--debug");
    cargo::run(measurement.args(options), "The measurement")
}
