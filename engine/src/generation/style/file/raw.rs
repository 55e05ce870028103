//! Thread: any. A style file as it is written, before anything is checked. Spans remember the place of each value;
//! the fields are those of `Style` and `Part`, which describe them.

use crate::generation::score::{Role, RoomKind};
use crate::generation::style::{LastChord, Rule, Section, SwingUnit, Voicing};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// A whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StyleFile {
    pub name: Spanned<String>,
    pub about: String,
    #[serde(default = "other")]
    pub category: String,
    #[serde(default)]
    pub colour: Option<Spanned<String>>,
    pub words: Spanned<Vec<String>>,
    pub tempo: Spanned<[f32; 2]>,
    pub metres: Vec<Spanned<String>>,
    pub feel: FeelFile,
    pub harmony: HarmonyFile,
    pub form: FormFile,
    pub room: RoomFile,
    #[serde(default)]
    pub delay: Option<DelayFile>,
    #[serde(default)]
    pub master: MasterFile,
    #[serde(default)]
    pub facts: Vec<Spanned<FactFile>>,
    #[serde(default)]
    pub ranges: RangesFile,
    pub parts: Spanned<Vec<Spanned<PartFile>>>,
}

fn other() -> String {
    "Other".to_owned()
}

/// `[feel]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeelFile {
    pub swing: Spanned<f32>,
    #[serde(default = "eighth")]
    pub swing_unit: SwingUnit,
    pub humanise_ms: Spanned<f32>,
    pub humanise_velocity: Spanned<f32>,
}

fn eighth() -> SwingUnit {
    SwingUnit::Eighth
}

/// `[harmony]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HarmonyFile {
    pub slots_per_bar: Spanned<usize>,
    pub melody_weight: Spanned<f32>,
    pub temperature: Spanned<f32>,
    #[serde(default)]
    pub chords_per_bar: Option<Spanned<f32>>,
    #[serde(default)]
    pub pedal: Option<Spanned<f32>>,
    #[serde(default)]
    pub tensions: Vec<Spanned<u8>>,
    #[serde(default)]
    pub blue: bool,
    pub major: VocabularyFile,
    pub minor: VocabularyFile,
}

/// `[harmony.major]` and `[harmony.minor]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VocabularyFile {
    pub chords: Spanned<Vec<Spanned<ChordFile>>>,
    #[serde(default)]
    pub moves: Vec<Spanned<String>>,
    pub progressions: Spanned<Vec<Spanned<ProgressionFile>>>,
    pub opening: Spanned<String>,
    pub half_cadence: Spanned<String>,
    pub cadence: Spanned<String>,
    #[serde(default)]
    pub turnaround: Option<Spanned<String>>,
    #[serde(default)]
    pub ending: Option<Spanned<String>>,
}

/// A row of `chords`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChordFile {
    pub chord: Spanned<String>,
    pub weight: Spanned<f32>,
    #[serde(default)]
    pub colours: Vec<Spanned<String>>,
}

/// A row of `progressions`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressionFile {
    pub chords: Spanned<String>,
    pub weight: Spanned<f32>,
}

/// `[form]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormFile {
    pub sections: Spanned<String>,
    pub energy: Spanned<[f32; 2]>,
    #[serde(default)]
    pub fill_every: Option<Spanned<usize>>,
    #[serde(default = "yes")]
    pub crash: bool,
    #[serde(default)]
    pub last: LastChord,
}

fn yes() -> bool {
    true
}

/// `[room]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomFile {
    pub decay_seconds: Spanned<f32>,
    pub level_db: Spanned<f32>,
    #[serde(default)]
    pub kind: RoomKind,
}

/// `[delay]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelayFile {
    pub beats: Spanned<f32>,
    pub feedback: Spanned<f32>,
    pub level_db: Spanned<f32>,
    #[serde(default)]
    pub high_cut_hz: Option<Spanned<f32>>,
}

/// `[master]`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct MasterFile {
    pub tilt_db: Option<Spanned<f32>>,
    pub glue: Option<Spanned<f32>>,
    pub tape: Option<Spanned<f32>>,
    pub vinyl: Option<Spanned<f32>>,
    pub crush: Option<Spanned<f32>>,
}

