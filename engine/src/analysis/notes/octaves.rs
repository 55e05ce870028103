//! Thread: worker. Brings notes to their own octave that the tracker put into another.
//!
//! A note an octave too high leaves peaks between its harmonics: at half its frequency and at three halves, both nearly as
//! strong as its own. Measured on hums, voices, and played instruments, true notes keep at least one of the two 10 dB down, and
//! notes taken an octave up have both within 5 dB. A note an octave too low lacks its own odd harmonics.

use super::{Segment, segmentation};
use crate::analysis::{F0Frame, f0};
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::Hz;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::TAU;
use std::sync::Arc;

/// Samples of a spectrum at 16 kHz: lines 3.9 Hz apart.
const LENGTH: usize = 4096;
/// Samples from one spectrum of a note to the next.
const HOP: usize = 1024;
/// Shortest note whose spectrum says anything, in samples.
const SHORTEST: usize = 1024;
/// Power of the weaker peak between the harmonics against the strongest harmonic, from which the note is an octave lower.
const HALF_POWER: f32 = 0.2;
/// Power of the strongest odd harmonic against the strongest even one, under which the note is an octave higher.
const ODD_POWER: f32 = 0.02;
/// No note goes above this: the highest that people whistle.
const HIGHEST_HZ: f32 = 4000.0;
/// A peak is looked for this far around its place, as a share of its frequency and in spectral lines.
const AROUND: f32 = 0.03;
const AROUND_LINES: f32 = 2.0;
/// Samples of the spectrum of one frame: lines 15.6 Hz apart, enough above this frequency.
const SHORT: usize = 1024;
const SHORT_LOWEST_HZ: f32 = 150.0;
/// Frames on either side that vote with a frame.
const NEIGHBOURS: usize = 3;
/// Frames between two looks at whether the job is still wanted.
const CHECK_FRAMES: usize = 500;
/// No note goes below this, as the tracker's range.
const LOWEST_HZ: f32 = 46.875;

/// Corrects `hz` of the frames of every note found too high or too low; `mono_16k` is the audio they were tracked in.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub(crate) fn correct(frames: &mut [F0Frame], mono_16k: &[f32], context: &JobContext) -> Result<()> {
    raise(frames, mono_16k, context)?;
    let pitches: Vec<f32> = frames.iter().map(|frame| Hz(frame.hz).note().0).collect();
    for segment in segmentation::segment(&pitches, frames, &[]) {
        context.check()?;
        let Some(power) = spectrum(&segment, mono_16k) else { continue };
        let mut hz =
            super::median(&mut frames[segment.first..segment.end].iter().map(|frame| frame.hz).collect::<Vec<_>>());
        let mut divisor = 1.0;
        while hz / 2.0 >= LOWEST_HZ && too_high(&power, hz) {
            hz /= 2.0;
            divisor *= 2.0;
        }
        while divisor <= 1.0 && hz * 2.0 <= HIGHEST_HZ && too_low(&power, hz) {
            hz *= 2.0;
            divisor /= 2.0;
        }
        frames[segment.first..segment.end].iter_mut().for_each(|frame| frame.hz /= divisor);
    }
    Ok(())
}

fn too_high(power: &[f32], hz: f32) -> bool {
    let between = peak(power, hz * 0.5).min(peak(power, hz * 1.5));
    let harmonics = [1.0, 2.0, 3.0].into_iter().fold(0.0_f32, |top, number| top.max(peak(power, hz * number)));
    between > HALF_POWER * harmonics
}

