//! Thread: worker. Analysis: a take becomes notes, chroma, key, tempo.
//!
//! [`f0`] tracks pitch with a small neural model, [`notes`] segments it, [`chroma`] is the reference's chromagram, [`key`] and
//! [`rhythm`] say where the melody is at home, [`doubts`] says what is uncertain. [`polyphony`] hears whether there are several voices;
//! [`predominant`] and [`separation`] find the melody among them. [`analyse`] is the whole stage. [`edit`] is what a user makes of
//! its result.

pub mod chroma;
pub mod doubts;
pub mod edit;
pub mod f0;
pub mod key;
pub mod notes;
pub mod polyphony;
pub mod predominant;
pub mod quantise;
pub mod rhythm;
pub mod separation;

mod listen;
mod recording;

pub use listen::analyse;

use crate::time::{Beats, Bpm, Metre, MidiNote, Seconds, SongGrid};
use rhythm::Rhythm;
use serde::{Deserialize, Serialize};

/// Pitch of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct F0Frame {
    /// Centre of the frame, from the start of the take.
    pub time: Seconds,
    /// The tracker's pitch, its best guess also when unvoiced.
    pub hz: f32,
    /// Voicing confidence, 0 to 1.
    pub confidence: f32,
    /// Whether the frame has a pitch; in an [`Analysis`], whether it is part of a note.
    pub voiced: bool,
}

/// One note of the melody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Start, from the start of the take.
    pub onset: Seconds,
    /// End, from the start of the take.
    pub offset: Seconds,
    /// The pitch as sung: median of the steady part, tuning included.
    pub sung: MidiNote,
    /// The key a musician would write, octave included, after the singer's own tuning is taken off.
    pub key: u8,
    /// Loudness, 0 to 1, relative to the loudest note of the take.
    pub loudness: f32,
    /// Certainty that there is a note and that this is its pitch, 0 to 1.
    pub confidence: f32,
    /// Pitch curve inside the note: seconds from its onset, and semitones from `key` with the tuning taken off.
    pub bend: Vec<(f32, f32)>,
    /// Level curve inside the note: seconds from its onset, and decibels relative to the note's loudest moment.
    pub level_db: Vec<(f32, f32)>,
}

/// Pitch classes over time, C first, with the parameters of MusicGen-melody's chroma extractor.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Chroma {
    /// Normalised energy, `[frame][pitch class]`; the largest class of a frame is 1.
    pub frames: Vec<[f32; 12]>,
    /// Class of the largest energy a frame, the lowest on ties. Silence is class 0.
    pub argmax: Vec<u8>,
}

/// Major or minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Ionian.
    Major,
    /// Natural or harmonic minor.
    Minor,
}

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Pitch class, 0 is C.
    pub tonic: u8,
    /// Major or minor.
    pub mode: Mode,
}

/// The key that was heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyEstimate {
    /// The most likely key.
    pub key: Key,
    /// 0 to 1.
    pub confidence: f32,
    /// Others, best first, with their confidence.
    pub alternatives: Vec<(Key, f32)>,
    /// The scale used within the key, where the notes show one.
    #[serde(default)]
    pub scale: key::Scale,
    /// Where the melody moves from key to key: at least two, or none when it stays.
    #[serde(default)]
    pub segments: Vec<KeySegment>,
}

/// A stretch of a melody in one key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct KeySegment {
    /// Index of its first note.
    pub first_note: usize,
    /// Number of the bar it begins in, from 1.
    pub bar: u32,
    /// Its start, from the start of the take.
    pub from: Seconds,
    /// Its key.
    pub key: Key,
}

/// How many voices a take has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Texture {
    /// One note at a time: a hum, a voice, a solo instrument.
    #[default]
    OneVoice,
    /// Several notes at once on one instrument: keyboard, guitar.
    Chords,
    /// A lead over chords, bass and drums.
    Mix,
}

/// The texture that was heard.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TextureEstimate {
    /// The most likely texture.
    pub texture: Texture,
    /// 0 to 1.
    pub confidence: f32,
    /// Why, in a sentence; empty when nobody listened.
    pub evidence: String,
}

/// Everything the listener understood of a take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Where the take lies, with tempo and metre.
    pub grid: SongGrid,
    /// How sure tempo and metre are: 1 when the host gave them.
    pub tempo_confidence: f32,
    /// Tempo, metre, bar lines and feel, with what else they may be.
    #[serde(default)]
    pub rhythm: Rhythm,
    /// Length of the take in song time.
    pub length: Beats,
    /// Pitch every 16 ms.
    pub f0: Vec<F0Frame>,
    /// The melody, in order, never overlapping.
    pub notes: Vec<Note>,
    /// The other notes of played chords, in order of their onsets; they overlap. Empty for one voice and for mixes.
    #[serde(default)]
    pub harmony: Vec<Note>,
    /// One voice, chords or a mix.
    #[serde(default)]
    pub texture: TextureEstimate,
    /// Chromagram of the take.
    pub chroma: Chroma,
    /// Chromagram of a mix whose drums and bass are taken out; `None` when there are none to take out.
    #[serde(default)]
    pub chroma_without_drums_and_bass: Option<Chroma>,
    /// The key.
    pub key: KeyEstimate,
    /// The singer's tuning against A440, in cents.
    pub tuning_cents: f32,
    /// Integrated level of the take, in dBFS RMS of the sounding parts.
    pub level_dbfs: f32,
    /// 0 to 1 over the whole melody.
    pub confidence: f32,
    /// Doubts in plain sentences: "no pitch found: only noise".
    pub doubts: Vec<String>,
}

/// The level of nothing: an infinity could not be saved.
const SILENCE_DBFS: f32 = -120.0;

/// Names of the pitch classes, each the more usual of its two.
const PITCH_CLASS_NAMES: [&str; 12] = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

/// Name of a MIDI key with its octave; 60 is C4.
pub fn note_name(key: u8) -> String {
    format!("{}{}", PITCH_CLASS_NAMES[usize::from(key % 12)], i32::from(key / 12) - 1)
}

impl Note {
    /// Name of its key with the octave.
    pub fn name(&self) -> String {
        note_name(self.key)
    }
}

impl Analysis {
    /// Of a take that nobody listened to.
    pub fn unheard(grid: SongGrid) -> Self {
        Self {
            grid,
            tempo_confidence: 0.0,
            rhythm: Rhythm::default(),
            length: Beats(0.0),
            f0: Vec::new(),
            notes: Vec::new(),
            harmony: Vec::new(),
            texture: TextureEstimate::default(),
            chroma: Chroma::default(),
            chroma_without_drums_and_bass: None,
            key: KeyEstimate::unheard(),
            tuning_cents: 0.0,
            level_dbfs: SILENCE_DBFS,
            confidence: 0.0,
            doubts: Vec::new(),
        }
    }

    /// Name of a note with its octave, spelled as the key there writes it.
    pub fn name_of(&self, index: usize) -> Option<String> {
        let note = self.notes.get(index)?;
        Some(self.key.at(index).0.spell(note.key))
    }

    /// Song position of a moment of the take.
    pub fn beat_at(&self, time: Seconds) -> Beats {
        self.grid.beat_at(time)
    }

    /// The tempo at the start.
    pub fn tempo(&self) -> Bpm {
        self.grid.tempo.tempo_at(self.grid.start)
    }

    /// Time signature.
    pub fn metre(&self) -> Metre {
        self.grid.metre
    }
}
