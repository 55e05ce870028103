//! Thread: worker. Modulation: stretches of a melody that are at home in different keys, found only when the notes insist.
//!
//! A chain over the notes, one state a key: each note is as likely as its degree is in the key, and a change of key costs more the
//! further it goes on the circle of fifths.

use super::degrees;
use crate::analysis::{Key, KeySegment, Mode, Note};
use crate::time::SongGrid;

/// What a change of key costs, in nats: any, and for each step on the circle of fifths.
const CHANGE: f64 = 7.0;
const STEP: f64 = 0.5;
/// What a change between the major and the minor of the same notes costs more: it is seldom one.
const RELATIVE: f64 = 3.0;
/// What a stretch in another key must gain over staying, in nats.
const INSIST: f64 = 4.0;
/// Shortest stretch of a key.
const NOTES: usize = 8;
const BARS: f64 = 2.9;
/// Share of all that sounds, below which no degree falls: anything may be sung once.
const FLOOR: f64 = 0.008;
const KEYS: usize = 24;

/// The keys of a melody in order; empty when it stays in one.
pub fn segments(notes: &[Note], grid: &SongGrid, home: Key) -> Vec<KeySegment> {
    if notes.len() < 2 * NOTES {
        return Vec::new();
    }
    let likelihoods: Vec<[f64; KEYS]> = notes.iter().map(|note| likelihood(note, grid)).collect();
    let path = path(&likelihoods);
    let mut stretches: Vec<(usize, usize)> = Vec::new();
    for (note, &key) in path.iter().enumerate() {
        if stretches.last().is_none_or(|&(_, last)| last != key) {
            stretches.push((note, key));
        }
    }
    let end_of =
        |index: usize, stretches: &[(usize, usize)]| stretches.get(index + 1).map_or(notes.len(), |next| next.0);
    // The weakest stretch joins what is before it, until all are long and strong enough.
    loop {
        if stretches.len() < 2 {
            return Vec::new();
        }
        let weak = (0..stretches.len()).find(|&index| {
            let (first, key) = stretches[index];
            let end = end_of(index, &stretches);
            let bars = (grid.beat_at(notes[end - 1].offset) - grid.beat_at(notes[first].onset)).0 / grid.metre.bar().0;
            let neighbours = [index.checked_sub(1), Some(index + 1)].into_iter().flatten();
            let others = neighbours.filter_map(|other| stretches.get(other)).map(|other| other.1);
            let sum = |key: usize| likelihoods[first..end].iter().map(|note| note[key]).sum::<f64>();
            let gain = others.map(|other| sum(key) - sum(other)).fold(f64::INFINITY, f64::min);
            end - first < NOTES || bars < BARS || gain < CHANGE + INSIST
        });
        let Some(weak) = weak else { break };
        stretches.remove(weak);
        if let Some(first) = stretches.first_mut() {
            first.0 = 0;
        }
        stretches.dedup_by(|next, kept| next.1 == kept.1);
    }
    let bar = grid.metre.bar().0;
    // A free hum counts from its own first bar line, a take in a song as the song does.
    let in_song = grid.start.0 >= bar;
    let first_line = if in_song { 0.0 } else { (grid.beat_at(notes[0].onset).0 / bar - 0.02).ceil() };
    let segments = stretches.iter().map(|&(first_note, key)| {
        let at = grid.beat_at(notes[first_note].onset).0 / bar + 0.02;
        let bar = (at.floor() - first_line).max(0.0) as u32 + 1;
        KeySegment { first_note, bar, from: notes[first_note].onset, key: numbered(key) }
    });
    let segments: Vec<KeySegment> = segments.collect();
    // A melody that only leaves what it is called as a whole has not moved.
    if segments.iter().any(|segment| segment.key != home) { segments } else { Vec::new() }
}

fn numbered(number: usize) -> Key {
    Key { tonic: (number % 12) as u8, mode: if number < 12 { Mode::Major } else { Mode::Minor } }
}

/// How likely a note is in each key, in nats; a long note says more than a short one.
fn likelihood(note: &Note, grid: &SongGrid) -> [f64; KEYS] {
    let beats = (grid.beat_at(note.offset) - grid.beat_at(note.onset)).0.clamp(0.0, 2.0);
    let weight = (0.4 + 0.4 * beats) * f64::from(note.confidence.clamp(0.1, 1.0));
    std::array::from_fn(|number| {
        let key = numbered(number);
        let shares = degrees(key.mode);
        let total: f64 = shares.iter().map(|share| f64::from(*share)).sum();
        let degree = usize::from((note.key + 12 - key.tonic) % 12);
        let mut share = f64::from(shares[degree]) / total;
        // Minor melodies use both sevenths.
        if key.mode == Mode::Minor && degree == 10 {
            share = 0.07;
        }
        weight * (share * share.min(0.08) / 0.08 + FLOOR).ln()
    })
}

/// The likeliest key at every note.
fn path(likelihoods: &[[f64; KEYS]]) -> Vec<usize> {
    let mut scores = likelihoods[0];
    let mut backs: Vec<[usize; KEYS]> = vec![[0; KEYS]];
    for likelihood in &likelihoods[1..] {
        let mut next = [0.0; KEYS];
        let mut back = [0; KEYS];
        for to in 0..KEYS {
            let mut best = (f64::MIN, to);
            for (from, score) in scores.iter().enumerate() {
                let score = score - change(from, to);
                if score > best.0 {
                    best = (score, from);
                }
            }
            next[to] = best.0 + likelihood[to];
            back[to] = best.1;
        }
        scores = next;
        backs.push(back);
    }
    let mut at = (0..KEYS).fold(0, |best, key| if scores[key] > scores[best] { key } else { best });
    let mut path = vec![0; likelihoods.len()];
    for index in (0..path.len()).rev() {
        path[index] = at;
        at = backs[index][at];
    }
    path
}

fn change(from: usize, to: usize) -> f64 {
    if from == to {
        return 0.0;
    }
    // The place of a key's signature on the circle of fifths.
    let signature = |key: usize| (if key < 12 { key } else { key % 12 + 3 }) * 7 % 12;
    let apart = (signature(from) + 12 - signature(to)) % 12;
    let steps = apart.min(12 - apart);
    CHANGE + STEP * steps as f64 + if steps == 0 { RELATIVE } else { 0.0 }
}
