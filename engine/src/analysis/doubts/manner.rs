//! Thread: worker. How a melody is brought forth: sung or spoken, in quiet or in noise, all of what sounds or little of it.

use super::Evidence;
use crate::analysis::{F0Frame, Note, f0};
use crate::time::Hz;

/// Frames over which a slope is taken, 48 ms, and how steep a resting pitch may be, in semitones a second.
const SLOPE_FRAMES: usize = 3;
const RESTING: f32 = 4.0;
/// Share of the frames in which a pitch rests: in speech at most the first, in singing mostly beyond the second.
const RESTS: (f32, f32) = (0.30, 0.45);
/// Length of notes in seconds, long ones counting more: likewise.
const NOTE_SECONDS: (f32, f32) = (0.26, 0.38);
/// Level under the loudest moments down to which something counts as sounding, in decibels.
const SOUNDING_DB: f32 = -20.0;
/// A melody that is less than this share of what sounds is doubted.
const SPARSE: f32 = 0.42;
/// Power under which there is only rounding: -100 dBFS.
const SILENT_POWER: f32 = 1e-10;
/// Seconds of rest that tell what the noise is like.
const LISTENING_SECONDS: f64 = 0.3;

/// What shows of the manner.
pub(super) struct Manner {
    /// 0 spoken, 1 sung.
    pub sung: f32,
    /// Share of what sounds that is notes.
    pub pitched: f32,
    /// How far the noise between the notes lies under them, in decibels.
    pub noise_db: Option<f32>,
}

impl Manner {
    /// `None` without notes.
    pub fn of(evidence: &Evidence) -> Option<Self> {
        if evidence.notes.is_empty() {
            return None;
        }
        let resting = ramp(resting_share(evidence.frames), RESTS);
        let long = ramp(note_seconds(evidence.notes), NOTE_SECONDS);
        let levels = levels(evidence);
        Some(Self { sung: resting.max(long), pitched: pitched_share(&levels), noise_db: noise_db(&levels) })
    }

    /// Whether the melody is only a small part of what sounds.
    pub fn is_sparse(&self) -> bool {
        self.pitched < SPARSE
    }
}

fn ramp(value: f32, (from, to): (f32, f32)) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// Share of voiced stretches in which the pitch rests; 1 without any.
fn resting_share(frames: &[F0Frame]) -> f32 {
    let hop = f0::HOP as f32 / f0::RATE.0 as f32;
    let (mut resting, mut count) = (0_u32, 0_u32);
    for stretch in frames.windows(SLOPE_FRAMES + 1).filter(|stretch| stretch.iter().all(|frame| frame.voiced)) {
        let pitch = |frame: &F0Frame| Hz(frame.hz).note().0;
        let rise = pitch(&stretch[SLOPE_FRAMES]) - pitch(&stretch[0]);
        resting += u32::from(rise.abs() < RESTING * hop * SLOPE_FRAMES as f32);
        count += 1;
    }
    if count == 0 { 1.0 } else { resting as f32 / count as f32 }
}

/// Mean length of the notes, each weighed by its length.
fn note_seconds(notes: &[Note]) -> f32 {
    let lengths = || notes.iter().map(|note| (note.offset - note.onset).0);
    let total: f64 = lengths().sum();
    (lengths().map(|length| length * length).sum::<f64>() / total.max(1e-9)) as f32
}

/// Mean power of each hop, and whether a note sounds in it. Just around a note it is neither: `None`.
fn levels(evidence: &Evidence) -> Vec<(f32, Option<bool>)> {
    /// Seconds after a note in which the room still sounds, and before it in which breath does.
    const TAIL: f64 = 0.12;
    let mut notes = evidence.notes.iter().peekable();
    let mut before = f64::NEG_INFINITY;
    let hops = evidence.mono_16k.chunks(f0::HOP).enumerate();
    hops.map(|(index, hop)| {
        let time = (index as f64 + 0.5) * f0::HOP as f64 / f0::RATE.hz();
        while let Some(note) = notes.next_if(|note| note.offset.0 <= time) {
            before = note.offset.0;
        }
        let next = notes.peek().map_or(f64::INFINITY, |note| note.onset.0);
        let inside = next <= time;
        let near = time - before < TAIL || next - time < TAIL;
        let power = hop.iter().map(|sample| sample * sample).sum::<f32>() / hop.len() as f32;
        (power, if inside || !near { Some(inside) } else { None })
    })
    .collect()
}

/// Share of the loud hops in which a note sounds.
fn pitched_share(levels: &[(f32, Option<bool>)]) -> f32 {
    let mut powers: Vec<f32> = levels.iter().map(|level| level.0).collect();
    powers.sort_by(f32::total_cmp);
    // The loudest twentieth may be a knock on the microphone.
    let loud = powers.get(powers.len() - 1 - powers.len() / 20).copied().unwrap_or(0.0);
    let floor = loud * 10.0_f32.powf(SOUNDING_DB / 10.0);
    let sounding = || levels.iter().filter(|level| level.0 > 0.0 && level.0 >= floor);
    // What sounds right beside a note belongs to it.
    let pitched = sounding().filter(|level| level.1 != Some(false)).count();
    pitched as f32 / sounding().count().max(1) as f32
}

/// How far the quieter part of the rests lies under the notes.
fn noise_db(levels: &[(f32, Option<bool>)]) -> Option<f32> {
    let of = |inside: bool| -> Vec<f32> {
        levels.iter().filter(|level| level.1 == Some(inside)).map(|level| level.0).collect()
    };
    let (notes, mut rests) = (of(true), of(false));
    // Digital silence is no room: a take is filled up with it.
    rests.retain(|power| *power > SILENT_POWER);
    let enough = (LISTENING_SECONDS * f0::RATE.hz() / f0::HOP as f64) as usize;
    if rests.len() < enough || notes.is_empty() {
        return None;
    }
    rests.sort_by(f32::total_cmp);
    let noise = rests[rests.len() / 4].max(1e-14);
    let loud = notes.iter().sum::<f32>() / notes.len() as f32;
    Some(10.0 * (loud / noise).log10())
}
