//! The only door for people and for CI: `cargo xtask <word>`.
//!
//! Nothing but the standard library is used here, so that the door opens in seconds on a machine where nothing is
//! installed yet.

mod bench;
mod bundle;
mod cargo;
mod check;
mod demo;
mod display;
mod fuzz;
mod install;
mod measure;
mod packages;
mod random_checkpoint;
mod score;
mod screenshots;
mod soak;
mod suite;
mod validate;

use std::process::ExitCode;

/// A sentence for the person at the terminal.
pub type Result<T> = std::result::Result<T, String>;

const USAGE: &str = "\
cargo xtask <word> [options]

  demo     Hum in, three styles out: plays the whole product in a host of its own and writes what it heard to demo-out/.
           [--input FILE] [--bpm B] [--bars N] [--out DIR] [--rate R] [--block N]
  test     Builds the plugin and runs every test against it. Words after -- go to the test program.
  check    Formatting, lints and the house rules.
  bundle   Builds Cantus.clap, Cantus.vst3 and the cantus program into target/bundled.  [--release] [--standalone]
  install  Builds for real use and puts the plugins where your DAW looks for them.  [--standalone]
  bench    Builds for real use and measures speed on one core.
           [--musicgen DIR] measures a MusicGen-melody checkpoint instead. [--precision P] [--cache DIR] [--threads N]
           [--sampler] measures the sampler's voices against rustysynth's instead. [--levels] its presets' levels.
  random-checkpoint DIR
           Writes a MusicGen-melody checkpoint with random weights, to measure with.  [--size melody|stereo-melody|small|…]
  score    Says how well melodies are heard, against recordings whose notes are known.
           [--data DIR] [--json FILE] [--each] [--markdown] [words to choose recordings]
  score band
           Says what the band promises: every style on many melodies and seeds.  [--styles A,B] [--melodies N] [--seeds N] [--audio N]
  fuzz     Attacks everything that reads what others wrote, and everything a host may call.
           [TARGET…] [--minutes N] [--seed S] [--no-host] [--replay [--input FILE]] [--keep] [--report]
  soak     A long session of the plugin in a host, with everything going on; looks for growth.  [--minutes 30] [--seed S]
  validate Plays a song with a hum in every host that is on this machine and judges what they recorded.
           [--host NAME]... [--out DIR] [--keep]; CLAP_VALIDATOR and VST3_VALIDATOR name validators
  measure  Says what Cantus costs a song: 50 instances, memory, the audio thread, saving, bouncing.  [--quick] [--debug]
  screenshots
           Draws the window in every state, without a display.  [--out DIR]
  tidy     Only the house rules.

System packages that are missing are installed first on Debian and Ubuntu; elsewhere they are named.";

fn main() -> ExitCode {
    if let Some(compiled) = fuzz::compile() {
        return compiled;
    }
    let mut arguments = std::env::args().skip(1);
    let word = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let asks_help = |argument: &String| argument == "--help" || argument == "-h";
    let own_options = rest.iter().take_while(|argument| *argument != "--");
    if matches!(word.as_str(), "" | "help" | "--help" | "-h") || own_options.clone().any(asks_help) {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let outcome = match word.as_str() {
        "demo" => demo::run(&rest),
        "test" => suite::run(&rest),
        "check" => cargo::no_options(&word, &rest).and_then(|()| check::run()),
        "bundle" => bundle::run(&rest),
        "install" => install::run(&rest),
        "bench" => bench::run(&rest),
        "random-checkpoint" => random_checkpoint::run(&rest),
        "score" => score::run(&rest),
        "fuzz" => fuzz::run(&rest),
        "soak" => soak::run(&rest),
        "measure" => measure::run(&rest),
        "validate" => validate::run(&rest),
        "screenshots" => screenshots::run(&rest),
        "tidy" => cargo::no_options(&word, &rest).and_then(|()| suite::tidy()),
        unknown => {
            eprintln!("cargo xtask does not know \"{unknown}\".\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}
