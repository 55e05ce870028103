//! Thread: any. All phrases that mean something, by their first word, so that the longest one at a place is found at once.

use super::Setting;
use super::instruments::{AFTER, BEFORE, INSTRUMENTS, Instrument, ROLES};
use super::languages::english;
use super::moods::{MOODS, Mood};
use super::settings::{A_CAPPELLA, CARRY_ON, DEGREES, FILLERS, NOT, NUMBERS, ONLY, SETTINGS, STAYS, WITHOUT};
use super::spelling::nearest;
use super::styles::{ADJECTIVES, NEAREST};
use super::tokens::{Token, tokens};
use crate::generation::score::Role;
use crate::generation::style::library::StyleLibrary;
use std::collections::{BTreeMap, BTreeSet};

/// Words that are corrected at most; a prompt with more unknown ones is no prompt.
const MOST_CORRECTIONS: usize = 48;

/// How plainly a phrase names a style. The order is that of their weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// A name of the style.
    Outright,
    /// Rather an adjective, an era, a scene.
    Adjective,
    /// A word that means something else too: "epic", "jazz guitar".
    Overlap,
}

/// What a phrase can mean. The order is that of precedence among phrases of the same length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning {
    /// Sets something, and how the reader is told.
    Set(Setting, &'static str),
    /// Leaves roles out, and how the reader is told.
    Leave(&'static [Role], &'static str),
    /// Voices alone.
    ACappella,
    /// An instrument.
    Instrument(&'static Instrument),
    /// A role.
    Roles(&'static [Role]),
    /// A mood.
    Mood(&'static Mood),
    /// A style, by its place in the library.
    Style(usize, Strength),
    /// Makes the next word stronger or weaker.
    Degree(f32),
    /// Turns the next thing off.
    Not,
    /// Something of the song that stays as it is, and how the reader is told.
    Stays(&'static str),
    /// A number.
    Number(u32),
    /// Only what is named next or was named before.
    Only,
    /// Carries an exclusion on.
    CarryOn,
    /// Nothing by itself.
    Filler,
}

struct Phrase {
    rest: Vec<String>,
    rank: usize,
    meaning: Meaning,
}

/// Every phrase for a library of styles.
pub struct Book {
    by_first: BTreeMap<String, Vec<Phrase>>,
    words: BTreeSet<String>,
    names: Vec<String>,
}

impl Book {
    /// The phrases of a library's styles and of our own tables.
    pub fn of(library: &StyleLibrary) -> Self {
        let names = library.list().iter().map(|style| style.name.clone()).collect();
        let mut book = Self { by_first: BTreeMap::new(), words: BTreeSet::new(), names };
        book.styles(library);
        for (phrases, setting, says) in SETTINGS {
            book.add_all(phrases, 0, Meaning::Set(*setting, says));
        }
        for (phrases, roles, says) in WITHOUT {
            book.add_all(phrases, 1, Meaning::Leave(roles, says));
        }
        book.add_all(A_CAPPELLA, 2, Meaning::ACappella);
        for instrument in INSTRUMENTS {
            book.add_all(instrument.words, 3, Meaning::Instrument(instrument));
        }
        for (phrases, roles) in ROLES {
            book.add_all(phrases, 4, Meaning::Roles(roles));
        }
        for mood in MOODS {
            book.add_all(mood.words, 5, Meaning::Mood(mood));
        }
        for (phrases, degree) in DEGREES {
            book.add_all(phrases, 7, Meaning::Degree(*degree));
        }
        book.add_all(NOT, 8, Meaning::Not);
        for (phrases, says) in STAYS {
            book.add_all(phrases, 9, Meaning::Stays(says));
        }
        for (word, number) in NUMBERS {
            book.add(word, 10, Meaning::Number(*number));
        }
        book.add_all(ONLY, 11, Meaning::Only);
        book.add_all(CARRY_ON, 12, Meaning::CarryOn);
        book.add_all(FILLERS, 13, Meaning::Filler);
        book.words.extend(AFTER.iter().chain(BEFORE).map(|(word, _)| (*word).to_owned()));
        book
    }

    fn styles(&mut self, library: &StyleLibrary) {
        let mut own = BTreeSet::new();
        for (index, style) in library.list().iter().enumerate() {
            let spaced = style.name.replace('-', " ");
            let names = [style.name.as_str(), spaced.as_str()];
            for name in names.into_iter().take(1 + usize::from(spaced != style.name)) {
                own.insert(name.to_owned());
                self.add(name, 6, Meaning::Style(index, Strength::Outright));
            }
            for phrase in style.words.iter().filter(|phrase| **phrase != style.name && **phrase != spaced) {
                let adjective = ADJECTIVES.contains(&phrase.as_str());
                let strength = if adjective { Strength::Adjective } else { Strength::Outright };
                own.insert(phrase.clone());
                self.add(phrase, 6, Meaning::Style(index, strength));
            }
        }
        for (phrases, styles) in NEAREST {
            let find = |name: &&str| library.list().iter().position(|style| style.name == **name);
            let Some(index) = styles.iter().find_map(find) else { continue };
            for phrase in phrases.iter().filter(|phrase| !own.contains(**phrase)) {
                self.add(phrase, 6, Meaning::Style(index, Strength::Adjective));
            }
        }
    }

    fn add_all(&mut self, phrases: &[&str], rank: usize, meaning: Meaning) {
        for phrase in phrases {
            self.add(phrase, rank, meaning);
        }
    }

    fn add(&mut self, phrase: &str, rank: usize, meaning: Meaning) {
        let words: Vec<String> = tokens(phrase).into_iter().map(|token| token.text).collect();
        let Some((first, rest)) = words.split_first() else { return };
        self.words.extend(words.iter().cloned());
        let phrases = self.by_first.entry(first.clone()).or_default();
        phrases.push(Phrase { rest: rest.to_vec(), rank, meaning });
    }

    /// What the longest phrase at a place means, by precedence, and its length in words; nothing for an unknown word.
    pub fn longest(&self, tokens: &[Token], at: usize) -> (usize, Vec<Meaning>) {
        let Some(phrases) = tokens.get(at).and_then(|token| self.by_first.get(&token.text)) else {
            return (0, Vec::new());
        };
        let fits = |phrase: &&Phrase| {
            phrase
                .rest
                .iter()
                .enumerate()
                .all(|(index, word)| tokens.get(at + 1 + index).is_some_and(|token| token.text == *word))
        };
        let longest = phrases.iter().filter(fits).map(|phrase| phrase.rest.len() + 1).max().unwrap_or(0);
        let mut found: Vec<&Phrase> =
            phrases.iter().filter(fits).filter(|phrase| phrase.rest.len() + 1 == longest).collect();
        found.sort_by_key(|phrase| phrase.rank);
        (longest, found.iter().map(|phrase| phrase.meaning).collect())
    }

    /// The name of a style.
    pub fn style_name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// A style that is named outright by one word.
    pub fn style_word(&self, word: &str) -> Option<usize> {
        self.by_first.get(word)?.iter().filter(|phrase| phrase.rest.is_empty()).find_map(|phrase| {
            match phrase.meaning {
                Meaning::Style(index, Strength::Outright) => Some(index),
                _ => None,
            }
        })
    }

    /// Puts known words in the place of words of other languages and of misspelt ones; tells of each.
    pub fn correct(&self, tokens: Vec<Token>) -> (Vec<Token>, Vec<String>) {
        let mut corrected = Vec::with_capacity(tokens.len());
        let mut notes = Vec::new();
        let mut corrections = 0;
        for token in tokens {
            if token.is_stop()
                || self.words.contains(&token.text)
                || token.text.starts_with(|letter: char| letter.is_ascii_digit())
            {
                corrected.push(token);
                continue;
            }
            if let Some(english) = english(&token.text) {
                if !matches!(english, "a" | "and" | "or" | "with" | "without" | "no" | "not" | "very" | "too") {
                    notes.push(format!("{}: {english}", token.text));
                }
                let words = english.split(' ');
                corrected.extend(words.map(|word| Token { text: word.to_owned(), written: Some(token.text.clone()) }));
                continue;
            }
            corrections += 1;
            let near = if corrections > MOST_CORRECTIONS {
                None
            } else {
                nearest(&token.text, self.words.iter().map(String::as_str))
            };
            match near {
                Some(known) => {
                    notes.push(format!("{}: {known}?", token.text));
                    corrected.push(Token { text: known.to_owned(), written: Some(token.text) });
                }
                None => corrected.push(token),
            }
        }
        (corrected, notes)
    }
}
