//! Thread: any. Chord symbols: "F#m7b5", "Bb13", "C/E" become pitch classes and back.

use crate::analysis::{Key, Mode};

/// A chord as its symbol says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChordSymbol {
    /// Pitch class of the root.
    pub root: u8,
    /// Semitones of its tones above the root, root first: third, fifth, seventh, then the higher ones.
    pub intervals: Vec<u8>,
    /// Pitch class of the bass where it was named and is not the root.
    pub bass: Option<u8>,
}

/// Suffixes in the writing we prefer, with their intervals in ascending order within the octave.
const SUFFIXES: &[(&str, &[u8])] = &[
    ("", &[0, 4, 7]),
    ("m", &[0, 3, 7]),
    ("5", &[0, 7]),
    ("dim", &[0, 3, 6]),
    ("aug", &[0, 4, 8]),
    ("sus4", &[0, 5, 7]),
    ("sus2", &[0, 2, 7]),
    ("7", &[0, 4, 7, 10]),
    ("maj7", &[0, 4, 7, 11]),
    ("m7", &[0, 3, 7, 10]),
    ("m(maj7)", &[0, 3, 7, 11]),
    ("m7b5", &[0, 3, 6, 10]),
    ("dim7", &[0, 3, 6, 9]),
    ("7sus4", &[0, 5, 7, 10]),
    ("9sus4", &[0, 2, 5, 7, 10]),
    ("13sus4", &[0, 2, 5, 7, 9, 10]),
    ("aug7", &[0, 4, 8, 10]),
    ("7b5", &[0, 4, 6, 10]),
    ("6", &[0, 4, 7, 9]),
    ("m6", &[0, 3, 7, 9]),
    ("6/9", &[0, 2, 4, 7, 9]),
    ("m6/9", &[0, 2, 3, 7, 9]),
    ("add9", &[0, 2, 4, 7]),
    ("m(add9)", &[0, 2, 3, 7]),
    ("9", &[0, 2, 4, 7, 10]),
    ("maj9", &[0, 2, 4, 7, 11]),
    ("m9", &[0, 2, 3, 7, 10]),
    ("m11", &[0, 2, 3, 5, 7, 10]),
    ("13", &[0, 2, 4, 7, 9, 10]),
    ("maj13", &[0, 2, 4, 7, 9, 11]),
    ("m13", &[0, 2, 3, 7, 9, 10]),
    ("7b9", &[0, 1, 4, 7, 10]),
    ("7#9", &[0, 3, 4, 7, 10]),
    ("7#11", &[0, 4, 6, 7, 10]),
    ("maj7#11", &[0, 4, 6, 7, 11]),
];

/// Letters along the line of fifths, F first, and their pitch classes.
const LETTERS: [char; 7] = ['F', 'C', 'G', 'D', 'A', 'E', 'B'];

/// Name of a place on the line of fifths; 0 is C, 1 is G, -1 is F. Double accidentals are avoided.
fn name_of_fifth(place: i32) -> String {
    let mut place = place;
    while place > 10 {
        place -= 12;
    }
    while place < -8 {
        place += 12;
    }
    let letter = LETTERS[(place + 1).rem_euclid(7) as usize];
    let accidentals = (place + 1).div_euclid(7);
    let sign = if accidentals < 0 { "b" } else { "#" };
    format!("{letter}{}", sign.repeat(accidentals.unsigned_abs() as usize))
}

/// Name of the note on a degree of a key. `degree` counts fifths from the tonic: IV is -1, V 1, II 2, a lowered degree 7 less.
pub fn degree_name(key: Key, degree: i32) -> String {
    let home = key.signature() + if key.mode == Mode::Minor { 3 } else { 0 };
    name_of_fifth(home + degree)
}

/// Name of a chord's root or bass in a key: flats for lowered degrees, sharps for a raised fourth and for leading notes in minor.
pub fn class_name(key: Key, class: u8) -> String {
    // Fifths from the tonic of each semitone above it.
    const MAJOR: [i32; 12] = [0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5];
    let above = usize::from((class + 12 - key.tonic % 12) % 12);
    degree_name(key, MAJOR[above])
}

