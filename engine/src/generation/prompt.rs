//! Thread: any. A prompt becomes a style, instruments in roles, and a playing strength, by plain word matching.
//!
//! Nothing here guesses: every word either means something that is listed in `understood`, or is listed in `ignored`.

use super::score::{Preset, Role};
use super::style::Style;
use super::style::library::StyleLibrary;
use crate::error::{Error, Result};

/// An instrument the prompt asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The part it plays.
    pub role: Role,
    /// Sounds that fit; the seed picks one.
    pub presets: Vec<Preset>,
    /// As the prompt called it.
    pub words: String,
}

/// What a prompt means.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Name of the style.
    pub style: String,
    /// Instruments in roles, at most one wish a role.
    pub wishes: Vec<Wish>,
    /// Roles to leave out.
    pub without_roles: Vec<Role>,
    /// Sounds to leave out.
    pub without_presets: Vec<Preset>,
    /// Added to the style's playing strength: below 0 for "gentle", above for "thundering".
    pub energy: f32,
    /// What was understood, in words.
    pub understood: Vec<String>,
    /// Words nothing was done with.
    pub ignored: Vec<String>,
}

/// Words for an instrument, the role it takes when neither prompt nor style says otherwise, and its sounds (bank, program).
struct Instrument {
    words: &'static [&'static str],
    role: Role,
    presets: &'static [(u8, u8)],
}

const fn instrument(words: &'static [&'static str], role: Role, presets: &'static [(u8, u8)]) -> Instrument {
    Instrument { words, role, presets }
}

const INSTRUMENTS: &[Instrument] = &[
    instrument(&["tenor sax", "tenor saxophone"], Role::Lead, &[(0, 66)]),
    instrument(&["alto sax", "alto saxophone"], Role::Lead, &[(0, 65)]),
    instrument(&["saxophone", "sax", "saxophones", "saxes"], Role::Lead, &[(0, 66), (0, 65)]),
    instrument(&["muted trumpet", "mute trumpet"], Role::Lead, &[(0, 59)]),
    instrument(&["trumpet"], Role::Lead, &[(0, 56)]),
    instrument(
        &["trumpets", "brass", "brass section", "horn section", "fanfare", "fanfares"],
        Role::Chords,
        &[(0, 61), (0, 60)],
    ),
    instrument(&["trombone", "trombones"], Role::Lead, &[(0, 57)]),
    instrument(&["tuba"], Role::Bass, &[(0, 58)]),
    instrument(&["horn", "horns", "french horn", "french horns"], Role::Chords, &[(0, 60)]),
    instrument(&["synth brass"], Role::Chords, &[(0, 62)]),
    instrument(&["flute"], Role::Lead, &[(0, 73)]),
    instrument(&["oboe"], Role::Lead, &[(0, 68)]),
    instrument(&["clarinet"], Role::Lead, &[(0, 71)]),
    instrument(&["whistle", "tin whistle"], Role::Lead, &[(0, 78)]),
    instrument(&["harmonica", "mouth organ", "melodica"], Role::Lead, &[(0, 22)]),
    instrument(&["accordion"], Role::Lead, &[(0, 21)]),
    instrument(&["violin", "solo violin", "fiddle"], Role::Lead, &[(0, 40)]),
    instrument(&["violins"], Role::Lead, &[(20, 48), (0, 48)]),
    instrument(&["cello", "solo cello"], Role::Lead, &[(0, 42)]),
    instrument(&["strings", "string section", "string orchestra", "string pads", "string pad"], Role::Pad, &[(0, 48)]),
    instrument(&["tremolo strings", "tremolo"], Role::Pad, &[(0, 44)]),
    instrument(&["pizzicato", "pizzicato strings"], Role::Chords, &[(0, 45)]),
    instrument(&["choir", "voices", "choral", "aahs"], Role::Pad, &[(0, 52)]),
    instrument(
        &["electric guitar", "overdriven guitar", "overdrive guitar", "rock guitar"],
        Role::Chords,
        &[(0, 29), (0, 27)],
    ),
    instrument(&["distorted guitar", "distortion guitar", "heavy guitar"], Role::Lead, &[(0, 30)]),
    instrument(&["clean guitar"], Role::Chords, &[(0, 27)]),
    instrument(&["muted guitar"], Role::Chords, &[(0, 28)]),
    instrument(&["jazz guitar"], Role::Chords, &[(0, 26)]),
    instrument(&["nylon guitar", "classical guitar", "spanish guitar"], Role::Chords, &[(0, 24)]),
    instrument(&["acoustic guitar", "steel guitar"], Role::Chords, &[(0, 25), (0, 24)]),
    instrument(&["guitar", "guitars"], Role::Chords, &[(0, 27), (0, 25)]),
    instrument(&["banjo"], Role::Chords, &[(0, 105)]),
    instrument(&["piano", "grand piano", "acoustic piano", "pianos"], Role::Chords, &[(0, 0)]),
    instrument(&["electric piano", "rhodes", "tine piano", "ep"], Role::Chords, &[(0, 4), (0, 5)]),
    instrument(&["clavinet", "clav"], Role::Chords, &[(0, 7)]),
    instrument(&["rock organ"], Role::Chords, &[(0, 18)]),
    instrument(&["organ", "hammond", "drawbar organ"], Role::Pad, &[(0, 16)]),
    instrument(&["vibraphone", "vibes"], Role::Lead, &[(0, 11)]),
    instrument(&["marimba"], Role::Chords, &[(0, 12)]),
    instrument(&["kalimba"], Role::Colour, &[(0, 108)]),
    instrument(&["steel drums", "steel pan", "steel pans", "steelpan"], Role::Lead, &[(0, 114)]),
    instrument(&["music box"], Role::Lead, &[(0, 10)]),
    instrument(&["glockenspiel"], Role::Colour, &[(0, 9)]),
    instrument(&["celesta"], Role::Colour, &[(0, 8)]),
    instrument(&["bells", "tubular bells", "chimes"], Role::Colour, &[(0, 14)]),
    instrument(&["harp"], Role::Colour, &[(0, 46)]),
    instrument(&["synth lead", "synth", "synthesizer", "saw lead"], Role::Lead, &[(0, 81), (0, 80)]),
    instrument(&["warm pad", "synth pad"], Role::Pad, &[(0, 89)]),
    instrument(&["upright bass", "double bass", "contrabass", "walking bass"], Role::Bass, &[(0, 32)]),
    instrument(&["synth bass"], Role::Bass, &[(0, 38), (0, 39)]),
    instrument(&["pick bass", "picked bass"], Role::Bass, &[(0, 34)]),
    instrument(&["electric bass", "bass guitar", "finger bass"], Role::Bass, &[(0, 33)]),
    instrument(&["timpani", "kettledrums"], Role::Percussion, &[(0, 47)]),
    instrument(&["brushes", "brushed drums", "brush kit"], Role::Drums, &[(128, 40)]),
    instrument(&["808", "drum machine"], Role::Drums, &[(128, 25)]),
    instrument(&["electronic drums"], Role::Drums, &[(128, 24)]),
];

