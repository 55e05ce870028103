//! Thread: main. Command line arguments.

mod midi;

use crate::direction::BandOptions;
use crate::models;
use cantus_engine::export::midi::MidiOptions;
use cantus_engine::generation::choice::{MelodyCondition, MusicGenChoice};
use cantus_engine::generation::musicgen::Precision;
use cantus_engine::generation::score::Level;
use cantus_engine::generation::{EngineKind, Timing};
use cantus_engine::time::{Bpm, Metre, SampleRate, Seconds};
use lexopt::prelude::*;
use std::path::PathBuf;

pub const HELP: &str = "\
cantus: a hummed melody becomes a styled rendition

  cantus analyze IN [--bpm B] [--metre 4/4] [--part N] [--json OUT] [--midi OUT.mid]
                 [--picture OUT.png] [--out DIR]
      Listens to a recording and tells its notes, key, tempo, and what is doubtful.
      --out writes all three files. IN may be a folder: a line for each recording in it.

  cantus render IN --style \"jazz\" [--bpm B] [--metre 4/4] [--seed N] [--variations K]
                [--freedom F] [--timing sung|tight|grid] [--engine band] [--rate HZ] [--part N]
                [--midi-lead plain|bend|mpe] [--midi-groove played|straight] [--drum-map gm|FILE]
                [--level loud|session] [--stems wet|dry] [--styles DIR] [--sheet] --out DIR
      Writes DIR/<nn>-<style>/{mix.wav, premaster.wav, stems/*.wav, rendition.mid}
      and DIR/report.json. The style is a name or any prompt. A drum map is a text file with
      a line a drum: its name or General MIDI key, =, and the key it is to have.
      The mix is mastered to -14 LUFS; --level session leaves it as the sum of the stems, at
      -18. Dry stems have no room and echo. --sheet also draws sheet.png. --style all renders
      every style there is.

  cantus render IN --engine musicgen --prompt \"warm strings\" [--model DIR|NAME]
                [--melody take|notes|chords|none] [--bars N | --seconds S] [--seed N]
                [--precision f32|q8|q4] [--cfg G] [--top-k K] [--top-p P] [--temperature T]
                [--in-process] [--bpm B] [--metre 4/4] [--variations K] [--rate HZ] --out DIR
      The same with MusicGen-melody, from your own copy of the model; it writes the mix, and
      the melody as rendition.mid. See cantus models.

  cantus styles [--json] [--styles DIR]
      Lists the styles: name, shelf, what it is, its words and parts, and mistakes in your own.
  cantus styles check FILE
      Reads a style file of yours and says what is wrong in it, and on which line.
  cantus styles show NAME
      Prints the file of a built-in style, to begin your own with.

  cantus prompt \"dark 80s ballad, cello lead, no drums\" [--json] [--styles DIR]
      Tells what is understood of a prompt, and what is not.

  cantus models list [--json]
      Lists the neural models: what is installed, how big, under which licence.
  cantus models fetch NAME [--accept-licence] [--revision R] [--to DIR] [--endpoint URL]
      Fetches a model, or what is missing or damaged of it. Can be interrupted and goes on
      where it stopped. The environment variables HF_ENDPOINT and HF_TOKEN are heeded.
  cantus models verify NAME|DIR
      Reads every byte of a model and compares checksums.
  cantus models add DIR
      Lists a model that lies elsewhere.
  cantus models remove NAME|DIR [--yes]
      Deletes a model that Cantus fetched; forgets one that was added.
  cantus models path [NAME]
      Tells where models lie, for putting files there by hand.
  cantus models check NAME|DIR [--reference FILE] [--dump OUT.safetensors]
      Runs a MusicGen-melody checkpoint on the inputs of a reference file, compares every
      entry, and writes what it computed. Without a reference: whether the model works at all.

Styles of your own are read from DIR, by default the folder styles in your data folder.
IN is WAV, AIFF, FLAC, MP3, OGG or MIDI. Without --bpm a MIDI file has its own tempo, and that of a
recording is estimated. --part chooses among the parts of a MIDI file.
Exit status: 0 done, 1 the work failed, 2 the command line was not understood.
";

/// What to do.
#[derive(Debug)]
pub enum Command {
    Help,
    Version,
    Analyze(Analyze),
    Render(Box<Render>),
    Styles(Styles),
    /// Reads a prompt with the built-in styles and those of a folder.
    Prompt {
        words: String,
        json: bool,
        folder: Option<PathBuf>,
    },
    /// Serves a plugin or another `cantus`; not for people.
    Worker,
    Models(models::arguments::Order),
}

/// `cantus analyze`.
#[derive(Debug)]
pub struct Analyze {
    pub input: PathBuf,
    pub tempo: Option<Bpm>,
    pub metre: Metre,
    pub part: Option<usize>,
    pub json: Option<PathBuf>,
    pub midi: Option<PathBuf>,
    pub picture: Option<PathBuf>,
    pub out: Option<PathBuf>,
}

/// `cantus styles`.
#[derive(Debug)]
pub struct Styles {
    pub what: StyleWish,
    pub json: bool,
    pub folder: Option<PathBuf>,
}

/// What is wanted of the styles.
#[derive(Debug)]
pub enum StyleWish {
    List,
    Check(PathBuf),
    Show(String),
}

/// `cantus render`.
#[derive(Debug)]
pub struct Render {
    pub input: PathBuf,
    /// A style's name or any prompt.
    pub style: String,
    pub engine: EngineKind,
    pub in_process: bool,
    pub length: Option<Length>,
    pub tempo: Option<Bpm>,
    pub metre: Metre,
    pub seed: u64,
    pub variations: u32,
    pub freedom: f32,
    pub timing: Timing,
    pub rate: SampleRate,
    pub part: Option<usize>,
    pub band: BandOptions,
    pub midi: MidiOptions,
    /// Draws a sheet of every variation.
    pub sheet: bool,
    pub level: Level,
    pub dry_stems: bool,
    /// Where the user's styles lie.
    pub styles: Option<PathBuf>,
    pub out: PathBuf,
}

/// How much of the recording is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    Bars(f64),
    Seconds(Seconds),
}

/// Reads the program's arguments; the error is a sentence.
pub fn parse() -> Result<Command, String> {
    let mut parser = lexopt::Parser::from_env();
    let word = match parser.next().map_err(|error| error.to_string())? {
        None | Some(Long("help") | Short('h')) => return Ok(Command::Help),
        Some(Long("version") | Short('V')) => return Ok(Command::Version),
        Some(Value(word)) => word.to_string_lossy().into_owned(),
        Some(other) => return Err(other.unexpected().to_string()),
    };
    if word == "models" {
        return models::arguments::parse(&mut parser);
    }
    let mut options = Options { accepts_more: word == "styles", ..Options::default() };
    options.read(&mut parser)?;
    if options.help {
        return Ok(Command::Help);
    }
    match word.as_str() {
        "analyze" | "analyse" if options.json_wanted && options.json.is_none() => {
            Err("--json needs the file to write to".to_owned())
        }
        "analyze" | "analyse" => {
            let order = Analyze {
                input: options.input()?,
                tempo: options.tempo,
                metre: options.metre.unwrap_or_default(),
                part: options.part,
                json: options.json,
                midi: options.midi,
                picture: options.picture,
                out: options.out,
            };
            if order.input.is_dir() && (order.json.is_some() || order.midi.is_some() || order.picture.is_some()) {
                return Err("a folder has more than one result: name the folder to write to with --out".to_owned());
            }
            Ok(Command::Analyze(order))
        }
        "render" => Ok(Command::Render(Box::new(Render {
            input: options.input()?,
            engine: options.engine()?,
            style: options.style.ok_or("render needs --style or --prompt, a style's name or any words")?,
            in_process: options.in_process,
            length: options.length,
            tempo: options.tempo,
            metre: options.metre.unwrap_or_default(),
            seed: options.seed.unwrap_or(1),
            variations: options.variations.unwrap_or(1),
            freedom: options.freedom.unwrap_or(0.0),
            timing: options.timing,
            rate: options.rate.unwrap_or(SampleRate(48_000)),
            part: options.part,
            band: options.band,
            midi: options.midi_options,
            sheet: options.sheet,
            level: options.level.unwrap_or(Level::Loud),
            dry_stems: options.dry_stems,
            styles: options.styles,
            out: options.out.ok_or("render needs --out, the folder to write to")?,
        }))),
        "styles" => {
            let what = options.style_wish()?;
            Ok(Command::Styles(Styles { what, json: options.json_wanted, folder: options.styles }))
        }
        "prompt" => {
            let words = options.input.ok_or("prompt needs the words to read, in quotes")?;
            let words = words.to_string_lossy().into_owned();
            Ok(Command::Prompt { words, json: options.json_wanted, folder: options.styles })
        }
        "help" => Ok(Command::Help),
        "worker" => Ok(Command::Worker),
        other => Err(format!("there is no command \"{other}\"; there are analyze, render, styles, prompt and models")),
    }
}

#[derive(Default)]
struct Options {
    input: Option<PathBuf>,
    style: Option<String>,
    tempo: Option<Bpm>,
    metre: Option<Metre>,
    seed: Option<u64>,
    variations: Option<u32>,
    freedom: Option<f32>,
    timing: Timing,
    rate: Option<SampleRate>,
    out: Option<PathBuf>,
    json: Option<PathBuf>,
    json_wanted: bool,
    help: bool,
    in_process: bool,
    length: Option<Length>,
    musicgen: bool,
    choice: MusicGenChoice,
    /// An option that only a neural engine has, for the complaint.
    neural: Option<&'static str>,
    part: Option<usize>,
    midi: Option<PathBuf>,
    midi_options: MidiOptions,
    band: BandOptions,
    sheet: bool,
    picture: Option<PathBuf>,
    level: Option<Level>,
    dry_stems: bool,
    styles: Option<PathBuf>,
    /// A second word after the command: what `check` and `show` are about.
    more: Option<PathBuf>,
    accepts_more: bool,
}

impl Options {
    fn style_wish(&self) -> Result<StyleWish, String> {
        let word = self.input.as_deref().map(|word| word.to_string_lossy().into_owned());
        match (word.as_deref(), &self.more) {
            (None, _) => Ok(StyleWish::List),
            (Some("check"), Some(file)) => Ok(StyleWish::Check(file.clone())),
            (Some("check"), None) => Err("styles check needs the file to read".to_owned()),
            (Some("show"), Some(name)) => Ok(StyleWish::Show(name.to_string_lossy().into_owned())),
            (Some("show"), None) => Err("styles show needs the name of a built-in style".to_owned()),
            (Some(other), _) => Err(format!("styles has no \"{other}\"; there are check FILE and show NAME")),
        }
    }

    fn read(&mut self, parser: &mut lexopt::Parser) -> Result<(), String> {
        let say = |error: lexopt::Error| error.to_string();
        while let Some(argument) = parser.next().map_err(say)? {
            match argument {
                Long("style" | "prompt") if self.style.is_some() => {
                    return Err("--style and --prompt are the same: put all words into one".to_owned());
                }
                Long("style" | "prompt") => self.style = Some(text(parser)?),
                Long("bpm") => self.tempo = Some(Bpm(number(parser, "--bpm", 20.0..=400.0)?)),
                Long("metre" | "meter") => self.metre = Some(metre(&text(parser)?)?),
                Long("seed") => self.seed = Some(whole(parser, "--seed", 0..=u64::MAX)?),
                Long("variations") => {
                    self.variations = Some(u32::try_from(whole(parser, "--variations", 1..=99)?).unwrap_or(1));
                }
                Long("freedom") => self.freedom = Some(number(parser, "--freedom", 0.0..=1.0)? as f32),
                Long("timing") => {
                    self.timing = match text(parser)?.as_str() {
                        "sung" => Timing::AsSung,
                        "tight" => Timing::TIGHTENED,
                        "grid" => Timing::ON_GRID,
                        other => return Err(format!("--timing is sung, tight or grid, not \"{other}\"")),
                    };
                }
                Long("level") => {
                    self.level = Some(match text(parser)?.as_str() {
                        "loud" => Level::Loud,
                        "session" => Level::Session,
                        other => return Err(format!("--level is loud or session, not \"{other}\"")),
                    });
                }
                Long("stems") => {
                    self.dry_stems = match text(parser)?.as_str() {
                        "wet" => false,
                        "dry" => true,
                        other => return Err(format!("--stems is wet or dry, not \"{other}\"")),
                    };
                }
                Long("rate") => {
                    let rate = whole(parser, "--rate", 8_000..=192_000)?;
                    self.rate = Some(SampleRate(u32::try_from(rate).unwrap_or(48_000)));
                }
                Long("engine") => {
                    self.musicgen = match text(parser)?.as_str() {
                        "band" => false,
                        "musicgen" | "musicgen-melody" => true,
                        other => return Err(format!("there is no engine \"{other}\"; there are band and musicgen")),
                    };
                }
                Long("in-process") => self.in_process = true,
                Long("bars") => self.length = Some(Length::Bars(number(parser, "--bars", 1.0..=1_000.0)?)),
                Long("seconds") => {
                    self.length = Some(Length::Seconds(Seconds(number(parser, "--seconds", 0.5..=3_600.0)?)));
                }
                Long(name @ ("model" | "melody" | "precision" | "cfg" | "top-k" | "top-p" | "temperature")) => {
                    let name = name.to_owned();
                    self.read_neural(&name, parser)?;
                }
                Long("out") => self.out = Some(path(parser)?),
                Long("styles") => self.styles = Some(path(parser)?),
                // `styles --json` has no value, `analyze --json OUT` has one.
                Long("json") => {
                    self.json_wanted = true;
                    let taken = parser.optional_value().map(PathBuf::from);
                    self.json = taken.or_else(|| if self.accepts_more { None } else { next_path(parser) });
                }
                Long("part") => {
                    self.part = Some(usize::try_from(whole(parser, "--part", 1..=9_999)?).unwrap_or(1));
                }
                Long(name @ ("midi-lead" | "midi-groove" | "drum-map")) => {
                    let name = name.to_owned();
                    self.midi_options = midi::read(std::mem::take(&mut self.midi_options), &name, parser)?;
                }
                Long("midi") => self.midi = Some(path(parser)?),
                Long("picture" | "plot") => self.picture = Some(path(parser)?),
                Long("sheet") => self.sheet = true,
                Long("help") | Short('h') => self.help = true,
                Long(name) => {
                    let name = name.to_owned();
                    if !self.band.read(&name, parser)? {
                        return Err(format!("there is no option --{name}; see cantus --help"));
                    }
                }
                Value(input) if self.input.is_none() => self.input = Some(input.into()),
                Value(more) if self.accepts_more && self.more.is_none() => self.more = Some(more.into()),
                other => return Err(other.unexpected().to_string()),
            }
        }
        Ok(())
    }

    fn read_neural(&mut self, name: &str, parser: &mut lexopt::Parser) -> Result<(), String> {
        let sampling = &mut self.choice.sampling;
        self.neural = Some(match name {
            "model" => {
                let given = text(parser)?;
                // A folder that is there is meant; anything else is the name of a model.
                let folder = std::path::absolute(&given).ok().filter(|folder| folder.is_dir());
                self.choice.model = folder.map_or(given, |folder| folder.to_string_lossy().into_owned());
                "--model"
            }
            "melody" => {
                let given = text(parser)?;
                let condition = MelodyCondition::ALL.into_iter().find(|condition| condition.name() == given);
                self.choice.condition = condition
                    .ok_or_else(|| format!("--melody is \"{given}\", but must be take, notes, chords or none"))?;
                "--melody"
            }
            "precision" => {
                self.choice.precision = match text(parser)?.as_str() {
                    "f32" => Precision::F32,
                    "q8" | "q8_0" => Precision::Q8_0,
                    "q4" | "q4k" => Precision::Q4K,
                    other => return Err(format!("--precision is \"{other}\", but must be f32, q8 or q4")),
                };
                "--precision"
            }
            "cfg" => {
                sampling.cfg_coef = number(parser, "--cfg", 0.0..=20.0)? as f32;
                "--cfg"
            }
            "top-k" => {
                sampling.top_k = usize::try_from(whole(parser, "--top-k", 1..=100_000)?).unwrap_or(usize::MAX);
                "--top-k"
            }
            "top-p" => {
                sampling.top_p = number(parser, "--top-p", 0.0..=1.0)? as f32;
                "--top-p"
            }
            _ => {
                sampling.temperature = number(parser, "--temperature", 0.0..=10.0)? as f32;
                "--temperature"
            }
        });
        Ok(())
    }

    /// Who makes it.
    fn engine(&mut self) -> Result<EngineKind, String> {
        if self.musicgen {
            return Ok(EngineKind::MusicGen(std::mem::take(&mut self.choice)));
        }
        match self.neural {
            Some(option) => Err(format!("{option} is for --engine musicgen")),
            None => Ok(EngineKind::Band),
        }
    }

    fn input(&mut self) -> Result<PathBuf, String> {
        self.input.take().ok_or_else(|| "which recording? Name a WAV, FLAC, MP3, OGG or MIDI file".to_owned())
    }
}

fn next_path(parser: &mut lexopt::Parser) -> Option<PathBuf> {
    let mut raw = parser.try_raw_args()?;
    raw.next_if(|argument| !argument.to_string_lossy().starts_with("--")).map(PathBuf::from)
}

pub fn text(parser: &mut lexopt::Parser) -> Result<String, String> {
    let value = parser.value().map_err(|error| error.to_string())?;
    Ok(value.to_string_lossy().into_owned())
}

pub fn path(parser: &mut lexopt::Parser) -> Result<PathBuf, String> {
    parser.value().map(PathBuf::from).map_err(|error| error.to_string())
}

pub fn number(parser: &mut lexopt::Parser, name: &str, range: std::ops::RangeInclusive<f64>) -> Result<f64, String> {
    let given = text(parser)?;
    let value = given.parse().ok().filter(|value| range.contains(value));
    value
        .ok_or_else(|| format!("{name} is \"{given}\", but must be a number from {} to {}", range.start(), range.end()))
}

pub fn whole(parser: &mut lexopt::Parser, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<u64, String> {
    let given = text(parser)?;
    let value = given.parse().ok().filter(|value| range.contains(value));
    value.ok_or_else(|| {
        format!("{name} is \"{given}\", but must be a whole number from {} to {}", range.start(), range.end())
    })
}

fn metre(given: &str) -> Result<Metre, String> {
    let parsed = given.split_once('/').and_then(|(numerator, denominator)| {
        Some(Metre { numerator: numerator.parse().ok()?, denominator: denominator.parse().ok()? })
    });
    parsed
        .filter(|metre| (1..=32).contains(&metre.numerator) && [1, 2, 4, 8, 16].contains(&metre.denominator))
        .ok_or_else(|| format!("--metre is \"{given}\", but must be like 4/4, 3/4 or 6/8"))
}
