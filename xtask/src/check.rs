//! `check`: formatting, lints, house rules. Changes nothing.

use crate::packages::{self, LINKER};
use crate::{Result, cargo, suite};

/// The word `check`.
pub fn run() -> Result<()> {
    packages::ensure(&[LINKER])?;
    cargo::run(cargo::cargo().args(["fmt", "--all", "--check"]), "The formatting check")?;
    let lints = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    cargo::run(cargo::cargo().args(lints), "The lint check")?;
    suite::tidy()
}
