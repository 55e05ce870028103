//! The pitch network and the chroma extractor against the outputs of their originals.

use super::data;
use candle_core::{Device, Tensor, safetensors};
use cantus_engine::analysis::chroma::{self, chroma};
use cantus_engine::analysis::f0;
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::{Error, analysis::F0Frame};
use std::collections::HashMap;
use std::sync::Arc;

pub struct Reference(HashMap<String, Tensor>);

impl Reference {
    pub fn load(name: &str) -> Self {
        Self(safetensors::load(data(name), &Device::Cpu).expect("reference tensors"))
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        self.0[name].flatten_all().and_then(|tensor| tensor.to_vec1()).expect("a float tensor")
    }

    /// A signal stored as 16-bit integers.
    pub fn signal(&self, name: &str) -> Vec<f32> {
        let integers: Vec<i16> =
            self.0[name].flatten_all().and_then(|tensor| tensor.to_vec1()).expect("16-bit samples");
        integers.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect()
    }
}

/// Largest differences from the reference: confidence anywhere, and cents on frames the reference is sure of.
fn pitch_error(frames: &[F0Frame], reference: &Reference) -> (f32, f32) {
    let (confidence, hz) = (reference.floats("confidence"), reference.floats("pitch_hz"));
    assert_eq!(frames.len(), confidence.len());
    let mut worst = (0.0_f32, 0.0_f32);
    for (frame, (confidence, hz)) in frames.iter().zip(confidence.into_iter().zip(hz)) {
        worst.0 = worst.0.max((frame.confidence - confidence).abs());
        if confidence > 0.5 {
            worst.1 = worst.1.max((1200.0 * (frame.hz / hz).log2()).abs());
        }
    }
    worst
}

/// The network's original runs in other arithmetic order.
#[test]
fn pitch_is_that_of_the_original_network() {
    let reference = Reference::load("swift_f0_reference.safetensors");
    let audio = reference.floats("audio");
    let frames = f0::track(&audio, &JobContext::detached()).expect("pitch");
    let (confidence, cents) = pitch_error(&frames, &reference);
    assert!(confidence <= 1e-4 && cents <= 0.1, "confidence off by {confidence}, pitch by {cents} cents");

    // Broken on purpose: audio one sample late must not pass, or the bar above would say nothing.
    let late: Vec<f32> = std::iter::once(0.0).chain(audio.iter().copied()).take(audio.len()).collect();
    let frames = f0::track(&late, &JobContext::detached()).expect("pitch");
    let (confidence, cents) = pitch_error(&frames, &reference);
    assert!(confidence > 1e-4 || cents > 0.1, "the bar cannot tell a shift of one sample");
}

#[test]
fn pitch_does_not_depend_on_the_chunks() {
    let audio = Reference::load("swift_f0_reference.safetensors").floats("audio");
    let context = JobContext::detached();
    let whole = f0::track_in_chunks(&audio, usize::MAX / 2, &context).expect("pitch");
    for chunk in [1, 7, 50, 146] {
        assert!(
            whole == f0::track_in_chunks(&audio, chunk, &context).expect("pitch"),
            "chunks of {chunk} frames differ"
        );
    }
}

#[test]
fn a_cancelled_job_stops_tracking() {
    let cancel = CancelToken::default();
    let context = JobContext::new(cancel.clone(), Arc::new(move |_| cancel.cancel()));
    assert_eq!(f0::track_in_chunks(&vec![0.1; 160_000], 50, &context), Err(Error::Cancelled));
}

#[test]
fn quiet_audio_has_the_pitch_of_loud_audio() {
    let audio = Reference::load("swift_f0_reference.safetensors").floats("audio");
    let quiet: Vec<f32> = audio.iter().map(|sample| sample * 0.002).collect();
    let context = JobContext::detached();
    let (loud, quiet) = (f0::track(&audio, &context).expect("pitch"), f0::track(&quiet, &context).expect("pitch"));
    let sure = loud.iter().zip(&quiet).filter(|(loud, _)| loud.confidence > 0.8);
    let lost = sure.clone().filter(|(loud, quiet)| !quiet.voiced || (quiet.hz / loud.hz - 1.0).abs() > 0.006).count();
    assert!(lost * 50 <= sure.count(), "{lost} sure frames are lost when the take is quiet");
}

/// 1e-5: the reference computes in single precision, and its own repetition in double differs by 2e-7.
#[test]
fn chroma_is_that_of_the_original_extractor() {
    let reference = Reference::load("chroma_reference.safetensors");
    for signal in ["a", "b"] {
        let result = chroma(&reference.signal(&format!("chroma.{signal}.wav_i16")));
        let soft = reference.floats(&format!("chroma.{signal}.soft"));
        let one_hot = reference.floats(&format!("chroma.{signal}.onehot"));
        assert_eq!(result.frames.len() * 12, soft.len(), "signal {signal}");
        let worst = result.frames.iter().flatten().zip(&soft).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
        assert!(worst < 1e-5, "signal {signal}: off by {worst}");
        let classes: Vec<u8> =
            one_hot.chunks(12).map(|frame| frame.iter().position(|&hot| hot == 1.0).expect("one-hot") as u8).collect();
        assert_eq!(result.argmax, classes, "signal {signal}");
    }

    // Broken on purpose: a signal two milliseconds early must not pass.
    let signal = reference.signal("chroma.a.wav_i16");
    let shifted = chroma(&signal[64..]);
    let soft = reference.floats("chroma.a.soft");
    let worst = shifted.frames.iter().flatten().zip(&soft).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
    assert!(worst > 1e-5, "the bar cannot tell a shift of two milliseconds");
}

#[test]
fn chroma_filters_are_those_of_the_original() {
    let reference = Reference::load("chroma_reference.safetensors");
    let first = reference.floats("chroma.filters");
    let columns = first.len() / 12;
    for (row, weights) in chroma::filters().iter().enumerate() {
        for (column, expected) in first[row * columns..][..columns].iter().enumerate() {
            assert!((weights[column] - expected).abs() < 1e-6, "row {row}, column {column}");
        }
    }
    for (column, expected) in reference.floats("chroma.filters_colsum").iter().enumerate() {
        let sum: f32 = chroma::filters().iter().map(|row| row[column]).sum();
        assert!((sum - expected).abs() < 1e-5, "column {column}: {sum} instead of {expected}");
    }
}

#[test]
fn chroma_of_silence_and_of_nothing() {
    assert!(chroma(&[]).frames.is_empty());
    let silent = chroma(&[0.0; 40_000]);
    assert_eq!(silent.frames.len(), 1 + 40_000 / chroma::HOP);
    assert!(silent.argmax.iter().all(|&class| class == 0) && silent.frames.iter().flatten().all(|&value| value == 0.0));
}
