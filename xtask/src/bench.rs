//! `bench`: the demo program measures a release build on one core.

use crate::bundle::{self, NAME, Options};
use crate::{Result, demo, packages};

/// The word `bench`. Options go to the demo program.
pub fn run(options: &[String]) -> Result<()> {
    let folder = bundle::build(Options { release: true, standalone: false })?;
    let one_core = packages::has_program("taskset");
    if !one_core {
        println!("taskset is not installed: the figures are those of all cores.");
    }
    let pinned: Option<&[&str]> = one_core.then_some(&["taskset", "--cpu-list", "0"]);
    let options = options.iter().skip_while(|option| *option == "--").cloned();
    let options: Vec<String> = std::iter::once("--bench".to_owned()).chain(options).collect();
    demo::play(true, &folder.join(format!("{NAME}.clap")), pinned, &options)
}
