//! `validate`: the built plugin in other people's hosts, as far as they are on this machine.

use crate::bundle::{self, Options};
use crate::packages::{self, LINKER};
use crate::{Result, cargo};

/// The word `validate`. Options go to the program that runs the checks.
pub fn run(options: &[String]) -> Result<()> {
    packages::ensure(&[LINKER])?;
    let folder = bundle::build(Options::default())?;
    let mut build = cargo::cargo();
    build.args(["build", "--package", "cantus-tests", "--bin", "cantus-validate"]);
    cargo::run(&mut build, "Building the checks")?;
    let options = options.strip_prefix(&["--".to_owned()]).unwrap_or(options);
    let program = cargo::profile_dir(false).join(cargo::program("cantus-validate"));
    let mut checks = std::process::Command::new(program);
    cargo::run(checks.arg("--bundle").arg(folder).args(options), "Validation")
}
