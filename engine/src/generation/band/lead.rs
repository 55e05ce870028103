//! Thread: worker. The lead: the melody as it was sung, on an instrument.
//!
//! Onsets, lengths, glides, vibrato and dynamics are the singer's. Only the octave is the instrument's: the whole tune moves by
//! octaves until it fits. With freedom the player adds notes between the sung ones; the sung ones stay where they are.

use super::bars::Bars;
use super::chance::Chance;
use super::harmony::Harmony;
use super::melody::MelodyNote;
use crate::analysis::Analysis;
use crate::generation::score::ScoreNote;
use crate::generation::style::Part;
use crate::generation::style::presets::{bends, sustains};
use crate::time::{Beats, Seconds};

/// Share of the singer's bends that the instrument follows.
const BEND_SHARE: f32 = 0.7;
/// Share of the singer's swells, in decibels, that the instrument follows.
const SWELL_SHARE: f32 = 0.6;
/// Furthest a note's inner part may lie from its key, in semitones: its chroma stays the sung one.
const MOST_BEND_INSIDE: f32 = 0.3;
/// Furthest a scoop or a fall may reach, and the part of a note that it may take: a share, and seconds at most.
const MOST_BEND_AT_EDGES: f32 = 1.0;
const EDGE_SHARE: f32 = 0.2;
const EDGE_SECONDS: f32 = 0.07;
/// Softest a swell may get, in decibels.
const MOST_SWELL_DB: f32 = -12.0;
/// Half-widths of the smoothing windows, in seconds.
const SMOOTH_BEND_SECONDS: f32 = 0.03;
const SMOOTH_LEVEL_SECONDS: f32 = 0.05;

/// Semitones, a multiple of 12, that bring a melody onto an instrument's playable keys, and as well into the part's register as
/// that allows.
pub fn octave_fit(melody: &[MelodyNote], register: (u8, u8), keys: (u8, u8)) -> i32 {
    let (low, high) = (i32::from(register.0), i32::from(register.1));
    let cost = |shift: i32| {
        let (mut unplayable, mut outside, mut sum, mut weight) = (0.0, 0.0, 0.0, 0.0);
        for note in melody {
            let key = i32::from(note.key) + shift;
            let beats = (note.end - note.start).clamp(0.25, 4.0);
            if !(i32::from(keys.0)..=i32::from(keys.1)).contains(&key) {
                unplayable += beats;
            }
            outside += beats * f64::from((low - key).max(key - high).max(0));
            sum += beats * f64::from(key);
            weight += beats;
        }
        let centre = f64::from(low + high) / 2.0;
        // A note that cannot be played leaps by an octave, which changes the tune: worse than any register.
        let broken = if unplayable > 0.0 { 50.0 + 100.0 * unplayable / weight } else { 0.0 };
        broken + 4.0 * outside / weight + 0.35 * (sum / weight - centre).abs() + 0.05 * f64::from(shift.abs())
    };
    let mut best = (0, f64::INFINITY);
    for octave in -6..=6 {
        let cost = cost(octave * 12);
        if cost < best.1 {
            best = (octave * 12, cost);
        }
    }
    best.0
}

/// A key brought into an instrument's playable keys by octaves.
fn fold(key: i32, keys: (u8, u8)) -> u8 {
    let (low, high) = (i32::from(keys.0), i32::from(keys.1));
    let mut key = key;
    while key < low {
        key += 12;
    }
    while key > high {
        key -= 12;
    }
    key.clamp(low, high).clamp(0, 127) as u8
}

/// The melody in the octave in which the lead plays it.
pub fn tune(melody: &[MelodyNote], part: &Part, keys: (u8, u8)) -> Vec<MelodyNote> {
    let shift = octave_fit(melody, part.register, keys);
    melody.iter().map(|note| MelodyNote { key: fold(i32::from(note.key) + shift, keys), ..note.clone() }).collect()
}

/// What was asked of the lead apart from the tune.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// 0 plays as sung, 1 adds notes.
    pub freedom: f32,
    /// Added to the playing strength of all parts.
    pub energy: f32,
    /// Seed of the request.
    pub seed: u64,
}

