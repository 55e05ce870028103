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
    // The plugin starts this one for neural engines; a CLAP file has no room for a second file inside.
    put(&folder.join(cargo::program(COMMAND_LINE)), &places.worker)?;
    if let Some(programs) = &places.programs {
        put(&folder.join(cargo::program(COMMAND_LINE)), programs)?;
        if wanted.standalone {
            put(&folder.join(cargo::program(STANDALONE_PROGRAM)), programs)?;
        }
    }
    println!("To remove Cantus, delete what is listed above. Models and settings lie in {}.", places.data.display());
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
    /// The user's own files of Cantus.
    data: PathBuf,
    /// Where the plugin looks for the program that runs neural engines.
    worker: PathBuf,
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
                let data = variable("APPDATA")?;
                Ok(Self::with(common.join("CLAP"), common.join("VST3"), None, &data))
            }
            "macos" => {
                let library = variable("HOME")?.join("Library");
                let plugins = library.join("Audio/Plug-Ins");
                Ok(Self::with(plugins.join("CLAP"), plugins.join("VST3"), None, &library.join("Application Support")))
            }
            _ => {
                let home = variable("HOME")?;
                let programs = Some(home.join(".local/bin"));
                let data = variable("XDG_DATA_HOME").unwrap_or_else(|_| home.join(".local/share"));
                Ok(Self::with(home.join(".clap"), home.join(".vst3"), programs, &data))
            }
        }
    }

    fn with(clap: PathBuf, vst3: PathBuf, programs: Option<PathBuf>, data: &Path) -> Self {
        let data = data.join(NAME);
        Self { clap, vst3, programs, worker: data.join("bin"), data }
    }
}
