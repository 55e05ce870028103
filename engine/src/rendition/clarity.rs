//! Thread: worker. Makes a lead's notes unmistakable: some recorded instruments sound the fifth or third above a key louder than
//! the key itself, so that the tune is hard to recognise. Bells cut into the harmonics that outweigh the key's own pitch class.
//! Slow sounds begin late and struck ones die away under the next note; both are measured here too, for the player to mend.

use super::biquad::Biquad;
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::time::{MidiNote, SampleRate};
use realfft::RealFftPlanner;

/// Harmonics looked at. Those above are weak, and count little for the pitch class.
const HARMONICS: usize = 16;
/// How far the own pitch class is to stand over every other one, as a power ratio: 4 dB.
const MARGIN: f64 = 2.5;
/// Deepest cut, in dB: what is left is still the same instrument.
const DEEPEST_DB: f64 = 12.0;
/// What a note that needs cuts gets at its fundamental, so that it does not sound thin after them, in dB.
const BODY_DB: f64 = 3.0;
/// Cuts under this are not worth a filter, in dB.
const SHALLOWEST_DB: f64 = 0.5;
/// Width of a bell: follows two semitones of bend and vibrato.
const Q: f64 = 3.0;
/// The rate a straight note is measured at: what lies above counts little for the pitch class.
pub const PROBE_RATE: SampleRate = SampleRate(24_000);
/// Where a straight note is measured, and for how long: attack, body and what comes after have each their own timbre.
const MEASURED_AT_SECONDS: [f64; 3] = [0.05, 0.25, 0.5];
const MEASURED_SECONDS: f64 = 0.25;

/// A cut around one frequency; a negative depth lifts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    hz: f64,
    depth_db: f64,
}

/// An attack has arrived when its level is within 6 dB of what follows, as a power ratio.
const ARRIVED: f64 = 0.25;
/// Attacks shorter than this are heard as immediate; more than the second figure no player anticipates.
const ATTACK_SECONDS: [f64; 2] = [0.012, 0.05];
/// What an attack is held against, in seconds from the stroke.
const BODY_SECONDS: std::ops::Range<f64> = 0.1..0.35;
/// Where a decay is measured: the middles of two stretches, and their length.
const DECAY_AT_SECONDS: [f64; 2] = [0.1, 0.6];
const DECAY_SECONDS: f64 = 0.12;
/// Slower decays, in dB a second, are a voice that breathes, not one that dies away; faster ones are mended no further.
const DECAY_DB: [f64; 2] = [3.0, 30.0];
/// Share of a decay that is made up for, and at most how much, in dB.
const SUSTAIN_SHARE: f64 = 0.7;
const SUSTAIN_DB: f64 = 9.0;

/// What a key of an instrument needs to carry a tune.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Needs {
    /// Cuts into harmonics.
    pub cuts: Vec<Cut>,
    /// How much earlier than written the key is struck, so that its sound, not its stroke, falls on the note.
    pub early_seconds: f64,
    /// Gain against the decay, in dB a second, up to [`SUSTAIN_DB`].
    pub sustain_db: f64,
}

impl Needs {
    /// The filters that make the cuts.
    pub fn bells(&self, rate: SampleRate) -> Vec<Biquad> {
        let audible = self.cuts.iter().filter(|cut| cut.hz < 0.475 * rate.hz());
        audible.map(|cut| Biquad::bell(cut.hz, -cut.depth_db, Q, rate)).collect()
    }

    /// The gain against the decay, as points of frames and dB; none when the sound does not die away.
    pub fn sustain(&self, rate: SampleRate) -> Vec<(f64, f32)> {
        if self.sustain_db <= 0.0 {
            return Vec::new();
        }
        let whole = SUSTAIN_DB / self.sustain_db;
        vec![(0.0, 0.0), (whole * rate.hz(), SUSTAIN_DB as f32)]
    }
}

/// What a key needs, from a straight note of it, mono.
///
/// # Errors
/// [`Error::Internal`] when the transform fails.
pub fn needs_of(key: u8, straight: &AudioBuffer) -> Result<Needs> {
    let rate = straight.rate;
    let straight = straight.channels.first().map_or(&[] as &[f32], Vec::as_slice);
    Ok(Needs {
        cuts: cuts_for(key, straight, rate)?,
        early_seconds: attack_seconds(straight, rate),
        sustain_db: SUSTAIN_SHARE * decay_db(straight, rate),
    })
}

/// Mean power between two moments, 0 past its end.
fn power(sound: &[f32], seconds: std::ops::Range<f64>, rate: SampleRate) -> f64 {
    let frame = |seconds: f64| ((seconds * rate.hz()) as usize).min(sound.len());
    let stretch = &sound[frame(seconds.start)..frame(seconds.end)];
    stretch.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / stretch.len().max(1) as f64
}