/// Reads a note's name at the start of a text: its pitch class and the rest.
fn note(text: &str) -> Option<(u8, &str)> {
    let class = match text.chars().next()? {
        'C' => 0,
        'D' => 2,
        'E' => 4,
        'F' => 5,
        'G' => 7,
        'A' => 9,
        'B' => 11,
        _ => return None,
    };
    let mut class: i32 = class;
    let mut rest = &text[1..];
    for _ in 0..2 {
        match rest.as_bytes().first() {
            Some(b'#') => class += 1,
            Some(b'b') => class -= 1,
            _ => break,
        }
        rest = &rest[1..];
    }
    Some((class.rem_euclid(12) as u8, rest))
}

/// What a symbol has said so far.
struct Reading {
    third: Option<u8>,
    fifths: Vec<u8>,
    seventh: Option<u8>,
    /// Intervals beyond the seventh, and added ones.
    more: Vec<u8>,
    /// "maj" was read, so that a seventh is a major one.
    major: bool,
    /// The third goes, as under an eleventh.
    drops_third: bool,
}

impl ChordSymbol {
    /// Reads a symbol.
    ///
    /// # Errors
    /// A sentence's end that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut plain = String::with_capacity(text.len() + 4);
        for letter in text.chars() {
            match letter {
                '♭' => plain.push('b'),
                '♯' => plain.push('#'),
                'Δ' | '△' | '∆' => plain.push('^'),
                'ø' | 'Ø' => plain.push('h'),
                '°' | 'º' | '˚' => plain.push_str("dim"),
                '−' | '–' | '—' => plain.push('-'),
                '(' | ')' | ',' | '[' | ']' => plain.push(' '),
                other => plain.push(other),
            }
        }
        let plain = plain.trim();
        let Some((root, rest)) = note(plain) else {
            return Err(match plain.chars().next() {
                Some('H') => "there is no note H here; write B, or Bb for the German B".to_owned(),
                Some(letter @ 'a'..='g') => {
                    format!("a chord begins with a capital letter, so write {}", letter.to_ascii_uppercase())
                }
                _ => "a chord begins with a note from A to G".to_owned(),
            });
        };
        // The slash of "6/9" is no bass.
        let slash = rest.rfind('/').filter(|&at| !rest[at + 1..].trim().starts_with('9'));
        let (quality, bass) = match slash {
            None => (rest, None),
            Some(at) => {
                let name = rest[at + 1..].trim();
                let (class, left) =
                    note(name).ok_or_else(|| format!("\"{name}\" after the slash is no note from A to G"))?;
                if !left.trim().is_empty() {
                    return Err(format!("\"{name}\" after the slash is no note"));
                }
                (&rest[..at], Some(class))
            }
        };
        let intervals = Reading::of(quality)?;
        Ok(Self { root, intervals, bass: bass.filter(|bass| *bass != root) })
    }

    /// Pitch classes, root first.
    pub fn tones(&self) -> Vec<u8> {
        self.intervals.iter().map(|interval| (self.root + interval) % 12).collect()
    }

    /// The symbol of a chord as a key writes it. `tones` are pitch classes with the root among them.
    pub fn name(root: u8, tones: &[u8], bass: Option<u8>, key: Key) -> String {
        let mut intervals: Vec<u8> = tones.iter().map(|tone| (tone + 12 - root % 12) % 12).collect();
        intervals.push(0);
        intervals.sort_unstable();
        intervals.dedup();
        let known = SUFFIXES.iter().find(|(_, other)| *other == intervals.as_slice());
        let suffix = known.map_or_else(|| spelled_out(&intervals), |(suffix, _)| (*suffix).to_owned());
        let bass = bass.filter(|bass| *bass % 12 != root % 12);
        let bass = bass.map_or_else(String::new, |bass| format!("/{}", class_name(key, bass)));
        format!("{}{suffix}{bass}", class_name(key, root))
    }
}

