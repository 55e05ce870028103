//! Thread: main. Command line arguments.

use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

const HELP: &str = "\
cargo xtask score [options] [words]

How well melodies are heard, against recordings whose notes are known. `cargo xtask score band` is about the band.

  --data DIR       folder of X.flac with X.json beside it; may be given more than once. By default ../shared/melodies
  --json FILE      writes every figure of every recording
  --each           also prints a line a recording
  --markdown       prints the table of groups as Markdown
  --write DIR      writes what was heard, one X.json a recording
  --estimates DIR  scores such files instead of listening

Words choose recordings: part of the name, or the kind (hum, voice, whistle, world, instrument, mix, real).
";

/// What to do.
#[derive(Debug)]
pub struct Arguments {
    pub data: Vec<PathBuf>,
    pub json: Option<PathBuf>,
    pub each: bool,
    pub markdown: bool,
    pub write: Option<PathBuf>,
    pub estimates: Option<PathBuf>,
    pub words: Vec<String>,
}

impl Arguments {
    /// Reads the words; `None` after `--help`.
    pub fn parse(words: Vec<OsString>) -> Result<Option<Self>, String> {
        let mut parser = lexopt::Parser::from_args(words);
        let mut arguments = Self {
            data: Vec::new(),
            json: None,
            each: false,
            markdown: false,
            write: None,
            estimates: None,
            words: Vec::new(),
        };
        let say = |error: lexopt::Error| error.to_string();
        while let Some(argument) = parser.next().map_err(say)? {
            match argument {
                Long("data") => arguments.data.push(parser.value().map_err(say)?.into()),
                Long("json") => arguments.json = Some(parser.value().map_err(say)?.into()),
                Long("each") => arguments.each = true,
                Long("markdown") => arguments.markdown = true,
                Long("write") => arguments.write = Some(parser.value().map_err(say)?.into()),
                Long("estimates") => arguments.estimates = Some(parser.value().map_err(say)?.into()),
                Long("help") | Short('h') => {
                    print!("{HELP}");
                    return Ok(None);
                }
                Value(word) => arguments.words.push(word.string().map_err(say)?),
                other => return Err(other.unexpected().to_string()),
            }
        }
        if arguments.data.is_empty() {
            arguments.data.push(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/melodies")));
        }
        if let Some(folder) = &arguments.write {
            std::fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        }
        Ok(Some(arguments))
    }
}
