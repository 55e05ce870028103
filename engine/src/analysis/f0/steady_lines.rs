//! Thread: worker. Takes lines that never stop out of a recording: the mains and its harmonics, a fan.
//!
//! A hum of the mains at 50 Hz is a pitch like any other to a tracker, and between two notes it is the only one. What tells
//! it from a melody is that it sounds all the time, also where the voice rests, and is much softer than the voice.

use super::{RATE, SILENT_PEAK};
use crate::error::Result;
use crate::job_context::JobContext;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;
use std::f64::consts::TAU;

/// Samples of a spectrum (0.26 s, lines 3.9 Hz apart), and from one to the next.
const LENGTH: usize = 4096;
const HOP: usize = 2048;
/// Spectra needed to tell what is always there.
const FEWEST: usize = 8;
/// Share of the spectra in which a line may be weaker than what counts as its strength: the voice rests that often.
const QUIET_SHARE: f64 = 0.15;
/// Share of the spectra, the softest, that are rests, and the fewest of them.
const REST_SHARE: f64 = 0.05;
const FEWEST_RESTS: usize = 2;
/// Samples without any sound that make a spectrum one of silence: 32 ms.
const MUTED: usize = 512;
/// Level of the rests against the loud ones, above which the take never rests and nothing can be told.
const RESTS: f32 = 0.5;
/// Bins on either side among which a line must stand out, without those its own window smears it to.
const AROUND: usize = 24;
const OWN: usize = 3;
/// A line stands out by this factor of amplitude over the middle of its neighbours.
const STANDS_OUT: f32 = 3.5;
/// Highest amplitude of a line against the loud parts of the take (-12 dB): a drone that loud may be the music.
const LOUDEST: f32 = 0.25;
/// Lines are looked for from here to there, in hertz: what a room hums.
const LOW_HZ: f64 = 40.0;
const HIGH_HZ: f64 = 1000.0;
/// Most lines taken out.
const MOST: usize = 12;
/// Samples a line's amplitude and phase are measured over, and from one measurement to the next.
const BLOCK: usize = 16_384;
const BLOCK_HOP: usize = BLOCK / 2;
/// Greatest amplitude taken out, against the line's own: a voice that passes by keeps its sound.
const MOST_TAKEN: f64 = 1.5;

/// A line: its frequency in hertz, its amplitude in samples.
struct Line {
    hz: f64,
    amplitude: f64,
}

/// Takes steady lines out of mono audio at 16 kHz. Without any, or when the audio is too short to tell, nothing changes.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub(crate) fn remove(mono_16k: &mut [f32], context: &JobContext) -> Result<()> {
    for line in find(mono_16k, context)? {
        subtract(mono_16k, &line, context)?;
    }
    Ok(())
}

fn find(audio: &[f32], context: &JobContext) -> Result<Vec<Line>> {
    if audio.len() < LENGTH + HOP * (FEWEST - 1) {
        return Ok(Vec::new());
    }
    let bins = (HIGH_HZ * LENGTH as f64 / RATE.hz()) as usize + AROUND;
    let window = hann(LENGTH);
    // The amplitude of a sine is twice its line over the sum of the window.
    let scale = 2.0 / window.iter().sum::<f32>();
    let transform = RealFftPlanner::<f32>::new().plan_fft_forward(LENGTH);
    let (mut input, mut lines) = (transform.make_input_vec(), transform.make_output_vec());
    let mut amplitudes: Vec<Vec<f32>> = vec![Vec::new(); bins];
    let mut levels = Vec::new();
    for start in (0..=audio.len() - LENGTH).step_by(HOP) {
        context.check()?;
        let part = &audio[start..start + LENGTH];
        // What was padded with nothing, or muted, is no rest in which a line could be heard or missed.
        if part.chunks(MUTED).any(|chunk| chunk.iter().all(|sample| sample.abs() < SILENT_PEAK)) {
            continue;
        }
        input.iter_mut().zip(part.iter().zip(&window)).for_each(|(value, (sample, window))| *value = sample * window);
        if transform.process(&mut input, &mut lines).is_err() {
            return Ok(Vec::new());
        }
        amplitudes.iter_mut().zip(&lines).for_each(|(list, line)| list.push(line.norm() * scale));
        levels.push((part.iter().map(|sample| sample * sample).sum::<f32>() / LENGTH as f32).sqrt());
    }
    if levels.len() < FEWEST {
        return Ok(Vec::new());
    }
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by(|a, b| levels[*a].total_cmp(&levels[*b]));
    let quiet = (levels.len() as f64 * QUIET_SHARE) as usize;
    let loud = levels[order[levels.len() * 9 / 10]];
    let rests = &order[..((levels.len() as f64 * REST_SHARE) as usize).max(FEWEST_RESTS)];
    if levels[rests[rests.len() / 2]] > RESTS * loud {
        return Ok(Vec::new());
    }
    // A line is there in the rests, and everywhere else: the weaker of the two is its strength.
    let steady: Vec<f32> = amplitudes
        .iter_mut()
        .map(|list| {
            let mut in_rests: Vec<f32> = rests.iter().map(|spectrum| list[*spectrum]).collect();
            in_rests.sort_by(f32::total_cmp);
            list.sort_by(f32::total_cmp);
            in_rests[in_rests.len() / 2].min(list[quiet])
        })
        .collect();

    let first = (LOW_HZ * LENGTH as f64 / RATE.hz()) as usize;
    let mut found: Vec<Line> = (first..bins - AROUND)
        .filter(|&bin| steady[bin] >= steady[bin - 1] && steady[bin] > steady[bin + 1])
        .filter(|&bin| {
            let mut around: Vec<f32> = (bin.saturating_sub(AROUND)..=bin + AROUND)
                .filter(|other| other.abs_diff(bin) > OWN)
                .map(|other| steady[other])
                .collect();
            around.sort_by(f32::total_cmp);
            steady[bin] > STANDS_OUT * around[around.len() / 2]
                && steady[bin] < LOUDEST * std::f32::consts::SQRT_2 * loud
        })
        .map(|bin| {
            let [left, here, right] = [bin - 1, bin, bin + 1].map(|bin| f64::from(steady[bin].max(1e-12)).ln());
            let between = 0.5 * (left - right) / (left - 2.0 * here + right).min(-1e-9);
            let hz = (bin as f64 + between.clamp(-0.5, 0.5)) * RATE.hz() / LENGTH as f64;
            Line { hz, amplitude: f64::from(steady[bin]) }
        })
        .collect();
    found.sort_by(|a, b| b.amplitude.total_cmp(&a.amplitude));
    found.truncate(MOST);
    Ok(found)
}

