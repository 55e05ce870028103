//! Thread: main. Command line arguments.

use lexopt::prelude::*;
use std::path::PathBuf;

const HELP: &str = "\
Plays Cantus in the hosts that are on this machine and judges what they recorded.

  --host NAME  only this check; may be said several times
  --out DIR    where the checks work, a folder of the system's temporary ones by default
  --keep       leave what passed there, too
";

/// What to do.
#[derive(Debug)]
pub struct Arguments {
    pub bundle: PathBuf,
    pub hosts: Vec<String>,
    pub out: PathBuf,
    pub keep: bool,
}

impl Arguments {
    /// Reads the program's arguments; `None` after `--help`.
    pub fn parse(known: &[&str]) -> Result<Option<Self>, String> {
        let say = |error: lexopt::Error| error.to_string();
        let mut parser = lexopt::Parser::from_env();
        let mut bundle = None;
        let mut hosts = Vec::new();
        let mut out = std::env::temp_dir().join(format!("cantus-validate-{}", std::process::id()));
        let mut keep = false;
        while let Some(argument) = parser.next().map_err(say)? {
            match argument {
                Long("bundle") => bundle = Some(PathBuf::from(parser.value().map_err(say)?)),
                Long("host") => {
                    let host = parser.value().and_then(|value| value.string()).map_err(say)?;
                    if !known.contains(&host.as_str()) {
                        return Err(format!("no check is called \"{host}\"; there are: {}", known.join(", ")));
                    }
                    hosts.push(host);
                }
                Long("out") => out = PathBuf::from(parser.value().map_err(say)?),
                Long("keep") => keep = true,
                Long("help") | Short('h') => {
                    print!("{HELP}");
                    return Ok(None);
                }
                other => return Err(other.unexpected().to_string()),
            }
        }
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let bundle = bundle.ok_or("which bundle? --bundle names its folder; cargo xtask validate does that")?;
        Ok(Some(Self { bundle: absolute(bundle), hosts, out: absolute(out), keep }))
    }
}
