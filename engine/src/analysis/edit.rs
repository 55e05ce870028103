//! Thread: any. Corrections of a melody: what a user changes about the notes that were heard.
//!
//! A correction is data ([`MelodyEdit`]), a list of them ([`Edits`]) is a pure function from the analysis that was heard to the one
//! that is meant. Notes keep their name ([`NoteId`]) whatever is done to them, so the same list gives the same melody every time.
//! Only what follows from the notes is computed again ([`derive`]); pitch tracking and the audio are not touched.

mod curves;
mod derive;
mod history;
mod quantise;
pub mod scale;
mod sketch;

pub use history::{EditHistory, MOST_EDITS};

use crate::analysis::{Analysis, Note};
use crate::error::{Error, Result};
use crate::time::Seconds;
use scale::Scale;
use serde::{Deserialize, Serialize};
use sketch::Sketch;

/// Names a note for as long as its take lives: its place among the notes that were heard, or the correction that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoteId(pub u64);

/// Names of notes that were made begin here; no take has as many notes.
const MADE: u64 = 1 << 32;

impl NoteId {
    /// The name of the `index`th note that was heard.
    pub fn heard(index: usize) -> Self {
        Self(index as u64)
    }

    /// The name of the note that the correction at place `edit` of the list makes.
    pub fn made(edit: usize) -> Self {
        Self(MADE + edit as u64)
    }
}

/// Which notes a correction is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// Every note.
    All,
    /// These.
    Notes(Vec<NoteId>),
}

/// One correction. Times are from the start of the take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MelodyEdit {
    /// Moves notes together, in pitch, in time, or both.
    Move {
        /// Which.
        notes: Selection,
        /// Up, or down when negative.
        semitones: i16,
        /// Later, or earlier when negative.
        by: Seconds,
    },
    /// Gives a note another start and end.
    Stretch {
        /// Which.
        note: NoteId,
        /// Its new start.
        onset: Seconds,
        /// Its new end.
        offset: Seconds,
    },
    /// Makes two notes of one; the second is new.
    Split {
        /// Which.
        note: NoteId,
        /// Where the second begins.
        at: Seconds,
    },
    /// Makes one note of two neighbours; it keeps the name of the first and the pitch of the longer.
    Join {
        /// The earlier one.
        first: NoteId,
        /// The one right after it.
        second: NoteId,
    },
    /// Moves notes by whole octaves.
    Octave {
        /// Which.
        notes: Selection,
        /// Up, or down when negative.
        octaves: i8,
    },
    /// Removes notes.
    Delete {
        /// Which.
        notes: Selection,
    },
    /// Adds a note.
    Add {
        /// Its start.
        onset: Seconds,
        /// Its end.
        offset: Seconds,
        /// Its MIDI key.
        key: u8,
        /// 0 to 1.
        loudness: f32,
    },
    /// Moves starts towards a grid of song time; lengths are kept where there is room.
    Quantise {
        /// Which.
        notes: Selection,
        /// Grid lines in a quarter note, 1 to 24: 4 for sixteenths, 3 for triplets of eighths.
        division: u8,
        /// 0 leaves everything as sung, 1 puts it on the grid.
        strength: f32,
    },
    /// Moves notes outside a scale to the nearest note of it, as it was sung.
    SnapToKey {
        /// Which.
        notes: Selection,
        /// Pitch class of the tonic, 0 is C.
        tonic: u8,
        /// The scale on it.
        scale: Scale,
    },
    /// Sets the loudness of notes.
    Loudness {
        /// Which.
        notes: Selection,
        /// 0 to 1.
        loudness: f32,
    },
}

/// Corrections in the order they were made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Edits(pub Vec<MelodyEdit>);

/// A corrected melody.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited {
    /// The analysis as it is meant.
    pub analysis: Analysis,
    /// The name of each of its notes.
    pub ids: Vec<NoteId>,
    /// Whether a note is other than it was heard.
    pub changed: Vec<bool>,
}

impl Edits {
    /// Applies every correction to what was heard. The notes stay in order, never overlap, and lie within the take.
    ///
    /// # Errors
    /// [`Error::Edit`] with a sentence for the first correction that is not possible.
    pub fn apply(&self, heard: &Analysis) -> Result<Edited> {
        let mut sketch = Sketch::new(heard);
        for (place, edit) in self.0.iter().enumerate() {
            sketch.edit(edit, NoteId::made(place))?;
        }
        Ok(sketch.finish(heard))
    }

    /// How many corrections from the first on are possible. All, unless the list belongs to another melody or was tampered with.
    pub fn possible(&self, heard: &Analysis) -> usize {
        let mut sketch = Sketch::new(heard);
        let fits = |(place, edit): &(usize, &MelodyEdit)| sketch.edit(edit, NoteId::made(*place)).is_ok();
        self.0.iter().enumerate().take_while(fits).count()
    }
}

impl Edited {
    /// A melody nobody corrected.
    pub fn unchanged(heard: &Analysis) -> Self {
        let ids = (0..heard.notes.len()).map(NoteId::heard).collect();
        Self { analysis: heard.clone(), ids, changed: vec![false; heard.notes.len()] }
    }

    /// The note of a name, while there is one.
    pub fn note(&self, id: NoteId) -> Option<&Note> {
        let index = self.ids.iter().position(|other| *other == id)?;
        self.analysis.notes.get(index)
    }
}

/// A correction that is not possible.
fn impossible<T>(reason: impl Into<String>) -> Result<T> {
    Err(Error::Edit { reason: reason.into() })
}
