//! Thread: worker. How much speaks for each pitch in each frame, as natural logarithms.

use crate::analysis::f0;
use crate::analysis::polyphony::{self, LOWEST_KEY, Posteriors};
use crate::time::MidiNote;

/// Pitches a melody can have: thirds of a semitone from G2 to just under C7.
pub const PITCHES: usize = 159;
const LOWEST: f32 = 43.0;
const STEPS: f32 = 3.0;
/// SwiftF0's guesses under this note are the bass's: they are left out before the others are compared.
const BASS: f32 = 45.0;
/// Weight of SwiftF0's belief against Basic Pitch's: it is surer than it should be outside its trade.
const BELIEF: f32 = 0.5;
/// Keep one network's zero from ruling out what the other hears.
const BELIEF_FLOOR: f32 = 1e-3;
const CONTOUR_FLOOR: f32 = 0.05;
/// Weight of a decibel of the fundamental's level, down to this far under the loudest pitch of the frame.
const LEVEL: f32 = 0.05;
const LEVEL_REACH_DB: f32 = 30.0;
/// Melodies rarely go below this note; what each semitone below costs.
const LOW: f32 = 55.0;
const LOW_COST: f32 = 0.15;

/// What speaks for each pitch, `[frame][pitch]`, at the frames of [`f0`].
pub struct Salience {
    /// All together.
    pub total: Vec<[f32; PITCHES]>,
    /// SwiftF0's belief.
    pub believed: Vec<[f32; PITCHES]>,
    /// Basic Pitch's.
    pub heard: Vec<[f32; PITCHES]>,
    /// Level of the fundamental, in decibels under the loudest of the take.
    pub level_db: Vec<[f32; PITCHES]>,
}

impl Salience {
    /// From what both networks say.
    pub fn new(beliefs: &[f0::Pitch], posteriors: &Posteriors) -> Self {
        let count = beliefs.len();
        let mut salience = Self {
            total: Vec::with_capacity(count),
            believed: Vec::with_capacity(count),
            heard: Vec::with_capacity(count),
            level_db: Vec::with_capacity(count),
        };
        let places = belief_places();
        let low: [f32; PITCHES] = std::array::from_fn(|pitch| -LOW_COST * (LOW - note(pitch).0).max(0.0));
        for (frame, belief) in beliefs.iter().enumerate() {
            let believed = believed(belief, &places);
            let heard = heard(posteriors, frame);
            let level_db = level_db(posteriors, frame);
            let loudest = level_db.iter().fold(f32::MIN, |top, level| top.max(*level));
            salience.total.push(std::array::from_fn(|pitch| {
                let level = (level_db[pitch] - loudest).max(-LEVEL_REACH_DB);
                BELIEF * believed[pitch] + heard[pitch] + LEVEL * level + low[pitch]
            }));
            salience.believed.push(believed);
            salience.heard.push(heard);
            salience.level_db.push(level_db);
        }
        salience
    }
}

/// The note of a pitch.
pub fn note(pitch: usize) -> MidiNote {
    MidiNote(LOWEST + pitch as f32 / STEPS)
}

/// For each pitch the SwiftF0 pitch below it, and how far it lies on the way to the next.
fn belief_places() -> [(usize, f32); PITCHES] {
    let (first, second) = (f0::note_of(0).0, f0::note_of(1).0);
    std::array::from_fn(|pitch| {
        let place = (note(pitch).0 - first) / (second - first);
        let below = (place.floor().max(0.0) as usize).min(f0::PITCHES - 2);
        (below, (place - below as f32).clamp(0.0, 1.0))
    })
}

/// Logarithm of SwiftF0's belief, where only pitches above the bass compete.
fn believed(belief: &f0::Pitch, places: &[(usize, f32); PITCHES]) -> [f32; PITCHES] {
    let top = belief.logits.iter().fold(f32::MIN, |top, logit| top.max(*logit));
    let above = (0..f0::PITCHES).filter(|&pitch| f0::note_of(pitch).0 >= BASS);
    let sum: f32 = above.map(|pitch| (belief.logits[pitch] - top).exp()).sum();
    let offset = top + sum.max(f32::MIN_POSITIVE).ln();
    std::array::from_fn(|pitch| {
        let (below, share) = places[pitch];
        let logit = belief.logits[below] * (1.0 - share) + belief.logits[below + 1] * share;
        ((logit - offset).exp() + BELIEF_FLOOR).ln()
    })
}

/// Logarithm of Basic Pitch's contour, a third of a semitone of mistuning forgiven.
fn heard(posteriors: &Posteriors, frame: usize) -> [f32; PITCHES] {
    let contour = posteriors
        .contour
        .get(contour_frame(frame))
        .unwrap_or_else(|| posteriors.contour.last().unwrap_or(&[0.0; polyphony::CONTOUR_BINS]));
    std::array::from_fn(|pitch| {
        let bin = contour_bin(pitch);
        (contour[bin].max(0.8 * contour[bin - 1].max(contour[bin + 1])) + CONTOUR_FLOOR).ln()
    })
}

/// Level at each pitch, between its neighbouring keys.
fn level_db(posteriors: &Posteriors, frame: usize) -> [f32; PITCHES] {
    let levels = posteriors.level_db.get(contour_frame(frame)).or(posteriors.level_db.last());
    let Some(levels) = levels else { return [0.0; PITCHES] };
    std::array::from_fn(|pitch| {
        let place = note(pitch).0 - f32::from(LOWEST_KEY);
        let (key, share) = (place.floor() as usize, place.fract());
        levels[key] * (1.0 - share) + levels[(key + 1).min(levels.len() - 1)] * share
    })
}

/// The Basic Pitch frame nearest to one of ours.
fn contour_frame(frame: usize) -> usize {
    let seconds = (frame * f0::HOP) as f64 / f0::RATE.hz();
    (seconds * polyphony::RATE.hz() / polyphony::HOP as f64).round() as usize
}

/// The contour bin of a pitch.
fn contour_bin(pitch: usize) -> usize {
    ((LOWEST - f32::from(LOWEST_KEY)) * STEPS) as usize + pitch + 1
}

/// A pitch between the steps: by SwiftF0 where it has a peak of its own near it, which is fine to a few cents; else by the
/// contour.
pub fn refined(pitch: usize, belief: &f0::Pitch, posteriors: &Posteriors, frame: usize) -> MidiNote {
    const NEAR: f32 = 1.05;
    let near = note(pitch).0;
    let logits = &belief.logits;
    let candidates = (1..f0::PITCHES - 1).filter(|&candidate| (f0::note_of(candidate).0 - near).abs() < NEAR);
    let best = candidates.max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
    if let Some(best) = best.filter(|&best| logits[best] >= logits[best - 1] && logits[best] >= logits[best + 1]) {
        let (mut weights, mut sum) = (0.0, 0.0);
        for candidate in best - 1..=best + 1 {
            let weight = (logits[candidate] - logits[best]).exp();
            weights += weight;
            sum += weight * f0::note_of(candidate).0;
        }
        return MidiNote(sum / weights);
    }
    let Some(contour) = posteriors.contour.get(contour_frame(frame)) else { return note(pitch) };
    let (mut weights, mut sum) = (f32::MIN_POSITIVE, 0.0);
    for offset in -2_i32..=2 {
        let Some(value) = contour_bin(pitch).checked_add_signed(offset as isize).and_then(|bin| contour.get(bin))
        else {
            continue;
        };
        weights += value;
        sum += value * offset as f32 / STEPS;
    }
    MidiNote(near + sum / weights)
}
