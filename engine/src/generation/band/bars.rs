//! Thread: worker. The bars a score covers, and which of them belong to which phrase and section.

use super::extension::{Pass, Span};
use crate::analysis::Analysis;
use crate::error::{Error, Result};
use crate::generation::direction::{Ending, Place};
use crate::generation::style::{Form, Section, steps};
use crate::time::Metre;

/// Bars in a phrase.
pub const PHRASE_BARS: usize = 4;

/// More bars than this are not a melody but a mistake; half an hour at 136 beats a minute in 4/4 is 1,020.
const MOST_BARS: f64 = 2048.0;

/// Positions closer than this many beats are the same.
pub const SAME: f64 = 1e-6;

/// How much fuller each further phrase of the same section is, and how full that makes it at most.
const GROWTH: (f32, f32) = (0.03, 0.09);

/// One bar of the score. All positions in song beats.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Its bar line; before `from` when the take starts inside the bar.
    pub line: f64,
    /// Where the score enters it.
    pub from: f64,
    /// Where the score leaves it.
    pub to: f64,
    /// Section its phrase plays.
    pub section: Section,
    /// Number of the bar within its phrase, from 0.
    pub in_phrase: usize,
    /// Number of its phrase, from 0.
    pub phrase: usize,
    /// Number of its pass through the tune, from 0.
    pub pass: usize,
    /// How much fuller it is than the first phrase of its section, 0 to about 0.1.
    pub growth: f32,
    /// Last of its phrase.
    pub ends_phrase: bool,
    /// The last bar of the groove, but for a scrap of less than half a bar after it.
    pub last: bool,
    /// An incomplete first bar that only the lead plays: a pickup.
    pub pickup: bool,
    /// The bar of the last chord of a piece that comes to an end.
    pub closing: bool,
}

/// What is to become of a take.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shape<'a> {
    /// How it ends.
    pub ending: Ending,
    /// Which place of the song it is for.
    pub place: Place,
    /// Passes through the tune, when it was extended.
    pub passes: &'a [Pass],
}

/// The bars of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// The bars, in order; never empty.
    pub bars: Vec<Bar>,
    /// Start of the score.
    pub start: f64,
    /// End of the score.
    pub end: f64,
    /// Metre throughout.
    pub metre: Metre,
    /// Beats of a whole bar.
    pub bar_beats: f64,
    /// Beats of one count.
    pub count_beats: f64,
}

impl Bars {
    /// Lays bars over a take.
    ///
    /// A take of whole bars starts on a bar line, wherever in the song it lies: the host may have changed its metre before.
    /// Any other take falls where its song position falls in a song of this metre. A piece that ends has its last chord where
    /// the tune's last bar begins, if the tune only holds there; else in one more bar.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when the length or the tempo is not a number a song can have.
    pub fn of(analysis: &Analysis, form: &Form, shape: Shape<'_>) -> Result<Self> {
        let given = analysis.metre();
        let sane = (1..=32).contains(&given.numerator) && (1..=32).contains(&given.denominator);
        let metre = if sane { given } else { Metre::default() };
        let bar_beats = metre.bar().0;
        let start = analysis.grid.start.0;
        let length = analysis.length.0;
        if !(length.is_finite() && start.is_finite()) || length < 0.125 || length / bar_beats > MOST_BARS {
            return Err(Error::OutOfRange {
                what: "The take's length",
                got: format!("{length} beats"),
                expected: format!("0.125 beats to {MOST_BARS} bars"),
            });
        }
        let tempo = analysis.tempo().0;
        if !(5.0..=1000.0).contains(&tempo) {
            return Err(Error::OutOfRange {
                what: "The tempo",
                got: format!("{tempo} BPM"),
                expected: "5 to 1000 BPM".to_owned(),
            });
        }
        let end = start + length;
        let whole = (length / bar_beats - (length / bar_beats).round()).abs() < 1e-3 && length / bar_beats > 0.5;
        let phase = (start / bar_beats).floor() * bar_beats;
        // A start a hair before a bar line is on it.
        let first = if whole || start - phase > bar_beats - 1e-3 { start } else { phase };
        let mut bars: Vec<Bar> = Vec::new();
        for index in 0.. {
            let line = first + f64::from(index) * bar_beats;
            if line > end - 1e-3 {
                break;
            }
            let from = line.max(start);
            let to = (line + bar_beats).min(end);
            let pickup =
                index == 0 && start - line > 1e-3 && to - from < bar_beats / 2.0 + SAME && line + bar_beats < end;
            bars.push(Bar {
                line,
                from,
                to,
                section: Section::A,
                in_phrase: 0,
                phrase: 0,
                pass: 0,
                growth: 0.0,
                ends_phrase: false,
                last: false,
                pickup,
                closing: false,
            });
        }
        let onsets = || analysis.notes.iter().map(|note| analysis.beat_at(note.onset).0).filter(|at| *at < end - 0.02);
        let first_onset = onsets().fold(f64::INFINITY, f64::min);
        // Nine bars whose first holds only the end of an upbeat are a pickup and eight bars.
        if shape.passes.is_empty()
            && bars.len() > PHRASE_BARS
            && bars.len() % PHRASE_BARS == 1
            && !bars[0].pickup
            && first_onset > bars[0].line + bar_beats / 2.0 - 0.1
            && first_onset < bars[0].to
        {
            bars[0].pickup = true;
        }
        number_phrases(&mut bars, form, shape);
        if shape.ending == Ending::Final {
            close(&mut bars, bar_beats, onsets().fold(f64::NEG_INFINITY, f64::max));
        }
        let end = if shape.ending == Ending::Final { bars.last().map_or(end, |bar| bar.to) } else { end };
        let count_beats = bar_beats / steps::counts(metre) as f64;
        Ok(Self { bars, start, end, metre, bar_beats, count_beats })
    }

