//! Thread: worker. What every part reads while it writes: bars, chords, tune, groove.
//!
//! Nothing here depends on what another part chose by chance, on its instrument or on whether it plays: that is what keeps a locked
//! part as it is while others change.

use super::bars::{Bar, Bars};
use super::chance::{self, Chance};
use super::groove::{self, Groove, PatternPlan};
use super::harmony::{Chord, Harmony};
use super::melody::{MelodyNote, onsets_between, sounding};
use super::metres;
use super::moods::Mood;
use crate::generation::direction::{Direction, Place, Pulse};
use crate::generation::score::ScoreNote;
use crate::generation::style::{Form, LastChord, Line, Part, Pattern};
use crate::time::Beats;

/// What every part reads.
#[derive(Clone, Copy)]
pub struct Sheet<'a> {
    /// The bars.
    pub bars: &'a Bars,
    /// The chords.
    pub harmony: &'a Harmony,
    /// The tune in the octave of the style's own lead.
    pub tune: &'a [MelodyNote],
    /// Where the room for a fill begins, for each bar.
    pub fills: &'a [Option<f64>],
    /// The feel.
    pub groove: Groove,
    /// Quarter notes a minute.
    pub tempo: f64,
    /// How the style grows.
    pub form: &'a Form,
    /// The moods.
    pub mood: Mood,
    /// What is added to the lead's playing strength, as a share of it.
    pub energy: f32,
    /// What the musician told the band.
    pub direction: &'a Direction,
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
    /// Song position before swing.
    pub written: f64,
    /// The character of the step string.
    pub symbol: char,
    /// Its line.
    pub line: &'a Line,
}

/// A stretch of a bar that lies in one bar of the patterns.
struct Slice {
    /// Number of the patterns' bar within the phrase.
    index: usize,
    /// Song position of its line.
    origin: f64,
    from: f64,
    to: f64,
}

