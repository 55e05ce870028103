//! Thread: worker. Draws the beat through notes whose places are known: as straight as it can be, as crooked as it must.

use super::evidence::Sounding;
use super::pattern::{Pattern, TICKS};
use super::tracker::Reading;
use crate::time::{Beats, Bpm, Seconds, SongGrid, TempoMap, TempoPoint};

/// How exactly onsets are sung and heard, in seconds.
const ONSET_SPREAD: f64 = 0.025;
/// Onsets further off than this many spreads count less, as the inverse of their distance (Huber).
const HUBER: f64 = 1.5;
/// How much a breathing beat changes over one beat, as a ratio.
const BREATHING: f64 = 0.02;
/// A tempo is one tempo unless a breathing beat fits better than this share of the steady one's error, and the steady one's error is
/// more than singers are careless.
const BREATHES: f64 = 0.7;
const CARELESS: f64 = 0.03;
/// Beats drawn after the last note, so that its end has a place.
const AFTER: usize = 8;

/// Times of beats, from the bar line at or before the first note.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    times: Vec<f64>,
    steady: bool,
}

/// The beats of a reading.
pub fn through(reading: &Reading, notes: &[Sounding]) -> Line {
    let points: Vec<(f64, f64)> = reading
        .ticks
        .iter()
        .zip(notes)
        .filter_map(|(tick, note)| Some((f64::from((*tick)?) / f64::from(TICKS), note.onset)))
        .collect();
    let last = points.last().map_or(0.0, |point| point.0);
    let end = notes.last().map_or(0.0, |note| (note.length / reading.beat).min(64.0));
    let count = (last + end).ceil() as usize + AFTER;
    let steady = steady(&points, reading.beat);
    let straight: Vec<f64> = (0..count).map(|beat| steady.0 + steady.1 * beat as f64).collect();
    let careless = error(&points, &straight);
    if careless > CARELESS {
        let crooked = breathing(&points, &straight, steady.1);
        if error(&points, &crooked) < BREATHES * careless {
            return Line { times: crooked, steady: false };
        }
    }
    Line { times: straight, steady: true }
}

