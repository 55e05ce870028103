//! Thread: collector. Whether something was sung: how much of a stretch rises above the room.
//!
//! The room is what is left in the quietest moments of all that is remembered: singers breathe. A constant hiss or hum of the line is
//! no sound then, however long it lasts; a MIDI note always is.

use super::history::History;
use crate::time::{Frames, Seconds};

/// Moments whose level is measured.
const MOMENT: Seconds = Seconds(0.05);
/// The share of moments that are as quiet as the room.
const QUIETEST: f64 = 0.02;
/// The room is never louder than this, in dBFS: what is louder was sung without a breath.
const LOUDEST_ROOM_DBFS: f32 = -40.0;
/// How far sound rises above the room.
const ABOVE_ROOM_DB: f32 = 10.0;
/// Nothing softer than this was meant to be heard, in dBFS.
const SOFTEST_DBFS: f32 = -55.0;
/// What a MIDI note counts for, however short it is.
const NOTE: Seconds = Seconds(0.25);
/// Less than this is a click or a chair.
pub(super) const LEAST: Seconds = Seconds(0.2);

/// The level above which something is sung, as a mean square.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    energy: f32,
}

impl Gate {
    /// For all that a history remembers.
    pub fn of(history: &History) -> Self {
        let mut energies: Vec<f32> = moments(history, history.first(), history.end())
            .map(|(from, to)| history.energy(from, to))
            // Where the host sent no signal at all there is no room to be heard.
            .filter(|&energy| energy > 0.0)
            .collect();
        energies.sort_by(f32::total_cmp);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
        let room = energies.get((energies.len() as f64 * QUIETEST) as usize).copied().unwrap_or(0.0);
        let gate_db = (decibels(room).min(LOUDEST_ROOM_DBFS) + ABOVE_ROOM_DB).max(SOFTEST_DBFS);
        Self { energy: 10.0_f32.powf(gate_db / 10.0) }
    }

    /// How much of record frames `from..to` is sound, notes included.
    pub fn sound(&self, history: &History, from: u64, to: u64) -> Seconds {
        let rate = history.rate();
        let over = moments(history, from, to).filter(|&(from, to)| history.energy(from, to) > self.energy);
        let frames: u64 = over.map(|(from, to)| to - from).sum();
        let struck = |&&(at, event): &&(u64, super::ring::MidiEvent)| (from..to).contains(&at) && event.velocity > 0.0;
        let notes = history.midi().iter().filter(struck).count();
        let notes = Seconds(notes as f64 * NOTE.0);
        Frames(i64::try_from(frames).unwrap_or(i64::MAX)).seconds(rate) + notes
    }
}

fn decibels(energy: f32) -> f32 {
    10.0 * energy.max(1e-12).log10()
}

/// The moments of record frames `from..to`, the last one shorter.
fn moments(history: &History, from: u64, to: u64) -> impl Iterator<Item = (u64, u64)> {
    let step = MOMENT.frames(history.rate()).0.unsigned_abs().max(1);
    let mut at = from;
    std::iter::from_fn(move || {
        let end = (at + step).min(to);
        let moment = (at < end).then_some((at, end));
        at = end;
        moment
    })
}
