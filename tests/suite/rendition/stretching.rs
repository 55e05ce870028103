//! Time-stretching: exact length, the same pitch, attacks where they belong. Judged on the sound, with variants that must fail.

use crate::session::Draw;
use cantus_engine::Error;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::resample::resample;
use cantus_engine::stretch::{Anchor, stretch, warp};
use cantus_engine::time::{Frames, SampleRate};
use std::sync::Arc;

const RATES: [u32; 5] = [44_100, 48_000, 96_000, 32_000, 88_200];
const RATIOS: [f64; 7] = [0.8, 0.923, 0.96, 0.995, 1.03, 1.08, 1.25];

fn sine(rate: u32, hz: f64, seconds: f64) -> AudioBuffer {
    let frames = (seconds * f64::from(rate)) as usize;
    let wave = |frame| (0.5 * (std::f64::consts::TAU * hz * frame as f64 / f64::from(rate)).sin()) as f32;
    AudioBuffer::mono(SampleRate(rate), (0..frames).map(wave).collect())
}

/// Short bursts of noise at given times.
fn bursts(rate: u32, times: &[f64], seconds: f64) -> AudioBuffer {
    let mut samples = vec![0.0_f32; (seconds * f64::from(rate)) as usize];
    let mut draw = Draw::new(11);
    for time in times {
        let start = (time * f64::from(rate)).round() as usize;
        for (index, sample) in samples[start..].iter_mut().take(rate as usize / 20).enumerate() {
            *sample += (draw.unit() - 0.5) * (-(index as f32) / (rate as f32 / 120.0)).exp();
        }
    }
    AudioBuffer::mono(SampleRate(rate), samples)
}

/// Frequency of the middle half, from its zero crossings.
fn frequency(samples: &[f32], rate: u32) -> f64 {
    let middle = &samples[samples.len() / 4..samples.len() * 3 / 4];
    let crossings: Vec<f64> = (1..middle.len())
        .filter(|&index| middle[index - 1] < 0.0 && middle[index] >= 0.0)
        .map(|index| index as f64 - f64::from(middle[index] / (middle[index] - middle[index - 1])))
        .collect();
    let (first, last) = (crossings[0], crossings[crossings.len() - 1]);
    (crossings.len() - 1) as f64 * f64::from(rate) / (last - first)
}

fn cents_off(samples: &[f32], rate: u32, hz: f64) -> f64 {
    1_200.0 * (frequency(samples, rate) / hz).log2()
}

/// The largest distance of an attack from where it belongs, in milliseconds.
fn attack_error_ms(audio: &AudioBuffer, expected: &[f64]) -> f64 {
    let rate = audio.rate.hz();
    let samples = &audio.channels[0];
    let error = |&time: &f64| {
        let around = ((time - 0.05) * rate).max(0.0) as usize;
        let window = &samples[around.min(samples.len())..(around + (0.13 * rate) as usize).min(samples.len())];
        let peak = window.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let first = window.iter().position(|sample| sample.abs() > 0.3 * peak).unwrap_or(0);
        ((around + first) as f64 / rate - time).abs() * 1e3
    };
    expected.iter().map(error).fold(0.0, f64::max)
}

#[test]
fn length_is_exact_and_pitch_stays_within_five_cents() {
    for (rate, ratio) in RATES.into_iter().flat_map(|rate| RATIOS.map(|ratio| (rate, ratio))) {
        let tone = sine(rate, 440.0, 2.0);
        let frames = (tone.frames() as f64 * ratio).round() as usize;
        let stretched = stretch(&tone, frames, &JobContext::detached()).unwrap();
        assert_eq!(stretched.frames(), frames, "{rate} {ratio}");
        let off = cents_off(&stretched.channels[0], rate, 440.0);
        assert!(off.abs() < 5.0, "{rate} Hz, {ratio}: {off} cents");
    }
    // What a tape does must fail the same measure.
    let tape = resample(&sine(48_000, 440.0, 2.0), SampleRate(49_440)).unwrap();
    assert!(cents_off(&tape.channels[0], 48_000, 440.0).abs() > 40.0);
}

