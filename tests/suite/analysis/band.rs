//! Played sound whose every note is known: struck tones, a voice with vibrato, a bass, drums.

use cantus_engine::audio::AudioBuffer;
use cantus_engine::time::SampleRate;
use std::f64::consts::TAU;

/// A note: onset and length in seconds, MIDI note.
pub type Played = (f64, f64, f64);

/// Chords that last a second each, from C major.
pub const CHORDS: [[f64; 3]; 4] = [[60.0, 64.0, 67.0], [57.0, 60.0, 65.0], [59.0, 62.0, 67.0], [60.0, 64.0, 67.0]];
/// A tune over them, with a repeated note and a leap.
pub const TUNE: [Played; 7] = [
    (0.25, 0.45, 69.0),
    (0.75, 0.45, 71.0),
    (1.25, 0.45, 74.0),
    (1.75, 0.70, 76.0),
    (2.50, 0.45, 74.0),
    (3.00, 0.40, 71.0),
    (3.50, 0.60, 72.0),
];
/// Length of all of it in seconds.
pub const LENGTH: f64 = 4.4;

/// How a tone lives: struck and dying away, or held with vibrato as a voice.
#[derive(Clone, Copy, PartialEq)]
pub enum Tone {
    Struck,
    Sung,
}

/// Tones of eight harmonics, added at `gain`.
pub fn tones(audio: &mut AudioBuffer, notes: &[Played], tone: Tone, gain: f64) {
    let rate = audio.rate.hz();
    for &(onset, length, note) in notes {
        let mut phase = 0.0_f64;
        for (index, sample) in audio.channels[0].iter_mut().enumerate().skip((onset * rate) as usize) {
            let time = index as f64 / rate - onset;
            if time > length {
                break;
            }
            let (bend, decay, attack) = match tone {
                Tone::Struck => (0.0, 2.0, 0.005),
                Tone::Sung => (0.35 * (TAU * 5.5 * time).sin() * (time / 0.2).min(1.0), 0.0, 0.04),
            };
            phase += TAU * 440.0 * ((note + bend - 69.0) / 12.0).exp2() / rate;
            let envelope = (time / attack).min((length - time) / 0.03).clamp(0.0, 1.0) * (-decay * time).exp();
            let harmonics: f64 = (1..=8).map(f64::from).map(|k| (k * phase).sin() / k.powf(1.3)).sum();
            *sample += (gain * envelope * harmonics) as f32;
        }
    }
}

/// Bursts of noise on every half second.
pub fn drums(audio: &mut AudioBuffer, gain: f32) {
    let rate = audio.rate.hz();
    let noise = super::hum::noise(audio.frames(), gain, 5);
    for (index, (sample, noise)) in audio.channels[0].iter_mut().zip(noise).enumerate() {
        let since = (index as f64 / rate) % 0.5;
        *sample += noise * (-since / 0.03).exp() as f32;
    }
}

/// The chords, struck together.
pub fn chords(audio: &mut AudioBuffer, gain: f64) {
    for (second, chord) in CHORDS.iter().enumerate() {
        let notes = chord.map(|note| (0.25 + second as f64, 0.95, note));
        tones(audio, &notes, Tone::Struck, gain);
    }
}

/// Nothing yet, as long as the band plays.
pub fn silence(rate: SampleRate) -> AudioBuffer {
    AudioBuffer::mono(rate, vec![0.0; (LENGTH * rate.hz()) as usize])
}

/// A voice on the tune over chords (0.07 a tone), bass (0.25) and drums.
pub fn mix(rate: SampleRate, voice_gain: f64) -> AudioBuffer {
    let mut audio = silence(rate);
    tones(&mut audio, &TUNE, Tone::Sung, voice_gain);
    chords(&mut audio, 0.07);
    let bass: Vec<Played> =
        (0..8).map(|half| (0.25 + 0.5 * f64::from(half), 0.45, [36.0, 41.0, 43.0, 36.0][half as usize / 2])).collect();
    tones(&mut audio, &bass, Tone::Struck, 0.25);
    drums(&mut audio, 0.5);
    audio
}