/// `[[facts]]`: one of the promises.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactFile {
    pub what: Spanned<String>,
    #[serde(default)]
    pub metre: Option<Spanned<String>>,
    #[serde(default)]
    pub section: Option<Section>,
    #[serde(default)]
    pub tempo: Option<Spanned<[f32; 2]>>,
    #[serde(default)]
    pub never: Option<Spanned<String>>,
    #[serde(default)]
    pub always: Option<Spanned<String>>,
    #[serde(default)]
    pub only: Option<Spanned<String>>,
    #[serde(default)]
    pub share: Option<Spanned<f32>>,
    #[serde(default)]
    pub swing: Option<Spanned<[f32; 2]>>,
    #[serde(default)]
    pub late_ms: Option<Spanned<[f32; 2]>>,
    #[serde(default)]
    pub density: Option<Spanned<[f32; 2]>>,
    #[serde(default)]
    pub repeats: Option<Spanned<usize>>,
}

/// `[ranges]`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct RangesFile {
    pub scale: Option<Spanned<[f32; 2]>>,
    pub groove: Option<Spanned<[f32; 2]>>,
    pub density: Option<Spanned<[f32; 2]>>,
    pub swing: Option<Spanned<[f32; 2]>>,
    pub repetition: Option<Spanned<[f32; 2]>>,
}

/// `strip` of a part.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct StripFile {
    pub low_cut_hz: Option<Spanned<f32>>,
    pub high_cut_hz: Option<Spanned<f32>>,
    pub tilt_db: Option<Spanned<f32>>,
    pub drive: Option<Spanned<f32>>,
    pub compress: Option<Spanned<f32>>,
    pub chorus: Option<Spanned<f32>>,
    pub tremolo: Option<Spanned<f32>>,
    pub crush: Option<Spanned<f32>>,
    pub duck: Option<Spanned<f32>>,
    pub delay: Option<Spanned<f32>>,
    pub width: Option<Spanned<f32>>,
}

/// `[[parts]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartFile {
    pub role: Role,
    pub preset: Spanned<String>,
    #[serde(default)]
    pub weight: Option<Spanned<f32>>,
    #[serde(default)]
    pub chance: Option<Spanned<f32>>,
    #[serde(default)]
    pub register: Option<Spanned<[u8; 2]>>,
    #[serde(default)]
    pub pan: Option<Spanned<f32>>,
    pub gain_db: Spanned<f32>,
    #[serde(default)]
    pub reverb: Option<Spanned<f32>>,
    #[serde(default)]
    pub push_ms: Option<Spanned<f32>>,
    #[serde(default)]
    pub voice_push_ms: BTreeMap<String, Spanned<f32>>,
    #[serde(default)]
    pub strip: StripFile,
    #[serde(default)]
    pub layer: Option<Spanned<f32>>,
    #[serde(default)]
    pub sections: Option<Spanned<String>>,
    #[serde(default)]
    pub strum_ms: Option<Spanned<f32>>,
    #[serde(default)]
    pub transpose: Option<Spanned<i8>>,
    pub rule: Spanned<Rule>,
    #[serde(default)]
    pub voicing: Option<Voicing>,
    #[serde(default)]
    pub voices: Option<Spanned<usize>>,
    #[serde(default)]
    pub gate: Option<Spanned<f32>>,
    #[serde(default)]
    pub anticipate: bool,
    #[serde(default)]
    pub every: Option<Spanned<usize>>,
    #[serde(default)]
    pub ghosts: Option<Spanned<f32>>,
    #[serde(default)]
    pub kit: BTreeMap<String, Spanned<u8>>,
    #[serde(default)]
    pub patterns: Vec<Spanned<PatternFile>>,
}

/// A row of `patterns`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternFile {
    #[serde(default)]
    pub metre: Option<Spanned<String>>,
    pub section: Section,
    #[serde(default)]
    pub weight: Option<Spanned<f32>>,
    #[serde(default)]
    pub tempo: Option<Spanned<[f32; 2]>>,
    #[serde(default)]
    pub steps: Option<Spanned<String>>,
    #[serde(default)]
    pub hits: BTreeMap<String, Spanned<String>>,
}
