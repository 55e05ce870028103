//! Thread: any. The walk over a prompt: what every phrase says, with what it negates and how strongly.

use super::Setting;
use super::book::{Book, Meaning, Strength};
use super::instruments::{AFTER, BEFORE, Instrument};
use super::moods::Mood;
use super::tokens::{Token, tokens};
use crate::generation::direction::{Direction, Ending};
use crate::generation::score::{Preset, Role};

/// A style the prompt mentions.
#[derive(Debug, Clone, PartialEq)]
pub struct Mention {
    /// Its place in the library.
    pub style: usize,
    /// How plainly.
    pub strength: Strength,
    /// The words.
    pub words: String,
}

/// An instrument the prompt asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which.
    pub instrument: &'static Instrument,
    /// The role the prompt gives it.
    pub said: Option<Role>,
    /// The words.
    pub words: String,
    /// How many of them.
    pub count: u32,
}

/// What was read so far.
pub struct Reading<'a> {
    book: &'a Book,
    tokens: Vec<Token>,
    used: Vec<bool>,
    /// Words in front of or behind an instrument that already say what one plays.
    claimed: Vec<bool>,
    /// Styles asked for, in the prompt's order.
    pub mentions: Vec<Mention>,
    /// Styles not wanted.
    pub excluded: Vec<usize>,
    /// Instruments asked for, in the prompt's order.
    pub asked: Vec<Asked>,
    /// Roles asked for, with their words.
    pub roles: Vec<(&'static [Role], String)>,
    /// Roles not wanted.
    pub without_roles: Vec<Role>,
    /// Sounds not wanted.
    pub without_presets: Vec<Preset>,
    /// Moods, feel and settings.
    pub direction: Direction,
    /// How freely the lead plays.
    pub freedom: Option<f32>,
    /// Only what was asked for plays.
    pub only: bool,
    /// Voices alone.
    pub a_cappella: bool,
    /// What was understood, in words.
    pub understood: Vec<String>,
}

/// What the words before a phrase do to it.
#[derive(Default)]
struct Before {
    /// Place of the word that negates.
    negated: Option<usize>,
    /// Whether something was negated already, so that "or" may carry on.
    took: bool,
    degree: f32,
    degree_from: Option<usize>,
    number: Option<(u32, usize)>,
}

impl Before {
    fn degree(&self) -> f32 {
        if self.degree_from.is_some() { self.degree } else { 1.0 }
    }
}

impl<'a> Reading<'a> {
    /// A prompt, not read yet.
    pub fn of(prompt: &str, book: &'a Book) -> Self {
        let (tokens, understood) = book.correct(tokens(prompt));
        Self {
            book,
            used: vec![false; tokens.len()],
            claimed: vec![false; tokens.len()],
            tokens,
            mentions: Vec::new(),
            excluded: Vec::new(),
            asked: Vec::new(),
            roles: Vec::new(),
            without_roles: Vec::new(),
            without_presets: Vec::new(),
            direction: Direction::default(),
            freedom: None,
            only: false,
            a_cappella: false,
            understood,
        }
    }

    /// Words nothing was done with, as they were written.
    pub fn ignored(&self) -> Vec<String> {
        let left = self.tokens.iter().zip(&self.used).filter(|(token, used)| !**used && !token.is_stop());
        left.map(|(token, _)| token.as_written().to_owned()).collect()
    }

