//! Thread: any. What a user chooses for a neural engine: small, saved with every variation, enough to make it again.

use super::musicgen::{Precision, Sampling};
use crate::data_dir::data_dir;
use crate::error::{Error, Result};
use crate::models::ModelLibrary;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The model that is used unless another is named.
pub const DEFAULT_MODEL: &str = "musicgen-melody";

/// Version of what we add to the model: prompt words, chroma frames, fitting.
pub const MUSICGEN_VERSION: u32 = 1;

/// What of the take the music follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MelodyCondition {
    /// The sound as it was sung, as the reference does.
    Take,
    /// The notes that were understood, which no breath or hum between the keys can blur.
    #[default]
    Notes,
    /// The chords under them.
    Chords,
    /// Nothing: the words alone.
    None,
}

impl MelodyCondition {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Take, Self::Notes, Self::Chords, Self::None];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Notes => "notes",
            Self::Chords => "chords",
            Self::None => "none",
        }
    }
}

/// What MusicGen needs besides a prompt and a seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MusicGenChoice {
    /// A model's name as `cantus models list` has it, or a path to its folder.
    pub model: String,
    /// How the weights are held.
    pub precision: Precision,
    /// What the music follows.
    pub condition: MelodyCondition,
    /// How tokens are drawn.
    pub sampling: Sampling,
}

impl Default for MusicGenChoice {
    fn default() -> Self {
        Self {
            model: DEFAULT_MODEL.to_owned(),
            precision: Precision::default(),
            condition: MelodyCondition::default(),
            sampling: Sampling::default(),
        }
    }
}

impl MusicGenChoice {
    /// The model's folder.
    ///
    /// # Errors
    /// [`Error::Model`] that says how to get one.
    pub fn folder(&self) -> Result<PathBuf> {
        let named = Path::new(&self.model);
        let elsewhere = named.is_absolute() || named.components().count() > 1;
        let library = data_dir().and_then(|folder| ModelLibrary::open(&folder).ok()).filter(|_| !elsewhere);
        let ours = library.as_ref().map(|models| models.folder().join(named));
        let folder = if elsewhere { Some(named.to_path_buf()) } else { ours };
        if let Some(folder) = folder.as_ref().filter(|folder| folder.is_dir()) {
            return Ok(folder.clone());
        }
        // One that lies elsewhere may have been added by name.
        let added = library.and_then(|models| models.find(&self.model).ok());
        if let Some(status) = added.filter(|status| status.dir.is_dir()) {
            return Ok(status.dir);
        }
        let place = folder.map_or_else(|| self.model.clone(), |folder| folder.display().to_string());
        Err(Error::Model {
            name: "MusicGen",
            reason: format!(
                "there is no folder {place}. Get the model with \"cantus models fetch {DEFAULT_MODEL}\", or choose the folder you have it in."
            ),
        })
    }
}
