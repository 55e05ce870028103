//! Thread: main. Command line arguments.

use lexopt::prelude::*;
use std::path::PathBuf;

const HELP: &str = "\
The demo: hums into the bundled plugin in a headless host and writes what the host heard.

  --input FILE   a recording instead of the demo hum (WAV, FLAC, MP3, OGG)
  --bpm B        its tempo, 100 by default
  --bars N       bars of the loop; by default as many as the recording fills
  --out DIR      where to write, demo-out by default
  --rate HZ      the host's sample rate, 48000 by default
  --block N      the host's block size, 512 by default
  --bench        measure instead of writing files
  --bench-band   measure how fast the band plays
";

/// What to do.
#[derive(Debug)]
pub struct Arguments {
    pub bundle: PathBuf,
    pub input: PathBuf,
    pub bpm: f64,
    pub bars: Option<u32>,
    pub out: PathBuf,
    pub rate: u32,
    pub block: usize,
    pub bench: bool,
    pub bench_band: bool,
}

impl Arguments {
    /// Reads the program's arguments; `None` after `--help`.
    pub fn parse() -> Result<Option<Self>, String> {
        let mut parser = lexopt::Parser::from_env();
        let mut bundle = None;
        let mut arguments = Self {
            bundle: PathBuf::new(),
            input: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo/hum.flac")),
            bpm: 100.0,
            bars: None,
            out: PathBuf::from("demo-out"),
            rate: 48_000,
            block: 512,
            bench: false,
            bench_band: false,
        };
        let say = |error: lexopt::Error| error.to_string();
        while let Some(argument) = parser.next().map_err(say)? {
            match argument {
                Long("bundle") => bundle = Some(parser.value().map_err(say)?.into()),
                Long("input") => arguments.input = parser.value().map_err(say)?.into(),
                Long("bpm") => arguments.bpm = parser.value().and_then(|value| value.parse()).map_err(say)?,
                Long("bars") => {
                    arguments.bars = Some(parser.value().and_then(|value| value.parse()).map_err(say)?);
                }
                Long("out") => arguments.out = parser.value().map_err(say)?.into(),
                Long("rate") => arguments.rate = parser.value().and_then(|value| value.parse()).map_err(say)?,
                Long("block") => arguments.block = parser.value().and_then(|value| value.parse()).map_err(say)?,
                Long("bench") => arguments.bench = true,
                Long("bench-band") => arguments.bench_band = true,
                Long("help") | Short('h') => {
                    print!("{HELP}");
                    return Ok(None);
                }
                other => return Err(other.unexpected().to_string()),
            }
        }
        let inside = |what: &str, ok: bool| ok.then_some(()).ok_or_else(|| format!("{what} is out of range"));
        inside("--bpm", (20.0..=400.0).contains(&arguments.bpm))?;
        inside("--rate", (8_000..=192_000).contains(&arguments.rate))?;
        inside("--block", (1..=8_192).contains(&arguments.block))?;
        inside("--bars", arguments.bars.is_none_or(|bars| (1..=64).contains(&bars)))?;
        arguments.bundle = bundle.ok_or("which bundle? --bundle names Cantus.clap; cargo xtask demo does that")?;
        Ok(Some(arguments))
    }
}
