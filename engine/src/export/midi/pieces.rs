//! Thread: worker. Notes as a file can say them: in ticks, on the map's keys, and with glides that the pitch wheel reaches.

use super::options::{DrumMap, Feel};
use super::{CURVE_STEP, TICKS_PER_BEAT, ticks};
use crate::generation::direction::Ending;
use crate::generation::score::{Score, ScoreNote, Track};
use crate::polyline::value_at;
use crate::time::Beats;

/// How much softer a note is struck that only goes on with a glide.
const GOES_ON: f32 = 0.8;

/// A note of the file: a whole note of the score, or a stretch of one whose glide the wheel cannot follow at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub start: u64,
    pub end: u64,
    pub key: u8,
    pub velocity: u8,
    /// Whose curves it plays.
    pub note: &'a ScoreNote,
    /// Beats from the region's start to the start of the curves.
    pub origin: f64,
    /// Semitones from the note's key to the piece's.
    pub offset: f32,
}

impl Piece<'_> {
    /// Beats from the start of the curves at a tick.
    pub fn beat(&self, at: u64) -> f32 {
        (at as f64 / f64::from(TICKS_PER_BEAT) - self.origin) as f32
    }

    /// Semitones that the wheel has to reach at a tick.
    pub fn bend(&self, at: u64) -> f32 {
        value_at(&self.note.bend, self.beat(at)) - self.offset
    }

    /// Where its curves are written: at its start, then in steps while they last.
    pub fn curve_ticks(&self, until: u64) -> impl Iterator<Item = u64> {
        let last = self.note.bend.iter().chain(&self.note.expression_db).fold(0.0_f32, |last, point| last.max(point.0));
        let over = ticks(Beats(self.origin + f64::from(last)));
        let over = over.saturating_add(CURVE_STEP).min(until);
        (self.start..over.max(self.start + 1)).step_by(CURVE_STEP as usize)
    }
}

/// A track's notes in order; none outside the region, none over itself. `wheel` is how far the pitch wheel reaches, in semitones;
/// `None` leaves glides out.
pub(super) fn pieces<'a>(
    score: &Score,
    track: &'a Track,
    feel: Feel,
    map: &DrumMap,
    wheel: Option<f32>,
) -> Vec<Piece<'a>> {
    // A piece that comes to an end has a last chord after its last bar.
    let region_end = if score.ending == Ending::Final { u64::MAX } else { ticks(score.length) };
    let kit = track.preset.is_kit();
    let mut pieces: Vec<Piece> = track
        .notes
        .iter()
        .filter(|note| note.velocity > 0)
        .map(|note| {
            let played = note.written.filter(|_| feel == Feel::Quantised).unwrap_or(note.start);
            let origin = played - score.grid.start;
            Piece {
                start: ticks(origin),
                end: ticks(origin + note.length),
                key: if kit { map.key(note.key.min(127)) } else { note.key.min(127) },
                velocity: note.velocity.min(127),
                note,
                origin: origin.0,
                offset: 0.0,
            }
        })
        .filter(|piece| piece.start < region_end && piece.end > 0)
        .flat_map(|piece| match wheel {
            Some(reach) if !kit => split(piece, reach),
            _ => vec![piece],
        })
        .collect();
    pieces.sort_by_key(|piece| (piece.start, piece.key));
    pieces.dedup_by(|next, kept| {
        let same = next.start == kept.start && next.key == kept.key;
        if same {
            kept.velocity = kept.velocity.max(next.velocity);
            kept.end = kept.end.max(next.end);
        }
        same
    });
    for index in 0..pieces.len() {
        let Piece { start, end, key, .. } = pieces[index];
        // A second stroke of a sounding key would be ended by the first one's end.
        let again = pieces[index + 1..].iter().find(|later| later.key == key).map_or(u64::MAX, |next| next.start);
        pieces[index].end = end.min(again).max(start + 1);
    }
    pieces
}

/// Cuts a note where its glide leaves the wheel's reach, each stretch on the key that holds longest.
fn split(whole: Piece, reach: f32) -> Vec<Piece> {
    let inside = |offset: f32, at: u64| (value_at(&whole.note.bend, whole.beat(at)) - offset).abs() <= reach;
    let widest = whole.note.bend.iter().fold(0.0_f32, |most, point| most.max(point.1.abs()));
    if widest <= reach {
        return vec![whole];
    }
    let steps: Vec<u64> = (whole.start..whole.end.max(whole.start + 1)).step_by(CURVE_STEP as usize).collect();
    let mut pieces: Vec<Piece> = Vec::new();
    let mut from = 0;
    while from < steps.len() {
        let now = value_at(&whole.note.bend, whole.beat(steps[from]));
        let holds = |offset: f32| steps[from..].iter().take_while(|at| inside(offset, **at)).count();
        // The sung key itself wherever it serves; else the one that holds longest, the nearest of those.
        let candidates = (-2..=2).map(|by| now.round() + by as f32);
        let best = candidates.fold((now.round(), 0), |best, offset| {
            let count = holds(offset);
            let nearer = (offset - now).abs() < (best.0 - now).abs();
            if count > best.1 || count == best.1 && nearer { (offset, count) } else { best }
        });
        let own = if from == 0 { holds(0.0) } else { 0 };
        let (offset, count) = if own > 0 { (0.0, own) } else { (best.0, best.1.max(1)) };
        let to = steps.get(from + count).copied().unwrap_or(whole.end);
        let goes_on = if from == 0 { 1.0 } else { GOES_ON };
        pieces.push(Piece {
            start: steps[from],
            end: to,
            key: (f32::from(whole.key) + offset).clamp(0.0, 127.0) as u8,
            velocity: (f32::from(whole.velocity) * goes_on).max(1.0) as u8,
            offset,
            ..whole
        });
        from += count;
    }
    pieces
}
