//! Thread: any. Whether what a saved session claims can be used at all: nothing that is read from a project may fill the memory, take for ever or
//! carry infinities into the sound.

use super::{VariationFacts, unreadable};
use crate::analysis::{Analysis, Note};
use crate::error::Result;
use crate::generation::score::{Score, ScoreNote};
use crate::time::SongGrid;

/// A region is shorter than this.
const MOST_BEATS: f64 = 1e5;
/// Nothing lies farther out in a song.
const FARTHEST_BEATS: f64 = 1e7;
const MOST_FRAMES: i64 = 1 << 34;
/// Notes of a part, or of a melody.
const MOST_NOTES: usize = 1 << 18;
/// Points of a curve.
const MOST_POINTS: usize = 1 << 16;
/// More variations than anybody keeps.
pub(super) const MOST_VARIATIONS: usize = 4_096;
/// Characters of a name that are kept.
pub(super) const LONGEST_NAME: usize = 1_024;
/// Characters of a prompt, or of a song's chords, that are kept.
pub(super) const LONGEST_TEXT: usize = 1 << 16;

/// Whether every number in a JSON text fits the 32-bit floats that most of them become. Infinities are not JSON, but `1e999` is.
pub(super) fn numbers_fit(json: &[u8]) -> bool {
    /// Digits before the point of the largest 32-bit float.
    const MOST_DIGITS: usize = 38;
    let mut place = 0;
    while place < json.len() {
        match json[place] {
            b'"' => place = end_of_string(json, place),
            b'-' | b'0'..=b'9' => {
                let is_number = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = json[place..].iter().take_while(|byte| is_number(byte)).count();
                let number = &json[place..place + length];
                let digits = number.iter().take_while(|byte| matches!(byte, b'-' | b'0'..=b'9')).count();
                let exponent = number.iter().position(|byte| matches!(byte, b'e' | b'E'));
                let power =
                    exponent.map_or(Some(0), |at| std::str::from_utf8(&number[at + 1..]).ok()?.parse::<i32>().ok());
                if digits > MOST_DIGITS || power.is_none_or(|power| power > 30) {
                    return false;
                }
                place += length;
            }
            _ => place += 1,
        }
    }
    true
}

/// The place after the string that begins here.
fn end_of_string(json: &[u8], start: usize) -> usize {
    let mut place = start + 1;
    while place < json.len() {
        match json[place] {
            b'\\' => place += 2,
            b'"' => return place + 1,
            _ => place += 1,
        }
    }
    place
}

/// Shortens a text that nobody typed.
pub(super) fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        *text = text.chars().take(most).collect();
    }
}

/// Where something lies, and how long it is.
pub(super) fn place(grid: &SongGrid, beats: f64) -> Result<()> {
    if grid.is_sane() && (0.0..MOST_BEATS).contains(&beats) {
        Ok(())
    } else {
        Err(unreadable("it lies where no song is"))
    }
}

/// A melody as it was heard.
pub(super) fn analysis(analysis: &Analysis) -> Result<()> {
    place(&analysis.grid, analysis.length.0)?;
    let sung = |note: &Note| {
        let seconds = note.onset.0.abs().max(note.offset.0.abs());
        seconds < FARTHEST_BEATS && note.bend.len() < MOST_POINTS && note.level_db.len() < MOST_POINTS
    };
    let lines = [&analysis.notes, &analysis.harmony];
    if lines.into_iter().all(|line| line.len() < MOST_NOTES && line.iter().all(sung)) {
        Ok(())
    } else {
        Err(unreadable("its melody has notes that nobody can sing"))
    }
}

/// A variation with its notes.
pub(super) fn variation(facts: &VariationFacts) -> Result<()> {
    place(&facts.grid, 0.0)?;
    if !(0..MOST_FRAMES).contains(&facts.region.0) {
        return Err(unreadable("a variation has no length"));
    }
    let made = facts.made.as_ref().map(|made| &made.melody);
    facts.score.iter().chain(made).try_for_each(score)
}

fn score(score: &Score) -> Result<()> {
    place(&score.grid, score.length.0)?;
    let played = |note: &ScoreNote| {
        note.start.0.abs() < FARTHEST_BEATS
            && (0.0..MOST_BEATS).contains(&note.length.0)
            && note.bend.len() < MOST_POINTS
            && note.expression_db.len() < MOST_POINTS
    };
    let notes: usize = score.tracks.iter().map(|track| track.notes.len()).sum();
    let sane = notes < MOST_NOTES && score.tracks.iter().flat_map(|track| &track.notes).all(played);
    let placed = |beats: f64| beats.abs() < FARTHEST_BEATS;
    let chords = score.chords.iter().all(|chord| placed(chord.start.0) && placed(chord.length.0));
    if sane && chords && score.sections.iter().all(|section| placed(section.start.0)) {
        Ok(())
    } else {
        Err(unreadable("a variation has notes that nobody can play"))
    }
}
