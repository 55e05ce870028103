//! Thread: main. Python's hosts of VST3 plugins. The modules are fetched once into the user's cache.

use crate::evidence::{self, Evidence, Place};
use crate::outcome::Outcome;
use crate::{Stage, program, song};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The modules of all Python hosts, in the versions that were tried.
const MODULES: [&str; 4] = ["numpy", "pedalboard==0.9.26", "dawdreamer==0.9.0", "JACK-Client==0.5.7"];

/// pedalboard: no transport.
pub fn pedalboard(stage: &Stage) -> Outcome {
    play(stage, "pedalboard_host.py", Place::Nowhere)
}

/// dawdreamer: tempo and a moving song.
pub fn dawdreamer(stage: &Stage) -> Outcome {
    play(stage, "dawdreamer_host.py", Place::Song(0))
}

fn play(stage: &Stage, script: &str, place: Place) -> Outcome {
    match python(&stage.folder) {
        Err(why) => Outcome::Skipped(why),
        Ok(python) => perform(stage, &python, script, place).into(),
    }
}

fn perform(stage: &Stage, python: &Path, script: &str, place: Place) -> Result<String, String> {
    let track = song::track()?;
    song::write_raw(&stage.folder.join("track.f32"), &track)?;
    let mut command = Command::new(python);
    command.arg(self::script(script)).arg(&stage.vst3).arg(&stage.folder);
    let said = program::run(program::at_home(&mut command, &stage.folder), &stage.folder.join("said"))?;
    let evidence = Evidence {
        project: std::fs::read(stage.folder.join("project")).map_err(|error| error.to_string())?,
        playback: song::read_raw(&stage.folder.join("playback.f32"))?,
        reopened: song::read_raw(&stage.folder.join("reopened.f32"))?,
        place,
        faded: 0,
    };
    Ok(format!("{}; {}", evidence::judge(&evidence, &track)?, program::last_line(&said)))
}

/// A script of this folder.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("validate").join(name)
}

/// A Python that has the modules, or why there is none.
pub fn python(folder: &Path) -> Result<PathBuf, String> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let home = cache.ok_or("no cache folder is known")?.join("cantus").join("validate-python");
    let python = home.join("bin").join("python");
    let list = MODULES.join("\n");
    let noted = home.join("modules");
    if std::fs::read_to_string(&noted).is_ok_and(|text| text == list) && python.is_file() {
        return Ok(python);
    }
    let system = program::find("python3").ok_or("install python3")?;
    let log = folder.join("python.log");
    program::run(Command::new(system).args(["-m", "venv"]).arg(&home), &log)
        .map_err(|why| format!("install python3-venv: {why}"))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(MODULES);
    program::run(&mut install, &log).map_err(|why| format!("install with pip {}: {why}", MODULES.join(" ")))?;
    std::fs::write(&noted, list).map_err(|error| error.to_string())?;
    Ok(python)
}
