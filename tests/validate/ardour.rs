//! Thread: main. Ardour 7 (VST3) without a screen: a session with the hum on a track, the loop around it, the plugin behind it.
//!
//! Its Lua neither imports sound nor sets a loop, so both are written into the session's file between two steps. The session is
//! exported twice: as it was saved by the program that captured, and after it was opened and saved once more.

use crate::evidence::{self, Evidence, Place};
use crate::outcome::Outcome;
use crate::song::{self, BEAT, END_BEAT, FRAMES, HUM_BEAT};
use crate::{Stage, juce, program};
use cantus_engine::capture::file::read_audio;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian puts the program that makes Ardour's list of plugins.
const SCANNER: &str = "/usr/lib/ardour7/ardour-vst3-scanner";
/// Ardour's ticks in a frame at the song's rate.
const TICKS: usize = 282_240_000 / song::RATE as usize;

/// Ardour fades in and out of its loop, which is longer than a block of its own.
const FADED: usize = 2_400;

/// Make, sing, export, open and save, export.
pub fn run(stage: &Stage) -> Outcome {
    if program::find("ardour7-lua").is_none() || !Path::new(SCANNER).is_file() {
        return Outcome::Skipped("install ardour".into());
    }
    perform(stage).into()
}

fn perform(stage: &Stage) -> Result<String, String> {
    let say = |error: std::io::Error| error.to_string();
    let track = song::track()?;
    install(stage)?;
    step(stage, "make")?;
    let file = stage.folder.join("session").join("song.ardour");
    let sounds = stage.folder.join("session").join("interchange").join("session").join("audiofiles");
    std::fs::create_dir_all(&sounds).map_err(say)?;
    for side in ["L", "R"] {
        song::write_mono_wav(&sounds.join(format!("hum-{side}.wav")), &track)?;
    }
    let session = std::fs::read_to_string(&file).map_err(say)?;
    std::fs::write(&file, with_hum(&session)?).map_err(say)?;
    step(stage, "sing")?;
    let project = std::fs::read(&file).map_err(say)?;
    let playback = export(stage, "playback")?;
    step(stage, "reopen")?;
    let reopened = export(stage, "reopened")?;
    let figure =
        evidence::judge(&Evidence { project, playback, reopened, place: Place::Song(0), faded: FADED }, &track)?;
    Ok(format!("{figure}; loop range captured"))
}

/// Puts the plugin where Ardour finds it, and makes its list of plugins.
fn install(stage: &Stage) -> Result<(), String> {
    let folder = home(stage).join(".vst3");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let bundle = folder.join("Cantus.vst3");
    let log = stage.folder.join("said-install");
    program::run(Command::new("cp").arg("-r").arg(&stage.vst3).arg(&bundle), &log)?;
    // A list that is not a whole second newer than the plugin is thrown away without a word.
    program::run(
        Command::new("find").arg(&bundle).args(["-type", "f", "-exec", "touch", "-d", "2020-01-01", "{}", "+"]),
        &log,
    )?;
    let mut scan = Command::new(SCANNER);
    scan.arg("-f").arg(&bundle).env("LD_LIBRARY_PATH", "/usr/lib/ardour7").env("HOME", home(stage));
    let said = program::run(&mut scan, &log)?;
    if said.contains("Found Plugin: Cantus") {
        Ok(())
    } else {
        Err("Ardour's scanner does not find the plugin.".into())
    }
}

fn home(stage: &Stage) -> PathBuf {
    stage.folder.join("home")
}

fn step(stage: &Stage, step: &str) -> Result<(), String> {
    let mut command = Command::new("ardour7-lua");
    command.arg(juce::script("ardour.lua")).env("HOME", home(stage));
    command.env("CANTUS_FOLDER", &stage.folder).env("CANTUS_STEP", step);
    let log = stage.folder.join(format!("said-{step}"));
    let said = program::run(program::at_home(&mut command, &stage.folder), &log)?;
    let told = said.lines().find_map(|line| line.strip_prefix("FAIL "));
    match told {
        Some(why) => Err(format!("{step}: {why}")),
        None if said.lines().any(|line| line.starts_with("OK ")) => Ok(()),
        None => Err(format!("{step}: {}", program::last_line(&said))),
    }
}

fn export(stage: &Stage, name: &str) -> Result<cantus_engine::audio::AudioBuffer, String> {
    let file = stage.folder.join(format!("{name}.wav"));
    let mut command = Command::new("ardour7-export");
    command
        .args(["-b", "float", "-o"])
        .arg(&file)
        .arg(stage.folder.join("session"))
        .arg("song")
        .env("HOME", home(stage));
    program::run(program::at_home(&mut command, &stage.folder), &stage.folder.join(format!("said-{name}")))?;
    read_audio(&file).map_err(|error| error.to_string())
}

/// The session with the hum on its track, a loop around it, and an end.
fn with_hum(session: &str) -> Result<String, String> {
    let source = |side: &str, id: usize| {
        format!(
            "<Source name=\"hum-{side}.wav\" type=\"audio\" flags=\"\" id=\"{id}\" channel=\"0\" origin=\"hum-{side}.wav\" gain=\"1\"/>"
        )
    };
    let region = |id: usize, whole: u8| {
        format!(
            "<Region name=\"hum\" type=\"audio\" muted=\"0\" opaque=\"1\" locked=\"0\" automatic=\"{whole}\" whole-file=\"{whole}\" \
             import=\"0\" external=\"1\" hidden=\"0\" start=\"a0\" length=\"a{}@a0\" sync-position=\"a0\" ancestral-start=\"a0\" \
             ancestral-length=\"a0@a0\" stretch=\"1\" shift=\"1\" layering-index=\"0\" first-edit=\"nothing\" envelope-active=\"0\" \
             default-fade-in=\"0\" default-fade-out=\"0\" fade-in-active=\"0\" fade-out-active=\"0\" scale-amplitude=\"1\" id=\"{id}\" \
             channels=\"2\" source-0=\"90010\" source-1=\"90011\" master-source-0=\"90010\" master-source-1=\"90011\"/>",
            FRAMES * TICKS
        )
    };
    let place = |id: usize, name: &str, start: usize, end: usize, flags: &str| {
        let (start, end) = (start * BEAT * TICKS, end * BEAT * TICKS);
        format!(
            "<Location id=\"{id}\" name=\"{name}\" start=\"a{start}\" end=\"a{end}\" flags=\"{flags}\" locked=\"0\" timestamp=\"0\" cue=\"0\"/>"
        )
    };
    let places = place(90_001, "Loop", HUM_BEAT, END_BEAT, "IsAutoLoop,IsHidden")
        + &place(90_002, "session", 0, FRAMES / BEAT, "IsSessionRange");
    let sources = source("L", 90_010) + &source("R", 90_011);
    let mut text = session.to_owned();
    for (empty, content) in [("Sources", sources), ("Regions", region(90_020, 1)), ("Locations", places)] {
        let hole = format!("<{empty}/>");
        if !text.contains(&hole) {
            return Err(format!("Ardour's new session already has {empty}."));
        }
        text = text.replacen(&hole, &format!("<{empty}>{content}</{empty}>"), 1);
    }
    let playlist = text.find("<Playlist ").ok_or("Ardour's session has no playlist.")?;
    let end = playlist + text[playlist..].find("/>").ok_or("Ardour's playlist is not empty.")?;
    text.replace_range(end..end + 2, &format!(">{}</Playlist>", region(90_021, 0)));
    Ok(text)
}
