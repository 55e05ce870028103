//! Thread: worker. The bars a score covers, and which of them belong to which phrase and section.

use crate::analysis::Analysis;
use crate::error::{Error, Result};
use crate::generation::style::{Form, Section, steps};
use crate::time::Metre;

/// Bars in a phrase.
pub const PHRASE_BARS: usize = 4;

/// More bars than this are not a melody but a mistake; half an hour at 136 beats a minute in 4/4 is 1,020.
const MOST_BARS: f64 = 2048.0;

/// Positions closer than this many beats are the same.
pub const SAME: f64 = 1e-6;

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
    /// Last of its phrase.
    pub ends_phrase: bool,
    /// The last bar of the score.
    pub last: bool,
    /// An incomplete first bar that only the lead plays: a pickup.
    pub pickup: bool,
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
    /// Any other take falls where its song position falls in a song of this metre.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when the length or the tempo is not a number a song can have.
    pub fn of(analysis: &Analysis, form: &Form) -> Result<Self> {
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
                ends_phrase: false,
                last: false,
                pickup,
            });
        }
        number_phrases(&mut bars, form);
        let count_beats = bar_beats / steps::counts(metre) as f64;
        Ok(Self { bars, start, end, metre, bar_beats, count_beats })
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

fn number_phrases(bars: &mut [Bar], form: &Form) {
    let offset = usize::from(bars.first().is_some_and(|bar| bar.pickup));
    let count = bars.len();
    let full = count - offset;
    // A tail of one or two bars belongs to the phrase before it.
    let phrases = if full <= PHRASE_BARS { 1 } else { (full + 1) / PHRASE_BARS };
    for (index, bar) in bars.iter_mut().enumerate() {
        let played = index.saturating_sub(offset);
        bar.phrase = (played / PHRASE_BARS).min(phrases - 1);
        bar.in_phrase = played - bar.phrase * PHRASE_BARS;
        bar.last = index + 1 == count;
        bar.ends_phrase = bar.last || (!bar.pickup && bar.in_phrase + 1 == PHRASE_BARS && bar.phrase + 1 < phrases);
        // A single phrase plays its full groove: there is nothing to grow into.
        let chosen = if phrases == 1 { form.sections.len() - 1 } else { bar.phrase.min(form.sections.len() - 1) };
        bar.section = form.sections[chosen];
    }
}