/// Words for a whole role. As a wish they ask for the style's own instrument there.
const ROLES: &[(&[&str], &[Role])] = &[
    (&["drums", "drum", "drum kit", "full drum kit", "drumkit", "drum set", "beat", "beats"], &[Role::Drums]),
    (&["percussion"], &[Role::Percussion, Role::Drums]),
    (&["bass", "bassline", "bass line"], &[Role::Bass]),
    (&["pad", "pads"], &[Role::Pad]),
    (&["chords", "comping"], &[Role::Chords]),
];

/// Words after an instrument that say what it plays.
const AFTER: &[(&str, Role)] = &[
    ("solo", Role::Lead),
    ("solos", Role::Lead),
    ("lead", Role::Lead),
    ("melody", Role::Lead),
    ("theme", Role::Lead),
    ("tune", Role::Lead),
    ("chords", Role::Chords),
    ("comping", Role::Chords),
    ("rhythm", Role::Chords),
    ("skank", Role::Chords),
    ("strumming", Role::Chords),
    ("stabs", Role::Chords),
    ("hits", Role::Chords),
    ("fanfare", Role::Chords),
    ("fanfares", Role::Chords),
    ("pad", Role::Pad),
    ("pads", Role::Pad),
    ("bass", Role::Bass),
    ("bassline", Role::Bass),
    ("runs", Role::Colour),
    ("arpeggios", Role::Colour),
];

/// Words before an instrument that say what it plays.
const BEFORE: &[(&str, Role)] = &[
    ("soaring", Role::Lead),
    ("solo", Role::Lead),
    ("lead", Role::Lead),
    ("singing", Role::Lead),
    ("rhythm", Role::Chords),
    ("comping", Role::Chords),
    ("bubbling", Role::Pad),
    ("sustained", Role::Pad),
];

/// Words for playing strength.
const MOODS: &[(&[&str], f32)] = &[
    (
        &[
            "thundering",
            "epic",
            "huge",
            "massive",
            "powerful",
            "heroic",
            "triumphant",
            "loud",
            "energetic",
            "driving",
            "grand",
            "hard",
        ],
        0.08,
    ),
    (
        &[
            "gentle",
            "soft",
            "softly",
            "quiet",
            "calm",
            "mellow",
            "tender",
            "smooth",
            "laid-back",
            "relaxed",
            "sparse",
            "intimate",
            "chill",
        ],
        -0.15,
    ),
];