/// Start and length of a beat of a steady tempo: least squares, strays counting less.
fn steady(points: &[(f64, f64)], beat: f64) -> (f64, f64) {
    let mut line = (points.first().map_or(0.0, |point| point.1 - point.0 * beat), beat);
    if points.len() < 2 {
        return line;
    }
    for round in 0..6 {
        let (mut weight, mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(at, time) in points {
            let w = if round == 0 { 1.0 } else { trust(time - line.0 - line.1 * at) };
            weight += w;
            x += w * at;
            y += w * time;
            xx += w * at * at;
            xy += w * at * time;
        }
        let spread = xx - x * x / weight;
        if spread < 1e-9 {
            break;
        }
        let slope = (xy - x * y / weight) / spread;
        line = ((y - slope * x) / weight, slope);
    }
    line
}

fn trust(off: f64) -> f64 {
    (HUBER * ONSET_SPREAD / off.abs().max(1e-9)).min(1.0)
}

/// Robust mean distance of the onsets from their places, in seconds.
fn error(points: &[(f64, f64)], times: &[f64]) -> f64 {
    let sum: f64 = points.iter().map(|&(at, time)| (time - between(times, at)).abs().min(4.0 * ONSET_SPREAD)).sum();
    1.25 * sum / points.len().max(1) as f64
}

/// Beats whose lengths change as little as the onsets allow: the minimum of squared onset errors and squared changes of the beat, each
/// in its own measure. A banded system of equations; strays count less in later rounds.
fn breathing(points: &[(f64, f64)], start: &[f64], beat: f64) -> Vec<f64> {
    let count = start.len();
    let mut times = start.to_vec();
    let stiff = 1.0 / (BREATHING * beat).powi(2);
    for _ in 0..4 {
        // Symmetric, two diagonals beside the main one: [i][k] couples beats i and i + k.
        let mut matrix = vec![[0.0; 3]; count];
        let mut right = vec![0.0; count];
        for &(at, time) in points {
            let w = trust(time - between(&times, at)) / (ONSET_SPREAD * ONSET_SPREAD);
            let first = (at.floor() as usize).min(count - 2);
            let part = at - first as f64;
            matrix[first][0] += w * (1.0 - part) * (1.0 - part);
            matrix[first][1] += w * (1.0 - part) * part;
            matrix[first + 1][0] += w * part * part;
            right[first] += w * (1.0 - part) * time;
            right[first + 1] += w * part * time;
        }
        for middle in 1..count - 1 {
            let pull = [1.0, -2.0, 1.0];
            for a in 0..3 {
                for b in a..3 {
                    matrix[middle - 1 + a][b - a] += stiff * pull[a] * pull[b];
                }
            }
        }
        times = solve(matrix, right);
    }
    // Beats go on in time whatever the notes did.
    for index in 1..count {
        times[index] = times[index].max(times[index - 1] + 0.25 * beat);
    }
    times
}

/// Solves a positive banded system by Cholesky's method without roots.
fn solve(mut matrix: Vec<[f64; 3]>, mut right: Vec<f64>) -> Vec<f64> {
    let count = right.len();
    for index in 0..count {
        // A hair of stiffness keeps what no note holds from being undetermined.
        let pivot = matrix[index][0].max(1e-9);
        for below in 1..3.min(count - index) {
            let share = matrix[index][below] / pivot;
            for across in below..3 {
                let coupled = matrix[index][across];
                matrix[index + below][across - below] -= share * coupled;
            }
            right[index + below] -= share * right[index];
        }
    }
    for index in (0..count).rev() {
        let mut value = right[index];
        for above in 1..3.min(count - index) {
            value -= matrix[index][above] * right[index + above];
        }
        right[index] = value / matrix[index][0].max(1e-9);
    }
    right
}

/// Time of a place between beats; before and after them the outer beats go on.
fn between(times: &[f64], at: f64) -> f64 {
    let first = (at.floor().max(0.0) as usize).min(times.len() - 2);
    times[first] + (at - first as f64) * (times[first + 1] - times[first])
}

impl Line {
    /// Times of the beats in seconds, the first a bar line.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Time of a place, in beats from the first.
    pub fn time_at(&self, at: f64) -> f64 {
        between(&self.times, at)
    }

    /// Seconds of a beat on the mean.
    pub fn mean_beat(&self) -> f64 {
        let count = self.times.len() - AFTER;
        (self.times[count] - self.times[0]) / count.max(1) as f64
    }

    /// The fastest beat less the slowest, as a share of the mean.
    pub fn drift(&self) -> f64 {
        if self.steady {
            return 0.0;
        }
        let lengths = self.times[..=self.times.len() - AFTER].windows(2).map(|pair| pair[1] - pair[0]);
        let (least, most) =
            lengths.fold((f64::MAX, f64::MIN), |(least, most), length| (least.min(length), most.max(length)));
        (most - least).max(0.0) / self.mean_beat()
    }

    /// The grid that has these beats: the take's start lies in the first bar, or on its line.
    pub fn grid(&self, pattern: &Pattern) -> SongGrid {
        let quarters = pattern.quarters;
        let tempo = |beat: f64| Bpm((60.0 / beat * quarters).clamp(1.0, 1000.0));
        let bar = pattern.metre.bar().0;
        let first_beat = self.times[1] - self.times[0];
        // Quarter notes from the take's start to the first beat, at the first beat's tempo.
        let lead = self.times[0] / first_beat * quarters;
        let mut start = (lead / bar).ceil() * bar - lead;
        if bar - start < 1e-6 {
            start = 0.0;
        }
        let line = start + lead;
        let map = if self.steady {
            TempoMap::constant(tempo(first_beat))
        } else {
            let points = self.times.windows(2).enumerate();
            let point = |(index, pair): (usize, &[f64])| TempoPoint {
                at: Beats(line + index as f64 * quarters),
                tempo: tempo(pair[1] - pair[0]),
            };
            TempoMap::new(points.map(point).collect())
        };
        let start_seconds = Seconds(start / quarters * first_beat);
        SongGrid { start: Beats(start), start_seconds, tempo: map, metre: pattern.metre }
    }
}