/// What the lead plays. `tune` comes from [`tune`].
pub fn play(
    analysis: &Analysis,
    tune: &[MelodyNote],
    part: &Part,
    bars: &Bars,
    harmony: &Harmony,
    wish: Wish,
) -> Vec<ScoreNote> {
    let Wish { freedom, energy, seed } = wish;
    let mut notes: Vec<ScoreNote> = tune
        .iter()
        .map(|sung| {
            let source = &analysis.notes[sung.source];
            let beats_after = |seconds: f32| {
                let at = Seconds(source.onset.0 + f64::from(seconds));
                ((analysis.beat_at(at).0 - analysis.beat_at(source.onset).0) * sung.stretch) as f32
            };
            let duration = (source.offset.0 - source.onset.0) as f32;
            let bend = if bends(part.preset) { bend_curve(&source.bend, duration, beats_after) } else { Vec::new() };
            let swell =
                if sustains(part.preset) { swell_curve(&source.level_db, duration, beats_after) } else { Vec::new() };
            ScoreNote {
                start: Beats(sung.start),
                written: None,
                length: Beats((sung.end - sung.start).max(0.02)),
                key: sung.key,
                velocity: ((68.0 + 46.0 * sung.loudness) * (1.0 + energy)).round().clamp(1.0, 127.0) as u8,
                bend,
                expression_db: swell,
            }
        })
        .collect();
    let freedom = if freedom.is_finite() { freedom.clamp(0.0, 1.0) } else { 0.0 };
    if freedom > 0.0 {
        let mut chance = Chance::new(seed, "lead");
        notes = ornament(&notes, bars, harmony, part.register, freedom, &mut chance);
    }
    notes
}

fn smooth(points: &[(f32, f32)], half_width: f32) -> Vec<(f32, f32)> {
    let finite: Vec<(f32, f32)> = points.iter().copied().filter(|(t, v)| t.is_finite() && v.is_finite()).collect();
    let mut first = 0;
    let mut smoothed = Vec::with_capacity(finite.len());
    for &(time, _) in &finite {
        while finite[first].0 < time - half_width {
            first += 1;
        }
        let (mut sum, mut weight) = (0.0, 0.0);
        for &(other, value) in finite[first..].iter().take_while(|(other, _)| *other <= time + half_width) {
            let share = 1.0 - 0.9 * (other - time).abs() / half_width;
            sum += share * value;
            weight += share;
        }
        smoothed.push((time, sum / weight));
    }
    smoothed
}

/// The singer's glides and vibrato around the key, in beats and semitones.
fn bend_curve(points: &[(f32, f32)], duration: f32, beats_after: impl Fn(f32) -> f32) -> Vec<(f32, f32)> {
    let smoothed = smooth(points, SMOOTH_BEND_SECONDS);
    let mut inner: Vec<f32> = smoothed
        .iter()
        .filter(|(time, _)| (0.25 * duration..=0.75 * duration).contains(time))
        .map(|(_, semitones)| *semitones)
        .collect();
    inner.sort_by(f32::total_cmp);
    // The key is right already, so what the inner part lies off on average is intonation, not expression.
    let centre = inner.get(inner.len() / 2).copied().unwrap_or(0.0);
    let curve = smoothed.into_iter().filter(|(time, _)| (0.0..=duration).contains(time)).map(|(time, semitones)| {
        let reach = (EDGE_SHARE * duration).clamp(1e-3, EDGE_SECONDS);
        let edge = (1.0 - time.min(duration - time) / reach).clamp(0.0, 1.0);
        let most = MOST_BEND_INSIDE + (MOST_BEND_AT_EDGES - MOST_BEND_INSIDE) * edge;
        (beats_after(time), (BEND_SHARE * (semitones - centre)).clamp(-most, most))
    });
    let thinned = thin(curve, 0.02);
    if thinned.iter().all(|(_, semitones)| semitones.abs() < 0.03) { Vec::new() } else { thinned }
}

/// The singer's dynamics inside the note, in beats and decibels.
fn swell_curve(points: &[(f32, f32)], duration: f32, beats_after: impl Fn(f32) -> f32) -> Vec<(f32, f32)> {
    let smoothed = smooth(points, SMOOTH_LEVEL_SECONDS);
    let curve = smoothed.into_iter().filter(|(time, _)| (0.0..=duration).contains(time)).map(|(time, level)| {
        // Voices start softly before the pitch settles; an instrument's own attack already does that.
        let softest = if time < 0.08 { -3.0 } else { MOST_SWELL_DB };
        (beats_after(time), (SWELL_SHARE * level).clamp(softest, 0.0))
    });
    let thinned = thin(curve, 0.3);
    if thinned.iter().all(|(_, level)| *level > -0.5) { Vec::new() } else { thinned }
}

