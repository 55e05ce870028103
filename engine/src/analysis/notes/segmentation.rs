//! Thread: worker. Cuts a pitch track into notes: the cheapest sequence of notes and gaps, found exactly.
//!
//! Every frame is either in a gap, which costs nothing, or in a note, which costs for each semitone between the frame and the
//! note's one pitch, pays for the frame's confidence, and costs for a dip of level, which is how a repeated note shows. A new
//! note costs as much as a few bad frames. The costs follow the note segmentation of the swift-f0 package (MIT).

use super::Segment;
use super::novelty::Event;
use super::spectra::Spectra;
use crate::analysis::{F0Frame, f0};

/// Price of a note, in bad frames: 80 ms. A shorter excursion stays part of the note around it.
const NOTE: f64 = 5.0;
/// Semitones beyond which a frame is simply wrong.
const WRONG: f64 = 2.0;
/// A dip of level counts beyond this depth, in decibels, and each decibel costs this many bad frames.
const DIP_DB: f32 = 3.0;
const DIP_COST: f32 = 2.0;
/// Frames on either side among which a dip is looked for: 64 ms.
const DIP_REACH: usize = 4;
/// Pitches a note can have, a semitone: 20 cents apart.
const STEPS: f32 = 5.0;
/// Confidence is clipped to this and its complement, so that no single frame decides.
const DOUBT: f64 = 0.01;

/// Cuts `pitches` (MIDI note numbers, one a frame) into notes.
pub(super) fn segment(pitches: &[f32], frames: &[F0Frame], levels_db: &[f32], events: &[Event]) -> Vec<Segment> {
    let dips = dips(levels_db);
    let prices = prices(pitches.len(), events);
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
        let base = -(clipped / (1.0 - clipped)).ln() + f64::from(dips[frame]);
        let mut cheapest = 0;
        // After a gap a note needs no other reason to begin.
        let after_gap = frame == 0 || last.get(frame - 1).is_some_and(Option::is_none);
        let begin = best + if after_gap && crate::tune("GAPEV", 1.0) > 0.5 { f64::from(crate::tune("NOTEG", 8.0)) } else { prices[frame] };
        for (index, candidate) in candidates.iter().enumerate() {
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
    let short = crate::tune("SCOOP", 7.0) as usize;
    let sure: Vec<usize> = events.iter().filter(|e| e.evidence > crate::tune("SCEV", 1.0)).map(|event| (event.step * Spectra::STEP + f0::HOP / 2) / f0::HOP).collect();
    let mut merged: Vec<Segment> = Vec::new();
    for segment in segments {
        match merged.last_mut() {
            Some(last) if last.end == segment.first && last.end - last.first <= short && (last.pitch - segment.pitch).abs() < 2.5 && !sure.iter().any(|s| s.abs_diff(segment.first) <= 1) => {
                *last = Segment { first: last.first, ..segment };
            }
            _ => merged.push(segment),
        }
    }
    merged
}

/// What a note that begins with each frame costs: less where the sound begins anew.
fn prices(frames: usize, events: &[Event]) -> Vec<f64> {
    let note=f64::from(crate::tune("NOTE",6.0));
    let mut prices = vec![note; frames];
    for event in events {
        let price = (note*0.0 + f64::from(crate::tune("EV0",1.5)) - f64::from(crate::tune("EVW",1.5)) * f64::from(event.evidence)).clamp(f64::from(crate::tune("EVMIN",-8.0)), note);
        let frame = (event.step * Spectra::STEP + f0::HOP / 2) / f0::HOP;
        let w=crate::tune("EVR",0.0) as usize;
        for near in frame.saturating_sub(w)..(frame + w+1).min(frames) {
            prices[near] = prices[near].min(price);
        }
    }
    prices
}

/// How far each frame dips under the louder frames on both sides, beyond what is normal, as a cost.
fn dips(levels_db: &[f32]) -> Vec<f32> {
    let loudest = |range: std::ops::Range<usize>| levels_db[range].iter().fold(f32::MIN, |top, level| top.max(*level));
    (0..levels_db.len())
        .map(|frame| {
            let before = loudest(frame.saturating_sub(DIP_REACH)..frame + 1);
            let after = loudest(frame..(frame + DIP_REACH + 1).min(levels_db.len()));
            (before.min(after) - levels_db[frame] - DIP_DB).max(0.0) * crate::tune("DIPC",0.0)
        })
        .collect()
}
