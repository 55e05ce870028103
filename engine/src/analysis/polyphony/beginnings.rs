//! Thread: worker. Puts the beginnings of a melody's notes where the polyphonic ear heard a key begin.
//!
//! In a mix the level of the lead says little about where its notes begin: what the drums and chords put on its harmonics is in
//! it, and the windows of a spectrum blur it. The certainty of a beginning at the note's own key is sharp.

use super::{HOP, KEYS, LOWEST_KEY, Posteriors, RATE};
use crate::analysis::Note;
use crate::time::Seconds;

/// Seconds before and after a note's beginning in which a better one is looked for.
const BEFORE: f64 = 0.11;
const AFTER: f64 = 0.045;
/// Certainty that makes a better beginning.
const BEGINS: f32 = 0.2;
/// Seconds between the beginnings of two notes, at least.
const APART: f64 = 0.09;

/// Moves the beginnings of `notes`, which lie in order without overlap, and still do afterwards.
pub fn refine(notes: &mut [Note], posteriors: &Posteriors) {
    let mut earliest = f64::NEG_INFINITY;
    for index in 0..notes.len() {
        let (before, rest) = notes.split_at_mut(index);
        let Some(note) = rest.first_mut() else { continue };
        if let Some(onset) = beginning(posteriors, note, earliest) {
            move_beginning(note, onset);
        }
        if let Some(last) = before.last_mut() {
            last.end_by(note.onset);
        }
        earliest = note.onset.0 + APART;
    }
}

/// The surest beginning of the note's key near its own, between two frames.
fn beginning(posteriors: &Posteriors, note: &Note, earliest: f64) -> Option<f64> {
    let key = usize::from(LOWEST_KEY);
    let key = (note.sung.0.round().max(0.0) as usize).checked_sub(key).filter(|&key| key < KEYS)?;
    let frame = |seconds: f64| (seconds * RATE.hz() / HOP as f64).max(1.0) as usize;
    let first = frame((note.onset.0 - BEFORE).max(earliest));
    let end = frame(note.onset.0 + AFTER).min(posteriors.frames().saturating_sub(2)) + 1;
    let value = |frame: usize| posteriors.onset[frame][key];
    let peak = (first..end).reduce(|top, frame| if value(frame) > value(top) { frame } else { top })?;
    let (before, top, after) = (value(peak - 1), value(peak), value(peak + 1));
    if top < BEGINS || top < before || top < after {
        return None;
    }
    let onset = (peak as f64 + between(before, top, after)) * HOP as f64 / RATE.hz();
    (onset < note.offset.0 - APART / 2.0).then_some(onset)
}

/// Where between the frames a peak lies: the top of the parabola through it and its neighbours, -0.5 to 0.5.
pub fn between(before: f32, top: f32, after: f32) -> f64 {
    let [before, top, after] = [before, top, after].map(f64::from);
    let curvature = before - 2.0 * top + after;
    if curvature < 0.0 { (0.5 * (before - after) / curvature).clamp(-0.5, 0.5) } else { 0.0 }
}

/// Moves a note's onset and leaves its curves where they are in time.
fn move_beginning(note: &mut Note, onset: f64) {
    let later = (note.onset.0 - onset) as f32;
    note.onset = Seconds(onset);
    for curve in [&mut note.bend, &mut note.level_db] {
        let Some(&(_, first)) = curve.first() else { continue };
        curve.iter_mut().for_each(|point| point.0 += later);
        curve.retain(|point| point.0 >= 0.0);
        if curve.first().is_none_or(|point| point.0 > 0.0) {
            curve.insert(0, (0.0, first));
        }
    }
}

impl Note {
    /// Ends no later than `end`, its curves too.
    pub(super) fn end_by(&mut self, end: Seconds) {
        if self.offset > end {
            self.offset = end;
            let length = (end - self.onset).0 as f32;
            for curve in [&mut self.bend, &mut self.level_db] {
                curve.retain(|point| point.0 <= length);
            }
        }
    }
}
