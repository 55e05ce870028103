//! Thread: any. Chords as Roman numerals over a tonic: "ii7", "bVImaj7", "V7b9".
//!
//! Numerals count the degrees of the major scale in both modes, so that the sixth chord of A minor is written `bVI`. An
//! upper-case numeral has a major third, a lower-case one a minor third; what follows names the rest.

use crate::analysis::Key;
use crate::generation::song::symbol::degree_name;

/// A chord relative to a tonic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RomanChord {
    /// As written.
    pub text: String,
    /// Semitones of the root above the tonic, 0 to 11.
    pub root: u8,
    /// Semitones of the tones above the root, root first.
    pub intervals: &'static [u8],
    /// What a chord symbol puts after the root's name: "m7".
    pub suffix: &'static str,
}

/// Qualities: as written after an upper-case and after a lower-case numeral, intervals, chord symbol.
const QUALITIES: &[(bool, &str, &[u8], &str)] = &[
    (true, "", &[0, 4, 7], ""),
    (true, "5", &[0, 7], "5"),
    (true, "6", &[0, 4, 7, 9], "6"),
    (true, "69", &[0, 4, 7, 9, 2], "6/9"),
    (true, "7", &[0, 4, 7, 10], "7"),
    (true, "9", &[0, 4, 7, 10, 2], "9"),
    (true, "11", &[0, 7, 10, 2, 5], "11"),
    (true, "13", &[0, 4, 7, 10, 2, 9], "13"),
    (true, "7b9", &[0, 4, 7, 10, 1], "7b9"),
    (true, "7#9", &[0, 4, 7, 10, 3], "7#9"),
    (true, "7#5", &[0, 4, 8, 10], "7#5"),
    (true, "7b5", &[0, 4, 6, 10], "7b5"),
    (true, "7b13", &[0, 4, 7, 10, 8], "7b13"),
    (true, "7#11", &[0, 4, 7, 10, 6], "7#11"),
    (true, "7sus4", &[0, 5, 7, 10], "7sus4"),
    (true, "9sus4", &[0, 5, 7, 10, 2], "9sus4"),
    (true, "13sus4", &[0, 5, 7, 10, 2, 9], "13sus4"),
    (true, "maj7", &[0, 4, 7, 11], "maj7"),
    (true, "maj9", &[0, 4, 7, 11, 2], "maj9"),
    (true, "maj13", &[0, 4, 7, 11, 2, 9], "maj13"),
    (true, "maj7#11", &[0, 4, 7, 11, 6], "maj7#11"),
    (true, "add9", &[0, 4, 7, 2], "add9"),
    (true, "sus2", &[0, 2, 7], "sus2"),
    (true, "sus4", &[0, 5, 7], "sus4"),
    (true, "+", &[0, 4, 8], "aug"),
    (false, "", &[0, 3, 7], "m"),
    (false, "6", &[0, 3, 7, 9], "m6"),
    (false, "7", &[0, 3, 7, 10], "m7"),
    (false, "9", &[0, 3, 7, 10, 2], "m9"),
    (false, "11", &[0, 3, 7, 10, 5], "m11"),
    (false, "13", &[0, 3, 7, 10, 2, 9], "m13"),
    (false, "69", &[0, 3, 7, 9, 2], "m6/9"),
    (false, "maj7", &[0, 3, 7, 11], "m(maj7)"),
    (false, "add9", &[0, 3, 7, 2], "m(add9)"),
    (false, "dim", &[0, 3, 6], "dim"),
    (false, "dim7", &[0, 3, 6, 9], "dim7"),
    (false, "7b5", &[0, 3, 6, 10], "m7b5"),
];

/// Numerals, longest first so that "vii" is not read as "vi".
const NUMERALS: [(&str, u8); 7] = [("vii", 11), ("iii", 4), ("iv", 5), ("vi", 9), ("ii", 2), ("v", 7), ("i", 0)];

impl RomanChord {
    /// Reads a numeral: an optional `b` or `#`, the numeral, and the rest of the chord.
    ///
    /// # Errors
    /// A sentence that names what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (shift, rest) = match text.as_bytes().first() {
            Some(b'b') => (11, &text[1..]),
            Some(b'#') => (1, &text[1..]),
            _ => (0, text),
        };
        let lower = rest.to_ascii_lowercase();
        let Some(&(numeral, degree)) = NUMERALS.iter().find(|(numeral, _)| lower.starts_with(numeral)) else {
            return Err(format!("\"{text}\" is not a chord; write a Roman numeral such as \"ii7\" or \"bVI\""));
        };
        let (written, quality) = rest.split_at(numeral.len());
        let upper = written.chars().all(char::is_uppercase);
        if !upper && !written.chars().all(char::is_lowercase) {
            return Err(format!("\"{text}\" mixes upper and lower case in its numeral"));
        }
        let Some(&(_, _, intervals, suffix)) =
            QUALITIES.iter().find(|(is_upper, name, ..)| *is_upper == upper && *name == quality)
        else {
            let known: Vec<&str> =
                QUALITIES.iter().filter(|(is_upper, ..)| *is_upper == upper).map(|(_, name, ..)| *name).collect();
            return Err(format!(
                "\"{quality}\" in \"{text}\" is no chord quality; there are {}",
                known.join(" ").trim()
            ));
        };
        Ok(Self { text: text.to_owned(), root: (degree + shift) % 12, intervals, suffix })
    }

    /// Pitch classes over a tonic, root first.
    pub fn tones(&self, tonic: u8) -> Vec<u8> {
        self.intervals.iter().map(|interval| (tonic + self.root + interval) % 12).collect()
    }

    /// The chord's name in a key, its root spelled as the numeral says: "Db7" for bII7 in C, "G#dim7" for viidim7 in A minor.
    pub fn name_in(&self, key: Key) -> String {
        let numeral = self.text.trim_start_matches(['b', '#']).to_ascii_lowercase();
        // Fifths from the tonic; the numerals are ordered as in NUMERALS.
        const FIFTHS: [i32; 7] = [5, 4, -1, 3, 2, 1, 0];
        let place = NUMERALS.iter().position(|(name, _)| numeral.starts_with(name)).unwrap_or(6);
        let shift = match self.text.as_bytes().first() {
            Some(b'b') => -7,
            Some(b'#') => 7,
            _ => 0,
        };
        format!("{}{}", degree_name(key, FIFTHS[place] + shift), self.suffix)
    }

    /// The chord's name over a tonic: "Am7", "Bbmaj7".
    pub fn symbol(&self, tonic: u8, flats: bool) -> String {
        const SHARP: [&str; 12] = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
        const FLAT: [&str; 12] = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"];
        let names = if flats || self.text.starts_with('b') { FLAT } else { SHARP };
        format!("{}{}", names[usize::from((tonic + self.root) % 12)], self.suffix)
    }
}
