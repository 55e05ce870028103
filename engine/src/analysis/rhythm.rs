//! Thread: worker. The tempo of a melody that was hummed without a click, from where its notes begin.

use crate::analysis::Note;
use crate::time::{Bpm, Seconds};

/// Tempos that are considered: a beat of a third of a second to a second.
const SLOWEST: f64 = 60.0;
const FASTEST: f64 = 180.0;
/// Ratio of one considered tempo to the next. Over thirty seconds the grids of two neighbours drift apart by a tenth of a beat.
const STEP: f64 = 1.002;
/// People hum around this tempo, and this many octaves about it.
const USUAL: f64 = 100.0;
const SPREAD: f64 = 0.6;
/// How much a grid of beats, half beats and quarter beats through the onsets counts.
const SUBDIVISIONS: [(f64, f64); 3] = [(1.0, 0.45), (2.0, 0.35), (4.0, 0.2)];
/// Onsets that a clear pulse needs: fewer fit any tempo.
const ENOUGH: f64 = 8.0;
/// A tempo an octave (or three to two) away that fits this nearly as well is worth a word.
const RIVAL: f64 = 0.85;

/// A guess at the beat.
#[derive(Debug, Clone, PartialEq)]
pub struct TempoEstimate {
    /// The tempo; the usual one when there is nothing to go by.
    pub tempo: Bpm,
    /// 0 to 1.
    pub confidence: f32,
    /// Time of the beat nearest to the first note. The grid of an analysis keeps the take's own origin all the same.
    pub beat: Seconds,
    /// Doubts in plain sentences.
    pub doubts: Vec<String>,
}

/// The tempo whose beats and subdivisions the onsets fit best.
pub fn tempo(notes: &[Note]) -> TempoEstimate {
    let onsets: Vec<(f64, f64)> = notes.iter().map(|note| (note.onset.0, weight(note))).collect();
    let Some(&(first, _)) = onsets.first() else {
        return TempoEstimate { tempo: Bpm(USUAL), confidence: 0.0, beat: Seconds(0.0), doubts: Vec::new() };
    };
    let count = ((FASTEST / SLOWEST).ln() / STEP.ln()).floor() as usize;
    let scored: Vec<(f64, f64)> = (0..=count)
        .map(|index| SLOWEST * STEP.powi(index as i32))
        .map(|bpm| (bpm, fit(&onsets, bpm) * prior(bpm)))
        .collect();
    let (bpm, score) = scored.iter().fold((USUAL, f64::MIN), |best, &next| if next.1 > best.1 { next } else { best });

    let enough = onsets.len() as f64 / (onsets.len() as f64 + ENOUGH);
    let confidence = ((fit(&onsets, bpm) - 0.3) / 0.6).clamp(0.0, 1.0) * enough;
    let rivals = [0.5, 2.0, 2.0 / 3.0, 1.5].into_iter().map(|ratio| bpm * ratio);
    let rival = rivals
        .filter(|rival| (SLOWEST..=FASTEST).contains(rival))
        .map(|rival| (rival, fit(&onsets, rival) * prior(rival)))
        .filter(|(_, rival_score)| *rival_score > RIVAL * score)
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let doubts = match rival {
        _ if onsets.len() < 3 => vec!["Tempo is a guess: there are too few notes to feel a beat.".to_owned()],
        Some((rival, _)) => vec![format!("Tempo heard as {bpm:.0} BPM, but it may be {rival:.0}.")],
        None if confidence < 0.3 => vec![format!("Tempo is a guess ({bpm:.0} BPM): the notes follow no clear beat.")],
        None => Vec::new(),
    };
    let beat = Seconds(first + nearest_beat(&onsets, bpm, first));
    TempoEstimate { tempo: Bpm(bpm), confidence: confidence as f32, beat, doubts }
}

/// Long and loud notes mark beats more than short and soft ones.
fn weight(note: &Note) -> f64 {
    let length = (note.offset - note.onset).0.clamp(0.05, 1.0);
    length.sqrt() * f64::from(note.loudness.max(0.1))
}

/// How well onsets lie on the grids of a tempo, 0 to 1: at each subdivision the length of the mean of all onsets as points on
/// a circle once round a period, less what chance gives.
fn fit(onsets: &[(f64, f64)], bpm: f64) -> f64 {
    SUBDIVISIONS.iter().map(|(division, share)| share * mean_phase(onsets, bpm * division / 60.0).0).sum()
}

/// Length and angle (in turns) of the mean of the onsets at a number of turns a second.
fn mean_phase(onsets: &[(f64, f64)], frequency: f64) -> (f64, f64) {
    let (mut sine, mut cosine, mut total) = (0.0, 0.0, 0.0);
    for (time, weight) in onsets {
        let (s, c) = (std::f64::consts::TAU * frequency * time).sin_cos();
        sine += weight * s;
        cosine += weight * c;
        total += weight;
    }
    (sine.hypot(cosine) / f64::max(total, f64::MIN_POSITIVE), sine.atan2(cosine) / std::f64::consts::TAU)
}

/// Seconds from `first` to the beat nearest to it.
fn nearest_beat(onsets: &[(f64, f64)], bpm: f64, first: f64) -> f64 {
    let frequency = bpm / 60.0;
    let phase = mean_phase(onsets, frequency).1 - first * frequency;
    (phase - phase.round()) / frequency
}

fn prior(bpm: f64) -> f64 {
    let octaves = (bpm / USUAL).log2() / SPREAD;
    (-0.5 * octaves * octaves).exp()
}
