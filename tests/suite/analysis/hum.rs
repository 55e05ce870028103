//! A synthetic hum: a few harmonics with soft attacks, silence between the notes.

use cantus_engine::audio::AudioBuffer;
use cantus_engine::time::SampleRate;
use std::f64::consts::TAU;

/// A note of the hum: onset and length in seconds, MIDI note.
pub type Hummed = (f64, f64, f64);

/// A tune with a step, a repeated note, an octave leap up and down, and a long note.
pub const TUNE: [Hummed; 8] = [
    (0.30, 0.40, 57.0),
    (0.75, 0.40, 59.0),
    (1.20, 0.40, 59.0),
    (1.65, 0.40, 60.0),
    (2.10, 0.40, 72.0),
    (2.55, 0.40, 60.0),
    (3.00, 0.20, 64.0),
    (3.25, 0.90, 57.0),
];

/// Seconds a hum goes on after its last note.
const AFTER: f64 = 0.4;

/// Hums a tune at a peak of about `gain`, `detune` semitones off.
pub fn hum(tune: &[Hummed], detune: f64, gain: f32, rate: SampleRate) -> AudioBuffer {
    let end = tune.last().map_or(0.0, |note| note.0 + note.1) + AFTER;
    let mut samples = vec![0.0_f32; (end * rate.hz()) as usize];
    for &(onset, length, note) in tune {
        let hz = 440.0 * ((note + detune - 69.0) / 12.0).exp2();
        let first = (onset * rate.hz()).round() as usize;
        for index in 0..(length * rate.hz()) as usize {
            let time = index as f64 / rate.hz();
            let envelope = (time / 0.02).min((length - time) / 0.05).clamp(0.0, 1.0);
            let harmonics = (1..=6).map(f64::from).filter(|k| k * hz < rate.hz() / 2.2);
            let sound: f64 = harmonics.map(|k| (TAU * k * hz * time).sin() / k.powf(1.5)).sum();
            samples[first + index] += (0.6 * envelope * sound) as f32 * gain;
        }
    }
    AudioBuffer::mono(rate, samples)
}

/// White noise, the same for the same seed, uniform between `-peak` and `peak`.
pub fn noise(frames: usize, peak: f32, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    (0..frames)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / 8_388_608.0 - 1.0) * peak
        })
        .collect()
}
