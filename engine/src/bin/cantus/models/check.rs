//! Thread: main. `cantus models check`: a checkpoint beside a reference, or by itself.

use crate::progress;
use cantus_engine::generation::musicgen::check::{Bar, CheckReport, Entry};
use cantus_engine::generation::musicgen::{MusicGen, Precision};
use cantus_engine::job_context::JobContext;
use cantus_engine::models::ModelLibrary;
use cantus_engine::{Error, Result};
use std::path::{Path, PathBuf};

/// What to check.
#[derive(Debug)]
pub struct Order {
    /// A known model's name, or the folder of a checkpoint.
    pub name: String,
    /// What another implementation computed.
    pub reference: Option<PathBuf>,
    /// Where to write what was computed here.
    pub dump: Option<PathBuf>,
}

/// Loads the checkpoint in 32 bits and prints a table of what was compared.
pub fn run(library: &ModelLibrary, order: &Order) -> Result<()> {
    // Any folder may be checked, also one that is no known model.
    let folder =
        if Path::new(&order.name).is_dir() { PathBuf::from(&order.name) } else { library.find(&order.name)?.dir };
    let (model, found) = MusicGen::load(&folder, Precision::F32, &progress::context("models check"))?;
    progress::clear();
    listed("Not in the files, and needed only to continue from a recording:", &found.missing);
    listed("In the files, and not used:", &found.unused);
    println!("{:<38} {:>10}  {:<26}", "entry", "error", "allowed");
    let context = JobContext::detached();
    let report = match &order.reference {
        Some(reference) => model.check_against(reference, &context, &mut show)?,
        None => model.check_itself(&context, &mut show)?,
    };
    if let Some(place) = &order.dump {
        report.dump(place)?;
        println!("What was computed is in {}.", place.display());
    }
    listed("Inputs, taken from the reference:", &report.inputs);
    listed("Not compared:", &report.not_compared);
    conclude(&report, &folder)
}

fn show(entry: &Entry) {
    let error = match entry.bar {
        Bar::Exact if entry.error.is_finite() => format!("{} differ", entry.error),
        _ => format!("{:.1e}", entry.error),
    };
    let verdict = if entry.passed() { "pass" } else { "FAIL" };
    let note = entry.note.as_ref().map_or(String::new(), |note| format!("  ({note})"));
    println!("{:<38} {error:>10}  {:<26} {verdict}{note}", entry.name, entry.bar.to_string());
}

fn listed(what: &str, names: &[String]) {
    const SHOWN: usize = 20;
    if !names.is_empty() {
        let more = names.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        println!("{what} {}{more}", names[..names.len().min(SHOWN)].join(", "));
    }
}

fn conclude(report: &CheckReport, folder: &Path) -> Result<()> {
    let (failures, count) = (report.failures(), report.entries.len());
    if failures == 0 {
        println!("All {count} entries pass.");
        return Ok(());
    }
    Err(Error::Model {
        name: "MusicGen-melody",
        reason: format!(
            "{failures} of {count} entries of {} do not pass. Fetch the model again, or use the reference that belongs to it.",
            folder.display()
        ),
    })
}
