//! Thread: any. What a musician tells the band besides the prompt: small, saved with every variation, enough to make it again.

use super::score::{Level, Preset, Role};
use serde::{Deserialize, Serialize};

/// How the lead plays the melody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeadVoice {
    /// In the octave that suits the instrument.
    #[default]
    AsSung,
    /// An octave higher than that.
    OctaveUp,
    /// An octave lower than that.
    OctaveDown,
    /// With a second voice a third away, taken from the chord.
    Thirds,
    /// With a second voice a sixth away, taken from the chord.
    Sixths,
    /// With a second instrument in unison.
    Doubled,
    /// Not at all: the singer keeps the tune, the band leaves room for it.
    Off,
}

/// How a score ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It leads back to its start; what rings at its end sounds into its head.
    #[default]
    Loop,
    /// It comes to an end: a last chord on the tonic after the last bar, in the style's manner, which rings out.
    Final,
}

/// How the band counts the song's tempo. Tempo and melody stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pulse {
    /// As it is.
    #[default]
    Normal,
    /// Half as fast: two bars are one.
    Half,
    /// Twice as fast: one bar is two.
    Double,
}

/// How far the chords may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reharmonisation {
    /// Chords of the key only.
    Diatonic,
    /// What the style usually plays.
    #[default]
    Style,
    /// Chords of the parallel key and secondary dominants are welcome.
    Borrowed,
    /// Substitutions and chromatic chords wherever the tune allows them.
    Adventurous,
}

/// Which place of a song the score is for. They share their chords where the tune does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// By itself: it grows over its phrases.
    #[default]
    Whole,
    /// A verse: lighter.
    Verse,
    /// A chorus: everybody.
    Chorus,
    /// A bridge: another colour.
    Bridge,
}

/// Mood controls, each -1 to 1 with 0 as the style and the prompt have it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Moods {
    /// How hard and how densely everybody plays.
    pub energy: f32,
    /// How much the parts move: ghost notes, richer chords, busier lines.
    pub complexity: f32,
    /// Treble of the whole band.
    pub brightness: f32,
    /// From straight (-1) through the style's own swing to a hard one (1).
    pub swing: f32,
    /// From a machine's timing (-1) to a loose band's (1).
    pub humanise: f32,
    /// From dry (-1) to drenched (1).
    pub reverb: f32,
}

/// What was settled about one part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartChoice {
    /// The part.
    pub role: Role,
    /// Its own seed, when it is locked or was re-rolled by itself; else the recipe's.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Another sound than the style's.
    #[serde(default)]
    pub preset: Option<Preset>,
    /// Leave it out.
    #[serde(default)]
    pub muted: bool,
}

/// Everything a musician can tell the band. The default leaves it to the style.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Direction {
    /// How the lead plays the melody.
    pub lead: LeadVoice,
    /// How the score ends.
    pub ending: Ending,
    /// Make a piece of so many bars of the melody; the melody's own length when `None`.
    pub bars: Option<u32>,
    /// Which place of the song it is for.
    pub place: Place,
    /// How the band counts.
    pub pulse: Pulse,
    /// How far the chords may go.
    pub reharmonisation: Reharmonisation,
    /// Chords a bar, 0.25 to 4; the style's own when `None`.
    pub chords_per_bar: Option<f32>,
    /// Keeps the tonic in the bass.
    pub pedal: bool,
    /// Bars, from 0, whose chords are to be others than the best: the number is how far down the list of alternatives.
    pub bar_alternatives: Vec<(u32, u8)>,
    /// Seed of the chords, when they are to stay while other parts change; else the recipe's.
    pub harmony_seed: Option<u64>,
    /// Mood controls.
    pub moods: Moods,
    /// What was settled about single parts.
    pub parts: Vec<PartChoice>,
    /// How loud the rendition is made.
    pub level: Level,
}

impl PartChoice {
    /// Nothing settled.
    pub fn free(role: Role) -> Self {
        Self { role, seed: None, preset: None, muted: false }
    }
}

impl Direction {
    /// What was settled about a part, to settle more: nothing yet when it was not mentioned.
    pub fn part_mut(&mut self, role: Role) -> &mut PartChoice {
        let index = self.parts.iter().position(|part| part.role == role).unwrap_or_else(|| {
            self.parts.push(PartChoice::free(role));
            self.parts.len() - 1
        });
        &mut self.parts[index]
    }

    /// What was settled about a part.
    pub fn part(&self, role: Role) -> Option<&PartChoice> {
        self.parts.iter().find(|part| part.role == role)
    }

    /// The seed a part plays by, under a recipe's seed.
    pub fn seed_of(&self, role: Role, recipe: u64) -> u64 {
        self.part(role).and_then(|part| part.seed).unwrap_or(recipe)
    }
}
