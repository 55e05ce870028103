//! Thread: main. What the band promises, measured from outside: every style on many melodies and seeds.

mod arguments;
mod classify;
mod facts;
mod features;
mod fit;
mod lead;
mod melodies;
mod scores;
mod sound;
mod spectrum;
mod style_row;
mod table;
mod variety;

use crate::{Failure, Result};
use arguments::Arguments;
use cantus_engine::generation::style::library::StyleLibrary;
use std::ffi::OsString;

/// Reads the words after `score band` and does what they say.
pub fn score(words: Vec<OsString>) -> std::result::Result<(), Failure> {
    match Arguments::parse(words).map_err(Failure::Misuse)? {
        Some(arguments) => run(&arguments).map_err(Failure::Work),
        None => Ok(()),
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let library = StyleLibrary::builtin().map_err(|error| error.to_string())?;
    let melodies = melodies::read(&arguments.data, arguments.melodies)?;
    let chosen = |name: &str| arguments.styles.is_empty() || arguments.styles.iter().any(|style| style == name);
    let styles: Vec<_> = library.list().iter().filter(|style| chosen(&style.name)).collect();
    if styles.is_empty() {
        return Err(format!("there is no style {}; there are {}", arguments.styles.join(", "), library.names()));
    }
    let outcome = scores::play(&library, &styles, &melodies, arguments)?;
    table::print(&outcome, &melodies, arguments);
    Ok(())
}
