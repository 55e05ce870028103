//! From pitch to melody: what sounds all the time, what is repeated, what is still being sung.

use super::hum::{Hummed, TUNE, hum, noise};
use super::{analysis_of, data};
use candle_core::{Device, safetensors};
use cantus_engine::analysis::{Analysis, F0Frame, f0};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::SampleRate;
use std::f32::consts::TAU;

const RATE: SampleRate = SampleRate(44_100);

fn keys(analysis: &Analysis) -> Vec<u8> {
    analysis.notes.iter().map(|note| note.key).collect()
}

fn tune_keys() -> Vec<u8> {
    TUNE.iter().map(|note| note.2 as u8).collect()
}

/// The hum with sines of these frequencies and amplitudes all the time.
fn with_sines(sines: &[(f32, f32)]) -> AudioBuffer {
    let mut audio = hum(&TUNE, 0.0, 0.5, RATE);
    for (index, sample) in audio.channels[0].iter_mut().enumerate() {
        let time = index as f32 / RATE.0 as f32;
        *sample += sines.iter().map(|(hz, amplitude)| amplitude * (TAU * hz * time).sin()).sum::<f32>();
    }
    audio
}

#[test]
fn mains_and_fans_are_no_melody() {
    for sines in [&[(50.0, 0.03), (150.0, 0.02)][..], &[(60.0, 0.03), (120.0, 0.03)], &[(117.0, 0.03)]] {
        assert_eq!(keys(&analysis_of(with_sines(sines))), tune_keys(), "{sines:?}");
    }
    // Broken on purpose: a drone as loud as the voice is music, and must not go unheard.
    assert_ne!(keys(&analysis_of(with_sines(&[(110.0, 0.5)]))), tune_keys(), "the drone is taken for a fan");
}

/// A line alone is all there is to hear.
#[test]
fn one_held_note_is_no_fan() {
    let held: [Hummed; 1] = [(0.3, 5.0, 57.0)];
    assert_eq!(keys(&analysis_of(hum(&held, 0.0, 0.5, RATE))), [57]);
}

/// Notes on one pitch that are plucked anew, or dip for a moment, count; one that swells does not.
#[test]
fn repeated_notes_are_counted() {
    const NOTES: usize = 6;
    const LENGTH: f32 = 0.35;
    let shaped = |shape: &dyn Fn(f32) -> f32| {
        let frames = ((NOTES as f32 * LENGTH + 0.6) * RATE.0 as f32) as usize;
        let mut samples = noise(frames, 0.0005, 21);
        for (index, sample) in samples.iter_mut().enumerate() {
            let time = index as f32 / RATE.0 as f32 - 0.3;
            if !(0.0..NOTES as f32 * LENGTH).contains(&time) {
                continue;
            }
            let tone: f32 = (1..=6).map(|k| (TAU * 220.0 * k as f32 * time).sin() / k as f32).sum();
            *sample += 0.2 * tone * shape(time);
        }
        let analysis = analysis_of(AudioBuffer::mono(RATE, samples));
        analysis.notes.len()
    };
    let within = |time: f32| time % LENGTH;
    assert_eq!(shaped(&|time| (-within(time) / 0.25).exp()), NOTES, "plucked");
    let dip = |time: f32| (within(time) / 0.03).min((LENGTH - within(time)) / 0.03).clamp(0.25, 1.0);
    assert_eq!(shaped(&dip), NOTES, "dipping");
    let swell = |time: f32| 0.8 + 0.2 * (TAU * time / (2.0 * LENGTH)).sin();
    assert_eq!(shaped(&swell), 1, "swelling");
}

/// Voiced frames are those of the notes.
#[test]
fn silence_between_notes_is_unvoiced() {
    let analysis = analysis_of(hum(&TUNE, 0.0, 0.5, RATE));
    for frame in analysis.f0.iter().filter(|frame| frame.voiced) {
        let inside = |note: &cantus_engine::analysis::Note| {
            (note.onset.0 - 0.009..note.offset.0 + 0.009).contains(&frame.time.0)
        };
        assert!(analysis.notes.iter().any(inside), "voiced at {:?}", frame.time);
    }
    let voiced = analysis.f0.iter().filter(|frame| frame.voiced).count() as f64 * 0.016;
    let sung: f64 = TUNE.iter().map(|note| note.1).sum();
    assert!((voiced / sung - 1.0).abs() < 0.1, "{voiced} s of {sung} s are voiced");
}

/// The greatest differences in confidence, and in cents where a frame is voiced.
fn apart(a: &[F0Frame], b: &[F0Frame]) -> (f32, f32) {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold((0.0, 0.0), |(confidence, cents), (a, b)| {
        assert_eq!(a.time, b.time);
        let off = if a.voiced { (1200.0 * (a.hz / b.hz).log2()).abs() } else { 0.0 };
        (f32::max(confidence, (a.confidence - b.confidence).abs()), f32::max(cents, off))
    })
}

#[test]
fn a_stream_hears_what_the_whole_does() {
    let reference = safetensors::load(data("swift_f0_reference.safetensors"), &Device::Cpu).expect("reference tensors");
    let audio: Vec<f32> = reference["audio"].flatten_all().and_then(|tensor| tensor.to_vec1()).expect("audio");
    // Longer than what a stream keeps, so that it must forget.
    let audio = audio.repeat(1 + 96_000 / audio.len());
    let whole = f0::track(&audio, &JobContext::detached()).expect("pitch");
    for piece in [1_usize, 160, 441, 4_096, 1_000_000] {
        let mut stream = f0::Stream::new(1.0).expect("a stream");
        let mut frames = Vec::new();
        // Single samples only for a while: enough to cross several frames.
        let (first, rest) = audio.split_at(if piece == 1 { 6_000 } else { 0 });
        first.iter().for_each(|sample| frames.extend(stream.push(std::slice::from_ref(sample))));
        for piece in rest.chunks(piece.max(160)) {
            frames.extend(stream.push(piece));
        }
        // No frame is later than its look-ahead.
        let due = (audio.len() as f64 / 16_000.0 - 0.176 - 0.016).max(0.0);
        assert!(frames.last().is_some_and(|frame| frame.time.0 >= due), "pieces of {piece}: frames are late");
        frames.extend(stream.finish());
        let (confidence, cents) = apart(&whole, &frames);
        assert!(confidence <= 1e-5 && cents <= 1e-2, "pieces of {piece}: {confidence}, {cents} cents");
    }

    // Broken on purpose: a stream that misses one sample must be told apart.
    let mut stream = f0::Stream::new(1.0).expect("a stream");
    let mut frames = stream.push(&audio[..40_000]);
    frames.extend(stream.push(&audio[40_001..]));
    frames.extend(stream.finish());
    let common = frames.len().min(whole.len());
    let (confidence, cents) = apart(&whole[..common], &frames[..common]);
    assert!(confidence > 1e-5 || cents > 1e-2, "a lost sample goes unnoticed");
}

#[test]
fn a_stream_of_little_or_nothing() {
    for length in [0_usize, 1, 100, 256, 300, 3_000] {
        // Loud from the first sample on: a quiet take as a whole is scaled up.
        let mut audio = noise(length, 0.3, 3);
        audio.iter_mut().take(1).for_each(|sample| *sample = 0.3);
        let mut stream = f0::Stream::new(1.0).expect("a stream");
        let mut frames = stream.push(&audio);
        frames.extend(stream.finish());
        assert!(frames == f0::track(&audio, &JobContext::detached()).expect("pitch"), "{length} samples");
    }
}
