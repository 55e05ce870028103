//! Thread: worker. From Basic Pitch's answers to notes.
//!
//! A note begins where the model's certainty of a beginning peaks, or where a key sounds surely without one (bowed, blown). A
//! peak on a key that sounds already is a repeated note only when its own level rises: chords struck around a held note let
//! the certainty peak there too. Notes that are but a harmonic or a subharmonic of another are taken out.

use super::beginnings::between;
use super::{HOP, KEYS, LOWEST_KEY, Posteriors, RATE};
use crate::time::{MidiNote, Seconds};

/// Certainty from which a peak is a beginning.
const BEGINS: f32 = 0.55;
/// Frames within which two peaks are one.
const ONE_PEAK: usize = 4;
/// Certainty from which a key goes on sounding, and frames it may stay under that.
const SOUNDS: f32 = 0.3;
const GAP: usize = 6;
/// Certainty at which a key sounds without a beginning, and frames it must last then.
const SURE: f32 = 0.6;
const SURE_FRAMES: usize = 11;
/// Shortest note, in frames: 58 ms.
const SHORTEST: usize = 5;
/// A repeated note comes this many frames after the one before at the earliest (a sixteenth at 160 BPM), and its level rises
/// by this many decibels, looking this many frames back and forth.
const REPEAT: usize = 8;
const RISE_DB: f32 = 2.0;
const RISE_REACH: usize = 6;
/// Semitones from a note up to its harmonics 2, 3, 4, 5, 6, 7, 8.
pub const HARMONICS: [i32; 7] = [12, 19, 24, 28, 31, 34, 36];
/// A note on a harmonic of a sounding note is that harmonic when it is less than this much as strong.
const HARMONIC_STRENGTH: f32 = 0.5;
/// A note an octave, a twelfth or two octaves under another is not there when its fundamental is this much weaker.
const SUBHARMONIC_DB: f32 = 15.0;
/// Frames within which two notes begin together, and that one must outlast the other's beginning to be a cause of it.
const TOGETHER: usize = 4;
/// Frames whose certainty tells a note's strength: the first half second.
const STRENGTH: usize = 40;

/// A note is over where its level falls by this within this many frames (70 ms) and does not come back above the lower mark:
/// the key was let go, and what the model still hears is the room.
const FALL_DB: f32 = 6.0;
const FALL_FRAMES: usize = 6;
const COMES_BACK_DB: f32 = 3.6;

/// One note among several at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PolyNote {
    /// Start.
    pub onset: Seconds,
    /// End.
    pub offset: Seconds,
    /// MIDI key.
    pub key: u8,
    /// The pitch that was heard, within half a semitone of `key`.
    pub pitch: MidiNote,
    /// Certainty, 0 to 1: of its beginning and of its sounding together.
    pub confidence: f32,
    /// Level of its fundamental as it begins, in decibels under the loudest of the take.
    pub level_db: f32,
}

/// A note as frames `[first, end)` of a key (0 is A0).
#[derive(Debug, Clone, Copy)]
struct Found {
    key: usize,
    first: usize,
    end: usize,
    /// Certainty of the beginning.
    begins: f32,
    /// Product of the certainties of beginning and sounding.
    strength: f32,
}

/// The notes, in order of their onsets, lower keys first. Notes of different keys overlap.
pub fn notes(posteriors: &Posteriors) -> Vec<PolyNote> {
    let mut found: Vec<Found> = (0..KEYS).flat_map(|key| of_key(posteriors, key)).collect();
    found.sort_by_key(|note| (note.first, note.key));
    real(posteriors, &found)
        .into_iter()
        .map(|note| PolyNote {
            onset: Seconds(onset_frame(posteriors, &note) * HOP as f64 / RATE.hz()),
            offset: Seconds(Posteriors::time(let_go(posteriors, &note))),
            key: LOWEST_KEY + note.key as u8,
            pitch: pitch(posteriors, &note),
            confidence: note.strength.max(0.0).sqrt().min(1.0),
            level_db: level_db(posteriors, &note),
        })
        .collect()
}

/// All notes of one key, in order.
fn of_key(posteriors: &Posteriors, key: usize) -> Vec<Found> {
    let frames = posteriors.frames();
    let sounds = |frame: usize| posteriors.note[frame][key];
    // Where a note that begins at `first` is over.
    let end_of = |first: usize| {
        let (mut end, mut quiet) = (first + 1, 0);
        while end < frames && quiet < GAP {
            quiet = if sounds(end) < SOUNDS { quiet + 1 } else { 0 };
            end += 1;
        }
        end - quiet
    };
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for peak in peaks(posteriors, key) {
        if let Some(last) = spans.last_mut().filter(|last| last.1 + 1 >= peak) {
            if peak - last.0 < REPEAT || rise_db(posteriors, key, peak) < RISE_DB {
                continue;
            }
            last.1 = last.1.min(peak);
        }
        spans.push((peak, end_of(peak)));
    }

    // Stretches that sound surely without a beginning.
    let mut free = vec![true; frames];
    spans.iter().for_each(|span| free[span.0..span.1].fill(false));
    let mut frame = 0;
    while frame < frames {
        if !free[frame] || sounds(frame) < SURE {
            frame += 1;
            continue;
        }
        let mut first = frame;
        while first > 0 && free[first - 1] && sounds(first - 1) >= SOUNDS {
            first -= 1;
        }
        let taken = (frame..frames).find(|&frame| !free[frame]).unwrap_or(frames);
        let end = end_of(frame).min(taken);
        // Right after a note it is that note, dying away.
        if end - first >= SURE_FRAMES && (first == 0 || free[first - 1]) {
            spans.push((first, end));
        }
        frame = end.max(frame + 1);
    }
    spans
        .into_iter()
        .filter(|span| span.1 - span.0 >= SHORTEST)
        .map(|(first, end)| {
            let start = &posteriors.onset[first..(first + 2).min(end)];
            let begins = start.iter().fold(0.0_f32, |top, frame| top.max(frame[key]));
            let heard = first..end.min(first + STRENGTH);
            let mean = heard.clone().map(sounds).sum::<f32>() / heard.len() as f32;
            // What has no beginning can still be as sure as what has one.
            let certain = if begins < BEGINS { mean } else { begins };
            Found { key, first, end, begins, strength: certain * mean }
        })
        .collect()
}

