//! `demo`: the whole product in a host of its own, for people who want to hear it before they install it.

use crate::bundle::{self, Options};
use crate::{Result, cargo};

/// The word `demo`. Options go to the demo program.
pub fn run(options: &[String]) -> Result<()> {
    let folder = bundle::build(Options::default())?;
    play(false, &folder.join(format!("{}.clap", bundle::NAME)), None, options)
}

/// Runs the demo program on a bundle; `pinned` names a program and its options to run it under.
pub fn play(release: bool, clap: &std::path::Path, pinned: Option<&[&str]>, options: &[String]) -> Result<()> {
    let mut build = cargo::cargo();
    build.args(["build", "--package", "cantus-tests", "--bin", "cantus-demo"]).args(release.then_some("--release"));
    cargo::run(&mut build, "Building the demo")?;
    let program = cargo::profile_dir(release).join(cargo::program("cantus-demo"));
    let mut command = match pinned {
        Some([first, rest @ ..]) => {
            let mut command = std::process::Command::new(first);
            command.args(rest).arg(&program);
            command
        }
        _ => std::process::Command::new(&program),
    };
    // The two dashes that other Cargo words want before a program's options are allowed here too.
    let options = match options.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => options,
    };
    // Files that the person names are relative to where they stand, so the folder is not changed.
    command.arg("--bundle").arg(clap);
    if !options.iter().any(|option| option == "--input" || option.starts_with("--input=")) {
        command.arg("--input").arg(cargo::root().join("assets/demo/hum.flac"));
    }
    cargo::run(command.args(options), "The demo")
}
