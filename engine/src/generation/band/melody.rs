//! Thread: worker. The melody on the grid: the sung notes in song positions, weighed for harmony.
//!
//! The lead keeps the sung timing, or as much of it as was asked for. Harmony hears a tidied copy: onsets a little early or late
//! count for the beat they were meant for.

use super::bars::Bars;
use crate::analysis::{Analysis, quantise};
use crate::error::{Error, Result};
use crate::generation::Timing;

/// One sung note. Positions in song beats.
#[derive(Debug, Clone, PartialEq)]
pub struct MelodyNote {
    /// Index in the analysis.
    pub source: usize,
    /// Start: as sung, or nearer to the grid. May lie before the score when it is a pickup.
    pub start: f64,
    /// End, inside the score.
    pub end: f64,
    /// Length that the note's curves take, as a multiple of its sung length.
    pub stretch: f64,
    /// Start as it was probably meant.
    pub meant: f64,
    /// Key.
    pub key: u8,
    /// 0 to 1.
    pub loudness: f32,
    /// How much a chord must agree with it, per beat of its length, 0 to about 1.
    pub weight: f32,
    /// It moves on by step, so that a chord may disagree.
    pub passing: bool,
}

impl MelodyNote {
    /// Pitch class.
    pub fn class(&self) -> u8 {
        self.key % 12
    }
}

/// The sung notes that lie in the score, in order.
///
/// # Errors
/// [`Error::NoMelody`] when there is none, with the analysis' own doubt as the reason.
pub fn on_grid(analysis: &Analysis, bars: &Bars, timing: Timing) -> Result<Vec<MelodyNote>> {
    let strength = timing.strength();
    let suggested = (strength > 0.0).then(|| quantise::suggest(&analysis.notes, &analysis.grid, Some(analysis.length)));
    let mut notes: Vec<MelodyNote> = Vec::new();
    for (source, note) in analysis.notes.iter().enumerate() {
        if !(note.onset.0.is_finite() && note.offset.0 > note.onset.0 && note.offset.0.is_finite()) {
            continue;
        }
        let sung = (analysis.beat_at(note.onset).0, analysis.beat_at(note.offset).0);
        let (start, end) = suggested.as_ref().map_or(sung, |suggested| suggested.pulled(source, sung, strength));
        let stretch = (end - start) / (sung.1 - sung.0).max(1e-9);
        let end = end.min(bars.end);
        if start < bars.start - bars.bar_beats || start >= bars.end - 0.02 || end <= start {
            continue;
        }
        let loudness = if note.loudness.is_finite() { note.loudness.clamp(0.0, 1.0) } else { 0.5 };
        let confidence = if note.confidence.is_finite() { note.confidence.clamp(0.0, 1.0) } else { 0.5 };
        let meant = match &suggested {
            Some(suggested) if strength > 0.0 => suggested.pulled(source, sung, 1.0).0,
            _ => tidy(start, bars),
        };
        let weight = bars.strength(meant) * (0.5 + 0.5 * loudness) * (0.4 + 0.6 * confidence);
        let key = note.key.min(127);
        notes.push(MelodyNote { source, start, end, stretch, meant, key, loudness, weight, passing: false });
    }
    notes.sort_by(|a, b| a.start.total_cmp(&b.start));
    for index in 1..notes.len() {
        notes[index - 1].end = notes[index - 1].end.min(notes[index].start);
    }
    notes.retain(|note| note.end > note.start);
    if notes.is_empty() {
        let reason = analysis.doubts.first().cloned();
        return Err(Error::NoMelody { reason: reason.unwrap_or_else(|| "nothing was sung or played here".to_owned()) });
    }
    for index in 0..notes.len() {
        let steps_on = notes.get(index + 1).is_some_and(|next| {
            let step = next.key.abs_diff(notes[index].key);
            (1..=2).contains(&step) && next.start - notes[index].end < 0.5
        });
        let length = notes[index].end - notes[index].start;
        let breathes = notes.get(index + 1).is_none_or(|next| next.start - notes[index].end > 0.75);
        // Where a phrase rests, the ear compares the note with the chord.
        if length >= 1.5 || (breathes && length >= 0.75) {
            notes[index].weight *= 1.5;
        }
        notes[index].passing = steps_on && notes[index].end - notes[index].start <= 1.05;
    }
    Ok(notes)
}

/// The sixteenth or, in compound time, the third of a count that an onset was probably meant for, when one is near.
fn tidy(position: f64, bars: &Bars) -> f64 {
    let unit = if bars.metre.denominator == 8 { bars.count_beats / 3.0 } else { bars.count_beats / 4.0 };
    let line = bars.bars[bars.at(position)].line;
    let nearest = line + ((position - line) / unit).round() * unit;
    if (nearest - position).abs() < 0.12 { nearest } else { position }
}

/// Onsets of the melody between two positions.
pub fn onsets_between(melody: &[MelodyNote], from: f64, to: f64) -> usize {
    sounding(melody, from, to).iter().filter(|note| note.meant >= from - 1e-6).count()
}

/// Lowest key that sounds between two positions, `None` in a rest.
pub fn lowest_between(melody: &[MelodyNote], from: f64, to: f64) -> Option<u8> {
    sounding(melody, from, to).iter().map(|note| note.key).min()
}

/// The notes that sound between two positions. Notes are in order and never overlap, so they are one stretch.
pub fn sounding(melody: &[MelodyNote], from: f64, to: f64) -> &[MelodyNote] {
    let first = melody.partition_point(|note| note.end <= from);
    let after = melody.partition_point(|note| note.start < to);
    &melody[first..after.max(first)]
}