/// Frames where the certainty of a beginning peaks; of peaks close together the highest.
fn peaks(posteriors: &Posteriors, key: usize) -> Vec<usize> {
    let value = |frame: usize| posteriors.onset[frame][key];
    let mut peaks: Vec<usize> = Vec::new();
    for frame in 1..posteriors.frames().saturating_sub(1) {
        if value(frame) < BEGINS || value(frame) < value(frame - 1) || value(frame) <= value(frame + 1) {
            continue;
        }
        match peaks.last_mut() {
            Some(last) if frame - *last < ONE_PEAK => {
                if value(frame) > value(*last) {
                    *last = frame;
                }
            }
            _ => peaks.push(frame),
        }
    }
    peaks
}

/// How much louder the key gets around a frame, in decibels.
fn rise_db(posteriors: &Posteriors, key: usize, frame: usize) -> f32 {
    let level = |frame: &[f32; KEYS]| frame[key];
    let before = &posteriors.level_db[frame.saturating_sub(RISE_REACH)..frame];
    let after = &posteriors.level_db[frame..(frame + RISE_REACH + 1).min(posteriors.frames())];
    after.iter().map(level).fold(f32::MIN, f32::max) - before.iter().map(level).fold(f32::MAX, f32::min)
}

/// The notes that are not the harmonic or subharmonic of another; `found` lies in order of the first frames.
fn real(posteriors: &Posteriors, found: &[Found]) -> Vec<Found> {
    let median_db = |note: &Found, key: usize| {
        let mut levels: Vec<f32> = posteriors.level_db[note.first..note.end].iter().map(|frame| frame[key]).collect();
        levels.sort_by(f32::total_cmp);
        levels[levels.len() / 2]
    };
    let is_real = |note: &&Found| {
        let until = found.partition_point(|other| other.first <= note.first + TOGETHER);
        !found[..until].iter().any(|other| {
            if other.end < note.first + TOGETHER {
                return false;
            }
            let above = note.key as i32 - other.key as i32;
            let harmonic = HARMONICS.contains(&above) && note.strength < HARMONIC_STRENGTH * other.strength;
            harmonic
                || matches!(above, -24 | -19 | -12)
                    && median_db(note, note.key) < median_db(note, other.key) - SUBHARMONIC_DB
        })
    };
    found.iter().filter(is_real).copied().collect()
}

/// The frame where a note's key was let go.
fn let_go(posteriors: &Posteriors, note: &Found) -> usize {
    let level = |frame: usize| posteriors.level_db[frame][note.key];
    let falls = |&frame: &usize| {
        let later = (frame + FALL_FRAMES..note.end).map(level).fold(f32::MIN, f32::max);
        level(frame) - level(frame + FALL_FRAMES) > FALL_DB && later < level(frame) - COMES_BACK_DB
    };
    let last = note.end.saturating_sub(FALL_FRAMES);
    (note.first + SHORTEST..last).find(falls).map_or(note.end, |frame| frame + 1)
}

/// The beginning between two frames: the top of the parabola through the peak and its neighbours.
fn onset_frame(posteriors: &Posteriors, note: &Found) -> f64 {
    let first = note.first;
    if note.begins < BEGINS || first == 0 || first + 1 >= posteriors.frames() {
        return first as f64;
    }
    let [before, top, after] = [first - 1, first, first + 1].map(|frame| posteriors.onset[frame][note.key]);
    first as f64 + between(before, top, after)
}

/// Mean of the contour over the note, between the key's thirds of a semitone.
fn pitch(posteriors: &Posteriors, note: &Found) -> MidiNote {
    let (mut weight, mut sum) = (0.0_f32, 0.0_f32);
    for frame in &posteriors.contour[note.first..note.end] {
        for (third, value) in (-1_i8..=1).zip(&frame[3 * note.key..3 * note.key + 3]) {
            weight += value;
            sum += value * f32::from(third) / 3.0;
        }
    }
    let key = f32::from(LOWEST_KEY) + note.key as f32;
    MidiNote(if weight > 0.0 { key + sum / weight } else { key })
}

/// Loudest level of the fundamental in the first tenth of a second.
fn level_db(posteriors: &Posteriors, note: &Found) -> f32 {
    let until = note.end.min(note.first + REPEAT);
    posteriors.level_db[note.first..until].iter().fold(f32::MIN, |loudest, frame| loudest.max(frame[note.key]))
}
