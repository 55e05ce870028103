//! Thread: any. Generation: a request becomes a score (Band) or audio (MusicGen).
//!
//! [`prompt`] reads what is asked for, [`style`] knows how a genre plays, [`band`] writes the [`score`]. [`choice`] is what a user
//! sets for a neural engine, [`order`] makes of it what [`musicgen`] is told.

pub mod band;
pub mod choice;
pub mod musicgen;
pub mod order;
pub mod prompt;
pub mod score;
pub mod style;

use crate::analysis::Analysis;
use choice::MusicGenChoice;
use serde::{Deserialize, Serialize};

/// Who makes the rendition, with everything that only this engine needs to make it again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineKind {
    /// The built-in arranger.
    #[default]
    Band,
    /// Meta's MusicGen-melody, from the user's own checkpoint.
    #[serde(rename = "musicgen-melody")]
    MusicGen(MusicGenChoice),
}

/// What the user asked for, apart from the melody: small, saved with every variation, enough to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Who makes it.
    pub engine: EngineKind,
    /// A style's name or a free prompt.
    pub prompt: String,
    /// Another seed, another take on the same tune.
    pub seed: u64,
    /// 0 plays the melody as sung and corrected, 1 lets the player paraphrase it.
    pub freedom: f32,
    /// Version of the arranger that made it, so that an older rendition is known as such.
    pub engine_version: u32,
}

/// A melody and what to do with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The melody.
    pub analysis: Analysis,
    /// The wish.
    pub recipe: Recipe,
}
