//! Thread: any. Scales a melody can be snapped to.

use crate::analysis::Mode;
use serde::{Deserialize, Serialize};

/// The notes of an octave that belong together, counted from a tonic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Ionian.
    Major,
    /// Aeolian.
    NaturalMinor,
    /// With the raised seventh.
    HarmonicMinor,
    /// Both sixths and both sevenths, as melodies in minor use them.
    MelodicMinor,
    /// Minor with the raised sixth.
    Dorian,
    /// Major with the lowered seventh.
    Mixolydian,
    /// Five notes of major.
    MajorPentatonic,
    /// Five notes of minor.
    MinorPentatonic,
    /// Minor pentatonic with the blue fifth.
    Blues,
}

impl Scale {
    /// Every scale, the usual ones first.
    pub const ALL: [Self; 9] = [
        Self::Major,
        Self::NaturalMinor,
        Self::HarmonicMinor,
        Self::MelodicMinor,
        Self::Dorian,
        Self::Mixolydian,
        Self::MajorPentatonic,
        Self::MinorPentatonic,
        Self::Blues,
    ];

    /// The scale of a key as melodies use it.
    pub fn of(mode: Mode) -> Self {
        match mode {
            Mode::Major => Self::Major,
            Mode::Minor => Self::MelodicMinor,
        }
    }

    /// Semitones above the tonic, ascending.
    pub fn degrees(self) -> &'static [u8] {
        match self {
            Self::Major => &[0, 2, 4, 5, 7, 9, 11],
            Self::NaturalMinor => &[0, 2, 3, 5, 7, 8, 10],
            Self::HarmonicMinor => &[0, 2, 3, 5, 7, 8, 11],
            Self::MelodicMinor => &[0, 2, 3, 5, 7, 8, 9, 10, 11],
            Self::Dorian => &[0, 2, 3, 5, 7, 9, 10],
            Self::Mixolydian => &[0, 2, 4, 5, 7, 9, 10],
            Self::MajorPentatonic => &[0, 2, 4, 7, 9],
            Self::MinorPentatonic => &[0, 3, 5, 7, 10],
            Self::Blues => &[0, 3, 5, 6, 7, 10],
        }
    }

    /// Whether a key belongs to the scale on a tonic.
    pub fn holds(self, tonic: u8, key: u8) -> bool {
        self.degrees().contains(&((key % 12 + 12 - tonic % 12) % 12))
    }

    /// The key of the scale nearest to a pitch that may lie between two keys; of two equally near the lower one.
    pub fn nearest(self, tonic: u8, pitch: f32) -> u8 {
        let distance = |key: u8| (f32::from(key) - pitch).abs();
        let inside = (0..=127_u8).filter(|&key| self.holds(tonic, key));
        inside.min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap_or(0)
    }
}
