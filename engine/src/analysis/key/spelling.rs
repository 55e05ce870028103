//! Thread: any. Names of keys and notes: sharps in sharp keys, flats in flat ones, the leading note of a minor key as a sharp seventh.

use crate::analysis::{Key, Mode};

/// Letters along the line of fifths, F first.
const LETTERS: [char; 7] = ['F', 'C', 'G', 'D', 'A', 'E', 'B'];

/// Name of a place on the line of fifths; 0 is C, 1 is G, -1 is F.
fn fifth(place: i32) -> String {
    let letter = LETTERS[(place + 1).rem_euclid(7) as usize];
    let accidentals = (place + 1).div_euclid(7);
    let sign = if accidentals < 0 { "b" } else { "#" };
    format!("{letter}{}", sign.repeat(accidentals.unsigned_abs() as usize))
}

impl Key {
    /// Sharps in the signature; flats are negative.
    pub fn signature(self) -> i32 {
        let relative = match self.mode {
            Mode::Major => self.tonic % 12,
            Mode::Minor => (self.tonic + 3) % 12,
        };
        let sharps = i32::from(relative) * 7 % 12;
        // Six sharps in F sharp major, six flats in E flat minor; beyond that the flats are fewer.
        let most = if self.mode == Mode::Major { 6 } else { 5 };
        if sharps > most { sharps - 12 } else { sharps }
    }

    /// Name of a pitch class as this key writes it: G# in A minor, Ab in C minor.
    pub fn spell_class(self, class: u8) -> String {
        let home = self.signature();
        // The twelve places from the lowered to the raised notes; minor leans further to the sharp side, for its leading notes.
        let lowest = if self.mode == Mode::Major { home - 4 } else { home - 2 };
        let place = i32::from(class % 12) * 7 % 12;
        fifth(lowest + (place - lowest).rem_euclid(12))
    }

    /// Name of a MIDI key with its octave as this key writes it; 60 is C4.
    pub fn spell(self, note: u8) -> String {
        let name = self.spell_class(note);
        let octave = i32::from(note / 12) - 1;
        // B sharp is written in the octave below the C it sounds like, C flat in the one above.
        let octave = match (name.as_str(), note % 12) {
            ("B#" | "B##", _) => octave - 1,
            ("Cb" | "Cbb", _) => octave + 1,
            _ => octave,
        };
        format!("{name}{octave}")
    }

    /// As a musician says it: "A minor".
    pub fn name(self) -> String {
        let mode = match self.mode {
            Mode::Major => "major",
            Mode::Minor => "minor",
        };
        format!("{} {mode}", self.spell_class(self.tonic))
    }

    /// In short: "Am", "Eb".
    pub fn short_name(self) -> String {
        let minor = if self.mode == Mode::Minor { "m" } else { "" };
        format!("{}{minor}", self.spell_class(self.tonic))
    }
}
