//! Thread: worker. Whether a phrase may lie an octave lower or higher than its notes say, from the harmonics that sound.
//!
//! Notes taken an octave too high leave peaks halfway between their harmonics; notes taken too low have every other harmonic missing.
//! Over a phrase, hums, voices and instruments keep the halfway peaks 13 dB and more down and the odd harmonics within 7 dB of the
//! even ones; the same notes claimed an octave off are beyond 7 and 13 dB.

use crate::analysis::Note;
use crate::analysis::f0;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::f32::consts::TAU;
use std::sync::Arc;

/// Samples of a spectrum at 16 kHz: lines 3.9 Hz apart.
const LENGTH: usize = 4_096;
/// Shortest stretch of a note whose spectrum says anything, in samples.
const SHORTEST: usize = 1_024;
/// Seconds of notes that a phrase must have to be judged by itself.
const ENOUGH_SECONDS: f64 = 0.4;
/// Spectra of a note at most: a long one is heard in its parts.
const MOST_SPECTRA: usize = 8;
/// Power halfway between the harmonics against theirs, and of odd harmonics against even ones, in decibels.
const HALFWAY_DB: f32 = -10.0;
const ODD_DB: f32 = -10.0;
/// The peaks that raise a doubt must stand out this far from what lies between them, or they are only noise or another voice.
const STANDING_OUT_DB: f32 = 9.0;
/// A peak is looked for this far around its place, as a share of its frequency and in spectral lines.
const AROUND: f32 = 0.03;
const AROUND_LINES: f32 = 2.0;
/// Highest frequency that is looked at: above it lies mostly breath.
const HIGHEST_HZ: f32 = 7_000.0;
/// Lowest pitch a melody goes to.
const LOWEST_HZ: f32 = 60.0;

/// Where the phrase may lie instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    Lower,
    Higher,
}

/// Listens to notes of one recording.
pub struct Listener<'a> {
    audio: &'a [f32],
    transform: Arc<dyn RealToComplex<f32>>,
    input: Vec<f32>,
    lines: Vec<Complex<f32>>,
    power: Vec<f32>,
}

/// Decibels of one note: halfway peaks against harmonics and against what lies around them, odd against even harmonics.
struct Balance {
    halfway: f32,
    halfway_out: f32,
    odd: f32,
    even_out: f32,
}

impl<'a> Listener<'a> {
    pub fn new(mono_16k: &'a [f32]) -> Self {
        let transform = RealFftPlanner::<f32>::new().plan_fft_forward(LENGTH);
        let (input, lines) = (transform.make_input_vec(), transform.make_output_vec());
        let power = vec![0.0; lines.len()];
        Self { audio: mono_16k, transform, input, lines, power }
    }

    /// What most of a phrase, by the number of its notes, speaks for.
    pub fn doubt(&mut self, notes: &[Note]) -> Option<Doubt> {
        if notes.iter().map(|note| (note.offset - note.onset).0).sum::<f64>() < ENOUGH_SECONDS {
            return None;
        }
        let balances: Vec<Balance> = notes.iter().filter_map(|note| self.balance(note)).collect();
        let middle = |value: fn(&Balance) -> f32| {
            let mut values: Vec<f32> = balances.iter().map(value).filter(|value| value.is_finite()).collect();
            values.sort_by(f32::total_cmp);
            values.get(values.len() / 2).copied()
        };
        let over = |value: Option<f32>, bound: f32| value.is_some_and(|value| value > bound);
        if over(middle(|one| one.halfway), HALFWAY_DB) && over(middle(|one| one.halfway_out), STANDING_OUT_DB) {
            return Some(Doubt::Lower);
        }
        let weak = middle(|one| one.odd).is_some_and(|odd| odd < ODD_DB);
        (weak && over(middle(|one| one.even_out), STANDING_OUT_DB)).then_some(Doubt::Higher)
    }

    fn balance(&mut self, note: &Note) -> Option<Balance> {
        let hz = note.sung.hz().0;
        if hz.is_nan() || 2.0 * hz >= HIGHEST_HZ || !self.listen(note) {
            return None;
        }
        let sum = |multiples: &[f32]| {
            let inside = multiples.iter().map(|multiple| multiple * hz).filter(|hz| *hz < HIGHEST_HZ);
            inside.map(|hz| self.peak(hz)).sum::<f32>()
        };
        let decibels = |above: f32, below: f32| 10.0 * ((above + 1e-12) / (below + 1e-12)).log10();
        let (odd, even) = (sum(&[1.0, 3.0, 5.0]), sum(&[2.0, 4.0, 6.0]));
        let between = sum(&[0.75, 1.25, 1.75, 2.25]) * 0.75;
        // Below the range there is no octave to go to.
        let has_lower = hz / 2.0 >= LOWEST_HZ;
        let halfway = if has_lower { sum(&[0.5, 1.5, 2.5]) } else { 0.0 };
        Some(Balance {
            halfway: decibels(halfway, sum(&[1.0, 2.0, 3.0])),
            halfway_out: decibels(halfway, between),
            odd: decibels(odd, even),
            even_out: decibels(even, sum(&[1.5, 2.5, 3.5])),
        })
    }

    /// Mean power spectrum over the inner part of a note. Says whether there is enough of it.
    fn listen(&mut self, note: &Note) -> bool {
        let sample = |seconds: f64| ((seconds * f0::RATE.hz()).max(0.0) as usize).min(self.audio.len());
        let span = &self.audio[sample(note.onset.0)..sample(note.offset.0).max(sample(note.onset.0))];
        if span.len() < SHORTEST {
            return false;
        }
        let length = span.len().min(LENGTH);
        let step = ((span.len() - length) / MOST_SPECTRA).max(LENGTH / 4);
        self.power.fill(0.0);
        for start in (0..=span.len() - length).step_by(step) {
            self.input.fill(0.0);
            for (index, (value, sample)) in self.input.iter_mut().zip(&span[start..start + length]).enumerate() {
                *value = sample * (0.5 - 0.5 * (TAU * (index as f32 + 0.5) / length as f32).cos());
            }
            if self.transform.process(&mut self.input, &mut self.lines).is_err() {
                return false;
            }
            self.power.iter_mut().zip(&self.lines).for_each(|(sum, line)| *sum += line.norm_sqr());
        }
        true
    }

    /// Largest power around a frequency.
    fn peak(&self, hz: f32) -> f32 {
        let line = hz * LENGTH as f32 / f0::RATE.0 as f32;
        let around = (AROUND * line).max(AROUND_LINES);
        let first = (line - around).max(1.0) as usize;
        let end = ((line + around) as usize + 1).min(self.power.len());
        if first < end { self.power[first..end].iter().fold(0.0, |top, power| top.max(*power)) } else { 0.0 }
    }
}
