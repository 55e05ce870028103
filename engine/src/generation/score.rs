//! Thread: any. A score: what every part plays, before there is sound, and how it is to be mixed.

mod balance;
mod mix;

pub use balance::{Balance, SESSION_LUFS, written_power};
pub use mix::{Delay, Level, Master, Room, RoomKind, Strip};

use super::direction::Ending;
use crate::analysis::Key;
use crate::time::{Beats, SongGrid};
use serde::{Deserialize, Serialize};

/// The role of a part. The order is the order of the stem outputs and never changes; new roles go to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The melody.
    Lead,
    /// A second line against the melody.
    Counter,
    /// Chords in rhythm.
    Chords,
    /// Held chords.
    Pad,
    /// The bass.
    Bass,
    /// The drum kit.
    Drums,
    /// Hand percussion, timpani.
    Percussion,
    /// One touch of colour: harp runs, stabs, bells.
    Colour,
}

impl Role {
    /// Every role, in the order of the stem outputs.
    pub const ALL: [Self; 8] =
        [Self::Lead, Self::Counter, Self::Chords, Self::Pad, Self::Bass, Self::Drums, Self::Percussion, Self::Colour];

    /// The name as shown and as used for files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Counter => "counter",
            Self::Chords => "chords",
            Self::Pad => "pad",
            Self::Bass => "bass",
            Self::Drums => "drums",
            Self::Percussion => "percussion",
            Self::Colour => "colour",
        }
    }

    /// The name as a title: "Lead".
    pub const fn title(self) -> &'static str {
        match self {
            Self::Lead => "Lead",
            Self::Counter => "Counter",
            Self::Chords => "Chords",
            Self::Pad => "Pad",
            Self::Bass => "Bass",
            Self::Drums => "Drums",
            Self::Percussion => "Percussion",
            Self::Colour => "Colour",
        }
    }
}

/// A sound: one of the soundfont, or in banks 120 and 121 one of the oscillator engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Preset {
    /// Bank; 128 is sampled drums, [`Self::OSCILLATORS`] and [`Self::OSCILLATOR_KITS`] are made by oscillators.
    pub bank: u8,
    /// Program, 0 to 127.
    pub program: u8,
}

impl Preset {
    /// The bank of sounds that oscillators make.
    pub const OSCILLATORS: u8 = 120;
    /// The bank of drum kits that oscillators and noise make.
    pub const OSCILLATOR_KITS: u8 = 121;

    /// Whether its keys are drums.
    pub fn is_kit(self) -> bool {
        matches!(self.bank, Self::OSCILLATOR_KITS | 128)
    }

    /// Whether no sample sounds in it.
    pub fn is_synthetic(self) -> bool {
        matches!(self.bank, Self::OSCILLATORS | Self::OSCILLATOR_KITS)
    }
}

/// One note of a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreNote {
    /// Start, in song position. Feel and humanisation are already in it.
    pub start: Beats,
    /// Start as it is written, before swing, push and looseness, where that is known: what a sheet or a straight file shows.
    #[serde(default)]
    pub written: Option<Beats>,
    /// Length.
    pub length: Beats,
    /// MIDI key; for drums, the kit's key.
    pub key: u8,
    /// 1 to 127.
    pub velocity: u8,
    /// Pitch curve: beats from the note's start, and semitones from `key`. Empty is straight.
    pub bend: Vec<(f32, f32)>,
    /// Gain curve: beats from the note's start, and decibels. Empty is flat.
    pub expression_db: Vec<(f32, f32)>,
}

/// One part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// What it does.
    pub role: Role,
    /// Instrument as a musician calls it: "Tenor Sax".
    pub instrument: String,
    /// Its sound.
    pub preset: Preset,
    /// Level in the mix, in decibels against the other parts at equal written velocity. The renderer evens out the
    /// presets' own levels first.
    pub gain_db: f32,
    /// -1 left to 1 right.
    pub pan: f32,
    /// Send to the style's room, 0 to 1.
    pub reverb: f32,
    /// What its sound passes on the way to the mix.
    #[serde(default)]
    pub strip: Strip,
    /// The notes, by start.
    pub notes: Vec<ScoreNote>,
}

/// A chord over a stretch of song.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChordSpan {
    /// Where it begins, in song position.
    pub start: Beats,
    /// How long it holds.
    pub length: Beats,
    /// As a musician writes it: "Am7".
    pub symbol: String,
    /// Pitch class of the root.
    pub root: u8,
    /// Pitch classes of the chord, root first.
    pub tones: Vec<u8>,
    /// Pitch class the bass is to play where that is not the root.
    #[serde(default)]
    pub bass: Option<u8>,
    /// The song's own chord: it was given, and nobody may change it.
    #[serde(default)]
    pub locked: bool,
}

/// Where a section begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SectionMark {
    /// Where, in song position.
    pub start: Beats,
    /// As a musician calls it: "A", "B".
    pub name: String,
}

/// What every part plays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The style that wrote it.
    pub style: String,
    /// What the prompt parser understood, in words, and what it ignored.
    pub understood: Vec<String>,
    /// Words of the prompt nothing was done with.
    pub ignored: Vec<String>,
    /// Where it lies in the song.
    pub grid: SongGrid,
    /// Length: the take's own, or whole bars of a piece made of it; one bar more than the tune when a last chord needs it.
    pub length: Beats,
    /// Key of the harmony, for the signature; `None` in scores of earlier versions.
    #[serde(default)]
    pub key: Option<Key>,
    /// Sections, by start.
    #[serde(default)]
    pub sections: Vec<SectionMark>,
    /// Harmony.
    pub chords: Vec<ChordSpan>,
    /// Parts, one a role at most, in the order of [`Role::ALL`].
    pub tracks: Vec<Track>,
    /// The room.
    pub room: Room,
    /// The echo, if the style has one.
    #[serde(default)]
    pub delay: Option<Delay>,
    /// What is done to the sum.
    #[serde(default)]
    pub master: Master,
    /// Whether it ends or leads back to its start.
    #[serde(default)]
    pub ending: Ending,
    /// The gains of the band with all its parts; `None` when no part was left out of this score, and they follow from it.
    #[serde(default)]
    pub balance: Option<Balance>,
    /// What a musician should know: a given chord that clashes with the tune, a part that had no room.
    #[serde(default)]
    pub remarks: Vec<String>,
}
