//! `bench`: the demo program measures a release build on one core.

use crate::bundle::{self, NAME, Options};
use crate::{Result, cargo, demo, packages};

/// The word `bench`. Options go to the demo program.
pub fn run(options: &[String]) -> Result<()> {
    if options.iter().any(|option| option == "--musicgen") {
        return musicgen(options);
    }
    if options.iter().any(|option| option == "--sampler") {
        return sampler(options);
    }
    let folder = bundle::build(Options { release: true, standalone: false })?;
    let pinned = one_core();
    let options = options.iter().skip_while(|option| *option == "--").cloned();
    let options: Vec<String> = options.collect();
    let bundle = folder.join(format!("{NAME}.clap"));
    let measure = |what: &str, pinned: Option<&[&str]>| {
        let options: Vec<String> = std::iter::once(what.to_owned()).chain(options.iter().cloned()).collect();
        demo::play(true, &bundle, pinned, &options)
    };
    // The band plays with two lanes; what they gain shows on two cores.
    measure("--bench-band", pinned)?;
    measure("--bench-band", pinned.map(|_| &["taskset", "--cpu-list", "0,1"][..]))?;
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

/// What pins a program to one core, where there is such a thing.
fn one_core() -> Option<&'static [&'static str]> {
    let has_it = packages::has_program("taskset");
    if !has_it {
        println!("taskset is not installed: the figures are those of all cores.");
    }
    has_it.then_some(&["taskset", "--cpu-list", "0"])
}

/// The sampler's voices a second against rustysynth's.
fn sampler(options: &[String]) -> Result<()> {
    let mut build = cargo::cargo();
    build.args(["build", "--package", "cantus-tests", "--bin", "cantus-sampler-bench", "--release"]);
    cargo::run(&mut build, "Building the measurement")?;
    let program = cargo::profile_dir(true).join(cargo::program("cantus-sampler-bench"));
    let mut measurement = match one_core() {
        Some([pin, options @ ..]) => {
            let mut pinned = std::process::Command::new(pin);
            pinned.args(options).arg(program);
            pinned
        }
        _ => std::process::Command::new(program),
    };
    let options = options.iter().filter(|option| *option != "--" && *option != "--sampler");
    cargo::run(measurement.args(options), "The measurement")
}
