//! Thread: worker. Groove: swing, push and pull, human looseness, and which pattern is played where.

use super::bars::{Bar, Bars};
use super::chance::Chance;
use crate::generation::score::ScoreNote;
use crate::generation::style::steps::{self, Step};
use crate::generation::style::{Feel, Line, Part, Pattern, Rule, Section, SwingUnit};
use crate::time::{Beats, Metre};

/// A style's feel at a tempo in a metre.
#[derive(Debug, Clone, Copy)]
pub struct Groove {
    swing: f64,
    /// Beats of a swung pair.
    pair: f64,
    beats_per_ms: f64,
    humanise_beats: f32,
    humanise_velocity: f32,
}

impl Groove {
    /// From a style's feel. Swing straightens out above 190 beats a minute, as players do, and compound time is not swung.
    pub fn new(feel: &Feel, tempo: f64, metre: Metre) -> Self {
        let compound = steps::counts(metre) != usize::from(metre.numerator);
        let fast = ((tempo - 190.0) / 120.0).clamp(0.0, 1.0);
        let swing = if compound { 0.5 } else { f64::from(feel.swing) };
        let beats_per_ms = tempo / 60_000.0;
        Self {
            swing: swing + (0.5 - swing) * fast,
            pair: if feel.swing_unit == SwingUnit::Eighth { 1.0 } else { 0.5 },
            beats_per_ms,
            // A fast song is played tighter: looseness is never more than a fraction of a sixteenth.
            humanise_beats: (f64::from(feel.humanise_ms) * beats_per_ms).min(0.03) as f32,
            humanise_velocity: feel.humanise_velocity,
        }
    }

    /// Where a straight position within a bar is played.
    pub fn swung(&self, within: f64) -> f64 {
        let pair = (within / self.pair + 1e-9).floor();
        let phase = (within / self.pair - pair).max(0.0);
        // Thirds of a pair are already triplets and stay.
        let third = (phase * 3.0 - (phase * 3.0).round()).abs() < 1e-6 && phase > 0.01;
        let warped = if third {
            phase
        } else if phase < 0.5 {
            phase * 2.0 * self.swing
        } else {
            self.swing + (phase - 0.5) * 2.0 * (1.0 - self.swing)
        };
        (pair + warped) * self.pair
    }

    /// Moves notes by a part's push and by human looseness. Notes struck together stay together.
    pub fn humanise(&self, notes: &mut [ScoreNote], part: &Part, chance: &mut Chance) {
        let push = f64::from(part.push_ms) * self.beats_per_ms;
        let mut at = f64::NEG_INFINITY;
        let mut shift = 0.0;
        for note in notes {
            if (note.start.0 - at).abs() > 1e-6 {
                at = note.start.0;
                shift = push + f64::from(chance.bell(self.humanise_beats));
            }
            note.start = Beats(note.start.0 + shift);
            let velocity = f32::from(note.velocity) + chance.bell(self.humanise_velocity);
            note.velocity = velocity.round().clamp(1.0, 127.0) as u8;
        }
    }
}

/// The patterns a part plays in each bar of a score.
pub struct PatternPlan<'a> {
    every: usize,
    /// For sections A and B.
    grooves: [Pattern; 2],
    /// The fill, when the part has one in this metre.
    pub fill: Option<&'a Pattern>,
}

impl<'a> PatternPlan<'a> {
    /// Picks one pattern a section by weight; a section without one borrows the other's. A part without any pattern for the
    /// metre plays a plain one.
    pub fn new(part: &'a Part, bars: &Bars, tempo: f64, chance: &mut Chance) -> Self {
        let mut pick = |section: Section| {
            let fitting: Vec<&Pattern> = part
                .patterns
                .iter()
                .filter(|pattern| pattern.metre == bars.metre && pattern.section == section)
                .filter(|pattern| (pattern.tempo.0..pattern.tempo.1).contains(&(tempo as f32)))
                .collect();
            let weights: Vec<f32> = fitting.iter().map(|pattern| pattern.weight).collect();
            chance.pick(&weights).map(|index| fitting[index])
        };
        let (a, b) = (pick(Section::A), pick(Section::B));
        let fill = pick(Section::Fill);
        let plain = || plain(part, bars.metre);
        let grooves = [a.or(b).cloned().unwrap_or_else(plain), b.or(a).cloned().unwrap_or_else(plain)];
        Self { every: part.every, grooves, fill }
    }

    /// The groove of a bar.
    pub fn groove(&self, bar: &Bar) -> &Pattern {
        &self.grooves[usize::from(bar.section == Section::B)]
    }

    /// Whether the part plays in a bar at all.
    pub fn plays(&self, bar: &Bar) -> bool {
        !bar.pickup && bar.in_phrase.is_multiple_of(self.every)
    }
}

/// A plain pattern in any metre: weight on one, the other counts lighter.
fn plain(part: &Part, metre: Metre) -> Pattern {
    let counts = steps::counts(metre);
    let count_beats = metre.bar().0 / counts as f64;
    let step = |count: usize, symbol: char, long: usize| Step {
        at: Beats(count as f64 * count_beats),
        length: Beats(long as f64 * count_beats),
        symbol,
    };
    let line = |voice: &str, key: u8, steps: Vec<Step>| Line { key, voice: voice.to_owned(), bars: vec![steps] };
    let lines = if part.rule == Rule::Kit {
        let voice = |names: &[&str]| part.kit.iter().find(|(name, _)| names.contains(&name.as_str()));
        let mut lines = Vec::new();
        if let Some((name, key)) = voice(&["kick", "bass_drum", "boom"]) {
            lines.push(line(name, *key, vec![step(0, 'X', 1)]));
        }
        if let Some((name, key)) = voice(&["snare", "rim"]) {
            lines.push(line(name, *key, (1..counts).step_by(2).map(|count| step(count, 'x', 1)).collect()));
        }
        if let Some((name, key)) = voice(&["hat", "ride", "brush"]) {
            lines.push(line(name, *key, (0..counts).map(|count| step(count, 'o', 1)).collect()));
        }
        lines
    } else {
        let middle = counts.div_ceil(2);
        let mut steps = vec![step(0, if part.rule == Rule::Comp { 'x' } else { '1' }, middle)];
        if middle < counts {
            steps.push(step(middle, if part.rule == Rule::Comp { 'x' } else { '5' }, counts - middle));
        }
        vec![line("", 0, steps)]
    };
    Pattern { metre, section: Section::A, weight: 1.0, tempo: (0.0, 1000.0), lines }
}
