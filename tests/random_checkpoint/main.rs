//! Thread: main. Writes a MusicGen-melody checkpoint with random weights: the real shape, for measuring without the real weights.

mod writer;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
cantus-random-checkpoint DIR [--size SIZE] [--seed N]

  SIZE  melody (6.2 GB, the default), melody-large, stereo-melody, stereo-melody-large, medium (1.3 GB), small, small-stereo";

/// Published checkpoints come in parts of at most so many bytes.
const SHARD_BYTES: usize = 5_000_000_000;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}\n\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (mut folder, mut size, mut seed) = (None, "melody".to_owned(), 1_u64);
    let mut arguments = lexopt::Parser::from_env();
    let wrong = |error: lexopt::Error| error.to_string();
    while let Some(argument) = arguments.next().map_err(wrong)? {
        match argument {
            lexopt::Arg::Long("size") => size = arguments.value().map_err(wrong)?.to_string_lossy().into_owned(),
            lexopt::Arg::Long("seed") => {
                let text = arguments.value().map_err(wrong)?;
                seed = text.to_string_lossy().parse().map_err(|_| "The seed is no number.".to_owned())?;
            }
            lexopt::Arg::Value(value) if folder.is_none() => folder = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().to_string()),
        }
    }
    let folder = folder.ok_or("Name the folder to write to.")?;
    let config = writer::config(&size).ok_or_else(|| format!("There is no size \"{size}\"."))?;
    writer::write(&folder, &config, SHARD_BYTES, seed).map_err(|error| format!("Cannot write: {error}."))?;
    println!("A {size} checkpoint with random weights lies in {}.", folder.display());
    Ok(())
}