    /// The name of a style.
    pub fn style_name(&self, style: usize) -> &str {
        self.book.style_name(style)
    }

    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn words(&self, from: usize, to: usize) -> String {
        let words = self.tokens[from..to.min(self.tokens.len())].iter().filter(|token| !token.is_stop());
        words.map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn mark(&mut self, from: usize, to: usize) {
        let to = to.min(self.used.len());
        self.used[from.min(to)..to].fill(true);
    }

    /// Reads the whole prompt.
    pub fn read(&mut self) {
        let mut before = Before::default();
        let mut at = 0;
        while at < self.tokens.len() {
            at = self.step(at, &mut before);
        }
    }

    /// Reads what stands at a place; the next place.
    fn step(&mut self, at: usize, before: &mut Before) -> usize {
        if self.tokens[at].is_stop() {
            let carries = before.negated.is_some() && self.list_goes_on(at + 1);
            *before = Before { negated: before.negated.filter(|_| carries), took: before.took, ..Before::default() };
            return at + 1;
        }
        if let Some(next) = self.figure(at, before) {
            return next;
        }
        let (length, meanings) = self.book.longest(&self.tokens, at);
        let Some(&meaning) = meanings.first() else {
            // An unknown word: whatever was to be negated or strengthened was that.
            *before = Before::default();
            return at + 1;
        };
        let end = at + length;
        if let Some(Meaning::Style(style, _)) =
            meanings.iter().skip(1).find(|other| matches!(other, Meaning::Style(..)))
            && before.negated.is_none()
        {
            self.mention(*style, Strength::Overlap, at, end);
        }
        match meaning {
            Meaning::Filler => {
                self.mark(at, end);
                if matches!(self.word(at), "with" | "but" | "plus" | "featuring") && before.negated.is_some() {
                    *before = Before::default();
                }
                return end;
            }
            Meaning::CarryOn => {
                self.mark(at, end);
                let new_thought =
                    self.word(at) == "and" && matches!(self.word(end), "a" | "an" | "with" | "some" | "the");
                if !before.took || new_thought {
                    *before = Before::default();
                }
                return end;
            }
            Meaning::Not => {
                *before = Before { negated: Some(at), ..Before::default() };
                return end;
            }
            Meaning::Degree(degree) => {
                before.degree = if before.degree_from.is_some() { before.degree * degree } else { degree };
                before.degree_from = before.degree_from.or(Some(at));
                self.mark(at, end);
                return end;
            }
            Meaning::Number(number) => {
                before.number = Some((number, at));
                self.mark(at, end);
                if let Some(next) = self.bars(number, at, end) {
                    return next;
                }
                return end;
            }
            Meaning::Only => {
                self.mark(at, end);
                let skip = if matches!(self.word(end), "a" | "an" | "the") { end + 1 } else { end };
                let thing_next = self.is_thing(skip);
                let thing_before = at > 0 && self.used[at - 1] && self.was_thing(at - 1);
                self.only |= thing_next || thing_before;
                return end;
            }
            _ => {}
        }
        let end = self.take(meaning, at, end, before);
        let took = before.negated.is_some();
        let goes_on = took
            && (matches!(self.word(end), "or" | "nor" | "and") || self.tokens.get(end).is_some_and(Token::is_stop));
        // "no heavy drums" negates both.
        let adjective = took && matches!(meaning, Meaning::Mood(_)) && self.is_thing(end);
        *before = Before { negated: before.negated.filter(|_| goes_on || adjective), took, ..Before::default() };
        end
    }

    /// Does what a phrase says; the place after it.
    fn take(&mut self, meaning: Meaning, at: usize, end: usize, before: &Before) -> usize {
        let negated = before.negated;
        if let Some(from) = negated {
            self.mark(from, end);
        }
        match meaning {
            Meaning::Style(style, strength) => {
                self.mark(at, end);
                if negated.is_none() {
                    self.mention(style, strength, at, end);
                } else if !self.excluded.contains(&style) {
                    self.excluded.push(style);
                    self.understood.push(format!("not {}", self.book.style_name(style)));
                }
                end
            }
            Meaning::Instrument(instrument) => self.instrument(instrument, at, end, before),
            Meaning::Roles(roles) => {
                self.mark(at, end);
                let words = self.words(at, end);
                if negated.is_some() {
                    self.without(roles);
                    self.understood.push(format!("no {words}"));
                } else {
                    self.roles.push((roles, words));
                }
                end
            }
            Meaning::Leave(roles, says) => {
                self.mark(at, end);
                self.without(roles);
                self.understood.push(format!("{}: {says}", self.words(at, end)));
                end
            }
            Meaning::ACappella => {
                self.mark(at, end);
                self.a_cappella = true;
                end
            }
            Meaning::Mood(mood) => {
                self.mood(mood, at, end, before);
                end
            }
            Meaning::Set(setting, says) => {
                self.set(setting, says, at, end, negated.is_some());
                end
            }
            Meaning::Stays(says) => {
                self.mark(at, end);
                self.understood.push(format!("{}: {says}", self.words(at, end)));
                end
            }
            _ => end,
        }
    }

    fn mention(&mut self, style: usize, strength: Strength, at: usize, end: usize) {
        self.mentions.push(Mention { style, strength, words: self.words(at, end) });
    }

    fn without(&mut self, roles: &[Role]) {
        for role in roles.iter().filter(|role| **role != Role::Lead) {
            if !self.without_roles.contains(role) {
                self.without_roles.push(*role);
            }
        }
    }

    fn set(&mut self, setting: Setting, says: &'static str, at: usize, end: usize, negated: bool) {
        let direction = &mut self.direction;
        let mut says = says;
        match setting {
            Setting::Ending(ending) if negated => {
                direction.ending = if ending == Ending::Loop { Ending::Final } else { Ending::Loop };
                says = if ending == Ending::Loop { "it comes to an end" } else { "it loops" };
            }
            // What else can be set has no opposite: it simply stays as it is.
            _ if negated => says = "as usual",
            Setting::Lead(lead) => direction.lead = lead,
            Setting::Ending(ending) => direction.ending = ending,
            Setting::Place(place) => direction.place = place,
            Setting::Pulse(pulse) => direction.pulse = pulse,
            Setting::Chords(reharmonisation) => direction.reharmonisation = reharmonisation,
            Setting::ChordsPerBar(chords) => direction.chords_per_bar = Some(chords),
            Setting::Pedal => direction.pedal = true,
            Setting::Level(level) => direction.level = level,
        }
        self.mark(at, end);
        let no = if negated { "no " } else { "" };
        self.understood.push(format!("{no}{}: {says}", self.words(at, end)));
    }

    fn mood(&mut self, mood: &'static Mood, at: usize, end: usize, before: &Before) {
        let from = before.negated.or(before.degree_from).unwrap_or(at);
        let degree = before.degree();
        let factor = match (before.negated, mood.is_thing) {
            (None, _) => degree,
            (Some(_), true) => -1.7,
            // "Not too dark" is a little brighter, not bright.
            (Some(_), false) => -0.4,
        };
        let (moods, turn) = (&mut self.direction.moods, &mood.moods);
        for (value, turn) in [
            (&mut moods.energy, turn.energy),
            (&mut moods.complexity, turn.complexity),
            (&mut moods.brightness, turn.brightness),
            (&mut moods.swing, turn.swing),
            (&mut moods.humanise, turn.humanise),
            (&mut moods.reverb, turn.reverb),
        ] {
            *value = (*value + factor * turn).clamp(-1.0, 1.0);
        }
        if let Some(freedom) = mood.freedom {
            self.freedom = Some(if factor < 0.0 { 0.0 } else { (freedom * factor).clamp(0.0, 1.0) });
        }
        self.mark(from, end);
        let says = match (factor < 0.0, mood.is_thing) {
            (true, true) => "none or less of it",
            (true, false) => "held back",
            _ => mood.says,
        };
        self.understood.push(format!("{}: {says}", self.words(from, end)));
    }

    fn instrument(&mut self, instrument: &'static Instrument, at: usize, end: usize, before: &Before) -> usize {
        let words = self.words(at, end);
        self.mark(at, end);
        let after = AFTER.iter().find(|(word, _)| *word == self.word(end)).map(|(_, role)| *role);
        let drums_again =
            instrument.role == Role::Drums && matches!(self.word(end), "drums" | "kit" | "beat" | "beats" | "drum");
        let total = end + usize::from(after.is_some() || drums_again);
        self.mark(end, total);
        if before.negated.is_some() {
            self.without_presets.extend(instrument.unwanted());
            self.understood.push(format!("no {words}"));
            return total;
        }
        if after.is_some() {
            self.claimed[end] = true;
        }
        // A style's name in an instrument's is a hint: "jazz guitar".
        for word in words.split(' ') {
            if let Some(style) = self.book.style_word(word) {
                self.mention(style, Strength::Overlap, at, end);
            }
        }
        let mut said = after;
        if said.is_none()
            && at > 0
            && !self.claimed[at - 1]
            && let Some((word, role)) = BEFORE.iter().find(|(word, _)| *word == self.word(at - 1))
        {
            said = Some(*role);
            self.claimed[at - 1] = true;
            self.mark(at - 1, at);
            if *word == "soaring" {
                self.understood.push("soaring: high and in front".to_owned());
            }
        }
        let count = before.number.map_or(1, |(number, _)| number);
        self.asked.push(Asked { instrument, said, words, count });
        total
    }

    /// Digits: bars, tempo, metre, or how many of an instrument.
    fn figure(&mut self, at: usize, before: &mut Before) -> Option<usize> {
        let word = self.word(at).to_owned();
        if !word.starts_with(|letter: char| letter.is_ascii_digit()) || self.book.longest(&self.tokens, at).0 > 0 {
            return None;
        }
        if let Some((top, bottom)) = word.split_once('/')
            && top.parse::<u8>().is_ok()
            && bottom.parse::<u8>().is_ok()
        {
            self.mark(at, at + 1);
            self.understood.push(format!("{word}: the song's metre stays"));
            return Some(at + 1);
        }
        let tempo = word.strip_suffix("bpm").is_some_and(|number| number.parse::<f32>().is_ok());
        if tempo || (word.parse::<f32>().is_ok() && self.word(at + 1) == "bpm") {
            let end = at + 2 - usize::from(tempo);
            self.mark(at, end);
            self.understood.push(format!("{}: the song's tempo stays", self.words(at, end)));
            return Some(end);
        }
        let number = word.parse::<u32>().ok()?;
        if let Some(next) = self.bars(number, at, at + 1) {
            return Some(next);
        }
        if self.is_thing(at + 1) {
            before.number = Some((number, at));
            self.mark(at, at + 1);
            return Some(at + 1);
        }
        None
    }

    /// "8 bars".
    fn bars(&mut self, number: u32, at: usize, end: usize) -> Option<usize> {
        if !matches!(self.word(end), "bar" | "bars" | "measures") || !(1..=256).contains(&number) {
            return None;
        }
        self.direction.bars = Some(number);
        self.mark(at, end + 1);
        self.understood.push(format!("{}: so long", self.words(at, end + 1)));
        Some(end + 1)
    }

    fn is_thing(&self, at: usize) -> bool {
        let (_, meanings) = self.book.longest(&self.tokens, at);
        matches!(meanings.first(), Some(Meaning::Instrument(_) | Meaning::Roles(_)))
    }

    /// Whether the word at a place ended an instrument or a role.
    fn was_thing(&self, at: usize) -> bool {
        (at.saturating_sub(2)..=at).any(|from| {
            let (length, meanings) = self.book.longest(&self.tokens, from);
            from + length == at + 1 && matches!(meanings.first(), Some(Meaning::Instrument(_) | Meaning::Roles(_)))
        })
    }

    /// Whether the list an exclusion began goes on after a comma: "no drums, bass or pads".
    fn list_goes_on(&self, from: usize) -> bool {
        let mut at = from;
        loop {
            if !self.is_thing(at) {
                return false;
            }
            at += self.book.longest(&self.tokens, at).0;
            if matches!(self.word(at), "or" | "nor") {
                return true;
            }
            if !self.tokens.get(at).is_some_and(Token::is_stop) {
                return false;
            }
            at += 1;
        }
    }
}
