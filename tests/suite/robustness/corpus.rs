//! The inputs that the attacks kept are tried again, each target in a process of its own with its limits of time and memory.
#![cfg(unix)]

use crate::turn;
use std::process::Command;

/// Runs the attacker over its corpus.
fn replay(targets: &[&str]) {
    let state = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantus-fuzz"));
    command.args(targets).arg("--replay").arg("--state").arg(state.path());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for target in targets {
        assert!(said.contains(&format!("{target}: ")) && said.contains("no failure"), "{target} was not tried: {said}");
    }
}

#[test]
fn what_is_read_from_files_and_pipes_survives_the_corpus() {
    replay(&["session", "midi", "audio", "style", "model", "prompt", "song", "pipe", "spool"]);
}

#[test]
fn projects_survive_the_corpus() {
    replay(&["project"]);
}

#[test]
fn the_plugin_survives_the_corpus() {
    let _turn = turn();
    assert!(std::env::var_os("CANTUS_BUNDLE").is_some(), "CANTUS_BUNDLE names the bundle: run cargo xtask test");
    replay(&["host"]);
}

#[test]
fn an_input_that_breaks_something_ends_the_replay_with_its_reason() {
    let state = tempfile::tempdir().unwrap();
    // The model target takes a file's patches; a hang, a crash and a panic all end its process. Here the process is told to stop.
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantus-fuzz"));
    let missing = state.path().join("missing");
    command.args(["song", "--replay", "--input"]).arg(&missing).arg("--state").arg(state.path());
    let output = command.output().unwrap();
    assert!(!output.status.success(), "a process that ends badly must be noticed");
}