#[test]
fn attacks_stay_where_they_belong() {
    let times: Vec<f64> = (0..12).map(|index| 0.3 + 0.31 * f64::from(index)).collect();
    let drums = bursts(48_000, &times, 4.5);
    for ratio in RATIOS {
        let frames = (drums.frames() as f64 * ratio).round() as usize;
        let stretched = stretch(&drums, frames, &JobContext::detached()).unwrap();
        let expected: Vec<f64> = times.iter().map(|time| time * ratio).collect();
        let error = attack_error_ms(&stretched, &expected);
        assert!(error < 2.0, "{ratio}: {error} ms");
        let error = attack_error_ms(&drums, &expected);
        assert!(error > 2.0, "{ratio}: unstretched it must fail, but {error} ms");
    }
}

#[test]
fn channels_stay_together_and_the_same_input_gives_the_same_output() {
    let mono = bursts(44_100, &[0.2, 0.7], 1.2).channels.remove(0);
    let stereo = AudioBuffer { rate: SampleRate(44_100), channels: vec![mono.clone(), mono] };
    let once = stretch(&stereo, 50_000, &JobContext::detached()).unwrap();
    let apart = once.channels[0].iter().zip(&once.channels[1]).fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(apart < 1e-4, "two equal channels drift apart by {apart}");
    assert!(once == stretch(&stereo, 50_000, &JobContext::detached()).unwrap(), "the same again");
    assert!(
        stretch(&stereo, stereo.frames(), &JobContext::detached()).unwrap() == stereo,
        "the same length is the same"
    );
}

#[test]
fn a_warp_puts_every_anchor_where_it_is_to_be() {
    let times: Vec<f64> = (0..16).map(|index| 0.25 + 0.25 * f64::from(index)).collect();
    let drums = bursts(48_000, &times, 4.6);
    let anchor = |source: f64, target: f64| Anchor {
        source: Frames((source * 48_000.0_f64).round() as i64),
        target: Frames((target * 48_000.0_f64).round() as i64),
    };
    // The first second faster, the next two slower, the rest as fast as its last piece.
    let anchors = [anchor(0.0, 0.0), anchor(1.0, 0.9), anchor(3.0, 3.1), anchor(4.0, 4.1)];
    let warped = warp(&drums, &anchors, &JobContext::detached()).unwrap();
    let there = |time: f64| match time {
        time if time < 1.0 => time * 0.9,
        time if time < 3.0 => 0.9 + (time - 1.0) * 1.1,
        time => time + 0.1,
    };
    let expected: Vec<f64> = times.iter().map(|&time| there(time)).collect();
    let error = attack_error_ms(&warped, &expected);
    assert!(error < 3.0, "{error} ms");
    assert_eq!(warped.frames(), drums.frames() + 4_800, "what comes after the last anchor is as long as it was");
    // The joints are not heard: a tone keeps its level through them.
    let tone = warp(&sine(48_000, 220.0, 4.6), &anchors, &JobContext::detached()).unwrap();
    let level = |from: usize| tone.channels[0][from..from + 2_400].iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
    for from in (4_800..200_000).step_by(1_200) {
        assert!((0.3..0.7).contains(&level(from)), "{from}: {}", level(from));
    }
    let backwards = [anchor(0.0, 0.0), anchor(1.0, 1.0), anchor(2.0, 0.5)];
    assert!(matches!(warp(&drums, &backwards, &JobContext::detached()), Err(Error::OutOfRange { .. })));
}

#[test]
fn odd_input_is_an_answer_or_a_sentence() {
    let context = JobContext::detached();
    let empty = AudioBuffer::silent(SampleRate(48_000), 2, 0);
    assert_eq!(stretch(&empty, 100, &context).unwrap(), AudioBuffer::silent(SampleRate(48_000), 2, 100));
    let tone = sine(48_000, 440.0, 0.5);
    assert!(matches!(stretch(&tone, 480_000, &context), Err(Error::OutOfRange { .. })));
    let mut broken = tone.clone();
    broken.channels[0][5_000] = f32::NAN;
    broken.channels[0][6_000] = f32::INFINITY;
    let stretched = stretch(&broken, 25_000, &context).unwrap();
    assert!(stretched.channels[0].iter().all(|sample| sample.is_finite()));
    for short in [1, 7, 100] {
        let bit = AudioBuffer::mono(SampleRate(48_000), vec![0.1; short]);
        assert_eq!(stretch(&bit, short + 1, &context).map(|bit| bit.frames()), Ok(short + 1));
    }
    let cancelled = CancelToken::default();
    cancelled.cancel();
    let context = JobContext::new(cancelled, Arc::new(|_| ()));
    assert_eq!(stretch(&tone, 25_000, &context), Err(Error::Cancelled));
}
