//! Thread: worker. Groove: swing, push and pull, human looseness, and which pattern is played where.

use super::bars::{Bar, Bars};
use super::chance::Chance;
use super::metres;
use super::moods::Mood;
use crate::generation::direction::Pulse;
use crate::generation::score::ScoreNote;
use crate::generation::style::steps;
use crate::generation::style::{Feel, Line, Part, Pattern, Section, SwingUnit};
use crate::time::{Beats, Metre};

/// A style's feel at a tempo in a metre.
#[derive(Debug, Clone, Copy)]
pub struct Groove {
    swing: f64,
    /// Beats of a swung pair.
    pair: f64,
    /// Beats of the song for a beat of a pattern.
    scale: f64,
    beats_per_ms: f64,
    humanise_beats: f32,
    humanise_velocity: f32,
}

impl Groove {
    /// From a style's feel. Swing straightens out above 190 beats a minute, as players do, and compound time is not swung.
    pub fn new(feel: &Feel, tempo: f64, metre: Metre, pulse: Pulse, mood: Mood) -> Self {
        let compound = steps::counts(metre) != usize::from(metre.numerator);
        let fast = ((tempo - 190.0) / 120.0).clamp(0.0, 1.0);
        let swing = if compound { 0.5 } else { f64::from(mood.swing(feel)) };
        let beats_per_ms = tempo / 60_000.0;
        // A fast song is played tighter: looseness is never more than a fraction of a sixteenth.
        let most = mood.most_beats();
        Self {
            swing: swing + (0.5 - swing) * fast,
            pair: if feel.swing_unit == SwingUnit::Eighth { 1.0 } else { 0.5 },
            scale: scale(pulse),
            beats_per_ms,
            humanise_beats: (mood.timing_ms(feel.humanise_ms) * beats_per_ms as f32).min(most),
            humanise_velocity: mood.velocity_steps(feel.humanise_velocity),
        }
    }

    /// Where a straight position within a pattern's bar is played, in beats of the song from the bar's line. A band that counts
    /// half as fast still swings the song's own pairs; one that counts twice as fast swings its own.
    pub fn swung(&self, within: f64) -> f64 {
        if self.scale >= 1.0 { self.warped(within * self.scale) } else { self.warped(within) * self.scale }
    }

    /// Beats of the song that a straight position within a pattern's bar lies after the bar's line.
    pub fn straight(&self, within: f64) -> f64 {
        within * self.scale
    }

    /// Beats of the song that are so many milliseconds.
    pub fn beats(&self, milliseconds: f32) -> f64 {
        f64::from(milliseconds) * self.beats_per_ms
    }