/// A suffix for a chord that has none of its own: what it is nearest to, and what is added and left out.
fn spelled_out(intervals: &[u8]) -> String {
    let has = |interval: u8| intervals.contains(&interval);
    let minor = has(3) && !has(4);
    let seventh = has(10);
    let mut text = String::new();
    let mut said = vec![0];
    if minor {
        text.push('m');
        said.push(3);
    } else if has(4) {
        said.push(4);
    }
    if seventh {
        text.push('7');
        said.push(10);
    } else if has(11) {
        text.push_str(if minor { "(maj7)" } else { "maj7" });
        said.push(11);
    } else if has(9) {
        text.push('6');
        said.push(9);
    }
    let fourth = has(5) && !has(4) && !minor;
    if fourth {
        text.push_str("sus4");
        said.push(5);
    }
    let named = if has(7) {
        7
    } else if has(6) {
        text.push_str("(b5)");
        6
    } else if has(8) {
        text.push_str("(#5)");
        8
    } else {
        text.push_str("(no5)");
        0
    };
    said.push(named);
    if !minor && !has(4) && !fourth {
        text.push_str("(no3)");
    }
    for interval in intervals.iter().filter(|interval| !said.contains(interval)) {
        text.push_str(match interval {
            1 => "(addb9)",
            2 => "(add9)",
            3 => "(add#9)",
            4 => "(add3)",
            5 => "(add11)",
            6 => "(add#11)",
            8 => "(addb13)",
            9 => "(add13)",
            10 => "(add7)",
            _ => "(addmaj7)",
        });
    }
    text
}

/// Takes one of some words off the front of a text.
fn take<'a>(text: &'a str, words: &[&str]) -> Option<&'a str> {
    words.iter().find_map(|word| text.strip_prefix(word))
}

/// Takes a number off the front of a text, the longer ones first.
fn number(text: &str) -> Option<(u8, &str)> {
    [("13", 13), ("11", 11), ("2", 2), ("3", 3), ("4", 4), ("5", 5), ("6", 6), ("7", 7), ("9", 9)]
        .into_iter()
        .find_map(|(word, value)| text.strip_prefix(word).map(|rest| (value, rest)))
}

/// Semitones above the root of a scale step, raised or lowered.
fn step(number: u8, shift: i32) -> u8 {
    let plain = match number {
        2 | 9 => 2,
        3 => 4,
        4 | 11 => 5,
        5 => 7,
        6 | 13 => 9,
        _ => 10,
    };
    (plain + shift).rem_euclid(12) as u8
}

impl Reading {
    /// The intervals a suffix names.
    fn of(suffix: &str) -> Result<Vec<u8>, String> {
        let mut reading = Self {
            third: Some(4),
            fifths: Vec::new(),
            seventh: None,
            more: Vec::new(),
            major: false,
            drops_third: false,
        };
        let mut rest = suffix.trim();
        let mut first = true;
        let mut power = false;
        while !rest.is_empty() {
            rest = reading.next(rest, first, &mut power).ok_or_else(|| {
                format!("I do not know \"{rest}\"; write chords such as C, Am7, F#m7b5, Bbmaj9, G7sus4 or C/E")
            })?;
            rest = rest.trim_start();
            first = false;
        }
        if power {
            reading.third = None;
        }
        if reading.major && reading.third == Some(3) && reading.seventh.is_none() {
            reading.seventh = Some(11);
        }
        if reading.drops_third && reading.third == Some(4) {
            reading.third = None;
        }
        let mut intervals = vec![0];
        intervals.extend(reading.third);
        // 0 says that the fifth was left out.
        let fifths = if reading.fifths.is_empty() { vec![7] } else { reading.fifths };
        intervals.extend(fifths.into_iter().filter(|fifth| *fifth != 0));
        intervals.extend(reading.seventh);
        intervals.extend(reading.more);
        let mut unique: Vec<u8> = Vec::new();
        for interval in intervals {
            if !unique.contains(&interval) {
                unique.push(interval);
            }
        }
        Ok(unique)
    }

    fn add(&mut self, interval: u8) {
        self.more.push(interval);
    }

