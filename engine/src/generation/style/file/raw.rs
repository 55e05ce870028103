//! Thread: any. A style file as it is written, before anything is checked. Spans remember the place of each value;
//! the fields are those of `Style` and `Part`, which describe them.

use crate::generation::score::Role;
use crate::generation::style::{Rule, Section, SwingUnit, Voicing};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// A whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StyleFile {
    pub name: Spanned<String>,
    pub about: String,
    pub words: Spanned<Vec<String>>,
    pub tempo: Spanned<[f32; 2]>,
    pub metres: Vec<Spanned<String>>,
    pub feel: FeelFile,
    pub harmony: HarmonyFile,
    pub form: FormFile,
    pub room: RoomFile,
    pub parts: Spanned<Vec<Spanned<PartFile>>>,
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
}

/// `[room]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomFile {
    pub decay_seconds: Spanned<f32>,
    pub level_db: Spanned<f32>,
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
