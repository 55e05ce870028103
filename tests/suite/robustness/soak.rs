//! The soak in small: the same rounds, the same judge, and a host that leaks, which the judge must find.
#![cfg(target_os = "linux")]

use crate::turn;
use std::process::Command;

#[test]
fn a_short_soak_grows_nothing_and_the_library_goes_while_jobs_run() {
    let _turn = turn();
    assert!(std::env::var_os("CANTUS_BUNDLE").is_some(), "CANTUS_BUNDLE names the bundle: run cargo xtask test");
    let output =
        Command::new(env!("CARGO_BIN_EXE_cantus-soak")).args(["--minutes", "0.15", "--prove"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    print!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("A host that leaks: memory grows"), "{said}");
}