/// Leaves out points that lie on the line between their neighbours within a tolerance. Ends stay.
fn thin(points: impl Iterator<Item = (f32, f32)>, tolerance: f32) -> Vec<(f32, f32)> {
    let mut kept: Vec<(f32, f32)> = Vec::new();
    for point in points {
        if let [.., before, middle] = kept[..] {
            let span = point.0 - before.0;
            let on_line = before.1 + (point.1 - before.1) * (middle.0 - before.0) / span.max(1e-6);
            // A long straight stretch keeps a point a beat, so that small errors cannot pile up.
            if (on_line - middle.1).abs() < tolerance && span < 1.0 {
                kept.pop();
            }
        }
        if kept.last().is_none_or(|last| point.0 > last.0) {
            kept.push(point);
        }
    }
    kept
}

/// Adds passing notes, approach notes and turns between the sung ones. Sung onsets and keys stay.
fn ornament(
    sung: &[ScoreNote],
    bars: &Bars,
    harmony: &Harmony,
    register: (u8, u8),
    freedom: f32,
    chance: &mut Chance,
) -> Vec<ScoreNote> {
    let mut notes: Vec<ScoreNote> = Vec::with_capacity(sung.len() * 2);
    let in_scale = |key: u8| harmony.scale[usize::from(key % 12)];
    let plain = |start: f64, length: f64, key: u8, like: &ScoreNote, softer: f32| ScoreNote {
        start: Beats(start),
        written: None,
        length: Beats(length),
        key: key.clamp(register.0.min(like.key), register.1.max(like.key)),
        velocity: (f32::from(like.velocity) * softer).max(1.0) as u8,
        bend: Vec::new(),
        expression_db: Vec::new(),
    };
    for (index, note) in sung.iter().enumerate() {
        let mut note = note.clone();
        let next = sung.get(index + 1);
        let mut added = Vec::new();
        let end = note.start.0 + note.length.0;
        if let Some(next) = next.filter(|next| next.start.0 - end < 0.3) {
            let distance = next.key.abs_diff(note.key);
            let up = next.key > note.key;
            if (3..=5).contains(&distance) && note.length.0 >= 0.7 && chance.hit(0.7 * freedom) {
                // Fill the leap with the scale tone next to its goal.
                let step = |by: u8| if up { next.key.saturating_sub(by) } else { next.key + by };
                let key = if in_scale(step(1)) { step(1) } else { step(2) };
                let length = (note.length.0 * 0.35).min(0.5);
                let start = next.start.0 - length;
                added.push(plain(start, length * 0.95, key, &note, 0.85));
                note.length = Beats(start - note.start.0);
            } else if next.length.0 >= 0.7
                && note.length.0 >= 0.5
                && bars.strength(next.start.0) > 0.5
                && chance.hit(0.4 * freedom)
            {
                // A grace note from below.
                let key = if in_scale(next.key.saturating_sub(1)) {
                    next.key.saturating_sub(1)
                } else {
                    next.key.saturating_sub(2)
                };
                let start = next.start.0 - 0.125;
                added.push(plain(start, 0.12, key, next, 0.8));
                note.length = Beats((start - note.start.0).min(note.length.0));
            }
        }
        if added.is_empty() && note.length.0 >= 1.4 && chance.hit(0.45 * freedom) {
            // A turn to the upper neighbour halfway through a long note.
            let upper = if in_scale(note.key + 1) { note.key + 1 } else { note.key + 2 };
            let at = note.start.0 + (note.length.0 * 0.5 * 4.0).round() / 4.0;
            let rest = end - at - 0.25;
            if rest > 0.2 {
                added.push(plain(at, 0.24, upper, &note, 0.85));
                added.push(plain(at + 0.25, rest, note.key, &note, 0.9));
                note.length = Beats(at - note.start.0);
            }
        }
        let length = note.length.0 as f32;
        note.bend.retain(|(at, _)| *at <= length);
        note.expression_db.retain(|(at, _)| *at <= length);
        notes.push(note);
        notes.extend(added);
    }
    notes
}
