//! Thread: worker. The path through the network's beliefs that is the most likely as a whole.
//!
//! Frame by frame the network now and then prefers an octave above or below for a moment. A voice does not leap for 16 ms and
//! back: a path pays for every step, and for a leap as much as one frame can be sure of.

use super::network::{PITCHES, Pitch};

/// Price of one step of 70 cents from a frame to the next, and of a leap over any distance, in nats.
const STEP: f32 = 0.8;
const LEAP: f32 = 8.0;
/// What a frame without a pitch still counts for, against a sure one.
const UNVOICED: f32 = 0.05;

/// The pitch of every frame.
pub fn best(pitches: &[Pitch]) -> Vec<usize> {
    let Some(first) = pitches.first() else { return Vec::new() };
    let mut score = belief(first);
    let mut came: Vec<[u8; PITCHES]> = Vec::with_capacity(pitches.len());
    for pitch in &pitches[1..] {
        let top = (0..PITCHES).fold(0, |top, pitch| if score[pitch] > score[top] { pitch } else { top });
        let mut from: [usize; PITCHES] = std::array::from_fn(|pitch| pitch);
        let mut reached = score;
        // Steps in either direction: the distance transform of a price that grows with the distance.
        for pitch in 1..PITCHES {
            if reached[pitch - 1] - STEP > reached[pitch] {
                (reached[pitch], from[pitch]) = (reached[pitch - 1] - STEP, from[pitch - 1]);
            }
        }
        for pitch in (0..PITCHES - 1).rev() {
            if reached[pitch + 1] - STEP > reached[pitch] {
                (reached[pitch], from[pitch]) = (reached[pitch + 1] - STEP, from[pitch + 1]);
            }
        }
        // Growing sums would lose precision over a long take.
        let best = score[top];
        let leapt = best - LEAP;
        let belief = belief(pitch);
        for pitch in 0..PITCHES {
            if leapt > reached[pitch] {
                (reached[pitch], from[pitch]) = (leapt, top);
            }
            score[pitch] = reached[pitch] - best + belief[pitch];
        }
        came.push(from.map(|from| from as u8));
    }
    let mut at = (0..PITCHES).fold(0, |top, pitch| if score[pitch] > score[top] { pitch } else { top });
    let mut path = vec![at];
    for from in came.iter().rev() {
        at = usize::from(from[at]);
        path.push(at);
    }
    path.reverse();
    path
}

/// Logarithm of the belief in each pitch, the less the less there is a pitch at all.
fn belief(pitch: &Pitch) -> [f32; PITCHES] {
    let top = pitch.logits.iter().fold(f32::MIN, |top, logit| top.max(*logit));
    let sum: f32 = pitch.logits.iter().map(|logit| (logit - top).exp()).sum();
    let weight = pitch.confidence.max(UNVOICED);
    pitch.logits.map(|logit| weight * (logit - top - sum.ln()))
}
