//! Thread: main. The figures of one recording. Definitions and tolerances are those of mir_eval 0.8, on a grid of 10 ms.

use super::matching::{edit_distance, matching};
use super::melody_file::{Estimate, MelodyNote, PitchPoint, Truth};
use std::f64::consts::TAU;

/// Seconds between the moments that are compared.
const STEP: f64 = 0.01;
/// An estimate says nothing about moments farther than this from its nearest frame.
const NEAREST: f64 = 0.06;
/// Half a semitone.
const CENTS: f64 = 50.0;
/// mir_eval rounds differences of time to this many parts of a second before it compares them.
const PARTS: f64 = 1e4;

/// Names of the figures, in the order of [`Figures::values`].
pub const NAMES: [&str; 16] = [
    "RPA", "RCA", "OCT", "VR", "VFA", "OA", "GROSS", "F_on", "F_100", "F_onoff", "ONS", "F_semi", "F_pc", "OCTN",
    "SEQ", "SEQPC",
];

/// Shares from 0 to 1; NaN where there is nothing to compare.
#[derive(Debug, Clone)]
pub struct Figures {
    pub values: [f64; NAMES.len()],
}

impl Figures {
    /// Compares.
    pub fn of(truth: &Truth, estimate: &Estimate) -> Self {
        let mut values = [f64::NAN; NAMES.len()];
        values[..7].copy_from_slice(&of_frames(&truth.f0, &estimate.f0));
        values[7..].copy_from_slice(&of_notes(&truth.notes, &estimate.notes));
        Self { values }
    }
}

/// Raw pitch, raw chroma, octave errors, voicing recall, voicing false alarms, overall accuracy, gross errors.
fn of_frames(truth: &[PitchPoint], estimate: &[PitchPoint]) -> [f64; 7] {
    let duration = truth.last().map_or(0.0, |point| point.0);
    let silence = [(0.0, 0.0), (duration, 0.0)];
    let estimate = if estimate.is_empty() { &silence[..] } else { estimate };
    let count = (duration / STEP).ceil() as usize;
    let (mut voiced, mut unvoiced) = (0.0, 0.0);
    let (mut pitch, mut chroma, mut recall, mut alarm, mut overall) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let (mut both, mut gross) = (0.0, 0.0);
    for moment in (0..count).map(|index| index as f64 * STEP) {
        let (true_hz, heard_hz) = (at(truth, moment), nearest(estimate, moment));
        let heard = heard_hz > 0.0;
        if true_hz <= 0.0 {
            unvoiced += 1.0;
            alarm += f64::from(heard);
            overall += f64::from(!heard);
            continue;
        }
        voiced += 1.0;
        recall += f64::from(heard);
        let apart = if heard_hz == 0.0 { f64::INFINITY } else { (1200.0 * (true_hz / heard_hz.abs()).log2()).abs() };
        let right = apart < CENTS;
        let to_octave = (apart - 1200.0 * (apart / 1200.0 + 0.5).floor()).abs();
        pitch += f64::from(right);
        chroma += f64::from(heard_hz != 0.0 && to_octave < CENTS);
        overall += f64::from(right && heard);
        both += f64::from(heard);
        gross += f64::from(heard && apart > CENTS);
    }
    if voiced == 0.0 {
        return [f64::NAN; 7];
    }
    let (pitch, chroma) = (pitch / voiced, chroma / voiced);
    let alarm = if unvoiced > 0.0 { alarm / unvoiced } else { 0.0 };
    let gross = if both > 0.0 { gross / both } else { 1.0 };
    [pitch, chroma, chroma - pitch, recall / voiced, alarm, overall / (voiced + unvoiced), gross]
}

/// The truth at a moment: the last point that is not later than half a step after it.
fn at(truth: &[PitchPoint], moment: f64) -> f64 {
    let after = truth.partition_point(|point| point.0 <= moment + STEP / 2.0);
    truth[after.saturating_sub(1)].1
}

/// The estimate's frame nearest to a moment, the earlier on ties: nothing is drawn across a leap.
fn nearest(estimate: &[PitchPoint], moment: f64) -> f64 {
    let after = estimate.partition_point(|point| point.0 < moment).clamp(1, (estimate.len() - 1).max(1));
    let apart = |index: usize| estimate.get(index).map_or(f64::INFINITY, |point| (point.0 - moment).abs());
    let index = if apart(after - 1) <= apart(after) { after - 1 } else { after };
    if apart(index) > NEAREST { 0.0 } else { estimate[index].1 }
}

