//! Thread: any. The song around a melody, set once and kept: its key and its chords.

use crate::analysis::Key;
use crate::time::Beats;
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
