//! Thread: main. Cantus in other people's hosts: the same song in each, judged from outside.
//!
//! Each host loads the built plugin, hums into it, captures, generates, plays the rendition in place, saves and reopens. What it leaves
//! behind, its own recording of what sounded and its own project, is judged here against the session and the song's grid.

mod ardour;
mod arguments;
mod clack;
mod evidence;
mod juce;
mod outcome;
mod program;
mod project_text;
mod song;
mod validators;

use arguments::Arguments;
use outcome::Outcome;
use std::process::ExitCode;
use std::time::Instant;

/// What every check is given.
pub struct Stage {
    /// The CLAP bundle.
    pub clap: std::path::PathBuf,
    /// The VST3 bundle.
    pub vst3: std::path::PathBuf,
    /// A folder of the check's own, empty at its beginning.
    pub folder: std::path::PathBuf,
}

/// A check by its name.
type Check = (&'static str, fn(&Stage) -> Outcome);

const CHECKS: [Check; 6] = [
    ("clap-validator", validators::clap),
    ("vst3-validator", validators::vst3),
    ("clack", clack::run),
    ("pedalboard", juce::pedalboard),
    ("dawdreamer", juce::dawdreamer),
    ("ardour", ardour::run),
];

fn main() -> ExitCode {
    // Our own host runs in a process of its own, which is this program again.
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if let [word, clap, ..] = words.as_slice()
        && word == "--clack"
    {
        return match clack::perform(clap.as_ref()) {
            Ok(figure) => {
                println!("{figure}");
                ExitCode::SUCCESS
            }
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        };
    }
    let arguments = match Arguments::parse(&CHECKS.map(|(name, _)| name)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return ExitCode::SUCCESS,
        Err(misuse) => {
            eprintln!("cantus-validate: {misuse}");
            return ExitCode::from(2);
        }
    };
    match validate(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("cantus-validate: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn validate(arguments: &Arguments) -> Result<bool, String> {
    let mut failures = 0;
    for (name, check) in CHECKS {
        if !arguments.hosts.is_empty() && !arguments.hosts.iter().any(|host| host == name) {
            continue;
        }
        let folder = arguments.out.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|error| format!("Cannot empty {}: {error}.", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).map_err(|error| format!("Cannot create {}: {error}.", folder.display()))?;
        let stage = Stage {
            clap: arguments.bundle.join("Cantus.clap"),
            vst3: arguments.bundle.join("Cantus.vst3"),
            folder: folder.clone(),
        };
        let begun = Instant::now();
        let outcome = check(&stage);
        failures += usize::from(matches!(outcome, Outcome::Fail(_)));
        println!("{name}: {outcome}  ({:.0} s)", begun.elapsed().as_secs_f64());
        // What a failed check left helps to understand it; the rest is large and says nothing.
        if !arguments.keep && !matches!(outcome, Outcome::Fail(_)) {
            std::fs::remove_dir_all(&folder).ok();
        }
    }
    if failures > 0 {
        println!("{failures} failed; what they left lies in {}.", arguments.out.display());
    }
    Ok(failures == 0)
}
