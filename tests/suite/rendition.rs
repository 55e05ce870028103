//! Tests of rendition: what a score becomes, judged on the sound itself.

mod alignment;
mod clicks;
pub mod demo;
mod effects;
mod levels;
mod loops;
mod melody;
mod memory;
mod oscillator;
mod robustness;
mod sampler;
pub mod scores;
mod session;
mod spectrum;
mod stretching;
mod timing;

use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::{Rendition, render};
use cantus_engine::time::SampleRate;
use ebur128::{EbuR128, Mode};
use std::path::Path;

pub fn rendered(score: &Score, rate: u32) -> Rendition {
    let request = scores::request_for(score);
    render(score, &request, "Test 1", SampleRate(rate), &JobContext::detached()).expect("rendition")
}

/// The stem of a role, mono, of a score rendered at a rate.
fn stem(score: &Score, role: Role, rate: u32) -> Vec<f32> {
    let rendition = rendered(score, rate);
    rendition.stems.iter().find(|stem| stem.role == role).expect("the stem").audio.to_mono()
}

/// A 24-bit WAV as written to disk: rate, and whole-number samples of each channel.
pub fn read_wav(path: &Path) -> (u32, Vec<Vec<i32>>) {
    let mut reader = hound::WavReader::open(path).expect("a WAV file");
    let spec = reader.spec();
    assert_eq!(spec.bits_per_sample, 24);
    let channels = usize::from(spec.channels);
    let mut planes = vec![Vec::new(); channels];
    for (index, sample) in reader.samples::<i32>().enumerate() {
        planes[index % channels].push(sample.expect("a sample"));
    }
    (spec.sample_rate, planes)
}

/// Integrated loudness and true peak, by the ebur128 crate.
pub fn metered(rate: u32, planes: &[Vec<f32>]) -> (f64, f64) {
    let mut meter = EbuR128::new(planes.len() as u32, rate, Mode::I | Mode::TRUE_PEAK).expect("meter");
    let slices: Vec<&[f32]> = planes.iter().map(Vec::as_slice).collect();
    meter.add_frames_planar_f32(&slices).expect("frames");
    let peak = (0..planes.len() as u32).map(|channel| meter.true_peak(channel).expect("peak")).fold(0.0, f64::max);
    (meter.loudness_global().expect("loudness"), 20.0 * peak.log10())
}

fn rms_db(samples: &[f32]) -> f64 {
    let power = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
    10.0 * (power + 1e-20).log10()
}

fn all_finite(audio: &AudioBuffer) -> bool {
    audio.channels.iter().flatten().all(|sample| sample.is_finite())
}
