//! `fuzz`: attacks everything that reads what others wrote, with an engine that counts which of its code an input reaches.

use crate::bundle::{self, Options};
use crate::display::Display;
use crate::packages::{self, LINKER};
use crate::{Result, cargo};
use std::ffi::OsString;
use std::process::{Command, ExitCode};

/// Tells a compiler call of [`run`]'s own build from a call for this program.
const WRAPS: &str = "CANTUS_COUNT_EDGES";

/// LLVM counts the edges of the engine's code. These are plain code generation options, which the stable compiler has.
const COUNTED: [&str; 3] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=3",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
];

/// The word `fuzz`. Options go to the program that attacks; `--no-host` leaves the plugin's own build and target out.
pub fn run(options: &[String]) -> Result<()> {
    packages::ensure(&[LINKER])?;
    let with_host = !options.iter().any(|option| option == "--no-host");
    let bundle = if with_host { Some(bundle::build(Options::default())?) } else { None };
    let mut build = cargo::cargo();
    build.args(["build", "--package", "cantus-tests", "--bin", "cantus-fuzz"]);
    let this = std::env::current_exe().map_err(|error| format!("This program cannot be found again: {error}."))?;
    // Cargo keeps what a wrapper made apart from what the tests use: both stay warm.
    build.env("RUSTC_WORKSPACE_WRAPPER", this).env(WRAPS, "1");
    cargo::run(&mut build, "Building the program that attacks")?;

    let state = cargo::target_dir().join("fuzz");
    std::fs::create_dir_all(&state).map_err(|error| format!("Cannot create {}: {error}.", state.display()))?;
    // A copy of its own: a build that happens meanwhile does not take it away.
    let program = state.join(cargo::program("cantus-fuzz"));
    let built = cargo::profile_dir(false).join(cargo::program("cantus-fuzz"));
    std::fs::remove_file(&program).ok();
    std::fs::copy(&built, &program).map_err(|error| format!("Cannot copy {}: {error}.", built.display()))?;
    let display = Display::open()?;
    // Other work on the machine goes first.
    let mut attack = Command::new("nice");
    attack.args(["-n", "19"]).arg(program).arg("--state").arg(&state);
    attack.args(options.iter().filter(|option| *option != "--no-host"));
    if let Some(folder) = bundle {
        attack.env("CANTUS_BUNDLE", folder);
    }
    display.show(&mut attack);
    cargo::run(&mut attack, "The attack")
}

/// Compiles as asked, and counts edges in the engine. `None` when this process is no compiler call.
pub fn compile() -> Option<ExitCode> {
    std::env::var_os(WRAPS)?;
    let mut arguments = std::env::args_os().skip(1);
    let compiler = arguments.next()?;
    let arguments: Vec<OsString> = arguments.collect();
    let engine = arguments.windows(2).any(|pair| pair[0] == "--crate-name" && pair[1] == "cantus_engine");
    let mut command = Command::new(compiler);
    command.args(&arguments).args(engine.then_some(COUNTED).into_iter().flatten());
    let status = command.status().ok()?;
    Some(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
