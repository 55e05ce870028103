//! Thread: worker. How well a chord fits the tune that is sung over it.
//!
//! A note in the chord costs nothing. A note outside it costs by how it rubs, how long and on how strong a beat it sounds, and what it
//! does: a passing or neighbour note, an appoggiatura or a suspension that resolves, an anticipation cost little.

use super::slots::Slot;
use crate::generation::band::melody::{MelodyNote, sounding};
use crate::generation::style::Harmony;

/// Cost of a beat of a wrong note on a strong beat, in nats, before the style's own weight.
const MELODY_COST: f32 = 2.2;
/// Cost of a long note that rubs and never resolves: nothing else is worth it.
pub const HARD: f32 = 1000.0;
/// A note from this many beats on is long. A sung beat is a little shorter than a written one.
const LONG: f64 = 0.85;
/// A shorter overlap of a note with a chord is loose timing, in beats.
const OVERLAP: f64 = 0.3;

/// A note that rubs for longer than this does not resolve in the next chord any more, in beats.
const PATIENCE: f64 = 2.05;

/// What a long note does against a chord.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rub {
    /// It does not rub, or it resolves while the chord lasts.
    No,
    /// It resolves if the next chord has this pitch class.
    Pending(u8),
    /// It never resolves.
    Hard,
}

/// What a style lets a tune do.
#[derive(Debug, Clone, Copy)]
pub struct Licence<'a> {
    /// Intervals over the root that may be held.
    pub tensions: &'a [u8],
    /// Blue thirds, fifths and sevenths are at home.
    pub blue: bool,
}

impl<'a> Licence<'a> {
    /// That of a style.
    pub fn of(harmony: &'a Harmony) -> Self {
        Self { tensions: &harmony.tensions, blue: harmony.blue }
    }

    /// Whether a note so far above a root may be held over a chord although it is none of its tones.
    fn allows(self, interval: u8, intervals: &[u8]) -> bool {
        let blue = self.blue && intervals.contains(&4) && matches!(interval, 3 | 6 | 10);
        self.tensions.contains(&interval) || blue
    }
}

/// Whether a note is long enough to be compared with its chord.
pub fn is_long(note: &MelodyNote) -> bool {
    note.end - note.meant >= LONG || note.end - note.start >= LONG
}

/// One note over a slot, with what comes before and after it.
struct Sung<'a> {
    note: &'a MelodyNote,
    before: Option<&'a MelodyNote>,
    after: Option<&'a MelodyNote>,
    overlap: f64,
}

fn sung<'a>(melody: &'a [MelodyNote], slot: &Slot) -> Vec<Sung<'a>> {
    let notes = sounding(melody, slot.start, slot.end);
    let first = melody.partition_point(|note| note.end <= slot.start);
    let overlap = |note: &MelodyNote| note.end.min(slot.end) - note.meant.max(slot.start);
    let one = |(index, note): (usize, &'a MelodyNote)| {
        let at = first + index;
        Sung {
            note,
            before: at.checked_sub(1).map(|at| &melody[at]),
            after: melody.get(at + 1),
            overlap: overlap(note),
        }
    };
    notes.iter().enumerate().map(one).filter(|sung| sung.overlap > 0.0).collect()
}

/// Whether the next note is a step away and follows at once.
fn steps_on(sung: &Sung<'_>) -> Option<(i32, f64)> {
    let next = sung.after?;
    let step = i32::from(next.key) - i32::from(sung.note.key);
    ((1..=2).contains(&step.abs()) && next.start - sung.note.end < 0.5).then_some((step, next.meant))
}

/// A melody over one slot, ready to be held against chords.
pub struct Over<'a> {
    sung: Vec<Sung<'a>>,
    start: f64,
    end: f64,
}

impl<'a> Over<'a> {
    /// The notes of a slot.
    pub fn new(melody: &'a [MelodyNote], slot: &Slot) -> Self {
        Self { sung: sung(melody, slot), start: slot.start, end: slot.end }
    }

    /// How badly a chord fits, in nats. `tones` are pitch classes, the root first.
    pub fn cost(&self, tones: &[u8], licence: Licence<'_>) -> f32 {
        let root = tones.first().copied().unwrap_or(0);
        let intervals: Vec<u8> = tones.iter().map(|tone| (tone + 12 - root) % 12).collect();
        let mut cost = 0.0;
        let mut hard = 0.0;
        for sung in &self.sung {
            let interval = (sung.note.class() + 12 - root) % 12;
            let beats = sung.overlap.clamp(0.2, 2.5) as f32;
            let rub = rub(interval, &intervals, licence);
            if rub == 0.0 {
                continue;
            }
            let role = if intervals.contains(&interval) { 1.0 } else { self.role(sung, tones) };
            cost += rub * beats * (0.35 + sung.note.weight) * role;
            if self.held(sung, interval, &intervals, tones, licence) == Rub::Hard {
                hard += HARD;
            }
        }
        MELODY_COST * cost + hard
    }

