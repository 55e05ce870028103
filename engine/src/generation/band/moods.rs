//! Thread: worker. Moods: what the mood controls do to everybody. Each is monotonic: more is never less.
//!
//! Moods, like the tempo and the pulse, are decisions about the whole: they reach locked parts too.

use super::bars::Bar;
use crate::generation::direction::{Moods, Place};
use crate::generation::style::{Feel, Form, Section};

/// Playing strength: the least and the most there is.
const STRENGTH: (f32, f32) = (0.36, 1.14);
/// Hardest swing: between a triplet and a dotted pair.
const HARDEST_SWING: f32 = 0.7;
/// Timing and velocity of a loose band: standard deviations in milliseconds and in MIDI steps.
const LOOSE: (f32, f32) = (16.0, 11.0);

/// The moods of a score, each -1 to 1; the prompt is in them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Mood {
    /// How hard and densely everybody plays.
    pub energy: f32,
    /// How much the parts move.
    pub complexity: f32,
    brightness: f32,
    swing: f32,
    humanise: f32,
    reverb: f32,
}

fn turn(value: f32) -> f32 {
    if value.is_finite() { value.clamp(-1.0, 1.0) } else { 0.0 }
}

/// From `least` at -1 through `own` at 0 to `most` at 1.
fn between(value: f32, least: f32, own: f32, most: f32) -> f32 {
    if value < 0.0 { own + value * (own - least).max(0.0) } else { own + value * (most - own).max(0.0) }
}

impl Mood {
    /// The controls, whatever stands in them.
    pub fn of(moods: &Moods) -> Self {
        Self {
            energy: turn(moods.energy),
            complexity: turn(moods.complexity),
            brightness: turn(moods.brightness),
            swing: turn(moods.swing),
            humanise: turn(moods.humanise),
            reverb: turn(moods.reverb),
        }
    }

    /// What is added to the lead's playing strength, as a share of it.
    pub fn lead_energy(self) -> f32 {
        0.3 * self.energy.min(0.0) + 0.2 * self.energy.max(0.0)
    }

    /// Playing strength of a bar, about 0.4 to 1.1.
    pub fn strength(self, form: &Form, place: Place, bar: &Bar) -> f32 {
        between(0.85 * self.energy, STRENGTH.0, written_strength(form, place, bar).clamp(0.4, 1.05), STRENGTH.1)
    }

    /// How full a bar is: parts join from their layer on. 0 to 1, and beyond it at its fullest.
    pub fn intensity(self, form: &Form, place: Place, bar: &Bar) -> f32 {
        let (a, b) = form.energy;
        let section = if bar.section == Section::B { b } else { a };
        let place = match place {
            Place::Whole => 0.0,
            Place::Verse | Place::Bridge => -0.08,
            Place::Chorus => 0.06,
        };
        section + bar.growth + place + 0.3 * self.energy
    }

    /// Share of the soft strokes that are left out to make room: the same ones in every bar.
    pub fn leaves_out(self) -> f32 {
        (0.65 * (-self.complexity).max(0.0)).max(0.45 * (-self.energy).max(0.0))
    }

    /// Share of the ghost notes that are played, of those the style plays.
    pub fn ghosts(self, own: f32) -> f32 {
        (own * (1.0 + 0.35 * self.energy) * between(self.complexity, 0.15, 1.0, 1.7)).clamp(0.0, 1.0)
    }

    /// How often a part adds to what is written, 0 to 1.
    pub fn adds(self) -> f32 {
        self.complexity.max(0.0)
    }

    /// Treble against bass of a strip.
    pub fn tilt_db(self, own: f32) -> f32 {
        own + 4.0 * self.brightness
    }

    /// Share of a swung pair that its first note takes.
    pub fn swing(self, feel: &Feel) -> f32 {
        between(self.swing, 0.5, feel.swing, HARDEST_SWING.max(feel.swing))
    }

    /// Standard deviation of the timing, in milliseconds.
    pub fn timing_ms(self, own: f32) -> f32 {
        between(self.humanise, 0.0, own, LOOSE.0.max(own + 4.0))
    }

    /// Standard deviation of the velocity, in MIDI steps.
    pub fn velocity_steps(self, own: f32) -> f32 {
        between(self.humanise, 0.0, own, LOOSE.1.max(own + 3.0))
    }

    /// Most that looseness moves a note, in beats.
    pub fn most_beats(self) -> f32 {
        between(self.humanise, 0.03, 0.03, 0.06)
    }

    /// Send to the room.
    pub fn send(self, own: f32) -> f32 {
        between(self.reverb, 0.0, own, own + 0.6 * (1.0 - own))
    }
}

/// Playing strength of a bar's section before moods.
pub fn written_strength(form: &Form, place: Place, bar: &Bar) -> f32 {
    let (a, b) = form.energy;
    let section = if bar.section == Section::B { b } else { a };
    let place = match place {
        Place::Whole => 0.0,
        Place::Verse => -0.04,
        Place::Bridge => -0.07,
        Place::Chorus => 0.03,
    };
    section + 0.5 * bar.growth + place
}