/// Measures the line in overlapping blocks and takes it away.
fn subtract(audio: &mut [f32], line: &Line, context: &JobContext) -> Result<()> {
    let window = hann(BLOCK);
    let first = measure(audio, line.hz, &window, context)?;
    // From block to block the phase advances by the frequency: that tells it finer than a spectrum.
    let hop_seconds = BLOCK_HOP as f64 / RATE.hz();
    let expected = Complex::from_polar(1.0, -TAU * line.hz * hop_seconds);
    let limited = |phasor: &Complex<f64>| phasor * share(*phasor, line);
    let advance: Complex<f64> =
        first.windows(2).map(|pair| limited(&pair[1]) * limited(&pair[0]).conj() * expected).sum();
    let hz = line.hz + advance.arg() / (TAU * hop_seconds);

    let turn = Complex::from_polar(1.0, TAU * hz / RATE.hz());
    for (block, phasor) in measure(audio, hz, &window, context)?.into_iter().enumerate() {
        let start = start_of(block);
        let mut wave = phasor * share(phasor, line);
        for (index, window) in window.iter().enumerate() {
            if let Some(sample) = usize::try_from(start + index as i64).ok().and_then(|at| audio.get_mut(at)) {
                *sample -= wave.re as f32 * window;
            }
            wave *= turn;
        }
    }
    Ok(())
}

/// Amplitude and phase of a frequency at the start of each block.
fn measure(audio: &[f32], hz: f64, window: &[f32], context: &JobContext) -> Result<Vec<Complex<f64>>> {
    let turn = Complex::from_polar(1.0, TAU * hz / RATE.hz());
    let blocks = audio.len().div_ceil(BLOCK_HOP) + 1;
    let phasor = |block: usize| {
        context.check()?;
        let start = start_of(block);
        let mut phase = Complex::new(1.0, 0.0);
        let (mut sum, mut weight) = (Complex::new(0.0, 0.0), 0.0);
        for (index, window) in window.iter().enumerate() {
            if let Some(sample) = usize::try_from(start + index as i64).ok().and_then(|at| audio.get(at)) {
                sum += phase.conj() * f64::from(sample * window);
                weight += f64::from(*window);
            }
            phase *= turn;
        }
        Ok(if weight == 0.0 { Complex::new(0.0, 0.0) } else { sum * (2.0 / weight) })
    };
    (0..blocks).map(phasor).collect()
}

/// The first sample of a block. The first block begins half before the audio, so that every sample lies in two.
fn start_of(block: usize) -> i64 {
    (block * BLOCK_HOP) as i64 - BLOCK_HOP as i64
}

/// How much of what was measured belongs to the line.
fn share(phasor: Complex<f64>, line: &Line) -> f64 {
    (MOST_TAKEN * line.amplitude / phasor.norm().max(1e-12)).min(1.0)
}

/// A window whose halves add up to one at half its length.
fn hann(length: usize) -> Vec<f32> {
    (0..length).map(|index| (0.5 - 0.5 * (TAU * index as f64 / length as f64).cos()) as f32).collect()
}
