//! Thread: worker. Chromagram with the parameters of MusicGen-melody's extractor (audiocraft's `ChromaExtractor`).
//!
//! 32 kHz, transform and Hann window of 16384, hop 4096, twelve classes from C, librosa's chroma filterbank with tuning 0.
//! Source: audiocraft `896ec7c`, and the copy in Hugging Face transformers 5.23.0, to whose tensors this is compared.

use crate::analysis::{Chroma, Note};
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::job_context::JobContext;
use crate::resample::resample_in;
use crate::time::{SampleRate, Seconds};
use realfft::RealFftPlanner;
use std::f64::consts::TAU;
use std::sync::OnceLock;

/// The rate the extractor listens at.
pub const RATE: SampleRate = SampleRate(32_000);
/// Samples a frame looks at: half a second.
pub const N_FFT: usize = 16_384;
/// Samples from one frame to the next: 128 ms.
pub const HOP: usize = 4_096;

const CLASSES: usize = 12;
/// Frames between two looks at whether to stop while channels are averaged.
const MONO_CHECK: usize = 1 << 16;
const LINES: usize = N_FFT / 2 + 1;
/// Frames whose classes are all weaker than this are not scaled up to 1.
const SILENT: f32 = 1e-6;

/// Chromagram of mono audio at 32 kHz, `1 + len / HOP` frames, frame `t` centred on sample `HOP * t`.
///
/// Audio shorter than [`N_FFT`] is centred in as much silence; empty audio has no frames. Samples must be finite. The
/// extractor's own cut to 30 s and repetition to 235 frames belong to the generator, not here.
pub fn chroma(mono_32k: &[f32]) -> Chroma {
    // A detached context cannot be cancelled, which is the only way to fail.
    chroma_in(mono_32k, &JobContext::detached()).unwrap_or_default()
}

/// [`chroma`] inside a job.
///
/// # Errors
/// [`Error::Cancelled`].
pub fn chroma_in(mono_32k: &[f32], context: &JobContext) -> Result<Chroma> {
    if mono_32k.is_empty() {
        return Ok(Chroma::default());
    }
    let padded;
    let audio = if mono_32k.len() < N_FFT {
        padded = padded_to_one_window(mono_32k);
        &padded
    } else {
        mono_32k
    };
    let window = window();
    let transform = RealFftPlanner::<f32>::new().plan_fft_forward(N_FFT);
    let mut frame = transform.make_input_vec();
    let mut lines = transform.make_output_vec();
    let mut scratch = transform.make_scratch_vec();
    let mut power = vec![0.0_f32; LINES];
    let count = 1 + mono_32k.len().max(N_FFT) / HOP;
    let mut result = Chroma { frames: Vec::with_capacity(count), argmax: Vec::with_capacity(count) };
    for start in (0..count).map(|index| index * HOP) {
        context.check()?;
        fill_mirrored(&mut frame, audio, start);
        frame.iter_mut().zip(window).for_each(|(value, window)| *value *= window);
        let transformed = transform.process_with_scratch(&mut frame, &mut lines, &mut scratch);
        debug_assert!(transformed.is_ok(), "the buffers come from the transform itself");
        power.iter_mut().zip(&lines).for_each(|(power, line)| *power = line.norm_sqr());
        let mut classes = [0.0_f32; CLASSES];
        for (class, weights) in classes.iter_mut().zip(filters()) {
            *class = weighted_sum(weights, &power);
        }
        let largest = classes.iter().fold(SILENT, |largest, class| largest.max(class.abs()));
        classes.iter_mut().for_each(|class| *class /= largest);
        let loudest = (0..CLASSES).fold(0, |best, class| if classes[class] > classes[best] { class } else { best });
        result.frames.push(classes);
        result.argmax.push(loudest as u8);
    }
    Ok(result)
}

/// The chromagram that `length` of a melody would have if it were clean: 1 for the class of the key that sounds at a frame's
/// centre. Between notes it is silent.
pub fn chroma_of_notes(notes: &[Note], length: Seconds) -> Chroma {
    let count = 1 + (length.0.max(0.0) * RATE.hz()) as usize / HOP;
    let mut result = Chroma { frames: vec![[0.0; CLASSES]; count], argmax: vec![0; count] };
    for (index, (frame, argmax)) in result.frames.iter_mut().zip(&mut result.argmax).enumerate() {
        let time = (index * HOP) as f64 / RATE.hz();
        if let Some(note) = notes.iter().find(|note| (note.onset.0..note.offset.0).contains(&time)) {
            *argmax = note.key % CLASSES as u8;
            frame[usize::from(*argmax)] = 1.0;
        }
    }
    result
}

