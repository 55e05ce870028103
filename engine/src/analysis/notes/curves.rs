//! Thread: worker. The pitch and level of a note over time, smooth enough for a synthesiser to follow.

use super::envelope::Envelope;
use super::{frame_time, median};
use crate::analysis::{F0Frame, Note, f0};

/// Farthest a bend goes from its key, in semitones; beyond lie slips to another octave.
const FARTHEST: f32 = 3.0;
/// Seconds from one level to the next.
const LEVEL_STEP: f64 = 0.010;
/// Levels are averaged over this to either side, so that the pulses of a low voice do not sound as tremolo.
const LEVEL_REACH: f64 = 0.012;
/// Lowest level of a curve.
const LEVEL_FLOOR_DB: f32 = -40.0;

/// Seconds from the onset, and semitones from the key with the tuning taken off, every pitch frame.
pub(super) fn bend(note: &Note, tuning: f32, pitches: &[f32], frames: &[F0Frame]) -> Vec<(f32, f32)> {
    let (onset, offset) = (note.onset.0, note.offset.0);
    let target = f32::from(note.key) + tuning;
    // Only frames that are sure and in the note's own octave carry pitch; a straight line joins them.
    let inside: Vec<(f32, f32)> = (0..frames.len())
        .filter(|&frame| (onset..offset).contains(&frame_time(frame)))
        .filter(|&frame| frames[frame].confidence >= f0::VOICED && (pitches[frame] - target).abs() <= FARTHEST)
        .map(|frame| ((frame_time(frame) - onset) as f32, pitches[frame] - target))
        .collect();
    if inside.is_empty() {
        return vec![(0.0, note.sung.0 - target)];
    }
    let values: Vec<f32> = inside.iter().map(|point| point.1).collect();
    let steady: Vec<f32> = (0..values.len())
        .map(|index| {
            let mut near = values[index.saturating_sub(1)..(index + 2).min(values.len())].to_vec();
            if near.len() == 2 { values[index] } else { median(&mut near) }
        })
        .collect();
    let at = |index: usize| steady[index.min(steady.len() - 1)];
    let smooth = |index: usize| 0.25 * at(index.saturating_sub(1)) + 0.5 * at(index) + 0.25 * at(index + 1);
    inside.iter().enumerate().map(|(index, point)| (point.0, smooth(index))).collect()
}

/// Seconds from the onset, and decibels under the note's loudest moment, every 10 ms.
pub(super) fn level(note: &Note, envelope: &Envelope) -> Vec<(f32, f32)> {
    let length = (note.offset - note.onset).0;
    let count = (length / LEVEL_STEP).floor() as usize + 1;
    let curve: Vec<(f64, f32)> = (0..count)
        .map(|index| {
            let after = index as f64 * LEVEL_STEP;
            let at = note.onset.0 + after;
            (after, 20.0 * envelope.rms(at - LEVEL_REACH, at + LEVEL_REACH).max(1e-7).log10())
        })
        .collect();
    let loudest = curve.iter().fold(f32::MIN, |loudest, point| loudest.max(point.1));
    curve.iter().map(|&(after, level)| (after as f32, (level - loudest).max(LEVEL_FLOOR_DB))).collect()
}
