//! Thread: worker. Where the sound begins anew: evidence that a note starts, also on the pitch of the note before.
//!
//! Two things tell a repeated note from a held one. Energy appears in many bands at once (spectral flux; Bello et al. 2005, with
//! each band compared to the loudest of its neighbours before, so that vibrato is no news; Böck and Widmer 2013), and the
//! harmonics of the pitch dip and come back. How much each is worth was fitted to notes that are repeated and notes that
//! are held, of voices, whistles and instruments, by logistic regression.

use super::spectra::Spectra;
use crate::analysis::{F0Frame, f0};
use crate::error::Result;
use crate::job_context::JobContext;
use std::collections::VecDeque;

/// Bands of the flux: twelve an octave.
const BANDS_AN_OCTAVE: f32 = 12.0;
const LOWEST_HZ: f32 = 80.0;
const HIGHEST_HZ: f32 = 7600.0;
/// Levels under this are silence, against the take's own level, in amplitude (-60 dB).
const FLOOR: f32 = 1e-3;
/// The flux compares a moment with this many steps before: 16 ms.
const LAG: usize = 4;
/// Harmonics that carry the pitch, up to this frequency.
const HARMONICS: usize = 8;
const HARMONICS_HZ: f32 = 7500.0;
/// Steps on either side among which a dip is looked for: 56 ms.
const DIP_REACH: usize = 14;
/// Steps around a moment whose flux and dip are seen together: 32 ms.
const TOGETHER: usize = 8;
/// The fit: nats for each e-fold of flux and of dip, both in decibels, and in favour of a held note.
const FLUX_WEIGHT: f32 = 2.7;
const FLUX_OFFSET_DB: f32 = 0.3;
const DIP_WEIGHT: f32 = 2.9;
const DIP_OFFSET_DB: f32 = 1.0;
const HELD: f32 = 8.3;
/// Steps between two looks at whether the job is still wanted.
const CHECK_STEPS: usize = 500;
/// Evidence below this is none.
const LEAST: f32 = -3.0;

/// Curves every 4 ms.
pub(super) struct Novelty {
    /// Level of the harmonics of the tracked pitch, in dB.
    pub harmonic_db: Vec<f32>,
    /// Mean rise of the bands, in dB.
    flux_db: Vec<f32>,
}

/// A moment at which the sound begins anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Event {
    /// Step of 4 ms.
    pub step: usize,
    /// Nats in favour of a new note, against one that is held.
    pub evidence: f32,
}

impl Novelty {
    /// Of mono audio at 16 kHz and the pitch tracked in it.
    pub fn new(mono_16k: &[f32], frames: &[F0Frame], context: &JobContext) -> Result<Self> {
        let mut spectra = Spectra::new();
        let bands = bands();
        let scale = 1.0 / sounding_level(mono_16k).max(1e-9);
        let steps = mono_16k.len() / Spectra::STEP;
        let mut before: VecDeque<Vec<f32>> = VecDeque::new();
        let mut harmonic_db = Vec::with_capacity(steps);
        let mut flux_db = vec![0.0; steps];
        for step in 0..steps {
            if step % CHECK_STEPS == 0 {
                context.check()?;
            }
            let power = spectra.power(mono_16k, step);
            let scaled = scale * scale;
            let frame = (step * Spectra::STEP / f0::HOP).min(frames.len().saturating_sub(1));
            let hz = frames.get(frame).map_or(440.0, |frame| frame.hz);
            let energy: f32 = (1..=HARMONICS)
                .map(|number| number as f32 * hz)
                .take_while(|hz| *hz < HARMONICS_HZ)
                .map(|hz| {
                    let line = ((hz / Spectra::LINE_HZ).round() as usize).clamp(1, power.len() - 2);
                    power[line - 1].max(power[line]).max(power[line + 1])
                })
                .sum();
            harmonic_db.push(10.0 * (energy * scaled + 1e-5).log10());
            let levels: Vec<f32> = bands
                .iter()
                .map(|(first, weights)| {
                    let amplitude: f32 =
                        weights.iter().zip(&power[*first..]).map(|(weight, power)| weight * power.sqrt()).sum();
                    20.0 * (amplitude * scale + FLOOR).log10()
                })
                .collect();
            if before.len() == LAG
                && let Some(old) = before.pop_front()
            {
                flux_db[step - LAG / 2] = rise(&old, &levels);
            }
            before.push_back(levels);
        }
        Ok(Self { harmonic_db, flux_db })
    }