/// Raises frames that lack their odd harmonics, where most of their neighbours do: after a leap of an octave the tracker tends
/// to stay behind.
fn raise(frames: &mut [F0Frame], mono_16k: &[f32], context: &JobContext) -> Result<()> {
    let mut spectrum = Short::new();
    let low: Vec<bool> = (0..frames.len())
        .map(|frame| {
            if frame % CHECK_FRAMES == 0 {
                context.check()?;
            }
            let hz = frames[frame].hz;
            let in_range = (SHORT_LOWEST_HZ..HIGHEST_HZ / 2.0).contains(&hz);
            Ok(in_range && too_low(spectrum.power(mono_16k, frame), hz))
        })
        .collect::<Result<_>>()?;
    for frame in 0..frames.len() {
        let near = &low[frame.saturating_sub(NEIGHBOURS)..(frame + NEIGHBOURS + 1).min(low.len())];
        if low[frame] && near.iter().filter(|low| **low).count() > NEIGHBOURS + 1 {
            frames[frame].hz *= 2.0;
        }
    }
    Ok(())
}

/// Without its odd harmonics a note is one an octave higher.
fn too_low(power: &[f32], hz: f32) -> bool {
    let strongest =
        |numbers: [f32; 3]| numbers.into_iter().fold(0.0_f32, |top, number| top.max(peak(power, hz * number)));
    strongest([1.0, 3.0, 5.0]) < ODD_POWER * strongest([2.0, 4.0, 6.0])
}

/// Largest power around a frequency.
fn peak(power: &[f32], hz: f32) -> f32 {
    let line = hz * 2.0 * (power.len() - 1) as f32 / f0::RATE.0 as f32;
    let around = (AROUND * line).max(AROUND_LINES);
    let first = (line - around).max(1.0) as usize;
    let end = ((line + around) as usize + 1).min(power.len());
    if first < end { power[first..end].iter().fold(0.0, |top, power| top.max(*power)) } else { 0.0 }
}

/// Mean power spectrum over a note; `None` when it is too short.
fn spectrum(segment: &Segment, audio: &[f32]) -> Option<Vec<f32>> {
    let note = &audio[(segment.first * f0::HOP).min(audio.len())..(segment.end * f0::HOP).min(audio.len())];
    if note.len() < SHORTEST {
        return None;
    }
    let length = note.len().min(LENGTH);
    let hann: Vec<f32> =
        (0..length).map(|index| (0.5 - 0.5 * (TAU * (index as f64 + 0.5) / length as f64).cos()) as f32).collect();
    let transform = RealFftPlanner::<f32>::new().plan_fft_forward(LENGTH);
    let (mut input, mut lines) = (transform.make_input_vec(), transform.make_output_vec());
    let mut power = vec![0.0; lines.len()];
    for start in (0..=note.len() - length).step_by(HOP) {
        input.fill(0.0);
        let windowed = note[start..start + length].iter().zip(&hann).map(|(sample, window)| sample * window);
        input.iter_mut().zip(windowed).for_each(|(value, sample)| *value = sample);
        transform.process(&mut input, &mut lines).ok()?;
        power.iter_mut().zip(&lines).for_each(|(sum, line)| *sum += line.norm_sqr());
    }
    Some(power)
}

/// Spectra of single frames.
struct Short {
    window: Vec<f32>,
    transform: Arc<dyn RealToComplex<f32>>,
    input: Vec<f32>,
    lines: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Short {
    fn new() -> Self {
        let transform = RealFftPlanner::<f32>::new().plan_fft_forward(SHORT);
        let window = (0..SHORT).map(|index| (0.5 - 0.5 * (TAU * index as f64 / SHORT as f64).cos()) as f32).collect();
        let (input, lines) = (transform.make_input_vec(), transform.make_output_vec());
        Self { window, input, power: vec![0.0; lines.len()], lines, transform }
    }

    fn power(&mut self, audio: &[f32], frame: usize) -> &[f32] {
        for (index, (value, window)) in self.input.iter_mut().zip(&self.window).enumerate() {
            let sample = (frame * f0::HOP + index).checked_sub(SHORT / 2).and_then(|at| audio.get(at));
            *value = sample.map_or(0.0, |sample| sample * window);
        }
        // Cannot fail: the buffers come from this very transform.
        let transformed = self.transform.process(&mut self.input, &mut self.lines);
        debug_assert!(transformed.is_ok());
        self.power.iter_mut().zip(&self.lines).for_each(|(power, line)| *power = line.norm_sqr());
        &self.power
    }
}
