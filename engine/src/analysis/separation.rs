//! Thread: worker. Takes a mix apart: drums by their shape, bass by its place, a lead by its pitch.
//!
//! In a spectrogram what is struck stands upright and what sounds lies flat: the medians along both axes tell them apart
//! (D. FitzGerald, "Harmonic/percussive separation using median filtering", DAFx 2010). [`separate`] is the one place that
//! knows how stems come about; a neural separator would take its place and nothing else would change.

mod median;
mod spectrogram;

use crate::analysis::{F0Frame, f0};
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::SampleRate;
use spectrogram::masked;

/// The rate [`separate`] works at: that of the chroma made from its result.
pub const RATE: SampleRate = SampleRate(32_000);

/// Samples of a spectrum and from one to the next at [`RATE`]: 128 ms and 32 ms.
const LENGTH: usize = 4096;
const HOP: usize = 1024;
/// Frames to either side of the median along time: a quarter second. What lasts less is struck.
const REACH_FRAMES: usize = 8;
/// Lines to either side of the median along frequency: 125 Hz. What is narrower is a tone.
const REACH_LINES: usize = 16;
/// Everything under this is bass, a bass drum's tone included.
const BASS_HZ: f32 = 110.0;
/// Harmonics of a bass note that are taken out with it. Higher ones are weak, and others' notes lie there.
const BASS_HARMONICS: usize = 4;

/// Samples of a spectrum and from one to the next at 16 kHz, for the lead: 64 ms and 16 ms.
const LEAD_LENGTH: usize = 1024;
const LEAD_HOP: usize = f0::HOP;
/// Harmonics of the lead that are kept.
const LEAD_HARMONICS: usize = 12;
/// Half width of a harmonic in spectral lines, and in semitones, whichever is more.
const HARMONIC_LINES: f32 = 1.6;
const HARMONIC_SEMITONES: f32 = 0.35;

/// A mix in parts. Their sum is the mix.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stems {
    /// What is struck.
    pub drums: Vec<f32>,
    /// The bass line and all low sound.
    pub bass: Vec<f32>,
    /// Voices, chords, leads.
    pub rest: Vec<f32>,
    /// Part of the energy that is in the drums, 0 to 1.
    pub struck_share: f32,
}

/// Separates mono audio at [`RATE`]. `bass_hz` is the pitch of the bass at a moment in seconds, if there is one.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn separate(mono_32k: &[f32], bass_hz: impl Fn(f64) -> Option<f32>, context: &JobContext) -> Result<Stems> {
    let mut energies = (0.0_f64, 0.0_f64);
    let mut stems = masked::<2>(mono_32k, LENGTH, HOP, REACH_FRAMES, context, |spectrogram, first, masks| {
        let flat: Vec<Vec<f32>> = spectrogram.lines().map(|line| median::filtered(&line, REACH_FRAMES)).collect();
        for frame in 0..spectrogram.frames() {
            let upright = median::filtered(spectrogram.magnitudes(frame), REACH_LINES);
            let seconds = (first + frame as isize) as f64 * HOP as f64 / RATE.hz();
            let bass = bass_mask(bass_hz(seconds));
            for (line, upright) in upright.iter().enumerate() {
                let (struck, tonal) = (upright * upright, flat[line][frame] * flat[line][frame]);
                let drums = if struck + tonal > 0.0 { struck / (struck + tonal) } else { 0.0 };
                masks[0][frame][line] = drums;
                masks[1][frame][line] = (1.0 - drums) * bass[line];
                let energy = f64::from(spectrogram.magnitudes(frame)[line]).powi(2);
                energies.0 += energy * f64::from(drums);
                energies.1 += energy;
            }
        }
    })?;
    let [drums, bass] = std::mem::take(&mut stems);
    let rest = mono_32k.iter().zip(&drums).zip(&bass).map(|((mix, drums), bass)| mix - drums - bass).collect();
    let struck_share = if energies.1 > 0.0 { (energies.0 / energies.1) as f32 } else { 0.0 };
    Ok(Stems { drums, bass, rest, struck_share })
}

/// What belongs to the bass in each line, 0 to 1.
fn bass_mask(bass_hz: Option<f32>) -> Vec<f32> {
    let line_hz = RATE.hz() as f32 / LENGTH as f32;
    let mut mask: Vec<f32> =
        (0..=LENGTH / 2).map(|line| if line as f32 * line_hz < BASS_HZ { 1.0 } else { 0.0 }).collect();
    if let Some(hz) = bass_hz {
        (1..=BASS_HARMONICS).for_each(|number| keep_harmonic(&mut mask, hz * number as f32, line_hz));
    }
    mask
}

/// The lead of a mix: what lies on the harmonics of a pitch track, mono at 16 kHz, as long as the mix. With this the
/// lead's own level, repeated notes and curves can be measured.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn lead(mono_16k: &[f32], track: &[F0Frame], context: &JobContext) -> Result<Vec<f32>> {
    let line_hz = f0::RATE.hz() as f32 / LEAD_LENGTH as f32;
    let [lead] = masked::<1>(mono_16k, LEAD_LENGTH, LEAD_HOP, 0, context, |spectrogram, first, masks| {
        for (mask, frame) in masks[0].iter_mut().take(spectrogram.frames()).zip(first..) {
            let Some(pitch) = usize::try_from(frame).ok().and_then(|frame| track.get(frame)) else { continue };
            for number in 1..=LEAD_HARMONICS {
                keep_harmonic(mask, pitch.hz * number as f32, line_hz);
            }
        }
    })?;
    Ok(lead)
}

/// Raises a mask around a frequency: 1 on it, falling off on both sides.
fn keep_harmonic(mask: &mut [f32], hz: f32, line_hz: f32) {
    let centre = hz / line_hz;
    let half = HARMONIC_LINES.max(centre * ((HARMONIC_SEMITONES / 12.0).exp2() - 1.0));
    let first = (centre - 2.0 * half).max(0.0) as usize;
    for (line, mask) in mask.iter_mut().enumerate().skip(first).take((4.0 * half) as usize + 2) {
        let distance = (line as f32 - centre) / half;
        *mask = mask.max((-0.7 * distance * distance).exp());
    }
}