/// Words without a meaning of their own here.
const FILLERS: &[&str] = &[
    "a",
    "an",
    "the",
    "and",
    "with",
    "of",
    "in",
    "on",
    "for",
    "by",
    "to",
    "some",
    "my",
    "me",
    "plus",
    "featuring",
    "style",
    "arrangement",
    "track",
    "song",
    "music",
    "version",
    "piece",
    "full",
    "kit",
    "band",
    "played",
    "playing",
    "please",
    "make",
    "it",
    "like",
    "is",
    "as",
    "sound",
    "sounding",
    "solo",
    "lead",
    "melody",
    "part",
];

/// Reads a prompt. Case and punctuation do not matter; the longest match of words wins; the first style named wins.
///
/// # Errors
/// [`Error::UnknownStyle`] when neither a style nor an instrument is named.
pub fn resolve(prompt: &str, library: &StyleLibrary) -> Result<Resolved> {
    let words = words(prompt);
    let style = find_style(&words, library);
    let mut reading = Reading {
        words: &words,
        used: vec![false; words.len()],
        style: style.map(|(style, ..)| style),
        ..Reading::default()
    };
    if let Some((style, at, length)) = style {
        reading.mark(at, length);
        reading.understood.push(format!("style: {}", style.name));
    }
    reading.read();
    let style = match style.map(|(style, ..)| style) {
        Some(style) => style,
        None => reading
            .style_by_instruments(library)
            .ok_or_else(|| Error::UnknownStyle { name: prompt.trim().to_owned(), known: library.names() })?,
    };
    let ignored = words
        .iter()
        .zip(&reading.used)
        .filter(|(word, used)| !**used && !FILLERS.contains(&word.as_str()))
        .map(|(word, _)| word.clone())
        .collect();
    Ok(Resolved {
        style: style.name.clone(),
        wishes: reading.wishes,
        without_roles: reading.without_roles,
        without_presets: reading.without_presets,
        energy: reading.energy.clamp(-0.3, 0.2),
        understood: reading.understood,
        ignored,
    })
}

fn words(prompt: &str) -> Vec<String> {
    prompt
        .to_lowercase()
        .split(|letter: char| !(letter.is_alphanumeric() || letter == '-' || letter == '\''))
        .map(|word| word.trim_matches(['-', '\'']).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether the phrase stands at a position; its length in words.
fn matches_at(words: &[String], at: usize, phrase: &str) -> Option<usize> {
    let mut length = 0;
    for part in phrase.split(' ') {
        if words.get(at + length).is_none_or(|word| word != part) {
            return None;
        }
        length += 1;
    }
    Some(length)
}

fn find_style<'a>(words: &[String], library: &'a StyleLibrary) -> Option<(&'a Style, usize, usize)> {
    // A word that also describes an instrument ("epic brass") is a weaker hint than a style's own name, so names go first.
    let named = (0..words.len())
        .find_map(|at| library.list().iter().find(|style| style.name == words[at]).map(|style| (style, at, 1)));
    named.or_else(|| {
        (0..words.len()).find_map(|at| {
            let candidates = library.list().iter().flat_map(|style| {
                style.words.iter().filter_map(move |phrase| Some((style, at, matches_at(words, at, phrase)?)))
            });
            candidates.max_by_key(|&(_, _, length)| length)
        })
    })
}

#[derive(Default)]
struct Reading<'a> {
    words: &'a [String],
    used: Vec<bool>,
    style: Option<&'a Style>,
    wishes: Vec<Wish>,
    without_roles: Vec<Role>,
    without_presets: Vec<Preset>,
    energy: f32,
    understood: Vec<String>,
}

