//! `bench`: the demo program measures a release build on one core.

use crate::bundle::{self, NAME, Options};
use crate::{Result, cargo, demo, packages};

/// The word `bench`. Options go to the demo program.
pub fn run(options: &[String]) -> Result<()> {
    if options.iter().any(|option| option == "--musicgen") {
        return musicgen(options);
    }
    let folder = bundle::build(Options { release: true, standalone: false })?;
    let one_core = packages::has_program("taskset");
    if !one_core {
        println!("taskset is not installed: the figures are those of all cores.");
    }
    let pinned: Option<&[&str]> = one_core.then_some(&["taskset", "--cpu-list", "0"]);
    let options = options.iter().skip_while(|option| *option == "--").cloned();
    let options: Vec<String> = options.collect();
    let bundle = folder.join(format!("{NAME}.clap"));
    let measure = |what: &str, pinned: Option<&[&str]>| {
        let options: Vec<String> = std::iter::once(what.to_owned()).chain(options.iter().cloned()).collect();
        demo::play(true, &bundle, pinned, &options)
    };
    // The band plays with two lanes; what they gain shows on two cores.
    measure("--bench-band", pinned)?;
    measure("--bench-band", one_core.then_some(&["taskset", "--cpu-list", "0,1"]))?;
    measure("--bench", pinned)
}

/// A checkpoint of MusicGen-melody: its loading, its speed, its memory. On all cores, which is how it runs.
fn musicgen(options: &[String]) -> Result<()> {
    let mut build = cargo::cargo();
    build.args(["build", "--package", "cantus-tests", "--bin", "cantus-musicgen-bench", "--release"]);
    cargo::run(&mut build, "Building the measurement")?;
    let program = cargo::profile_dir(true).join(cargo::program("cantus-musicgen-bench"));
    let options = options.iter().filter(|option| *option != "--" && *option != "--musicgen");
    // As in the worker process: Cantus' own threads share candle's products.
    let mut measurement = std::process::Command::new(program);
    cargo::run(measurement.args(options).env("CANDLE_NUM_THREADS", "1"), "The measurement")
}
