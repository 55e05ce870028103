//! Thread: worker. Fills and breaths: where the tune leaves room. Nobody fills over a moving tune.

use super::bars::{Bar, Bars};
use super::melody::{MelodyNote, sounding};
use crate::generation::style::Form;

/// The least room that is a fill, in counts.
const LEAST: f64 = 1.0;

/// For each bar of a score, where the room for a fill into the next bar begins, when there is to be one and there is room.
pub fn rooms(bars: &Bars, tune: &[MelodyNote], form: &Form) -> Vec<Option<f64>> {
    let pass_bars = |bar: &Bar| bars.bars.iter().filter(|other| other.pass == bar.pass && other.from < bar.to).count();
    bars.bars
        .iter()
        .map(|bar| {
            let number = pass_bars(bar) - usize::from(bars.bars[0].pickup && bar.pass == 0);
            let turn = number.is_multiple_of(form.fill_every)
                && (bar.ends_phrase || form.fill_every < super::bars::PHRASE_BARS);
            let wanted = (bar.last || turn) && !bar.pickup && !bar.closing;
            wanted.then(|| room(bars, tune, bar)).flatten()
        })
        .collect()
}

/// The longest rest or held note at a bar's end, in whole counts: it begins with the count in which the tune last moves, or after it.
fn room(bars: &Bars, tune: &[MelodyNote], bar: &Bar) -> Option<f64> {
    let count = bars.count_beats;
    let counts = ((bar.to - bar.line) / count + 1e-3).floor();
    let last_move = sounding(tune, bar.from, bar.to)
        .iter()
        .map(|note| note.meant)
        // A note just before the bar line already belongs to the next bar.
        .filter(|at| *at >= bar.from - 0.1 && *at < bar.to - 0.2)
        .fold(f64::NEG_INFINITY, f64::max);
    let mut room = 0.0;
    for length in 1..=counts as usize {
        let from = bar.to - length as f64 * count;
        if last_move > from + 0.15 * count {
            break;
        }
        room = length as f64;
    }
    (room >= LEAST).then_some(bar.to - room * count)
}

/// Whether the tune rests for at least `beats` before a position: the singer takes breath there.
pub fn breathes_before(tune: &[MelodyNote], at: f64, beats: f64) -> bool {
    let before = tune.partition_point(|note| note.start < at - beats + 0.05);
    let silent = sounding(tune, at - beats + 0.05, at - 0.05).is_empty();
    silent && before > 0
}