    /// Reads one word; the rest after it.
    fn next<'a>(&mut self, text: &'a str, first: bool, power: &mut bool) -> Option<&'a str> {
        if let Some(rest) = take(text, &["^7", "^"]) {
            self.seventh = Some(11);
            self.major = true;
            return Some(rest);
        }
        if let Some(rest) = take(text, &["add", "Add"]) {
            let (shift, rest) = shift(rest);
            if let Some(rest) = take(rest, &["maj7", "M7"]) {
                self.add(11);
                return Some(rest);
            }
            let (value, rest) = number(rest)?;
            self.add(step(value, shift));
            return Some(rest);
        }
        if let Some(rest) = take(text, &["omit", "no"]) {
            let (value, rest) = number(rest)?;
            match value {
                3 => *power = true,
                5 => self.fifths = vec![0],
                _ => return None,
            }
            return Some(rest);
        }
        if let Some(rest) = take(text, &["major", "maj", "Maj", "MAJ", "Ma", "ma", "M"]) {
            self.major = true;
            return Some(rest);
        }
        if let Some(rest) = take(text, &["sus"]) {
            self.third = None;
            if let Some(rest) = take(rest, &["24", "42"]) {
                self.add(2);
                self.add(5);
                return Some(rest);
            }
            let (interval, rest) = if let Some(rest) = rest.strip_prefix('2') {
                (2, rest)
            } else {
                (5, rest.strip_prefix('4').unwrap_or(rest))
            };
            self.third = Some(interval);
            return Some(rest);
        }
        if let Some(rest) = take(text, &["alt"]) {
            self.seventh = Some(10);
            self.fifths = vec![0];
            self.more.extend([1, 3, 8]);
            return Some(rest);
        }
        if let Some(rest) = take(text, &["dim", "o"]) {
            self.third = Some(3);
            self.fifths = vec![6];
            if let Some(rest) = rest.strip_prefix('7') {
                self.seventh = Some(9);
                return Some(rest);
            }
            return Some(rest);
        }
        if let Some(rest) = take(text, &["h7", "h"]) {
            self.third = Some(3);
            self.fifths = vec![6];
            self.seventh = Some(10);
            return Some(rest);
        }
        if let Some(rest) = take(text, &["aug"]) {
            self.fifths = vec![8];
            return Some(rest);
        }
        if first && let Some(rest) = take(text, &["minor", "min", "mi", "m", "-"]) {
            self.third = Some(3);
            return Some(rest);
        }
        if let Some(rest) = text.strip_prefix('+') {
            return match number(rest) {
                Some((9 | 11 | 13, _)) => self.altered(rest, 1),
                Some((5, rest)) => {
                    self.fifths = vec![8];
                    Some(rest)
                }
                _ => {
                    self.fifths = vec![8];
                    Some(rest)
                }
            };
        }
        if let (shift @ (1 | -1), rest) = shift(text) {
            return self.altered(rest, shift);
        }
        if let Some(rest) = take(text, &["6/9", "69"]) {
            self.add(9);
            self.add(2);
            return Some(rest);
        }
        let (value, rest) = number(text)?;
        let seventh = if self.major { 11 } else { 10 };
        match value {
            5 if first => *power = true,
            6 => self.add(9),
            2 => self.add(2),
            4 => self.third = Some(5),
            7 => self.seventh = Some(seventh),
            9 => self.seventh_and(seventh, &[2]),
            11 => {
                self.seventh_and(seventh, &[2, 5]);
                self.drops_third = true;
            }
            13 => self.seventh_and(seventh, &[2, 9]),
            _ => return None,
        }
        Some(rest)
    }

    fn seventh_and(&mut self, seventh: u8, more: &[u8]) {
        if self.seventh.is_none() {
            self.seventh = Some(seventh);
        }
        self.more.extend(more);
    }

    /// A raised or lowered step: fifths replace the plain one, ninths too.
    fn altered<'a>(&mut self, text: &'a str, shift: i32) -> Option<&'a str> {
        let (value, rest) = number(text)?;
        match value {
            5 => {
                self.fifths.retain(|fifth| *fifth != 0);
                self.fifths.push(step(5, shift));
            }
            9 | 2 => {
                self.more.retain(|interval| *interval != 2);
                self.add(step(9, shift));
            }
            11 | 4 => {
                self.more.retain(|interval| *interval != 5);
                self.add(step(11, shift));
            }
            13 | 6 => {
                self.more.retain(|interval| *interval != 9);
                self.add(step(13, shift));
            }
            _ => return None,
        }
        Some(rest)
    }
}

/// A sharp or flat in front of a number.
fn shift(text: &str) -> (i32, &str) {
    match text.as_bytes().first() {
        Some(b'#') => (1, &text[1..]),
        Some(b'b' | b'-') => (-1, &text[1..]),
        _ => (0, text),
    }
}