impl Reading<'_> {
    fn mark(&mut self, at: usize, length: usize) {
        self.used[at..at + length].fill(true);
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    fn read(&mut self) {
        let mut at = 0;
        let mut negated = false;
        while at < self.words.len() {
            if self.used[at] {
                at += 1;
                continue;
            }
            if matches!(self.word(at), "no" | "without") {
                negated = self.read_thing(at + 1, true) > 0;
                if negated {
                    self.mark(at, 1);
                }
                at += 1;
                continue;
            }
            // "no drums or bass", "without drums and bass" go on; anything else ends the exclusion.
            if negated && matches!(self.word(at), "or" | "nor" | "and") {
                negated = !matches!(self.word(at), "and") || !matches!(self.word(at + 1), "a" | "with");
                self.used[at] = true;
                at += 1;
                continue;
            }
            let length = self.read_thing(at, negated);
            if length == 0 {
                negated = false;
                self.read_mood(at);
            }
            at += length.max(1);
        }
    }

    fn read_mood(&mut self, at: usize) {
        let word = self.word(at).to_owned();
        if let Some((_, energy)) = MOODS.iter().find(|(words, _)| words.contains(&word.as_str())) {
            self.energy += energy;
            self.used[at] = true;
            self.understood.push(format!("{word}: {}", if *energy > 0.0 { "stronger" } else { "softer" }));
        }
    }

    /// Reads an instrument or a role at a position; the number of words it took.
    fn read_thing(&mut self, at: usize, negated: bool) -> usize {
        let instrument = INSTRUMENTS
            .iter()
            .flat_map(|instrument| instrument.words.iter().map(move |phrase| (instrument, phrase)))
            .filter_map(|(instrument, phrase)| Some((instrument, matches_at(self.words, at, phrase)?)))
            .max_by_key(|&(_, length)| length);
        let role = ROLES
            .iter()
            .flat_map(|(phrases, roles)| phrases.iter().map(move |phrase| (*roles, phrase)))
            .filter_map(|(roles, phrase)| Some((roles, matches_at(self.words, at, phrase)?)))
            .max_by_key(|&(_, length)| length);
        match (instrument, role) {
            (Some((instrument, length)), role) if role.is_none_or(|(_, role)| role <= length) => {
                self.read_instrument(at, length, instrument, negated)
            }
            (_, Some((roles, length))) => {
                self.mark(at, length);
                let words = self.words[at..at + length].join(" ");
                if negated {
                    self.without_roles.extend(roles.iter().filter(|role| **role != Role::Lead));
                    self.understood.push(format!("no {words}"));
                } else {
                    self.understood.push(format!("{}: {words}", roles[0].name()));
                    let named = roles.iter().filter(|role| !self.wishes.iter().any(|wish| wish.role == **role));
                    let wishes: Vec<Wish> =
                        named.map(|role| Wish { role: *role, presets: Vec::new(), words: words.clone() }).collect();
                    self.wishes.extend(wishes);
                }
                length
            }
            _ => 0,
        }
    }

    fn read_instrument(&mut self, at: usize, length: usize, instrument: &Instrument, negated: bool) -> usize {
        let presets: Vec<Preset> = instrument.presets.iter().map(|&(bank, program)| Preset { bank, program }).collect();
        let words = self.words[at..at + length].join(" ");
        self.mark(at, length);
        if negated {
            self.without_presets.extend(presets);
            self.understood.push(format!("no {words}"));
            return length;
        }
        let mut total = length;
        let mut said = None;
        if let Some((_, role)) = AFTER.iter().find(|(word, _)| *word == self.word(at + length)) {
            said = Some(*role);
            self.mark(at + length, 1);
            total += 1;
        } else if at > 0
            && !self.used[at - 1]
            && let Some((word, role)) = BEFORE.iter().find(|(word, _)| *word == self.word(at - 1))
        {
            said = Some(*role);
            self.mark(at - 1, 1);
            if *word == "soaring" {
                self.understood.push("soaring: high and in front".to_owned());
            }
        }
        let at_home = self.style.and_then(|style| {
            let mut parts = style.parts.iter().filter(|part| presets.contains(&part.preset));
            let first = parts.clone().find(|part| part.role == instrument.role);
            first.or_else(|| parts.next()).map(|part| part.role)
        });
        let role = said.or(at_home).unwrap_or(instrument.role);
        self.understood.push(format!("{}: {words}", role.name()));
        match self.wishes.iter_mut().find(|wish| wish.role == role) {
            Some(wish) => wish.presets.extend(presets),
            None => self.wishes.push(Wish { role, presets, words }),
        }
        total
    }

    /// The style that has most of the instruments asked for; the first one on a tie.
    fn style_by_instruments<'a>(&self, library: &'a StyleLibrary) -> Option<&'a Style> {
        if self.wishes.is_empty() {
            return None;
        }
        let score = |style: &Style| {
            let has = |wish: &&Wish| {
                style.parts.iter().any(|part| {
                    part.role == wish.role && (wish.presets.is_empty() || wish.presets.contains(&part.preset))
                })
            };
            let weight: f32 = style
                .parts
                .iter()
                .filter(|part| {
                    self.wishes.iter().any(|wish| wish.role == part.role && wish.presets.contains(&part.preset))
                })
                .map(|part| part.weight)
                .sum();
            self.wishes.iter().filter(has).count() as f32 * 100.0 + weight.min(99.0)
        };
        let mut best: Option<(&Style, f32)> = None;
        for style in library.list() {
            let score = score(style);
            if best.is_none_or(|(_, known)| score > known) {
                best = Some((style, score));
            }
        }
        best.map(|(style, _)| style)
    }
}
