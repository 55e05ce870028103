//! `install`: the release bundles go where this user's DAW looks for them.

use crate::bundle::{self, COMMAND_LINE, NAME, Options, STANDALONE_PROGRAM};
use crate::{Result, cargo};
use std::fs;
use std::path::{Path, PathBuf};

/// The word `install`.
pub fn run(options: &[String]) -> Result<()> {
    let mut wanted = Options { release: true, standalone: false };
    for option in options {
        match option.as_str() {
            "--standalone" => wanted.standalone = true,
            other => return Err(format!("cargo xtask install has no option \"{other}\".")),
        }
    }
    let places = Places::find()?;
    let folder = bundle::build(wanted)?;
    put(&folder.join(format!("{NAME}.clap")), &places.clap)?;
    put(&folder.join(format!("{NAME}.vst3")), &places.vst3)?;
    if let Some(programs) = &places.programs {
        put(&folder.join(cargo::program(COMMAND_LINE)), programs)?;
        if wanted.standalone {
            put(&folder.join(cargo::program(STANDALONE_PROGRAM)), programs)?;
        }
    }
    println!("Let your DAW scan for plugins, then put Cantus on the track you hum into.");
    Ok(())
}

fn put(from: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(bundle::failed("create", folder))?;
    let to = folder.join(from.file_name().unwrap_or_default());
    bundle::copy_tree(from, &to)?;
    println!("Installed {}", to.display());
    Ok(())
}

/// The user's own folders; nothing is installed for the whole machine.
struct Places {
    clap: PathBuf,
    vst3: PathBuf,
    /// Where programs go; only Linux has such a folder.
    programs: Option<PathBuf>,
}

impl Places {
    fn find() -> Result<Self> {
        let variable = |name: &str| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
            value.ok_or_else(|| format!("{name} is not set, so your plugin folders cannot be found."))
        };
        match std::env::consts::OS {
            "windows" => {
                let common = variable("LOCALAPPDATA")?.join("Programs").join("Common");
                Ok(Self { clap: common.join("CLAP"), vst3: common.join("VST3"), programs: None })
            }
            "macos" => {
                let plugins = variable("HOME")?.join("Library/Audio/Plug-Ins");
                Ok(Self { clap: plugins.join("CLAP"), vst3: plugins.join("VST3"), programs: None })
            }
            _ => {
                let home = variable("HOME")?;
                let programs = Some(home.join(".local/bin"));
                Ok(Self { clap: home.join(".clap"), vst3: home.join(".vst3"), programs })
            }
        }
    }
}
