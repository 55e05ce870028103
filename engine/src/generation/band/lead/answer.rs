//! Thread: worker. Answers: what a player puts into a rest, made of the phrase that just ended.

use super::super::bars::Bars;
use super::super::groove::Groove;
use super::super::harmony::Harmony;
use crate::generation::score::ScoreNote;
use crate::time::Beats;

/// Notes of a phrase's end that are answered, at most.
const MOTIF: usize = 4;
/// Shorter rests are left alone, in beats.
const LEAST_REST: f64 = 1.2;
/// Longest answer, in beats.
const LONGEST: f64 = 3.0;

/// What is to be answered, and where.
pub struct Answer<'a> {
    /// The tune.
    pub plain: &'a [ScoreNote],
    /// Last note of the phrase.
    pub last: usize,
    /// Where the answer must have ended.
    pub until: f64,
    /// The bars.
    pub bars: &'a Bars,
    /// The chords.
    pub harmony: &'a Harmony,
    /// The feel.
    pub groove: Groove,
    /// Keys it may use.
    pub keys: (u8, u8),
    /// A draw, 0 to 1: which answer.
    pub draw: f32,
}

/// Plays the motif that ended a phrase again in the rest after it: on other degrees, in its own rhythm, softer, ending on a
/// tone of the chord.
pub fn answer(order: &Answer<'_>) -> Vec<ScoreNote> {
    let last = &order.plain[order.last];
    let end = last.start.0 + last.length.0;
    let from = next_offbeat(end + 0.2, order);
    let until = order.until.min(from + LONGEST);
    if until - from < LEAST_REST - 0.4 || order.until - end < LEAST_REST {
        return Vec::new();
    }
    let first = (order.last + 1).saturating_sub(MOTIF);
    let motif: Vec<&ScoreNote> = order.plain[first..=order.last].iter().collect();
    // The phrase's own rhythm, in eighths at least and quarters at most.
    let waits: Vec<f64> = motif
        .windows(2)
        .map(|pair| ((pair[1].start.0 - pair[0].start.0) * 2.0).round().clamp(1.0, 2.0) / 2.0)
        .collect();
    let steps: Vec<i32> = motif.windows(2).map(|pair| i32::from(pair[1].key) - i32::from(pair[0].key)).collect();
    // Turned round it answers, as it is it echoes, narrowed it agrees.
    let (turn, narrow) = match order.draw {
        draw if draw < 0.4 => (-1, 1),
        draw if draw < 0.75 => (1, 1),
        _ => (1, 2),
    };
    let mut at = from;
    let mut key = nearest_tone(i32::from(last.key) + if order.draw < 0.5 { 3 } else { -3 }, from, order);
    let mut notes: Vec<ScoreNote> = Vec::new();
    for index in 0..=waits.len() {
        let wait = waits.get(index).copied().unwrap_or(1.0);
        let start = swung(at, order);
        let stop = swung(at + wait, order).min(order.until);
        if stop - start < 0.2 || start >= until {
            break;
        }
        notes.push(ScoreNote {
            start: Beats(start),
            length: Beats((stop - start) * 0.9),
            key: key.clamp(0, 127) as u8,
            velocity: (f32::from(last.velocity) * 0.78).clamp(1.0, 127.0) as u8,
            bend: Vec::new(),
            expression_db: Vec::new(),
            written: None,
        });
        at += wait;
        let leap = (turn * steps.get(index).copied().unwrap_or(0) / narrow).clamp(-5, 5);
        key = scale_tone(key + leap, order);
    }
    if let Some(end) = notes.last_mut() {
        end.key = nearest_tone(i32::from(end.key), end.start.0, order).clamp(0, 127) as u8;
    }
    notes
}

/// The first half of a count at or after a position.
fn next_offbeat(position: f64, order: &Answer<'_>) -> f64 {
    let half = order.bars.count_beats / 2.0;
    let line = order.bars.bars[order.bars.at(position)].line;
    line + ((position - line) / half).ceil() * half
}

fn swung(position: f64, order: &Answer<'_>) -> f64 {
    let bar = &order.bars.bars[order.bars.at(position)];
    bar.line + order.groove.swung((position - bar.line).max(0.0))
}

fn playable(key: i32, order: &Answer<'_>) -> bool {
    (i32::from(order.keys.0)..=i32::from(order.keys.1)).contains(&key)
}

/// Keys by their distance from one, nearest first.
fn around(key: i32) -> impl Iterator<Item = i32> {
    (0..=12).flat_map(move |by| [key - by, key + by])
}

fn nearest_tone(key: i32, at: f64, order: &Answer<'_>) -> i32 {
    let tones = &order.harmony.at(at).tones;
    let fits = |key: &i32| playable(*key, order) && tones.contains(&(key.rem_euclid(12) as u8));
    around(key).find(fits).unwrap_or(key.clamp(i32::from(order.keys.0), i32::from(order.keys.1)))
}

fn scale_tone(key: i32, order: &Answer<'_>) -> i32 {
    let fits = |key: &i32| playable(*key, order) && order.harmony.scale[key.rem_euclid(12) as usize];
    around(key).find(fits).unwrap_or(key.clamp(i32::from(order.keys.0), i32::from(order.keys.1)))
}