/// How long a sound takes to arrive; 0 for what is struck or plucked.
fn attack_seconds(sound: &[f32], rate: SampleRate) -> f64 {
    const STEP: f64 = 0.005;
    let body = power(sound, BODY_SECONDS, rate);
    let steps = (ATTACK_SECONDS[1] / STEP) as usize;
    let arrives = (0..steps).map(|step| step as f64 * STEP).find(|from| {
        // Two steps at once bridge the zeros between the periods of low keys.
        power(sound, *from..from + 2.0 * STEP, rate) >= ARRIVED * body
    });
    let seconds = arrives.unwrap_or(ATTACK_SECONDS[1]);
    if seconds < ATTACK_SECONDS[0] || body <= 0.0 { 0.0 } else { seconds }
}

/// How fast a held key dies away, in dB a second; 0 for what sounds on.
fn decay_db(sound: &[f32], rate: SampleRate) -> f64 {
    let [early, late] =
        DECAY_AT_SECONDS.map(|at| power(sound, at - DECAY_SECONDS / 2.0..at + DECAY_SECONDS / 2.0, rate));
    if early <= 0.0 {
        return 0.0;
    }
    let fallen = 10.0 * (early / late.max(1e-9 * early)).log10();
    let decay = fallen / (DECAY_AT_SECONDS[1] - DECAY_AT_SECONDS[0]);
    if decay < DECAY_DB[0] { 0.0 } else { decay.min(DECAY_DB[1]) }
}

/// How long a note has to be held to be measured.
pub fn probe_seconds() -> f64 {
    MEASURED_AT_SECONDS[2] + MEASURED_SECONDS
}

/// The cuts a key needs, from a straight note of it. None for a sound too short to have a pitch class.
///
/// # Errors
/// [`Error::Internal`] when the transform fails.
fn cuts_for(key: u8, straight: &[f32], rate: SampleRate) -> Result<Vec<Cut>> {
    let frame = |seconds: f64| (seconds * rate.hz()) as usize;
    let fundamental = f64::from(MidiNote(f32::from(key)).hz().0);
    let mut depths_db = [0.0_f64; HARMONICS];
    for at in MEASURED_AT_SECONDS {
        let from = frame(at);
        let Some(stretch) = straight.get(from..from + frame(MEASURED_SECONDS)) else { break };
        let harmonics = harmonic_powers(stretch, fundamental, rate)?;
        let mut classes = [0.0_f64; 12];
        for (index, power) in harmonics.iter().enumerate() {
            classes[class_of(index + 1)] += power;
        }
        for (index, &power) in harmonics.iter().enumerate() {
            let class = class_of(index + 1);
            let over_db = 10.0 * (MARGIN * classes[class] / classes[0].max(1e-20)).log10();
            // A class's weak members are not what outweighs.
            if class != 0 && over_db >= SHALLOWEST_DB && power > 0.1 * classes[class] {
                depths_db[index] = depths_db[index].max(over_db.min(DEEPEST_DB));
            }
        }
    }
    let cuts = depths_db.iter().enumerate().filter(|(_, depth_db)| **depth_db > 0.0);
    let mut cuts: Vec<Cut> =
        cuts.map(|(index, &depth_db)| Cut { hz: (index + 1) as f64 * fundamental, depth_db }).collect();
    if !cuts.is_empty() && fundamental < 0.475 * rate.hz() {
        cuts.push(Cut { hz: fundamental, depth_db: -BODY_DB });
    }
    Ok(cuts)
}

/// Semitones from the key's class to a harmonic's.
fn class_of(harmonic: usize) -> usize {
    (12.0 * (harmonic as f64).log2()).round() as usize % 12
}

/// Power of every harmonic below 95 % of the Nyquist frequency, weighed as the chroma filterbank weighs octaves.
fn harmonic_powers(stretch: &[f32], fundamental: f64, rate: SampleRate) -> Result<Vec<f64>> {
    let size = stretch.len().next_power_of_two();
    let transform = RealFftPlanner::<f32>::new().plan_fft_forward(size);
    let mut input = transform.make_input_vec();
    let length = stretch.len() as f32;
    for (index, (value, sample)) in input.iter_mut().zip(stretch).enumerate() {
        *value = sample * (0.5 - 0.5 * (std::f32::consts::TAU * index as f32 / length).cos());
    }
    let mut lines = transform.make_output_vec();
    transform.process(&mut input, &mut lines).map_err(|error| Error::internal("playing the parts", error))?;
    let line = |hz: f64| hz * size as f64 / rate.hz();
    // Half a semitone either way holds a mistuned sample and its own vibrato; the window itself is 8 Hz wide.
    let width = 2.0_f64.powf(0.5 / 12.0) - 1.0;
    let powers = (1..=HARMONICS).map(|harmonic| harmonic as f64 * fundamental).take_while(|hz| *hz < 0.475 * rate.hz());
    Ok(powers
        .map(|hz| {
            let reach = (hz * width).max(8.0).min(0.45 * fundamental);
            let (low, high) = (line(hz - reach).floor() as usize, line(hz + reach).ceil() as usize);
            let power: f64 = lines.get(low..=high).unwrap_or(&[]).iter().map(|line| f64::from(line.norm_sqr())).sum();
            let octaves = (hz / 880.0).log2();
            power * (-0.5 * (octaves / 2.0).powi(2)).exp()
        })
        .collect())
}
