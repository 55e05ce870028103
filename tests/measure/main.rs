//! Thread: main. What Cantus costs a song: the table of the README, measured in a host of our own.

mod alone;
mod many;

use std::path::PathBuf;
use std::process::ExitCode;

/// A line of the table: what, the bar, and the figure.
pub struct Row(pub &'static str, pub &'static str, pub String);

/// A sentence for the person at the terminal.
pub type Outcome<T> = Result<T, String>;

/// What to measure with.
pub struct Bundles {
    /// The CLAP bundle of Cantus.
    pub cantus: PathBuf,
    /// The CLAP plugin that does nothing.
    pub empty: PathBuf,
    /// Measure a tenth, to see whether it works.
    pub quick: bool,
}

/// Any failure as a sentence.
pub fn say(error: impl ToString) -> String {
    error.to_string()
}

fn main() -> ExitCode {
    match arguments().and_then(|bundles| measure(&bundles)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("cantus-measure: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Outcome<Bundles> {
    let mut words = std::env::args_os().skip(1);
    let (Some(cantus), Some(empty)) = (words.next(), words.next()) else {
        return Err("which bundles? cargo xtask measure names them".into());
    };
    let mut bundles = Bundles { cantus: cantus.into(), empty: empty.into(), quick: false };
    for word in words {
        match word.to_str() {
            Some("--quick") => bundles.quick = true,
            _ => return Err(format!("there is no option {}", word.to_string_lossy())),
        }
    }
    Ok(bundles)
}

fn measure(bundles: &Bundles) -> Outcome<()> {
    let scratch = tempfile::tempdir().map_err(say)?;
    // SAFETY: called once, at the beginning of the program, while there is one thread.
    unsafe { std::env::set_var("CANTUS_DATA_DIR", scratch.path()) };
    let mut rows = many::measure(bundles)?;
    rows.extend(alone::measure(bundles)?);
    println!("| what | bar | measured |\n|---|---|---|");
    for Row(what, bar, figure) in rows {
        println!("| {what} | {bar} | {figure} |");
    }
    Ok(())
}
