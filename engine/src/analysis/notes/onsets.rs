//! Thread: worker. Puts the beginnings and ends of notes where they are heard, finer than the 16 ms of the pitch frames.

use super::envelope::Envelope;
use super::{Segment, frame_time};

/// Share of the way from one pitch to the next at which a slurred note is heard to begin. The segmentation changes over in
/// the middle of the glide, some 20 ms later.
const GLIDE_BEGUN: f32 = 0.2;
/// Farthest a beginning is moved back along a glide, in frames.
const GLIDE_FRAMES: usize = 6;
/// Smallest step, in semitones, that is a glide to another note.
const GLIDE: f32 = 0.6;
/// A note is over when it has fallen this far under its own median level: what follows is the room.
const OVER_DB: f32 = 15.0;
/// Part of a note that the room cannot take away, in seconds.
const KEPT: f64 = 0.06;

/// Onset and offset in seconds of each segment, in order and never overlapping.
pub(super) fn refine(segments: &[Segment], pitches: &[f32], envelope: &Envelope) -> Vec<(f64, f64)> {
    let mut spans: Vec<(f64, f64)> = Vec::with_capacity(segments.len());
    for (index, segment) in segments.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| segments[before]);
        let onset = match before {
            Some(before) if before.end == segment.first => slurred_onset(&before, segment, pitches),
            _ => frame_time(segment.first),
        };
        if let Some((_, offset)) = spans.last_mut() {
            *offset = offset.min(onset);
        }
        spans.push((onset, frame_time(segment.end).max(onset)));
    }
    spans.into_iter().map(|(onset, offset)| (onset, sounding_end(onset, offset, envelope))).collect()
}

/// Where the pitch leaves the note before, between two frames.
fn slurred_onset(before: &Segment, segment: &Segment, pitches: &[f32]) -> f64 {
    let step = segment.pitch - before.pitch;
    let boundary = segment.first;
    if step.abs() < GLIDE {
        return frame_time(boundary);
    }
    let progress = |frame: usize| (pitches[frame] - before.pitch) / step;
    let earliest = (before.first + 2).max(boundary.saturating_sub(GLIDE_FRAMES));
    let mut frame = boundary;
    while frame > earliest && progress(frame) > GLIDE_BEGUN {
        frame -= 1;
    }
    let (here, next) = (progress(frame), pitches.get(frame + 1).map_or(1.0, |_| progress(frame + 1)));
    let between = if next > here { ((GLIDE_BEGUN - here) / (next - here)).clamp(0.0, 1.0) } else { 0.0 };
    let hop = frame_time(1);
    // A glide that only begins after the boundary must not move the note forward.
    (frame_time(frame) + f64::from(between) * hop).min(frame_time(boundary))
}

/// The end of a note without the room's answer to it.
fn sounding_end(onset: f64, offset: f64, envelope: &Envelope) -> f64 {
    let (first, end) = (envelope.index(onset), envelope.index(offset));
    let mut levels: Vec<f32> = (first..end).map(|step| envelope.db(step)).collect();
    let kept = (KEPT / Envelope::STEP_SECONDS) as usize;
    if levels.len() <= kept {
        return offset;
    }
    let floor = super::median(&mut levels.clone()) - OVER_DB;
    while levels.len() > kept && levels.last().is_some_and(|level| *level < floor) {
        levels.pop();
    }
    let sounding = onset + levels.len() as f64 * Envelope::STEP_SECONDS;
    sounding.min(offset)
}
