//! Thread: worker. When the counter-line strikes: complementary to the tune.

use super::super::bars::Bar;
use super::super::chance::Chance;
use super::super::sheet::Sheet;
use super::{Stroke, Sung};
use crate::generation::style::{LastChord, Part, Section};

/// Onsets this near to a place belong to it, in beats.
const NEAR: f64 = 0.16;
/// The tune holds a note after so many beats of it, and rests after so many of silence.
const HOLDS_AFTER: f64 = 0.7;
const RESTS_AFTER: f64 = 0.3;
/// How long the line holds on without need, in bars.
const LONGEST_BARS: f64 = 1.0;
/// How long a breath is, in counts.
const BREATH_COUNTS: f64 = 0.5;

/// What the tune does at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tune {
    /// Begins a note, or has just done so.
    Moves,
    /// Holds one.
    Holds,
    /// Is silent.
    Rests,
}

/// The strokes of a line. Each place of a fine grid is free where the tune holds or rests; the line strikes at free places, in
/// figures the seed picks, and else only where a new chord leaves it no choice.
pub fn strokes(sheet: &Sheet<'_>, part: &Part, tune: &[Sung], chance: &mut Chance) -> Vec<Stroke> {
    let bars = sheet.bars;
    let compound = bars.metre.denominator == 8 && bars.metre.numerator.is_multiple_of(3);
    let unit = if compound { bars.count_beats / 3.0 } else { bars.count_beats / 2.0 };
    // A seed likes answers in halves of counts or in whole ones, and busier or calmer ones.
    let busy = 0.35 + 0.4 * chance.uniform();
    let offbeats = chance.hit(0.5);
    let mut strokes: Vec<Stroke> = Vec::new();
    let mut rested = true;
    for bar in bars.bars.iter().filter(|bar| !bar.pickup && !bar.closing && plays(part, bar)) {
        let places = ((bar.to - bar.line) / unit - 1e-6).ceil() as usize;
        // The first place of every phrase is a breath, so that the line has phrases, too.
        for place in 0..places {
            let at = bar.line + place as f64 * unit;
            let draw = chance.uniform();
            if at < bar.from - 1e-6 || at >= bar.to - 0.1 {
                continue;
            }
            let on_count = count_of(at - bar.line, bars.count_beats);
            let new_chord = sheet.harmony.chords.iter().any(|chord| (chord.start - at).abs() < 1e-3);
            let doing = doing(tune, at);
            let since = strokes.last().map_or(f64::INFINITY, |stroke| at - stroke.start);
            let strike = match doing {
                Tune::Moves => new_chord && since > 0.4 || since >= LONGEST_BARS * bars.bar_beats,
                Tune::Holds if on_count => draw < 0.55 + busy,
                Tune::Holds => since >= 0.9 * unit && draw < if offbeats { busy } else { 0.5 * busy },
                Tune::Rests if on_count => draw < 0.5 + busy,
                Tune::Rests => draw < 0.25 + if offbeats { busy } else { 0.6 * busy },
            };
            if strike || (new_chord && since > 0.9) {
                strokes.push(Stroke { start: at, end: at, free: doing != Tune::Moves, anew: rested });
                rested = false;
            }
        }
        rested |= bar.ends_phrase;
    }
    if let Some(bar) = bars.closing() {
        strokes.push(Stroke { start: bar.from, end: bar.to, free: true, anew: false });
    }
    close(&mut strokes, sheet, part);
    if let Some(last) = strokes.last_mut().filter(|_| bars.closing().is_some() && sheet.form.last == LastChord::Hit) {
        last.end = last.end.min(last.start + bars.count_beats);
    }
    strokes
}

fn plays(part: &Part, bar: &Bar) -> bool {
    let section = if bar.section == Section::B { Section::B } else { Section::A };
    bar.closing || part.sections.is_empty() || part.sections.contains(&section)
}

fn count_of(within: f64, count: f64) -> bool {
    ((within / count).round() * count - within).abs() < 1e-3
}

/// What the tune does at a place.
fn doing(tune: &[Sung], at: f64) -> Tune {
    let next = tune.partition_point(|note| note.0 <= at + NEAR);
    let Some(&(start, end, _)) = next.checked_sub(1).and_then(|index| tune.get(index)) else {
        return Tune::Rests;
    };
    if end > at + NEAR {
        if at - start < HOLDS_AFTER { Tune::Moves } else { Tune::Holds }
    } else if at - end < RESTS_AFTER - NEAR && tune.get(next).is_some_and(|note| note.0 - end < 0.5) {
        // A gap between two notes is no rest.
        Tune::Moves
    } else {
        Tune::Rests
    }
}

/// Each stroke lasts to the next, but not into a breath, not over the end, and not for ever.
fn close(strokes: &mut [Stroke], sheet: &Sheet<'_>, part: &Part) {
    let bars = sheet.bars;
    for index in 0..strokes.len() {
        let start = strokes[index].start;
        let here = bars.at(start);
        let mut end = start + 2.0 * LONGEST_BARS * bars.bar_beats;
        if let Some(next) = strokes.get(index + 1) {
            end = end.min(if next.anew { next.start - BREATH_COUNTS * bars.count_beats } else { next.start });
        }
        // The line does not reach into bars in which it does not play.
        let silent = bars.bars[here..].iter().find(|bar| !plays(part, bar)).map_or(bars.end, |bar| bar.from);
        strokes[index].end = end.min(silent).min(bars.end).max(start + 0.2);
    }
}