/// F-measures of notes, octave errors among them, and the likeness of the two sequences of keys.
fn of_notes(truth: &[MelodyNote], heard: &[MelodyNote]) -> [f64; 9] {
    if truth.is_empty() {
        return [f64::NAN; 9];
    }
    let share = |pairs: usize| 2.0 * pairs as f64 / (truth.len() + heard.len()) as f64;
    let measure = |meets: &dyn Fn(&MelodyNote, &MelodyNote) -> bool| {
        share(matching(truth.len(), heard.len(), |row, column| meets(&truth[row], &heard[column])).len())
    };
    let apart = |a: f64, b: f64| ((a - b).abs() * PARTS).round() / PARTS;
    let pitch = |a: &MelodyNote, b: &MelodyNote| (100.0 * (a.midi - b.midi)).abs() <= CENTS;
    let onset = |a: &MelodyNote, b: &MelodyNote, tolerance: f64| apart(a.onset, b.onset) <= tolerance;
    let offset = |a: &MelodyNote, b: &MelodyNote| apart(a.offset, b.offset) <= (0.2 * (a.offset - a.onset)).max(0.05);

    let keys = Keys::of(truth, heard);
    let same_key = |row: usize, column: usize| keys.truth[row] == keys.heard[column];
    let same_class = |row: usize, column: usize| (keys.truth[row] - keys.heard[column]) % 12 == 0;
    let together = |row: usize, column: usize| (truth[row].onset - heard[column].onset).abs() <= 0.05 + 1e-9;
    let in_key = matching(truth.len(), heard.len(), |row, column| together(row, column) && same_key(row, column));
    let in_class = matching(truth.len(), heard.len(), |row, column| together(row, column) && same_class(row, column));
    let wrong = in_class.iter().filter(|&&(row, column)| !same_key(row, column)).count();
    let octaves = if in_class.is_empty() { f64::NAN } else { wrong as f64 / in_class.len() as f64 };
    let likeness = |fold: &dyn Fn(&i32) -> i32| {
        let (a, b): (Vec<i32>, Vec<i32>) =
            (keys.truth.iter().map(fold).collect(), keys.heard.iter().map(fold).collect());
        (1.0 - edit_distance(&a, &b) as f64 / a.len() as f64).max(0.0)
    };
    [
        measure(&|a, b| onset(a, b, 0.05) && pitch(a, b)),
        measure(&|a, b| onset(a, b, 0.1) && pitch(a, b)),
        measure(&|a, b| onset(a, b, 0.05) && pitch(a, b) && offset(a, b)),
        measure(&|a, b| onset(a, b, 0.05)),
        share(in_key.len()),
        share(in_class.len()),
        octaves,
        likeness(&|key| *key),
        likeness(&|key| key.rem_euclid(12)),
    ]
}

/// The keys of both sides, each with its own tuning taken off.
struct Keys {
    truth: Vec<i32>,
    heard: Vec<i32>,
}

impl Keys {
    fn of(truth: &[MelodyNote], heard: &[MelodyNote]) -> Self {
        let mut off: Vec<f64> = truth.iter().map(|note| note.midi - note.nominal.round_ties_even()).collect();
        off.sort_by(f64::total_cmp);
        let middle = off.len() / 2;
        let performed = if off.len() % 2 == 1 { off[middle] } else { (off[middle - 1] + off[middle]) / 2.0 };
        let tuning = tuning(heard);
        // Of the tunings that are a semitone apart, the one nearest to the performance.
        let tuning = tuning + (performed - tuning).round_ties_even();
        Self {
            truth: truth.iter().map(|note| note.nominal.round_ties_even() as i32).collect(),
            heard: heard.iter().map(|note| (note.midi - tuning).round_ties_even() as i32).collect(),
        }
    }
}

/// Circular mean of the distance to the keys of A440, in semitones.
fn tuning(notes: &[MelodyNote]) -> f64 {
    if notes.is_empty() {
        return 0.0;
    }
    let (sine, cosine) = notes
        .iter()
        .fold((0.0, 0.0), |(sine, cosine), note| (sine + (TAU * note.midi).sin(), cosine + (TAU * note.midi).cos()));
    sine.atan2(cosine) / TAU
}
