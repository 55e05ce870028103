//! Thread: main. How well melodies are heard: the engine listens to recordings whose melody is known.

mod arguments;
mod clock;
mod figures;
mod matching;
mod melody_file;
mod table;

use crate::{Failure, Result};
use arguments::Arguments;
use cantus_engine::analysis::analyse;
use cantus_engine::capture::file::read_take;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::Metre;
use figures::Figures;
use melody_file::{Estimate, Truth};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use table::Row;

/// Reads the words after `score` and does what they say.
pub fn score(words: Vec<OsString>) -> std::result::Result<(), Failure> {
    match Arguments::parse(words).map_err(Failure::Misuse)? {
        Some(arguments) => run(&arguments).map_err(Failure::Work),
        None => Ok(()),
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let mut rows = Vec::new();
    for folder in &arguments.data {
        for path in truths(folder)? {
            let truth = Truth::read(&path)?;
            if arguments.words.iter().all(|word| truth.id.contains(word.as_str()) || truth.kind == *word) {
                rows.push(hear(&path, truth, arguments)?);
            }
        }
    }
    if rows.is_empty() {
        return Err(
            "no recording with a known melody was found: give a folder of X.flac and X.json with --data.".into()
        );
    }
    table::print(&rows, arguments.each, arguments.markdown);
    if let Some(path) = &arguments.json {
        let json = table::json(&rows).to_string();
        std::fs::write(path, json).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

/// The truth files of a folder, in order of name. What has no sound beside it is no truth file.
fn truths(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter(|path| path.with_extension("flac").exists())
        .collect();
    paths.sort();
    Ok(paths)
}

/// Hears one recording and compares. With estimates made elsewhere, those are compared and nothing is heard.
fn hear(path: &Path, truth: Truth, arguments: &Arguments) -> Result<Row> {
    let (estimate, seconds, cost) = match &arguments.estimates {
        Some(folder) => (Estimate::read(&folder.join(format!("{}.json", truth.id)))?, 0.0, 0.0),
        None => {
            let audio = path.with_extension("flac");
            let take = read_take(&audio, None, Metre::default()).map_err(|error| error.to_string())?;
            let began = clock::processor_seconds();
            let analysis = analyse(&take, &JobContext::detached()).map_err(|error| error.to_string())?;
            let cost = clock::processor_seconds() - began;
            (Estimate::of(&analysis), take.audio.length().seconds(take.audio.rate).0, cost)
        }
    };
    if let Some(folder) = &arguments.write {
        estimate.write(&folder.join(format!("{}.json", truth.id)))?;
    }
    Ok(Row { figures: Figures::of(&truth, &estimate), truth, seconds, cost })
}
