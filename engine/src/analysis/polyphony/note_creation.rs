//! Thread: worker. From Basic Pitch's answers to notes.

use super::Posteriors;
use crate::time::{MidiNote, Seconds};

/// One note among several at once.
#[derive(Debug, Clone, PartialEq)]
pub struct PolyNote {
    /// Start.
    pub onset: Seconds,
    /// End.
    pub offset: Seconds,
    /// Piano key.
    pub key: u8,
    /// The pitch that was heard.
    pub pitch: MidiNote,
    /// Certainty, 0 to 1.
    pub confidence: f32,
}

/// The notes, in order of their onsets.
pub fn notes(_posteriors: &Posteriors) -> Vec<PolyNote> {
    Vec::new()
}
