//! Thread: any. A prompt becomes a style, instruments in roles, moods and exclusions, by plain word matching.
//!
//! Nothing here guesses in secret: every word either means something that is listed in `understood`, or is listed in `ignored`. The
//! words and what they mean are tables ([`instruments`], [`moods`], [`settings`], [`styles`], [`languages`]); [`book`] finds the longest phrase,
//! [`reading`] walks over the prompt, [`casting`] gives the instruments their roles and chooses the style.

mod book;
mod casting;
mod instruments;
mod languages;
mod moods;
mod reading;
mod settings;
mod spelling;
mod styles;
mod tokens;

use super::direction::{Direction, Ending, LeadVoice, Moods, Place, Pulse, Reharmonisation};
use super::score::{Level, Preset, Role};
use super::style::library::StyleLibrary;
use crate::error::{Error, Result};
use book::Book;
use reading::Reading;

/// An instrument the prompt asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The part it plays.
    pub role: Role,
    /// Sounds that fit; the seed picks one. The style's own when empty.
    pub presets: Vec<Preset>,
    /// As the prompt called it.
    pub words: String,
}

/// What a prompt means.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Name of the style.
    pub style: String,
    /// A second style the prompt named, which lends sounds to the first.
    pub second_style: Option<String>,
    /// Styles the prompt wants nothing of.
    pub excluded_styles: Vec<String>,
    /// Instruments in roles, at most one wish a role.
    pub wishes: Vec<Wish>,
    /// Roles to leave out.
    pub without_roles: Vec<Role>,
    /// Sounds to leave out.
    pub without_presets: Vec<Preset>,
    /// What the prompt says of mood, feel, lead voice, chords and ending. What it does not mention is as in the default.
    pub direction: Direction,
    /// How freely the lead is to play, 0 to 1, when the prompt says so.
    pub freedom: Option<f32>,
    /// What was understood, in words.
    pub understood: Vec<String>,
    /// Words nothing was done with.
    pub ignored: Vec<String>,
}

impl Resolved {
    /// What variations of it are called: the style's name with a capital.
    pub fn label(&self) -> String {
        let mut letters = self.style.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }

    /// A musician's direction with the prompt's wishes under it: what was chosen expressly wins, moods add up.
    pub fn direct(&self, chosen: &Direction) -> Direction {
        fn or<T: PartialEq + Default + Clone>(chosen: &T, said: &T) -> T {
            if *chosen == T::default() { said.clone() } else { chosen.clone() }
        }
        let said = &self.direction;
        let add = |chosen: f32, said: f32| {
            let sum = chosen + said;
            if sum.is_finite() { sum.clamp(-1.0, 1.0) } else { 0.0 }
        };
        Direction {
            lead: or(&chosen.lead, &said.lead),
            ending: or(&chosen.ending, &said.ending),
            bars: chosen.bars.or(said.bars),
            place: or(&chosen.place, &said.place),
            pulse: or(&chosen.pulse, &said.pulse),
            reharmonisation: or(&chosen.reharmonisation, &said.reharmonisation),
            chords_per_bar: chosen.chords_per_bar.or(said.chords_per_bar),
            pedal: chosen.pedal || said.pedal,
            moods: Moods {
                energy: add(chosen.moods.energy, said.moods.energy),
                complexity: add(chosen.moods.complexity, said.moods.complexity),
                brightness: add(chosen.moods.brightness, said.moods.brightness),
                swing: add(chosen.moods.swing, said.moods.swing),
                humanise: add(chosen.moods.humanise, said.moods.humanise),
                reverb: add(chosen.moods.reverb, said.moods.reverb),
            },
            level: or(&chosen.level, &said.level),
            ..chosen.clone()
        }
    }

    /// How freely the lead plays: as chosen, unless nothing was chosen and the prompt says something.
    pub fn freedom(&self, chosen: f32) -> f32 {
        if chosen > 0.0 { chosen } else { self.freedom.unwrap_or(chosen) }
    }
}

/// What a phrase sets.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Setting {
    Lead(LeadVoice),
    Ending(Ending),
    Place(Place),
    Pulse(Pulse),
    Chords(Reharmonisation),
    ChordsPerBar(f32),
    Pedal,
    Level(Level),
}

/// Reads a prompt. Case does not matter; the longest match of words wins; the first style named leads, a second one lends sounds.
/// A prompt without a style gets the one that has most of its instruments, or that suits its mood, and says so.
///
/// # Errors
/// [`Error::UnknownStyle`] when nothing at all was understood.
pub fn resolve(prompt: &str, library: &StyleLibrary) -> Result<Resolved> {
    let book = Book::of(library);
    let mut reading = Reading::of(prompt, &book);
    reading.read();
    casting::cast(reading, library)
        .ok_or_else(|| Error::UnknownStyle { name: prompt.trim().to_owned(), known: library.names() })
}
