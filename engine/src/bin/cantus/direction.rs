//! Thread: main. What the command line tells the band: options of `render` that become a direction and a song.

use crate::arguments::{number, path, text, whole};
use cantus_engine::analysis::{Key, Mode, analyse};
use cantus_engine::capture::file::read_part;
use cantus_engine::generation::direction::Direction;
use cantus_engine::generation::score::{Preset, Role};
use cantus_engine::generation::song::SongContext;
use cantus_engine::generation::style::presets::PresetTable;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::Metre;
use cantus_engine::{Error, Result};
use serde::de::DeserializeOwned;
use std::path::PathBuf;

pub const HELP: &str = "\
  The band is told by these options of render:
      --lead as-sung|octave-up|octave-down|thirds|sixths|doubled|off    --ending loop|final
      --extend BARS    --place whole|verse|chorus|bridge    --pulse normal|half|double
      --reharmonise diatonic|style|borrowed|adventurous    --chords-per-bar X    --pedal
      --chords \"C Am7 | F G\"    --chords-from FILE (MIDI or played chords)    --key \"A minor\"
      --energy --complexity --brightness --swing --humanise --reverb   each -1 to 1, 0 is the style's own
      --mute drums,pad    --sound lead=\"Flute\"    --part-seed bass=7    --harmony-seed N
";

/// What was said about the band.
#[derive(Debug, Clone, Default)]
pub struct BandOptions {
    pub direction: Direction,
    chords: Option<String>,
    chords_from: Option<PathBuf>,
    key: Option<Key>,
}