    /// Notes that begin in the slot, and how many of them are chord tones or move on by step to one within it: the ratio the
    /// literature measures (CTnCTR of Yeh et al. 2021).
    pub fn agreeing(&self, tones: &[u8]) -> (u32, u32) {
        let begins = |sung: &&Sung<'_>| sung.note.meant >= self.start - 1e-6;
        let agrees = |sung: &&Sung<'_>| tones.contains(&sung.note.class()) || self.resolves(sung, tones);
        let all = self.sung.iter().filter(begins);
        (all.clone().filter(agrees).count() as u32, all.count() as u32)
    }

    /// The first long note that rubs against a chord and does not resolve under it, or only after a long time.
    pub fn clash(&self, tones: &[u8], licence: Licence<'_>) -> Option<&MelodyNote> {
        let clashing = self.sung.iter().find(|sung| match self.rubs(sung, tones, licence) {
            Rub::Hard => true,
            Rub::Pending(_) => sung.overlap > 1.5,
            Rub::No => false,
        });
        clashing.map(|sung| sung.note)
    }

    /// The pitch classes that the next chord must have for what rubs under this one to resolve, as bits.
    pub fn pending(&self, tones: &[u8], licence: Licence<'_>) -> u16 {
        let bit = |sung: &Sung<'_>| match self.rubs(sung, tones, licence) {
            Rub::Pending(class) => 1 << class,
            _ => 0,
        };
        self.sung.iter().map(bit).fold(0, |bits, bit| bits | bit)
    }

    fn rubs(&self, sung: &Sung<'_>, tones: &[u8], licence: Licence<'_>) -> Rub {
        let root = tones.first().copied().unwrap_or(0);
        let intervals: Vec<u8> = tones.iter().map(|tone| (tone + 12 - root) % 12).collect();
        self.held(sung, (sung.note.class() + 12 - root) % 12, &intervals, tones, licence)
    }

    fn held(&self, sung: &Sung<'_>, interval: u8, intervals: &[u8], tones: &[u8], licence: Licence<'_>) -> Rub {
        let beside = intervals.iter().any(|tone| matches!((interval + 12 - tone) % 12, 1 | 11));
        let held = is_long(sung.note) && sung.overlap >= OVERLAP;
        if !held
            || !beside
            || intervals.contains(&interval)
            || licence.allows(interval, intervals)
            || self.resolves(sung, tones)
        {
            return Rub::No;
        }
        match (steps_on(sung), sung.after) {
            // It must end with the chord: one that is held on into the next is that chord's matter as well.
            (Some((_, at)), Some(next))
                if (self.end - 0.12..self.end + 0.4).contains(&at) && sung.note.end - sung.note.start <= PATIENCE =>
            {
                Rub::Pending(next.class())
            }
            _ => Rub::Hard,
        }
    }

    /// Whether the note moves on by step into the chord while it lasts.
    fn resolves(&self, sung: &Sung<'_>, tones: &[u8]) -> bool {
        steps_on(sung).is_some_and(|(_, at)| at < self.end - 0.3)
            && sung.after.is_some_and(|next| tones.contains(&next.class()))
    }

    /// How much of a wrong note's cost remains for what the note does, 0 to 1.
    fn role(&self, sung: &Sung<'_>, tones: &[u8]) -> f32 {
        let note = sung.note;
        let length = note.end - note.start;
        let held_over = note.meant < self.start - 0.25;
        let repeated = sung.before.is_some_and(|before| before.key == note.key && note.start - before.end < 0.5);
        if let Some((step, at)) = steps_on(sung) {
            let inside = at < self.end - 0.15;
            let resolves = inside && self.resolves(sung, tones);
            let from_step = sung.before.is_some_and(|before| {
                (1..=2).contains(&before.key.abs_diff(note.key)) && note.start - before.end < 0.5
            });
            if resolves && (held_over || repeated) && step < 0 {
                // A suspension, prepared and resolved.
                return 0.25;
            }
            if resolves && length <= 1.05 {
                // Passing and neighbour notes, shorter ones more easily; an appoggiatura where it came by leap.
                let base = if from_step { 0.25 } else { 0.4 };
                return if length <= 0.6 { base } else { base + 0.1 };
            }
            if resolves {
                return 0.5;
            }
            if !inside && length <= 1.05 {
                // It resolves into whatever comes next.
                return if from_step { 0.45 } else { 0.55 };
            }
        }
        let anticipates = sung.after.is_some_and(|next| {
            next.key == note.key && length <= 0.55 && next.meant >= self.end - 0.3 && next.start - note.end < 0.3
        });
        if anticipates {
            return 0.3;
        }
        // A note that sounded before the chord came is already accepted.
        if held_over { 0.7 } else { 1.0 }
    }
}

/// How much a note at an interval over the root rubs against a chord, 0 to 1.
fn rub(interval: u8, intervals: &[u8], licence: Licence<'_>) -> f32 {
    if intervals.contains(&interval) {
        return if interval == 10 || interval == 11 { 0.12 } else { 0.0 };
    }
    if licence.allows(interval, intervals) {
        return 0.22;
    }
    let above_a_tone = intervals.iter().any(|tone| (interval + 12 - tone) % 12 == 1);
    let below_a_tone = intervals.iter().any(|tone| (tone + 12 - interval) % 12 == 1);
    match (above_a_tone, below_a_tone) {
        (true, _) => 1.0,
        (false, true) => 0.85,
        (false, false) => 0.6,
    }
}
