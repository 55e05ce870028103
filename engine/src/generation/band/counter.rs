//! Thread: worker. The counter-melody: a second line that moves where the tune holds, holds where it moves, and answers in its rests.
//!
//! [`rhythm`] decides when it strikes, from what the tune does; [`pitch`] finds the keys: the cheapest line through what fits the
//! chords, stays clear of the tune, and goes against its direction.

mod pitch;
mod rhythm;

use super::lead::{Idiom, vibrato_depth, with_vibrato};
use super::melody::MelodyNote;
use super::sheet::Sheet;
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;
use crate::generation::style::presets::sustains;
use crate::time::Beats;
use pitch::Search;

/// How hard a counter-line strikes against the bar's strength.
const VELOCITY: f32 = 88.0;
/// Notes from so many beats on swell and fade.
const SWELL_BEATS: f64 = 1.4;
/// Shorter notes get no vibrato, in seconds.
const VIBRATO_NOTE_SECONDS: f64 = 0.9;

/// A stretch of the tune: start, end, key, in song beats.
pub(super) type Sung = (f64, f64, u8);

/// A note of the counter-line before it has a key: straight positions in song beats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    start: f64,
    end: f64,
    /// The tune holds or rests: the line may move freely here.
    free: bool,
    /// A breath lies before it.
    anew: bool,
}

/// The counter-line to a tune: where the style's own lead plays it, or where it was sung when the singer keeps it. It never listens to
/// what the lead really plays, so that another lead leaves it as it is.
pub fn line(sheet: &Sheet<'_>, part: &Part, tune: &[MelodyNote], idiom: Idiom) -> Vec<ScoreNote> {
    let tune: Vec<Sung> = tune.iter().map(|note| (note.start, note.end, note.key)).collect();
    let mut chance = sheet.chance(part);
    let strokes = rhythm::strokes(sheet, part, &tune, &mut chance);
    let search = Search::new(sheet, part, &tune, idiom, &mut chance);
    let keys = search.keys(&strokes);
    let swung = |position: f64| {
        let bar = &sheet.bars.bars[sheet.bars.at(position)];
        bar.line + sheet.groove.swung((position - bar.line).max(0.0))
    };
    let mut notes: Vec<ScoreNote> = strokes
        .iter()
        .zip(keys)
        .filter_map(|(stroke, key)| {
            let key = key?;
            let bar = &sheet.bars.bars[sheet.bars.at(stroke.start)];
            let (start, end) = (swung(stroke.start), swung(stroke.end));
            // Where the tune speaks the line steps back.
            let softer = if stroke.free { 1.0 } else { 0.88 };
            Some(ScoreNote {
                start: Beats(start),
                length: Beats(((end - start) * f64::from(part.gate)).max(0.05)),
                key,
                velocity: (VELOCITY * sheet.strength(bar) * softer).round().clamp(1.0, 127.0) as u8,
                bend: Vec::new(),
                expression_db: Vec::new(),
                written: Some(Beats(stroke.start)),
            })
        })
        .collect();
    sheet.groove.humanise(&mut notes, part, &mut chance);
    for note in &mut notes {
        shape(note, part, sheet.tempo);
    }
    notes
}

/// Swell and vibrato of a long note.
fn shape(note: &mut ScoreNote, part: &Part, tempo: f64) {
    let length = note.length.0 as f32;
    if sustains(part.preset) && note.length.0 >= SWELL_BEATS {
        note.expression_db = vec![(0.0, -4.0), (0.5 * length, 0.0), (length, -3.5)];
    }
    let (seconds, depth) = (note.length.0 * 60.0 / tempo, vibrato_depth(part.preset));
    if depth > 0.0 && seconds >= VIBRATO_NOTE_SECONDS {
        let beats = (tempo / 60.0) as f32;
        let curve = with_vibrato(&[], seconds as f32, depth);
        note.bend = curve.into_iter().map(|(time, bend)| (time * beats, bend)).collect();
    }
}
