//! Thread: main. Command line arguments of `score band`.

use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

const HELP: &str = "\
cargo xtask score band [options]

What the band promises, measured from outside: every style on many melodies and seeds.

  --data DIR       folder of melodies as X.json with notes and tempo. By default ../shared/melodies
  --styles A,B     only these
  --melodies N     so many of them (20)
  --seeds N        seeds 1 to N (5)
  --audio N        renders the first N seeds of every melody and listens to them (1); 0 looks at the notes only
  --markdown       prints tables as Markdown
  --faults         lists every single fault
  --write DIR      writes the rendered leads, mixes and the notes they should play, for other listeners
";

/// What to do.
#[derive(Debug)]
pub struct Arguments {
    pub data: PathBuf,
    pub styles: Vec<String>,
    pub melodies: usize,
    pub seeds: u64,
    pub audio: u64,
    pub markdown: bool,
    pub faults: bool,
    pub write: Option<PathBuf>,
}

impl Arguments {
    /// Reads the words; `None` after `--help`.
    pub fn parse(words: Vec<OsString>) -> Result<Option<Self>, String> {
        let mut parser = lexopt::Parser::from_args(words);
        let mut arguments = Self {
            data: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/melodies")),
            styles: Vec::new(),
            melodies: 20,
            seeds: 5,
            audio: 1,
            markdown: false,
            faults: false,
            write: None,
        };
        let say = |error: lexopt::Error| error.to_string();
        while let Some(argument) = parser.next().map_err(say)? {
            match argument {
                Long("data") => arguments.data = parser.value().map_err(say)?.into(),
                Long("styles") => {
                    let list = parser.value().map_err(say)?.string().map_err(say)?;
                    arguments.styles = list.split(',').map(|name| name.trim().to_owned()).collect();
                }
                Long("melodies") => arguments.melodies = parser.value().map_err(say)?.parse().map_err(say)?,
                Long("seeds") => arguments.seeds = parser.value().map_err(say)?.parse().map_err(say)?,
                Long("audio") => arguments.audio = parser.value().map_err(say)?.parse().map_err(say)?,
                Long("markdown") => arguments.markdown = true,
                Long("faults") => arguments.faults = true,
                Long("write") => arguments.write = Some(parser.value().map_err(say)?.into()),
                Long("help") | Short('h') => {
                    print!("{HELP}");
                    return Ok(None);
                }
                other => return Err(other.unexpected().to_string()),
            }
        }
        if let Some(folder) = &arguments.write {
            std::fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        }
        Ok(Some(arguments))
    }
}
