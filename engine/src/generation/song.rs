//! Thread: any. The song around a melody, set once and kept: its key and its chords.
//!
//! [`sheet`] reads and writes typed chords, [`symbol`] one chord of them, [`recogniser`] hears chords in played notes, [`division`] says
//! how a bar is shared among chords.

pub mod division;
pub mod recogniser;
pub mod sheet;
pub mod symbol;

use crate::analysis::{Analysis, Key};
use crate::error::Result;
use crate::time::{Beats, Metre};
use serde::{Deserialize, Serialize};

/// A chord the song has. The arranger never alters it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SongChord {
    /// Where it begins, from the start of the sheet.
    pub start: Beats,
    /// How long it holds.
    pub length: Beats,
    /// As it was given: "Am7", "F/C".
    pub symbol: String,
    /// Pitch class of the root.
    pub root: u8,
    /// Pitch classes, root first.
    pub tones: Vec<u8>,
    /// Pitch class of the bass where that is not the root.
    #[serde(default)]
    pub bass: Option<u8>,
}

/// What is known of the song.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SongContext {
    /// Its key, where the musician said so; else the melody's.
    pub key: Option<Key>,
    /// Its chords, in order; bars without one are free.
    pub chords: Vec<SongChord>,
    /// Song position of the sheet's start; `None` starts it with the melody's first bar.
    pub start: Option<Beats>,
    /// The sheet repeats after so much; `None` plays it once.
    pub repeats_after: Option<Beats>,
}

impl SongContext {
    /// The song of typed chords ("C Am7 | F G"), which repeat for as long as the melody lasts. See [`sheet`] for the notation.
    ///
    /// # Errors
    /// [`Error::Chords`](crate::Error::Chords) with the word that is no chord, and its place.
    pub fn typed(text: &str, metre: Metre, key: Option<Key>) -> Result<Self> {
        let sheet = sheet::parse(text, metre)?;
        let repeats_after = (sheet.length.0 > 0.0).then_some(sheet.length);
        Ok(Self { key, chords: sheet.chords, start: None, repeats_after })
    }

    /// The song of the chords that were played in a take, laid where the take lies. Without chords in it, none.
    pub fn played(analysis: &Analysis, key: Option<Key>) -> Self {
        let (start, chords) = recogniser::of_analysis(analysis);
        Self { key, chords, start: Some(start), repeats_after: None }
    }
}