impl Sheet<'_> {
    /// The seed a part plays by.
    pub fn seed_of(&self, part: &Part) -> u64 {
        self.direction.seed_of(part.role, self.seed)
    }

    /// A stream of chance for a part.
    pub fn chance(&self, part: &Part) -> Chance {
        Chance::new(self.seed_of(part), part.role.name())
    }

    /// A number from 0 to 1 that belongs to a part, a purpose and a place, whatever else the part draws: so that a mood that lets more
    /// through keeps what it let through before.
    pub fn luck(&self, part: &Part, purpose: &str, place: f64) -> f32 {
        let ticks = ((place - self.bars.bars[0].line) * 96.0).round() as i64;
        chance::at(self.seed_of(part), part.role as u64, purpose, ticks as u64)
    }

    /// The patterns of a part.
    pub fn plan(&self, part: &Part, chance: &mut Chance) -> PatternPlan {
        let passes = self.bars.bars.last().is_some_and(|bar| bar.pass > 0);
        let grows = passes || self.direction.place != Place::Whole;
        PatternPlan::new(part, self.bars, self.tempo / self.scale(), grows, chance)
    }

    /// Beats of the song for a beat of a pattern.
    pub fn scale(&self) -> f64 {
        groove::scale(self.direction.pulse)
    }

    /// Beats of one count as the band counts.
    pub fn count_beats(&self) -> f64 {
        self.bars.count_beats * self.scale()
    }

    /// Whether a part takes part in a bar: the bar is full enough, and of a section it plays in.
    pub fn joins(&self, part: &Part, bar: &Bar) -> bool {
        let full = self.intensity(bar) + 1e-4 >= part.layer;
        full && (bar.closing || part.sections.is_empty() || part.sections.contains(&bar.section))
    }

    /// Whether a part plays in a bar at all.
    pub fn plays(&self, part: &Part, bar: &Bar) -> bool {
        let turn = bar.closing || bar.in_phrase.is_multiple_of(part.every);
        !bar.pickup && turn && self.joins(part, bar)
    }

    /// The bars a part plays its rhythm in; the last chord is another matter.
    pub fn grooving<'b>(&'b self, part: &'b Part) -> impl Iterator<Item = (usize, &'b Bar)> {
        let bars = self.bars.bars.iter().enumerate();
        bars.filter(|(_, bar)| !bar.closing && self.plays(part, bar))
    }

    /// The bar of the last chord, for a part that plays in it.
    pub fn closing(&self, part: &Part) -> Option<&Bar> {
        self.bars.closing().filter(|bar| self.plays(part, bar))
    }

    /// Song position up to which a last chord is held.
    pub fn last_chord_end(&self, bar: &Bar) -> f64 {
        match self.form.last {
            LastChord::Hit => bar.from + (0.5 * self.bars.count_beats).min(0.5),
            LastChord::Ring | LastChord::Swell => bar.to,
        }
    }

    /// Velocity of a step in a bar, before human looseness.
    pub fn velocity(&self, symbol: char, bar: &Bar) -> u8 {
        let written: f32 = match symbol {
            'X' => 114.0,
            'o' => 72.0,
            'g' => 42.0,
            'd' => 98.0,
            'u' => 82.0,
            'm' => 62.0,
            _ => 96.0,
        };
        (written * self.strength(bar)).round().clamp(1.0, 127.0) as u8
    }

    /// Playing strength of a bar, about 0.4 to 1.1.
    pub fn strength(&self, bar: &Bar) -> f32 {
        self.mood.strength(self.form, self.direction.place, bar)
    }

    /// How full a bar is.
    pub fn intensity(&self, bar: &Bar) -> f32 {
        self.mood.intensity(self.form, self.direction.place, bar)
    }

    /// Whether the tune has so much to say in a bar that the others hold back.
    pub fn is_busy(&self, bar: &Bar) -> bool {
        let counts = (self.bars.bar_beats / self.bars.count_beats).round();
        onsets_between(self.tune, bar.from, bar.to) as f64 >= 1.5 * counts + 1.0
    }

    /// Whether a soft stroke is left out, because of the mood or because a bridge is thinner.
    pub fn leaves_out(&self, part: &Part, step: PlacedStep<'_>, bar: &Bar) -> bool {
        if !matches!(step.symbol, 'o' | 'g' | 'u' | 'm') {
            return false;
        }
        let bridge = if self.direction.place == Place::Bridge { 0.4 } else { 0.0 };
        // The same place in every bar, so that the groove stays one.
        let place = self.bars.bars[0].line + (step.written - bar.line);
        self.luck(part, "leave out", place) < self.mood.leaves_out().max(bridge)
    }

    /// Whether the singer takes breath around a place, and a part that listens does so too.
    pub fn breathes(&self, at: f64) -> bool {
        let around = 0.45 * self.bars.count_beats;
        let silent = sounding(self.tune, at - around, at + around).is_empty();
        silent && self.tune.first().is_some_and(|first| first.start < at)
    }

    /// Where the room for a fill in a bar begins.
    pub fn fill(&self, index: usize) -> Option<f64> {
        self.fills.get(index).copied().flatten()
    }

    fn slices(&self, bar: &Bar) -> [Option<Slice>; 2] {
        let slice = |index: usize, origin: f64, from: f64, to: f64| Some(Slice { index, origin, from, to });
        match self.direction.pulse {
            Pulse::Normal => [slice(bar.in_phrase, bar.line, bar.from, bar.to), None],
            Pulse::Half => {
                let origin = bar.line - (bar.in_phrase % 2) as f64 * self.bars.bar_beats;
                [slice(bar.in_phrase / 2, origin, bar.from, bar.to), None]
            }
            Pulse::Double => {
                let middle = bar.line + self.bars.bar_beats / 2.0;
                [
                    slice(2 * bar.in_phrase, bar.line, bar.from, bar.to.min(middle)),
                    slice(2 * bar.in_phrase + 1, middle, bar.from.max(middle), bar.to),
                ]
            }
        }
    }

    /// Where the groups of a bar begin as the band counts, in song positions, each with its number in the patterns' bar.
    pub fn pulses(&self, bar: &Bar) -> Vec<(f64, usize)> {
        let places = metres::pulses(self.bars.metre);
        let mut all = Vec::new();
        for slice in self.slices(bar).into_iter().flatten() {
            let placed =
                places.iter().enumerate().map(|(number, at)| (slice.origin + self.groove.straight(*at), number));
            all.extend(placed.filter(|(at, _)| *at >= slice.from - 1e-6 && *at < slice.to - 1e-6));
        }
        all
    }

    /// The steps of a pattern in a bar, from all its lines, in order; those outside the score are left out.
    pub fn place<'p>(&self, pattern: &'p Pattern, bar: &Bar) -> Vec<PlacedStep<'p>> {
        let mut placed = Vec::new();
        for slice in self.slices(bar).into_iter().flatten() {
            for line in &pattern.lines {
                let steps = &line.bars[slice.index % line.bars.len()];
                let steps = steps.iter().map(|step| PlacedStep {
                    start: slice.origin + self.groove.swung(step.at.0),
                    end: slice.origin + self.groove.swung(step.at.0 + step.length.0),
                    written: slice.origin + self.groove.straight(step.at.0),
                    symbol: step.symbol,
                    line,
                });
                let inside = |step: &PlacedStep<'_>| {
                    step.written >= slice.from - 1e-6 && step.start < bar.to - 0.02 && step.written < slice.to - 1e-6
                };
                placed.extend(steps.filter(inside));
            }
        }
        placed.sort_by(|a, b| a.start.total_cmp(&b.start));
        placed
    }

    /// The steps of a bar of the groove, with the fill or the ending where there is one. `reach` says how many counts of the room a
    /// part takes.
    pub fn steps<'p>(&self, plan: &'p PatternPlan, index: usize, reach: Option<usize>) -> Vec<PlacedStep<'p>> {
        let bar = &self.bars.bars[index];
        if let Some(ending) = plan.ending.as_ref().filter(|_| self.ends_with(bar)) {
            return self.place(ending, bar);
        }
        let mut steps = self.place(plan.groove(bar), bar);
        if let (Some(fill), Some(room)) = (&plan.fill, self.fill(index)) {
            let longest = reach.map_or(room, |counts| room.max(bar.to - counts as f64 * self.bars.count_beats));
            let from = longest.max(bar.from);
            steps.retain(|step| step.written < from - 0.02);
            steps.extend(self.place(fill, bar).into_iter().filter(|step| step.written >= from - 0.02));
        }
        let turns = !bar.closing && !bar.pickup && (bar.last || self.fill(index).is_some());
        if let Some(fill) = plan.fill.as_ref().filter(|_| turns) {
            self.roll_in(fill, bar, &mut steps);
        }
        steps
    }

    /// A roll into a cadence belongs to the form: it does not wait for the tune to rest, as a fill does.
    fn roll_in<'p>(&self, fill: &'p Pattern, bar: &Bar, steps: &mut Vec<PlacedStep<'p>>) {
        for roll in self.place(fill, bar).into_iter().filter(|step| step.symbol == 'r') {
            let same_voice = |step: &PlacedStep<'_>| step.line.voice == roll.line.voice;
            if steps.iter().any(|step| same_voice(step) && step.symbol == 'r' && step.written <= roll.written + 0.02) {
                continue;
            }
            steps.retain(|step| !same_voice(step) || step.written < roll.written - 0.02 || step.written >= roll.end);
            for step in steps.iter_mut().filter(|step| same_voice(step)) {
                step.end = if step.start < roll.start { step.end.min(roll.start) } else { step.end };
            }
            steps.push(roll);
        }
        steps.sort_by(|a, b| a.start.total_cmp(&b.start));
    }

    /// Whether a bar is the one before the last chord.
    pub fn ends_with(&self, bar: &Bar) -> bool {
        bar.last && self.bars.closing().is_some()
    }

    /// Velocity of a step that names a degree and no strength: accented on one.
    pub fn degree_velocity(&self, step: &PlacedStep<'_>, bar: &Bar) -> u8 {
        let on_one = (step.written - bar.line).abs() < 0.02;
        let symbol = match step.symbol {
            'X' | 'x' | 'o' => step.symbol,
            _ if on_one => 'X',
            _ => 'x',
        };
        self.velocity(symbol, bar)
    }

    /// Pitch class a bass plays under a chord.
    pub fn bass_of(&self, chord: &Chord) -> u8 {
        chord.bass.unwrap_or(chord.root)
    }
}

/// A note without curves, written where it is played.
pub fn note(start: f64, end: f64, key: u8, velocity: u8) -> ScoreNote {
    let length = Beats((end - start).max(0.03));
    let start = Beats(start);
    ScoreNote { start, written: Some(start), length, key, velocity, bend: Vec::new(), expression_db: Vec::new() }
}

/// The same note, written elsewhere than it is played.
pub fn written(note: ScoreNote, at: f64) -> ScoreNote {
    ScoreNote { written: Some(Beats(at)), ..note }
}
