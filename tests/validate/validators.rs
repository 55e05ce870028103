//! Thread: main. The validators of the two formats, where somebody has built one and names it.

use crate::outcome::Outcome;
use crate::{Stage, program};
use std::path::Path;
use std::process::Command;

/// clap-validator: all of its tests.
pub fn clap(stage: &Stage) -> Outcome {
    let arguments = |command: &mut Command, bundle: &Path| {
        command.arg("validate").arg(bundle);
    };
    validate("CLAP_VALIDATOR", "clap-validator", stage, &stage.clap, arguments, |line| line.contains("tests run"))
}

/// The validator of the VST3 kit: all of its tests.
pub fn vst3(stage: &Stage) -> Outcome {
    let arguments = |command: &mut Command, bundle: &Path| {
        command.arg(bundle);
    };
    validate("VST3_VALIDATOR", "vst3_validator", stage, &stage.vst3, arguments, |line| line.starts_with("Result:"))
}

fn validate(
    variable: &str,
    name: &str,
    stage: &Stage,
    bundle: &Path,
    arguments: impl Fn(&mut Command, &Path),
    is_summary: impl Fn(&str) -> bool,
) -> Outcome {
    let named = std::env::var_os(variable).map(std::path::PathBuf::from).filter(|file| file.is_file());
    let Some(validator) = named.or_else(|| program::find(name)) else {
        return Outcome::Skipped(format!("no such program here; {variable} names one"));
    };
    let mut command = Command::new(validator);
    arguments(&mut command, bundle);
    let said = program::run(program::at_home(&mut command, &stage.folder), &stage.folder.join("said"));
    said.and_then(|said| {
        let summary = said.lines().rev().map(str::trim).find(|line| is_summary(line)).map(str::to_owned);
        summary.ok_or_else(|| "it gave no summary".to_owned())
    })
    .into()
}
