//! Thread: any. Generation: a request becomes a score (Band) or audio (MusicGen).
//!
//! [`prompt`] reads what is asked for, [`style`] knows how a genre plays, [`band`] writes the [`score`] under a musician's
//! [`direction`] and for the [`song`] around the melody. [`choice`] is what a user sets for a neural engine, [`order`] makes of it what
//! [`musicgen`] is told.

pub mod band;
pub mod choice;
pub mod direction;
pub mod musicgen;
pub mod order;
pub mod prompt;
pub mod score;
pub mod song;
pub mod style;

use crate::analysis::Analysis;
use choice::MusicGenChoice;
use direction::Direction;
use serde::{Deserialize, Serialize};
use song::SongContext;

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

/// When the notes of the melody are played.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timing {
    /// As they were sung.
    #[default]
    AsSung,
    /// Nearer to where they were probably meant.
    Quantised {
        /// 0 leaves them, 1 puts them on the grid.
        strength: f32,
    },
}

impl Timing {
    /// Half way to the grid: together, but still sung.
    pub const TIGHTENED: Self = Self::Quantised { strength: 0.6 };
    /// Exactly on the grid.
    pub const ON_GRID: Self = Self::Quantised { strength: 1.0 };

    /// The timing that pulls so far, 0 to 1.
    pub fn of_strength(strength: f32) -> Self {
        if strength > 0.0 { Self::Quantised { strength } } else { Self::AsSung }
    }

    /// How far notes are pulled, 0 to 1.
    pub fn strength(self) -> f32 {
        match self {
            Self::AsSung => 0.0,
            Self::Quantised { strength } if strength.is_finite() => strength.clamp(0.0, 1.0),
            Self::Quantised { .. } => 0.0,
        }
    }
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
    /// When its notes are played.
    #[serde(default)]
    pub timing: Timing,
    /// What the musician tells the band.
    #[serde(default)]
    pub direction: Direction,
    /// The song around it.
    #[serde(default)]
    pub song: SongContext,
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
