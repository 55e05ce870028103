//! Thread: worker. The line of the melody: pitch frames put right by the notes that were found in them.

use super::frame_time;
use crate::analysis::{F0Frame, Note};
use crate::time::Hz;

/// After a beginning this long, in seconds, the tracker has left the note before.
const LATE: f64 = 0.15;
/// Smallest step between notes, in semitones, over which a frame can be late.
const STEP: f32 = 0.6;
/// Lowest confidence of a frame inside a note.
const INSIDE: f32 = 0.1;

/// Gives late frames the pitch of their own note, and voices what is inside the notes.
pub(super) fn follow(frames: &mut [F0Frame], notes: &[Note]) {
    for frame in frames.iter_mut() {
        frame.voiced = false;
    }
    let mut before: Option<&Note> = None;
    for note in notes {
        let first = index_from(note.onset.0);
        let end = index_from(note.offset.0).min(frames.len());
        if let Some(before) = before.filter(|before| (before.sung.0 - note.sung.0).abs() > STEP) {
            let late = |frame: &F0Frame| {
                let pitch = Hz(frame.hz).note().0;
                (pitch - before.sung.0).abs() < crate::tune("LATEW", 0.5) * (before.sung.0 - note.sung.0).abs().min(2.0)
            };
            let until = index_from(note.onset.0 + LATE).min(end);
            let step = (before.sung.0 - note.sung.0).abs();
            // A voice that glides passes between the two pitches; a key that is pressed does not.
            let arrived = |frame: &F0Frame| (Hz(frame.hz).note().0 - note.sung.0).abs() < crate::tune("ARR", 0.2) * step;
            if let Some(own) = (first..until).find(|&frame| !late(&frames[frame])).filter(|&own| arrived(&frames[own])) {
                let first = first + ((own - first) as f32 * crate::tune("KEEPF", 0.0)).round() as usize;
                let hz = frames[own].hz;
                frames[first..own].iter_mut().for_each(|frame| frame.hz = hz);
            }
        }
        for frame in &mut frames[first.min(end)..end] {
            frame.voiced = frame.confidence >= crate::tune("INSIDE", INSIDE);
        }
        before = Some(note);
    }
}

/// The first frame whose centre is not before a moment.
fn index_from(seconds: f64) -> usize {
    (seconds / frame_time(1) - f64::from(crate::tune("EARLYF", 0.5))).ceil().max(0.0) as usize
}