    fn warped(&self, within: f64) -> f64 {
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

    /// Moves notes by a part's push and by human looseness. Notes written together stay together, but for a kit's voices
    /// that lie elsewhere by habit.
    pub fn humanise(&self, notes: &mut [ScoreNote], part: &Part, chance: &mut Chance) {
        let push = f64::from(part.push_ms) * self.beats_per_ms;
        let own = |key: u8| {
            let voice = part.kit.iter().filter(|(_, of)| *of == key).map(|(name, _)| name);
            let pushed = voice.filter_map(|name| part.voice_push_ms.iter().find(|(voice, _)| voice == name)).next();
            pushed.map_or(0.0, |(_, milliseconds)| f64::from(*milliseconds) * self.beats_per_ms)
        };
        let mut at = f64::NEG_INFINITY;
        let mut shift = 0.0;
        for note in notes.iter_mut() {
            let written = note.written.unwrap_or(note.start).0;
            if (written - at).abs() > 1e-6 {
                at = written;
                shift = push + f64::from(chance.bell(self.humanise_beats));
            }
            note.start = Beats(note.start.0 + shift + own(note.key));
            let velocity = f32::from(note.velocity) + chance.bell(self.humanise_velocity);
            note.velocity = velocity.round().clamp(1.0, 127.0) as u8;
        }
    }
}

/// Beats of the song for a beat of a pattern.
pub fn scale(pulse: Pulse) -> f64 {
    match pulse {
        Pulse::Normal => 1.0,
        Pulse::Half => 2.0,
        Pulse::Double => 0.5,
    }
}

/// The patterns a part plays in each bar of a score.
pub struct PatternPlan {
    /// For sections A and B, one pair a pass.
    grooves: Vec<[Pattern; 2]>,
    /// The fill, when the part has one in this metre.
    pub fill: Option<Pattern>,
    /// What it plays before the last chord, when it has a pattern for that.
    pub ending: Option<Pattern>,
}

/// Strokes of a pattern a bar; ghost notes count half.
fn density(pattern: &Pattern) -> f64 {
    let strokes = |line: &Line| {
        let steps = line.bars.iter().flatten();
        steps.map(|step| if step.symbol == 'g' { 0.5 } else { 1.0 }).sum::<f64>() / line.bars.len().max(1) as f64
    };
    pattern.lines.iter().map(strokes).sum()
}

impl PatternPlan {
    /// Picks one pattern a section by weight; a section without one borrows the other's. Later passes may pick another. A part without
    /// any pattern for the metre plays those of another metre made to fit, or a plain one. `tempo` is the one the band counts.
    pub fn new(part: &Part, bars: &Bars, tempo: f64, grows: bool, chance: &mut Chance) -> Self {
        let known = metres::patterns(part, bars.metre, tempo as f32);
        let of = |section: Section| known.iter().filter(move |pattern| pattern.section == section);
        let pick = |section: Section, chance: &mut Chance| {
            let weights: Vec<f32> = of(section).map(|pattern| pattern.weight).collect();
            chance.pick_spread(&weights).and_then(|index| of(section).nth(index)).cloned()
        };
        let (mut a, mut b) = (pick(Section::A, chance), pick(Section::B, chance));
        // What grows from A to B has no more strokes in A than in B.
        let most = b.as_ref().filter(|_| grows).map_or(f64::INFINITY, density);
        let thinner = || {
            let fitting = of(Section::A).filter(|pattern| density(pattern) <= most);
            let heaviest = fitting.max_by(|a, b| a.weight.total_cmp(&b.weight));
            heaviest.or_else(|| of(Section::A).min_by(|a, b| density(a).total_cmp(&density(b)))).cloned()
        };
        if a.as_ref().is_some_and(|pattern| density(pattern) > most) {
            a = thinner();
        }
        let least = a.as_ref().filter(|_| grows).map_or(0.0, density);
        if b.as_ref().is_some_and(|pattern| density(pattern) < least) {
            b = of(Section::B).max_by(|a, b| density(a).total_cmp(&density(b))).cloned();
        }
        let fill = pick(Section::Fill, chance);
        let ending = pick(Section::Ending, chance);
        let plain = || metres::plain(part, bars.metre);
        let first = [
            a.clone().or_else(|| b.clone()).unwrap_or_else(plain),
            b.clone().or_else(|| a.clone()).unwrap_or_else(plain),
        ];
        let passes = bars.bars.last().map_or(1, |bar| bar.pass + 1);
        let mut grooves = vec![first];
        for _ in 1..passes {
            let mut next = grooves[0].clone();
            for (index, section) in [Section::A, Section::B].into_iter().enumerate() {
                // A band that repeats a tune keeps its groove more often than not.
                let other = pick(section, chance);
                let fits = |other: &Pattern| match section {
                    Section::A => density(other) <= most,
                    _ => density(other) >= least,
                };
                if let Some(other) = other.filter(|_| chance.hit(0.4)).filter(fits) {
                    next[index] = other;
                }
            }
            grooves.push(next);
        }
        Self { grooves, fill, ending }
    }

    /// The groove of a bar.
    pub fn groove(&self, bar: &Bar) -> &Pattern {
        &self.grooves[bar.pass.min(self.grooves.len() - 1)][usize::from(bar.section == Section::B)]
    }
}