    /// The whole bars of the take.
    pub fn span(&self) -> Span {
        let offset = usize::from(self.bars[0].pickup);
        let bar = &self.bars[offset.min(self.bars.len() - 1)];
        let bars = ((self.end - bar.line) / self.bar_beats).round().max(1.0) as usize;
        Span { first: bar.line, bars, bar_beats: self.bar_beats }
    }

    /// The bar of the last chord, when the piece comes to an end.
    pub fn closing(&self) -> Option<&Bar> {
        self.bars.iter().find(|bar| bar.closing)
    }

    /// The bar that holds a position; the first or last one for positions outside.
    pub fn at(&self, position: f64) -> usize {
        self.bars.partition_point(|bar| bar.from <= position + SAME).saturating_sub(1)
    }

    /// Metrical strength of a position, 0 to 1: the bar line, then the middle of the bar, then counts, then their halves.
    pub fn strength(&self, position: f64) -> f32 {
        let bar = &self.bars[self.at(position)];
        let within = (position - bar.line).max(0.0);
        let on = |unit: f64| ((within / unit).round() * unit - within).abs() < 0.13 * self.count_beats.min(1.0);
        let counts = steps::counts(self.metre);
        if on(self.bar_beats) {
            1.0
        } else if counts.is_multiple_of(2) && on(self.bar_beats / 2.0) {
            0.8
        } else if on(self.count_beats) {
            0.6
        } else if on(self.count_beats / 2.0) {
            0.35
        } else {
            0.2
        }
    }
}

/// Numbers phrases and chooses their sections. Phrases begin anew with each pass.
fn number_phrases(bars: &mut [Bar], form: &Form, shape: Shape<'_>) {
    let offset = usize::from(bars.first().is_some_and(|bar| bar.pickup));
    // A scrap of a bar at the end is only an echo: the piece ends, and fills, in the bar before it.
    let whole = bars.first().map_or(0.0, |bar| bar.to - bar.line).max(bars.last().map_or(0.0, |bar| bar.to - bar.line));
    let scrap = bars.last().is_some_and(|bar| bar.to - bar.line < whole / 2.0);
    let count = bars.len() - usize::from(scrap && bars.len() > offset + 1);
    let lengths: Vec<usize> = match shape.passes {
        [] => vec![count - offset],
        passes => passes.iter().map(|pass| pass.bars).collect(),
    };
    let (mut phrase, mut pass, mut played) = (0, 0, 0);
    for (index, bar) in bars.iter_mut().enumerate() {
        if index > offset && pass + 1 < lengths.len() && played >= lengths[pass] {
            phrase += phrases_in(lengths[pass]);
            pass += 1;
            played = 0;
        }
        let phrases = phrases_in(lengths[pass]);
        let own = (played / PHRASE_BARS).min(phrases - 1);
        bar.pass = pass;
        bar.phrase = phrase + own;
        bar.in_phrase = played - own * PHRASE_BARS;
        bar.last = index + 1 == count;
        let ends = played + 1 == lengths[pass] || bar.in_phrase + 1 == PHRASE_BARS && own + 1 < phrases;
        bar.ends_phrase = bar.last || (index < count && !bar.pickup && ends);
        if index >= offset {
            played += 1;
        }
    }
    let phrases = bars.last().map_or(1, |bar| bar.phrase + 1);
    let mut sections: Vec<Section> = (0..phrases).map(|phrase| section(form, shape, phrase, phrases)).collect();
    // A single phrase plays its full groove: there is nothing to grow into.
    if phrases == 1 && shape.place == Place::Whole {
        sections = form.sections.last().copied().into_iter().collect();
    }
    for bar in bars.iter_mut() {
        bar.section = sections[bar.phrase];
        let before = sections[..bar.phrase].iter().rev().take_while(|section| **section == bar.section).count();
        bar.growth = (GROWTH.0 * before as f32).min(GROWTH.1);
    }
}

fn phrases_in(bars: usize) -> usize {
    // A tail of one or two bars belongs to the phrase before it.
    if bars <= PHRASE_BARS { 1 } else { (bars + 1) / PHRASE_BARS }
}

fn section(form: &Form, shape: Shape<'_>, phrase: usize, phrases: usize) -> Section {
    let chosen = match shape.place {
        Place::Verse | Place::Bridge => return Section::A,
        Place::Chorus => return Section::B,
        // Passes share the sections out, so that each of them has its own.
        Place::Whole if shape.passes.len() > 1 => phrase * form.sections.len() / phrases,
        Place::Whole => phrase,
    };
    form.sections[chosen.min(form.sections.len() - 1)]
}

/// Gives a piece that ends its last chord.
fn close(bars: &mut Vec<Bar>, bar_beats: f64, last_onset: f64) {
    let Some(mut end) = bars.last().cloned() else { return };
    let offset = usize::from(bars[0].pickup);
    let scrap = !end.last;
    end.to = end.line + bar_beats;
    let holds = last_onset < end.line + 0.13;
    if bars.len() > offset + 1 && (scrap || holds) {
        bars.pop();
        end.closing = true;
        bars.push(end);
    } else {
        let closing = Bar {
            line: end.to,
            from: end.to,
            to: end.to + bar_beats,
            in_phrase: end.in_phrase + 1,
            ends_phrase: false,
            last: false,
            closing: true,
            ..end.clone()
        };
        bars.pop();
        bars.push(end);
        bars.push(closing);
    }
    let closing = bars.len() - 1;
    for (index, bar) in bars.iter_mut().enumerate() {
        bar.last = index + 1 == closing;
        bar.ends_phrase = bar.last || (bar.ends_phrase && index < closing);
    }
}
