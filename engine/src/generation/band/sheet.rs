//! Thread: worker. What every part reads while it writes: bars, chords, tune, groove.

use super::bars::{Bar, Bars};
use super::chance::Chance;
use super::groove::{Groove, PatternPlan};
use super::harmony::Harmony;
use super::melody::{MelodyNote, onsets_between};
use crate::generation::score::ScoreNote;
use crate::generation::style::steps::Step;
use crate::generation::style::{Form, Line, Part, Pattern, Section};
use crate::time::Beats;

/// What every part reads.
pub struct Sheet<'a> {
    /// The bars.
    pub bars: &'a Bars,
    /// The chords.
    pub harmony: &'a Harmony,
    /// The tune in the octave in which the lead plays it.
    pub tune: &'a [MelodyNote],
    /// The feel.
    pub groove: Groove,
    /// Quarter notes a minute.
    pub tempo: f64,
    /// How the style grows.
    pub form: &'a Form,
    /// Added to the playing strength.
    pub energy: f32,
    /// Seed of the request.
    pub seed: u64,
}

/// A step of a pattern in its place in the song.
#[derive(Debug, Clone, Copy)]
pub struct PlacedStep<'a> {
    /// Song position, swung.
    pub start: f64,
    /// Song position where it is let go, before the part's gate.
    pub end: f64,
    /// The character of the step string.
    pub symbol: char,
    /// Its line.
    pub line: &'a Line,
}

impl Sheet<'_> {
    /// A stream of chance for a part.
    pub fn chance(&self, part: &Part) -> Chance {
        Chance::new(self.seed, part.role.name())
    }

    /// The patterns of a part.
    pub fn plan<'p>(&self, part: &'p Part, chance: &mut Chance) -> PatternPlan<'p> {
        PatternPlan::new(part, self.bars, self.tempo, chance)
    }

    /// Velocity of a step in a bar, before human looseness.
    pub fn velocity(&self, symbol: char, bar: &Bar) -> u8 {
        let written: f32 = match symbol {
            'X' => 114.0,
            'o' => 72.0,
            'g' => 42.0,
            _ => 96.0,
        };
        (written * self.strength(bar)).round().clamp(1.0, 127.0) as u8
    }

    /// Playing strength of a bar, about 0.4 to 1.1.
    pub fn strength(&self, bar: &Bar) -> f32 {
        (self.form_strength(bar) + self.energy).clamp(0.4, 1.1)
    }

    /// Playing strength of a bar's section, without the prompt's wish.
    pub fn form_strength(&self, bar: &Bar) -> f32 {
        let (a, b) = self.form.energy;
        if bar.section == Section::B { b } else { a }
    }

    /// Whether the tune has so much to say in a bar that the others hold back.
    pub fn is_busy(&self, bar: &Bar) -> bool {
        let counts = (self.bars.bar_beats / self.bars.count_beats).round();
        onsets_between(self.tune, bar.from, bar.to) as f64 >= 1.5 * counts + 1.0
    }

    /// The steps of a pattern in a bar, from all its lines, in order; those outside the score are left out.
    pub fn place<'p>(&self, pattern: &'p Pattern, bar: &Bar) -> Vec<PlacedStep<'p>> {
        let mut placed = Vec::new();
        for line in &pattern.lines {
            let steps: &[Step] = &line.bars[bar.in_phrase % line.bars.len()];
            placed.extend(steps.iter().map(|step| PlacedStep {
                start: bar.line + self.groove.swung(step.at.0),
                end: bar.line + self.groove.swung(step.at.0 + step.length.0),
                symbol: step.symbol,
                line,
            }));
        }
        placed.retain(|step| step.start >= bar.from - 1e-6 && step.start < bar.to - 0.02);
        placed.sort_by(|a, b| a.start.total_cmp(&b.start));
        placed
    }
}

/// A note without curves.
pub fn note(start: f64, end: f64, key: u8, velocity: u8) -> ScoreNote {
    let length = Beats((end - start).max(0.03));
    ScoreNote { start: Beats(start), length, key, velocity, bend: Vec::new(), expression_db: Vec::new(), written: None }
}