impl BandOptions {
    /// Takes an option if it is about the band; whether it was.
    pub fn read(&mut self, option: &str, parser: &mut lexopt::Parser) -> std::result::Result<bool, String> {
        let direction = &mut self.direction;
        let moods = &mut direction.moods;
        match option {
            "lead" => direction.lead = named(option, parser)?,
            "ending" => direction.ending = named(option, parser)?,
            "place" => direction.place = named(option, parser)?,
            "pulse" => direction.pulse = named(option, parser)?,
            "reharmonise" | "reharmonize" => direction.reharmonisation = named(option, parser)?,
            "extend" => direction.bars = u32::try_from(whole(parser, "--extend", 1..=512)?).ok(),
            "chords-per-bar" => direction.chords_per_bar = Some(number(parser, "--chords-per-bar", 0.25..=4.0)? as f32),
            "pedal" => direction.pedal = true,
            "harmony-seed" => direction.harmony_seed = Some(whole(parser, "--harmony-seed", 0..=u64::MAX)?),
            "energy" => moods.energy = mood(option, parser)?,
            "complexity" => moods.complexity = mood(option, parser)?,
            "brightness" => moods.brightness = mood(option, parser)?,
            "swing" => moods.swing = mood(option, parser)?,
            "humanise" | "humanize" => moods.humanise = mood(option, parser)?,
            "reverb" => moods.reverb = mood(option, parser)?,
            "mute" => {
                for word in text(parser)?.split(',') {
                    direction.part_mut(role(word)?).muted = true;
                }
            }
            "part-seed" => {
                let (role, seed) = pair(option, parser)?;
                let seed = seed.parse().map_err(|_| format!("--part-seed wants a whole number, not \"{seed}\""))?;
                direction.part_mut(role).seed = Some(seed);
            }
            "sound" => {
                let (role, name) = pair(option, parser)?;
                direction.part_mut(role).preset = Some(sound(&name)?);
            }
            "chords" => self.chords = Some(text(parser)?),
            "chords-from" => self.chords_from = Some(path(parser)?),
            "key" => self.key = Some(key(&text(parser)?)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The song around the melody.
    ///
    /// # Errors
    /// [`Error::Chords`] for chords nobody can read, [`Error::File`] and whatever the listener says for a file.
    pub fn song(&self, metre: Metre) -> Result<SongContext> {
        let context = match (&self.chords, &self.chords_from) {
            (Some(typed), _) => SongContext::typed(typed, metre, self.key)?,
            (None, Some(file)) => {
                let take = read_part(file, None, metre, None)?;
                let heard = analyse(&take, &JobContext::detached())?;
                let played = SongContext::played(&heard, self.key);
                if played.chords.is_empty() {
                    let reason = format!("no chords were found in {}", file.display());
                    return Err(Error::NoMelody { reason });
                }
                // A clip's chords are meant for the melody, wherever the clip lay in its own song.
                SongContext { start: None, ..played }
            }
            (None, None) => SongContext::default(),
        };
        Ok(SongContext { key: self.key, ..context })
    }
}

/// A choice by the name it is saved under.
fn named<T: DeserializeOwned>(option: &str, parser: &mut lexopt::Parser) -> std::result::Result<T, String> {
    let given = text(parser)?;
    let value = serde_json::Value::String(given.clone());
    serde_json::from_value(value).map_err(|_| format!("--{option} cannot be \"{given}\"; see cantus --help"))
}

fn mood(option: &str, parser: &mut lexopt::Parser) -> std::result::Result<f32, String> {
    Ok(number(parser, &format!("--{option}"), -1.0..=1.0)? as f32)
}

fn role(word: &str) -> std::result::Result<Role, String> {
    let word = word.trim();
    Role::ALL.into_iter().find(|role| role.name() == word).ok_or_else(|| {
        let names = Role::ALL.map(Role::name).join(", ");
        format!("there is no part \"{word}\"; there are {names}")
    })
}

/// `bass=7`.
fn pair(option: &str, parser: &mut lexopt::Parser) -> std::result::Result<(Role, String), String> {
    let given = text(parser)?;
    let (name, value) = given.split_once('=').ok_or_else(|| format!("--{option} is written like --{option} bass=…"))?;
    Ok((role(name)?, value.trim().to_owned()))
}

fn sound(name: &str) -> std::result::Result<Preset, String> {
    let sounds = PresetTable::shipped().map_err(|error| error.to_string())?;
    let wanted = name.to_lowercase();
    let matching = |info: &&cantus_engine::generation::style::presets::PresetInfo| {
        let known = info.name.to_lowercase();
        known == wanted || format!("{}:{}", info.preset.bank, info.preset.program) == wanted
    };
    let all = || sounds.all().iter().map(|info| info.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = sounds.all().iter().find(matching);
    found.map(|info| info.preset).ok_or_else(|| format!("there is no sound \"{name}\"; there are {}", all()))
}

/// "A minor", "Eb major", "F#m".
fn key(given: &str) -> std::result::Result<Key, String> {
    let wanted = given.to_lowercase().replace(' ', "").replace('♯', "#").replace('♭', "b");
    let (name, mode) = match wanted.strip_suffix("minor").or(wanted.strip_suffix("min")) {
        Some(name) => (name.to_owned(), Mode::Minor),
        None => match wanted.strip_suffix("major").or(wanted.strip_suffix("maj")) {
            Some(name) => (name.to_owned(), Mode::Major),
            None if wanted.len() > 1 && wanted.ends_with('m') => (wanted[..wanted.len() - 1].to_owned(), Mode::Minor),
            None => (wanted.clone(), Mode::Major),
        },
    };
    const NAMES: [[&str; 2]; 12] = [
        ["c", "b#"],
        ["c#", "db"],
        ["d", "d"],
        ["d#", "eb"],
        ["e", "fb"],
        ["f", "e#"],
        ["f#", "gb"],
        ["g", "g"],
        ["g#", "ab"],
        ["a", "a"],
        ["a#", "bb"],
        ["b", "cb"],
    ];
    let tonic =
        NAMES.iter().position(|names| names.contains(&name.as_str())).and_then(|tonic| u8::try_from(tonic).ok());
    tonic
        .map(|tonic| Key { tonic, mode })
        .ok_or_else(|| format!("--key is \"{given}\", but must be like \"A minor\" or \"Eb major\""))
}
