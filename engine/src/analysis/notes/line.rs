//! Thread: worker. The line of the melody: pitch frames put right by the notes that were found in them.

use super::frame_time;
use crate::analysis::{F0Frame, Note};
use crate::time::Hz;

/// After a beginning this long, in seconds, the tracker has left the note before.
const LATE: f64 = 0.15;
/// Smallest step between notes, in semitones, over which a frame can be late.
const STEP: f32 = 0.6;
/// A frame this near to the note before, as a share of the step between the two (of two semitones at most), still shows it.
const STAYED: f32 = 0.5;
/// A frame this near to its own note, as a share of the step, has arrived there.
const ARRIVED: f32 = 0.2;
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
                (pitch - before.sung.0).abs() < STAYED * (before.sung.0 - note.sung.0).abs().min(2.0)
            };
            let until = index_from(note.onset.0 + LATE).min(end);
            let step = (before.sung.0 - note.sung.0).abs();
            // A voice that glides passes between the two pitches; a key that is pressed does not.
            let arrived = |frame: &F0Frame| (Hz(frame.hz).note().0 - note.sung.0).abs() < ARRIVED * step;
            if let Some(own) = (first..until).find(|&frame| !late(&frames[frame])).filter(|&own| arrived(&frames[own]))
            {
                let hz = frames[own].hz;
                frames[first..own].iter_mut().for_each(|frame| frame.hz = hz);
            }
        }
        for frame in &mut frames[first.min(end)..end] {
            frame.voiced = frame.confidence >= INSIDE;
        }
        before = Some(note);
    }
}

/// The first frame that is nearer to what follows a moment than to what was before it.
fn index_from(seconds: f64) -> usize {
    (seconds / frame_time(1) - 0.5).ceil().max(0.0) as usize
}