    /// Events in order.
    pub fn events(&self) -> Vec<Event> {
        let steps = self.flux_db.len();
        let dips = self.dips();
        let largest = |values: &[f32], step: usize| {
            let near = &values[step.saturating_sub(TOGETHER)..(step + TOGETHER + 1).min(steps)];
            near.iter().fold(0.0_f32, |top, value| top.max(*value))
        };
        let evidence: Vec<f32> = (0..steps)
            .map(|step| {
                FLUX_WEIGHT * (largest(&self.flux_db, step) + FLUX_OFFSET_DB).ln()
                    + DIP_WEIGHT * (largest(&dips, step) + DIP_OFFSET_DB).ln()
                    - HELD
            })
            .collect();
        let rise = |step: usize| {
            let (before, after) = (step.saturating_sub(LAG), (step + LAG).min(steps - 1));
            self.harmonic_db[after] - self.harmonic_db[before] + 3.0 * self.flux_db[step]
        };
        // Where there is evidence, each moment that rises the most among its neighbours is an event.
        let near = |step: usize| step.saturating_sub(2 * TOGETHER)..(step + 2 * TOGETHER + 1).min(steps);
        let leads = |step: usize| {
            let here = rise(step);
            let least = |other: usize| evidence[other] <= LEAST;
            // Only as far as the evidence reaches without a break.
            let first =
                (near(step).start..step).rev().find(|&other| least(other)).map_or(near(step).start, |at| at + 1);
            let end = (step..near(step).end).find(|&other| least(other)).unwrap_or(near(step).end);
            here > 0.0
                && (first..step).all(|other| rise(other) < here)
                && (step + 1..end).all(|other| rise(other) <= here)
        };
        (0..steps)
            .filter(|&step| evidence[step] > LEAST && leads(step))
            .map(|step| Event { step, evidence: evidence[step] })
            .collect()
    }

    /// How far the harmonics lie under the louder moments on both sides, in dB.
    fn dips(&self) -> Vec<f32> {
        let level = &self.harmonic_db;
        let loudest = |range: std::ops::Range<usize>| level[range].iter().fold(f32::MIN, |top, level| top.max(*level));
        (0..level.len())
            .map(|step| {
                let before = loudest(step.saturating_sub(DIP_REACH - 1)..step + 1);
                let after = loudest(step..(step + DIP_REACH).min(level.len()));
                before.min(after) - level[step]
            })
            .collect()
    }
}

/// Mean rise of the bands, each against the loudest of its neighbours before.
fn rise(before: &[f32], levels: &[f32]) -> f32 {
    let widest = |band: usize| {
        let near = &before[band.saturating_sub(1)..(band + 2).min(before.len())];
        near.iter().fold(f32::MIN, |top, level| top.max(*level))
    };
    let rise: f32 = levels.iter().enumerate().map(|(band, level)| (level - widest(band)).max(0.0)).sum();
    rise / levels.len() as f32
}

/// Root mean square of the parts that sound: over 5 % of the peak.
fn sounding_level(audio: &[f32]) -> f32 {
    let peak = audio.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let (sum, count) = audio
        .iter()
        .filter(|sample| sample.abs() > 0.05 * peak)
        .fold((0.0_f64, 0_usize), |(sum, count), sample| (sum + f64::from(sample * sample), count + 1));
    if count == 0 { 0.0 } else { (sum / count as f64).sqrt() as f32 }
}

/// Triangular bands over the lines of a spectrum, each summing to one: first line and weights.
fn bands() -> Vec<(usize, Vec<f32>)> {
    let count = ((HIGHEST_HZ / LOWEST_HZ).log2() * BANDS_AN_OCTAVE) as usize;
    let centre = |band: usize| LOWEST_HZ * (band as f32 / BANDS_AN_OCTAVE).exp2();
    (1..count)
        .filter_map(|band| {
            let (low, middle, high) = (centre(band - 1), centre(band), centre(band + 1));
            let first = (low / Spectra::LINE_HZ).ceil() as usize;
            let end = (high / Spectra::LINE_HZ).floor() as usize + 1;
            let weights: Vec<f32> = (first..end)
                .map(|line| {
                    let hz = line as f32 * Spectra::LINE_HZ;
                    ((hz - low) / (middle - low)).min((high - hz) / (high - middle)).max(0.0)
                })
                .collect();
            let sum: f32 = weights.iter().sum();
            // Bands narrower than a line would count one line several times.
            (sum > 0.8).then(|| (first, weights.iter().map(|weight| weight / sum).collect()))
        })
        .collect()
}
