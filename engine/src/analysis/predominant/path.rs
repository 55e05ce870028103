//! Thread: worker. The path through the saliences that is the best as a whole, found exactly.

use super::salience::PITCHES;

/// Steps a voice glides from one frame to the next, and the price of each.
const GLIDE: usize = 3;
const GLIDE_COST: f32 = 0.25;
/// Price of a leap to another note, and of each step it spans (a third of a semitone).
const LEAP: f32 = 8.0;
const LEAP_STEP: f32 = 0.08;

/// The pitch of every frame.
pub fn best(salience: &[[f32; PITCHES]]) -> Vec<usize> {
    let Some(first) = salience.first() else { return Vec::new() };
    let mut score = *first;
    let mut origins: Vec<[u8; PITCHES]> = Vec::with_capacity(salience.len());
    for frame in &salience[1..] {
        let mut reached = score;
        let mut origin: [u8; PITCHES] = std::array::from_fn(|pitch| pitch as u8);
        let mut offer = |pitch: usize, value: f32, from: usize| {
            if value > reached[pitch] {
                (reached[pitch], origin[pitch]) = (value, from as u8);
            }
        };
        for (from, &score) in score.iter().enumerate() {
            for step in 1..=GLIDE {
                let value = score - GLIDE_COST * step as f32;
                if let Some(below) = from.checked_sub(step) {
                    offer(below, value, from);
                }
                if from + step < PITCHES {
                    offer(from + step, value, from);
                }
            }
        }
        // Leaps: the best start for a leap up to here, carried along from the lowest pitch; and the same downwards.
        let (mut carried, mut from) = (f32::MIN, 0);
        for (pitch, &score) in score.iter().enumerate() {
            offer(pitch, carried - LEAP, from);
            if score > carried {
                (carried, from) = (score, pitch);
            }
            carried -= LEAP_STEP;
        }
        let (mut carried, mut from) = (f32::MIN, 0);
        for (pitch, &score) in score.iter().enumerate().rev() {
            offer(pitch, carried - LEAP, from);
            if score > carried {
                (carried, from) = (score, pitch);
            }
            carried -= LEAP_STEP;
        }
        score = std::array::from_fn(|pitch| reached[pitch] + frame[pitch]);
        // Only differences matter; growing sums would lose precision over a long take.
        let top = score.iter().fold(f32::MIN, |top, score| top.max(*score));
        score.iter_mut().for_each(|score| *score -= top);
        origins.push(origin);
    }
    let mut pitch = (0..PITCHES).fold(0, |best, pitch| if score[pitch] > score[best] { pitch } else { best });
    let mut path = vec![pitch];
    for origin in origins.iter().rev() {
        pitch = usize::from(origin[pitch]);
        path.push(pitch);
    }
    path.reverse();
    path
}
