//! Thread: worker. Extension: a tune of a few bars becomes a piece of more, by whole passes and a tag at the end.
//!
//! Four bars asked for as ten are two passes and the last two bars once more, as players tag a tune. What accompanies the passes is
//! another matter: sections, layers, fills and patterns go by the bars of the whole piece.

use super::bars::SAME;
use crate::analysis::{Analysis, Note};
use crate::time::{Beats, Seconds};

/// One time through the tune, or through some of its bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// First bar of the tune, from 0, a pickup not counted.
    pub from: usize,
    /// Bars.
    pub bars: usize,
}

/// Where the whole bars of a take lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// First bar line on which the band plays.
    pub first: f64,
    /// Whole bars from there on; a scrap of a bar at the end is not counted.
    pub bars: usize,
    /// Beats of a bar.
    pub bar_beats: f64,
}

/// The passes that make a piece of so many bars of a tune.
pub fn passes(tune_bars: usize, wanted: usize) -> Vec<Pass> {
    let mut passes: Vec<Pass> = (0..wanted / tune_bars).map(|_| Pass { from: 0, bars: tune_bars }).collect();
    let rest = wanted % tune_bars;
    if rest > 0 {
        // Fewer bars than the tune has are its beginning; more end with its end.
        let from = if passes.is_empty() { 0 } else { tune_bars - rest };
        passes.push(Pass { from, bars: rest });
    }
    passes
}

/// The melody of a piece: the notes of each pass in their places, and the piece's length.
pub fn extend(analysis: &Analysis, span: Span, passes: &[Pass]) -> Analysis {
    let start = analysis.grid.start.0;
    let pickup = span.first - start;
    let total: usize = passes.iter().map(|pass| pass.bars).sum();
    let at = |seconds: Seconds| analysis.beat_at(seconds).0;
    let seconds_at = |beat: f64| analysis.grid.tempo.seconds_between(analysis.grid.start, Beats(beat));
    // Notes sung a little ahead of a bar line belong to its bar.
    let early = 0.12;
    let mut notes: Vec<Note> = Vec::new();
    let mut bars_before = 0;
    for (index, pass) in passes.iter().enumerate() {
        let from = span.first + pass.from as f64 * span.bar_beats - early;
        let to = span.first + (pass.from + pass.bars) as f64 * span.bar_beats - early;
        let shift = (bars_before as f64 - pass.from as f64) * span.bar_beats;
        for note in &analysis.notes {
            let (onset, offset) = (at(note.onset), at(note.offset));
            let leads_in = onset < from && pass.from == 0 && onset < span.first - early;
            if !leads_in && !(from..to).contains(&onset) {
                continue;
            }
            if shift.abs() < SAME {
                notes.push(note.clone());
                continue;
            }
            let moved = onset + shift;
            // A pickup into a later pass gives way to what the pass before still has to say.
            if leads_in && index > 0 && notes.iter().any(|other| at(other.onset) > moved - 0.1) {
                continue;
            }
            notes.push(Note { onset: seconds_at(moved), offset: seconds_at(offset + shift), ..note.clone() });
        }
        bars_before += pass.bars;
    }
    notes.sort_by(|a, b| a.onset.0.total_cmp(&b.onset.0));
    Analysis { notes, length: Beats(pickup.max(0.0) + total as f64 * span.bar_beats), ..analysis.clone() }
}
