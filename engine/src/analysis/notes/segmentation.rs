//! Thread: worker. Cuts a pitch track into notes: the cheapest sequence of notes and gaps, found exactly.
//!
//! Every frame is either in a gap, which costs nothing, or in a note, which costs for each semitone between the frame and the
//! note's one pitch and pays for the frame's confidence. A new note costs as much as a few bad frames, and a note that is
//! held where the sound begins anew costs too. The costs of pitch and confidence follow the note segmentation of the swift-f0 package (MIT).

use super::Segment;
use super::novelty::Event;
use super::spectra::Spectra;
use crate::analysis::{F0Frame, f0};

/// Price of a note right after another, in bad frames: 100 ms. A shorter excursion stays part of the note around it.
const NOTE: f64 = 6.0;
/// Price of a note after a gap: noise may look like a pitch for a moment.
const NOTE_AFTER_GAP: f64 = 8.0;
/// Price of holding a note where the sound may or may not begin anew, what each nat of evidence adds, and the most it comes to.
const UNDECIDED: f64 = 6.0;
const EVIDENCE: f64 = 2.2;
const DEAREST: f64 = 14.0;
/// Frames at the beginning of a note in which the sound still comes in.
const ATTACK_FRAMES: usize = 4;
/// Longest scoop, in frames, how far it is from its note, in semitones, and the evidence in nats from which it is a note by itself.
const SCOOP_FRAMES: usize = 5;
const SCOOP: std::ops::RangeInclusive<f32> = 0.4..=2.5;
/// Longest slip at the beginning of a note, in frames.
const SLIP_FRAMES: usize = 3;
const SURE: f32 = 1.0;
/// Semitones beyond which a frame is simply wrong.
const WRONG: f64 = 2.0;
/// Pitches a note can have, a semitone: 20 cents apart.
const STEPS: f32 = 5.0;
/// Confidence is clipped to this and its complement, so that no single frame decides.
const DOUBT: f64 = 0.01;

/// Cuts `pitches` (MIDI note numbers, one a frame) into notes.
pub(super) fn segment(pitches: &[f32], frames: &[F0Frame], events: &[Event]) -> Vec<Segment> {
    let held = held(pitches.len(), events);
    let (lowest, highest) = pitches.iter().fold((f32::MAX, f32::MIN), |(low, high), &p| (low.min(p), high.max(p)));
    if lowest > highest {
        return Vec::new();
    }
    let candidates: Vec<f64> = {
        let (low, high) = ((lowest * STEPS).floor() as i32, (highest * STEPS).ceil() as i32);
        (low..=high).map(|step| f64::from(step) / f64::from(STEPS)).collect()
    };

    // For each candidate pitch: the price of the cheapest history whose last note has it, and where that note began.
    let mut price = vec![f64::INFINITY; candidates.len()];
    let mut began = vec![0_usize; candidates.len()];
    // The price of the cheapest history up to a frame whose last note, if any, is over.
    let mut best = 0.0_f64;
    // For each frame's end: how the cheapest history got there. `None` is a gap.
    let mut last: Vec<Option<(usize, usize)>> = Vec::with_capacity(pitches.len());
    for (frame, &pitch) in pitches.iter().enumerate() {
        let confidence = f64::from(frames[frame].confidence);
        let clipped = confidence.clamp(DOUBT, 1.0 - DOUBT);
        let base = -(clipped / (1.0 - clipped)).ln();
        let mut cheapest = 0;
        let after_gap = frame == 0 || last.get(frame - 1).is_some_and(Option::is_none);
        let begin = best + if after_gap { NOTE_AFTER_GAP } else { NOTE };
        for (index, candidate) in candidates.iter().enumerate() {
            if frame >= began[index] + ATTACK_FRAMES {
                price[index] += held[frame];
            }
            if begin < price[index] {
                price[index] = begin;
                began[index] = frame;
            }
            price[index] += base + confidence * (candidate - f64::from(pitch)).abs().min(WRONG);
            if price[index] < price[cheapest] {
                cheapest = index;
            }
        }
        if price[cheapest] < best {
            best = price[cheapest];
            last.push(Some((began[cheapest], cheapest)));
        } else {
            last.push(None);
        }
    }

    let mut segments = Vec::new();
    let mut end = pitches.len();
    while end > 0 {
        match last[end - 1] {
            Some((first, index)) => {
                segments.push(Segment { first, end, pitch: candidates[index] as f32 });
                end = first;
            }
            None => end -= 1,
        }
    }
    segments.reverse();
    without_scoops(&segments, events)
}

/// A short segment that runs into the next one without a beginning of its own sound is the way up to it, or down.
fn without_scoops(segments: &[Segment], events: &[Event]) -> Vec<Segment> {
    let begins =
        |frame: usize| events.iter().any(|event| event.evidence > SURE && frame_of(event).abs_diff(frame) <= 1);
    let runs_into = |last: &Segment, next: &Segment| {
        let (length, step) = (last.end - last.first, (last.pitch - next.pitch).abs());
        // Nothing that short is a note by itself when the next has its pitch: it is how that one comes in.
        length <= SLIP_FRAMES && step < *SCOOP.start()
            || length <= SCOOP_FRAMES && SCOOP.contains(&step) && !begins(next.first)
    };
    let mut notes: Vec<Segment> = Vec::with_capacity(segments.len());
    for &segment in segments {
        match notes.last_mut() {
            Some(last) if last.end == segment.first && runs_into(last, &segment) => {
                *last = Segment { first: last.first, ..segment };
            }
            _ => notes.push(segment),
        }
    }
    notes
}

/// What each frame costs a note that is held through it: something where the sound begins anew.
fn held(frames: usize, events: &[Event]) -> Vec<f64> {
    let mut held = vec![0.0_f64; frames];
    for event in events {
        if let Some(price) = held.get_mut(frame_of(event)) {
            *price = price.max((UNDECIDED + EVIDENCE * f64::from(event.evidence)).clamp(0.0, DEAREST));
        }
    }
    held
}

/// The frame nearest to an event.
fn frame_of(event: &Event) -> usize {
    (event.step * Spectra::STEP + f0::HOP / 2) / f0::HOP
}