/// [`chroma`] of any audio: the average of its channels at 32 kHz, non-finite samples as silence. A rendition's chroma,
/// compared with its melody's, says how well it keeps the tune.
///
/// # Errors
/// [`Error::OutOfRange`] for a rate outside 8 to 192 kHz; [`Error::Cancelled`].
pub fn chroma_of(audio: &AudioBuffer, context: &JobContext) -> Result<Chroma> {
    if audio.channels.iter().any(|channel| channel.len() != audio.frames()) {
        return Err(Error::internal("measuring chroma", "channels of different lengths"));
    }
    let mut mono = Vec::with_capacity(audio.frames());
    let gain = 1.0 / audio.channels.len().max(1) as f32;
    for frame in 0..audio.frames() {
        if frame.is_multiple_of(MONO_CHECK) {
            context.check()?;
        }
        let sample = audio.channels.iter().map(|channel| channel[frame]).sum::<f32>() * gain;
        mono.push(if sample.is_finite() { sample } else { 0.0 });
    }
    let mono = resample_in(&AudioBuffer::mono(audio.rate, mono), RATE, context)?;
    chroma_in(mono.channels.first().map_or(&[], Vec::as_slice), context)
}

/// The filterbank `[12][8193]`: row 0 is C, columns are spectral lines. librosa's `filters.chroma` with `sr = 32000`,
/// `n_fft = 16384`, `tuning = 0`, `ctroct = 5`, `octwidth = 2`, `norm = 2`, `base_c = True`.
pub fn filters() -> &'static [Vec<f32>] {
    static FILTERS: OnceLock<Vec<Vec<f32>>> = OnceLock::new();
    FILTERS.get_or_init(|| {
        let classes = CLASSES as f64;
        // Position of each line on an axis of semitones counted from A0; line 0 is put an octave and a half below line 1.
        let mut position: Vec<f64> =
            (0..N_FFT).map(|line| classes * (RATE.hz() * line as f64 / N_FFT as f64 / 27.5).log2()).collect();
        position[0] = position[1] - 1.5 * classes;
        let mut rows = vec![vec![0.0_f32; LINES]; CLASSES];
        for line in 0..LINES {
            let width = position.get(line + 1).map_or(1.0, |next| (next - position[line]).max(1.0));
            let mut column: [f64; CLASSES] = std::array::from_fn(|class| {
                let distance = (position[line] - class as f64 + 126.0).rem_euclid(classes) - 6.0;
                (-0.5 * (2.0 * distance / width).powi(2)).exp()
            });
            let norm = column.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
            // Lines near 880 Hz count most: a Gaussian two octaves wide.
            let octave = (-0.5 * ((position[line] / classes - 5.0) / 2.0).powi(2)).exp();
            column.iter_mut().for_each(|weight| *weight *= octave / norm);
            // Classes so far count from A; row 0 is to be C.
            for (row, weights) in rows.iter_mut().enumerate() {
                weights[line] = column[(row + 3) % CLASSES] as f32;
            }
        }
        rows
    })
}

/// Audio in the middle of as much silence as makes it one window long.
fn padded_to_one_window(audio: &[f32]) -> Vec<f32> {
    let missing = N_FFT.saturating_sub(audio.len());
    let mut middle = vec![0.0; missing / 2];
    middle.extend_from_slice(audio);
    middle.resize(audio.len() + missing, 0.0);
    middle
}

/// Fills a window centred on a sample. What lies outside of the audio is its mirror image, without the edge sample again.
fn fill_mirrored(frame: &mut [f32], audio: &[f32], centre: usize) {
    let half = N_FFT / 2;
    let last = audio.len() - 1;
    if centre >= half && centre + half <= audio.len() {
        frame.copy_from_slice(&audio[centre - half..centre + half]);
        return;
    }
    for (offset, value) in frame.iter_mut().enumerate() {
        let place = (centre + offset).abs_diff(half);
        *value = audio[if place > last { 2 * last - place } else { place }];
    }
}

/// Periodic Hann window, scaled so that its energy is 1.
fn window() -> &'static [f32] {
    static WINDOW: OnceLock<Vec<f32>> = OnceLock::new();
    WINDOW.get_or_init(|| {
        let hann = |index: usize| 0.5 - 0.5 * (TAU * index as f64 / N_FFT as f64).cos();
        let energy: f64 = (0..N_FFT).map(|index| hann(index).powi(2)).sum();
        (0..N_FFT).map(|index| (hann(index) / energy.sqrt()) as f32).collect()
    })
}

/// A dot product in sixteen running sums: exact enough for 8193 terms, and quick.
fn weighted_sum(weights: &[f32], power: &[f32]) -> f32 {
    let (weight_blocks, weight_rest) = weights.as_chunks::<16>();
    let (power_blocks, power_rest) = power.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for (weights, power) in weight_blocks.iter().zip(power_blocks) {
        for lane in 0..16 {
            sums[lane] += weights[lane] * power[lane];
        }
    }
    let rest: f32 = weight_rest.iter().zip(power_rest).map(|(weight, power)| weight * power).sum();
    sums.iter().sum::<f32>() + rest
}
