//! Thread: worker. The scale a melody uses within its key, named only where its notes show it.

use crate::analysis::{Key, Mode, Note};
use serde::{Deserialize, Serialize};

/// A scale above a tonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// The major scale.
    #[default]
    Major,
    /// Major with a low seventh.
    Mixolydian,
    /// Major with a high fourth.
    Lydian,
    /// Minor as the signature writes it.
    NaturalMinor,
    /// Minor with a high seventh.
    HarmonicMinor,
    /// Minor with a high sixth and seventh.
    MelodicMinor,
    /// Minor with a high sixth.
    Dorian,
    /// Minor with a low second.
    Phrygian,
    /// Five notes: 1 2 3 5 6.
    MajorPentatonic,
    /// Five notes: 1, low 3, 4, 5, low 7.
    MinorPentatonic,
    /// The minor pentatonic and the note between 4 and 5.
    Blues,
}

/// A degree is used when it has this share of the sounding time, and at least two notes.
const USED: f64 = 0.025;
/// Notes from which on it means something that a degree is missing.
const ENOUGH_NOTES: usize = 12;

/// The scale of a melody in a key.
pub fn of(notes: &[Note], key: Key) -> Scale {
    let usual = Scale::usual(key.mode);
    let mut time = [0.0; 12];
    let mut count = [0_usize; 12];
    for note in notes {
        let degree = usize::from((note.key + 12 - key.tonic % 12) % 12);
        time[degree] += (note.offset - note.onset).0.max(0.0);
        count[degree] += 1;
    }
    let total: f64 = time.iter().sum();
    if notes.len() < ENOUGH_NOTES || total <= 0.0 {
        return usual;
    }
    let share = |degree: usize| time[degree] / total;
    let has = |degree: usize| share(degree) >= USED && count[degree] >= 2;
    let lacks = |degree: usize| count[degree] == 0;
    let only = |degrees: &[usize]| (0..12).all(|degree| degrees.contains(&degree) || lacks(degree));
    match key.mode {
        Mode::Major if only(&[0, 2, 4, 7, 9]) && has(2) && has(4) && has(9) => Scale::MajorPentatonic,
        Mode::Major if has(10) && lacks(11) => Scale::Mixolydian,
        Mode::Major if has(6) && lacks(5) => Scale::Lydian,
        Mode::Minor if only(&[0, 3, 5, 7, 10]) && has(3) && has(5) && has(10) => Scale::MinorPentatonic,
        Mode::Minor if only(&[0, 3, 5, 6, 7, 10]) && has(3) && has(6) => Scale::Blues,
        Mode::Minor if has(9) && has(11) && !has(8) => Scale::MelodicMinor,
        Mode::Minor if has(9) && lacks(8) => Scale::Dorian,
        Mode::Minor if has(1) && lacks(2) => Scale::Phrygian,
        Mode::Minor if has(11) => Scale::HarmonicMinor,
        _ => usual,
    }
}

impl Scale {
    /// The one to assume when the notes show no other.
    pub fn usual(mode: Mode) -> Self {
        match mode {
            Mode::Major => Self::Major,
            Mode::Minor => Self::NaturalMinor,
        }
    }

    /// As musicians name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Mixolydian => "mixolydian",
            Self::Lydian => "lydian",
            Self::NaturalMinor => "natural minor",
            Self::HarmonicMinor => "harmonic minor",
            Self::MelodicMinor => "melodic minor",
            Self::Dorian => "dorian",
            Self::Phrygian => "phrygian",
            Self::MajorPentatonic => "major pentatonic",
            Self::MinorPentatonic => "minor pentatonic",
            Self::Blues => "blues",
        }
    }

    /// Semitones above the tonic that are at home. A pentatonic tune is at home in the whole scale around it; in minor the high seventh
    /// leads home wherever it is not the low one's mode.
    pub fn degrees(self) -> &'static [u8] {
        match self {
            Self::Major | Self::MajorPentatonic => &[0, 2, 4, 5, 7, 9, 11],
            Self::Mixolydian => &[0, 2, 4, 5, 7, 9, 10],
            Self::Lydian => &[0, 2, 4, 6, 7, 9, 11],
            Self::NaturalMinor | Self::MinorPentatonic => &[0, 2, 3, 5, 7, 8, 10],
            Self::HarmonicMinor => &[0, 2, 3, 5, 7, 8, 10, 11],
            Self::MelodicMinor => &[0, 2, 3, 5, 7, 8, 9, 10, 11],
            Self::Dorian => &[0, 2, 3, 5, 7, 9, 10],
            Self::Phrygian => &[0, 1, 3, 5, 7, 8, 10],
            Self::Blues => &[0, 2, 3, 5, 6, 7, 8, 10],
        }
    }

    /// Whether a degree, in semitones above the tonic, is at home.
    pub fn holds(self, degree: u8) -> bool {
        self.degrees().contains(&degree)
    }
}
