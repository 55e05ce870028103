//! Tests of the sampler: by itself, against rustysynth, and as parts hear it.

mod against;
mod curves;
mod every_preset;
mod file;
mod interpolation;
mod oracle;
mod reading;
mod streaming;

use cantus_engine::generation::score::Preset;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::sampler::{NoteShape, Sampler};
use cantus_engine::time::SampleRate;

const RATE: u32 = 48_000;

/// A straight note of the built-in set by the sampler, mono.
fn played(preset: Preset, key: u8, velocity: u8, held_seconds: f64) -> Vec<f32> {
    let held = Some((held_seconds * f64::from(RATE)) as u64);
    let sampler = Sampler::new(SampleRate(RATE)).expect("a sampler");
    let sound = sampler.play(NoteShape { preset, key, velocity, held }, &[], &JobContext::detached());
    sound.expect("a note").channels.remove(0)
}

/// Level at one frequency, as the amplitude of the sine there, by correlation under a Hann window.
fn amplitude_at(sound: &[f32], hz: f64, rate: u32) -> f64 {
    let length = sound.len() as f64;
    let turn = std::f64::consts::TAU;
    let (mut cosine, mut sine, mut weight) = (0.0, 0.0, 0.0);
    for (frame, sample) in sound.iter().enumerate() {
        let window = 0.5 - 0.5 * (turn * frame as f64 / length).cos();
        let angle = turn * hz * frame as f64 / f64::from(rate);
        cosine += window * f64::from(*sample) * angle.cos();
        sine += window * f64::from(*sample) * angle.sin();
        weight += window;
    }
    2.0 * f64::hypot(cosine, sine) / weight
}

fn db(ratio: f64) -> f64 {
    20.0 * ratio.max(1e-12).log10()
}
