//! The codec against the reference: sound from codes, codes from sound, and pieces against the whole.

use super::{TINY, reference, tiny};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use cantus_engine::Error;
use cantus_engine::generation::musicgen::encodec::{Encodec, EncodecConfig, PadMode};
use cantus_engine::job_context::{CancelToken, JobContext};
use std::collections::HashMap;
use std::sync::Arc;

/// Largest error of single-precision sums, relative to the loudest sample: the weights are random, and some sounds peak at 50.
const BAR: f32 = 1e-5;

fn config(name: &str) -> EncodecConfig {
    let text = std::fs::read_to_string(tiny(name).join("config.json")).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(whole["audio_encoder"].clone()).unwrap()
}

fn tensors(name: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(tiny(name).join("model.safetensors"), &Device::Cpu).unwrap()
}

fn load(tensors: HashMap<String, Tensor>, config: &EncodecConfig) -> Result<Encodec, Error> {
    let weights = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    Encodec::load(&weights.pp("audio_encoder"), config)
}

fn codec(name: &str) -> Encodec {
    load(tensors(name), &config(name)).unwrap()
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// `[codebook][frame]` of a tensor `[codebooks, frames]`.
fn codes(tensor: &Tensor) -> Vec<Vec<u32>> {
    tensor.to_dtype(DType::U32).unwrap().to_vec2().unwrap()
}

/// Rows and columns exchanged: the reference has channels first, the codec has moments first.
fn turned(tensor: &Tensor) -> Vec<f32> {
    floats(&tensor.t().unwrap().contiguous().unwrap())
}

fn whole(codec: &Encodec, codes: &[Vec<u32>]) -> Vec<f32> {
    codec.decode(codes, &JobContext::detached()).unwrap()
}

/// Largest difference relative to the largest value that is expected.
fn error(got: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(got.len(), expected.len(), "lengths differ");
    let peak = expected.iter().fold(0.0_f32, |peak, value| peak.max(value.abs()));
    let worst = got.iter().zip(expected).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
    if worst.is_nan() { f32::INFINITY } else { worst / peak.max(f32::MIN_POSITIVE) }
}

/// Codes that no reference was made for, from a small generator of pseudo-random numbers.
fn some_codes(codec: &Encodec, frames: usize, seed: u64) -> Vec<Vec<u32>> {
    let entries = codec.config().codebook_size as u64;
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % entries) as u32
    };
    (0..codec.config().codebooks()).map(|_| (0..frames).map(|_| next()).collect()).collect()
}

/// What a stream says to `codes` pushed in pieces of these lengths, over and over.
fn in_pieces(codec: &Encodec, codes: &[Vec<u32>], lengths: &[usize]) -> Vec<f32> {
    let mut stream = codec.decode_stream();
    let mut sound = Vec::new();
    let mut from = 0;
    for length in lengths.iter().cycle() {
        let to = (from + length).min(codes[0].len());
        let piece: Vec<Vec<u32>> = codes.iter().map(|codes| codes[from..to].to_vec()).collect();
        sound.extend(stream.push(&piece).unwrap());
        from = to;
        if from == codes[0].len() {
            break;
        }
    }
    sound.extend(stream.finish().unwrap());
    sound
}

#[test]
fn sound_is_that_of_the_reference() {
    let (codec, reference) = (codec("mono"), reference("mono"));
    let given = codes(&reference["encodec.codes"]);
    let expected = |name: &str| turned(&reference[&format!("encodec.{name}")]);
    let checks = [
        ("quantized", codec.quantized(&given).unwrap()),
        ("decoder.layer0", codec.decoder_layers(&given, 1).unwrap()),
        ("decoder.layer1", codec.decoder_layers(&given, 2).unwrap()),
        ("decoder.layer3", codec.decoder_layers(&given, 4).unwrap()),
        ("decoder.layer4", codec.decoder_layers(&given, 5).unwrap()),
        ("wav", whole(&codec, &given)),
    ];
    for (name, got) in checks {
        let error = error(&got, &expected(name));
        assert!(error <= BAR, "{name} is off by {error} of its peak");
    }
    let song = whole(&codec, &codes(&reference["greedy.melody_cfg3.codes"]));
    let error = error(&song, &floats(&reference["greedy.melody_cfg3.wav"]));
    assert!(error <= BAR, "a generated sound is off by {error} of its peak");
}

#[test]
fn stereo_is_two_lanes_of_the_mono_codec() {
    let (codec, reference) = (codec("stereo"), reference("stereo"));
    let mixed = codes(&reference["greedy.melody_cfg3.codes"]);
    let [left, right]: [Vec<Vec<u32>>; 2] =
        std::array::from_fn(|side| mixed.iter().skip(side).step_by(2).cloned().collect());
    let expected = reference["greedy.melody_cfg3.wav"].to_vec2::<f32>().unwrap();
    let sides = codec.decode_lanes(&[&left, &right], &JobContext::detached()).unwrap();
    for (side, expected) in sides.iter().zip(&expected) {
        let error = error(side, expected);
        assert!(error <= BAR, "a side is off by {error} of its peak");
    }
    assert!(error(&sides[0], &expected[1]) > 0.1, "both sides are the same, so this says nothing");
    // An odd number of lanes, each as it is alone.
    let lanes = codec.decode_lanes(&[&left, &right, &left], &JobContext::detached()).unwrap();
    for (lane, alone) in lanes.iter().zip([&left, &right, &left]) {
        assert!(error(lane, &whole(&codec, alone)) <= 1e-6);
    }
}

/// Ways to be wrong that would be heard, each by far enough to be found.
#[test]
fn a_broken_codec_is_found() {
    let reference = reference("mono");
    let given = codes(&reference["encodec.codes"]);
    let expected = floats(&reference["encodec.wav"]);
    for mode in [PadMode::Replicate, PadMode::Constant] {
        let broken = EncodecConfig { pad_mode: mode, ..config("mono") };
        let error = error(&whole(&load(tensors("mono"), &broken).unwrap(), &given), &expected);
        assert!(error > 100.0 * BAR, "padding by {mode:?} is off by no more than {error}");
    }
    let mut without_memory = tensors("mono");
    for layer in 0..2 {
        let name = format!("audio_encoder.decoder.layers.1.lstm.weight_hh_l{layer}");
        let nothing = without_memory[&name].zeros_like().unwrap();
        without_memory.insert(name, nothing);
    }
    let error = error(&whole(&load(without_memory, &config("mono")).unwrap(), &given), &expected);
    assert!(error > 100.0 * BAR, "cells without memory are off by no more than {error}");
}

#[test]
fn pieces_are_the_whole() {
    for name in TINY {
        let codec = codec(name);
        let given = some_codes(&codec, 61, 5);
        // One push of all there is, so that no piece is involved.
        let expected = in_pieces(&codec, &given, &[61]);
        assert_eq!(expected.len(), 61 * codec.config().samples_per_frame());
        for lengths in [&[1][..], &[2, 0, 3], &[7], &[13, 1], &[60, 1], &[1, 60]] {
            let error = error(&in_pieces(&codec, &given, lengths), &expected);
            assert!(error <= BAR, "pieces of {lengths:?} are off by {error} of the peak");
        }
        assert!(error(&whole(&codec, &given), &expected) <= BAR);
    }
}

/// What a stream has said is final, and all but the last four frames are said.
#[test]
fn a_stream_lags_less_than_four_frames() {
    let codec = codec("mono");
    let given = some_codes(&codec, 30, 6);
    let mut stream = codec.decode_stream();
    let mut said = 0;
    for frame in 0..30 {
        let piece: Vec<Vec<u32>> = given.iter().map(|codes| vec![codes[frame]]).collect();
        said += stream.push(&piece).unwrap().len();
        let due = (frame + 1).saturating_sub(4) * codec.config().samples_per_frame();
        assert!(said >= due, "after {} frames only {said} samples are said", frame + 1);
    }
}

/// Pieces decoded each for itself, or with too little around them: what a stream is there to avoid.
#[test]
fn broken_pieces_are_found() {
    let codec = codec("mono");
    let given = some_codes(&codec, 48, 7);
    let expected = whole(&codec, &given);
    let part =
        |from: usize, to: usize| -> Vec<Vec<u32>> { given.iter().map(|codes| codes[from..to].to_vec()).collect() };
    let samples = codec.config().samples_per_frame();
    // Four frames more on either side satisfy the convolutions; only the memory of the cells is lost.
    let second = whole(&codec, &part(20, 48))[4 * samples..].to_vec();
    let forgetful = [&whole(&codec, &part(0, 28))[..24 * samples], &second].concat();
    let error_of_forgetting = error(&forgetful, &expected);
    assert!(error_of_forgetting > 10.0 * BAR, "pieces without memory are off by no more than {error_of_forgetting}");
    let cut = [whole(&codec, &part(0, 24)), whole(&codec, &part(24, 48))].concat();
    assert!(error(&cut, &expected) > 100.0 * BAR);
}

/// What shorter signals than a convolution mirrors should be is in the variants; here every length is shown to have its own.
#[test]
fn very_short_sounds_have_their_length() {
    let codec = codec("mono");
    for frames in 0..6 {
        let given = some_codes(&codec, frames, 8);
        let sound = whole(&codec, &given);
        assert_eq!(sound.len(), frames * 640, "{frames} frames");
        assert!(sound.iter().all(|sample| sample.is_finite()));
        assert!(error(&in_pieces(&codec, &given, &[1]), &sound) <= BAR || frames == 0);
    }
}

#[test]
fn codes_are_those_of_the_reference() {
    let (codec, reference) = (codec("mono"), reference("mono"));
    let signal: Vec<i16> = reference["chroma.b.wav_i16"].to_vec1().unwrap();
    let signal: Vec<f32> = signal.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect();
    let context = JobContext::detached();
    let error = error(&codec.embeddings(&signal, &context).unwrap(), &turned(&reference["encodec.encode_b.emb"]));
    assert!(error <= BAR, "the encoder is off by {error} of its peak");
    let expected = codes(&reference["encodec.encode_b.codes"]);
    assert_eq!(codec.encode(&signal, &context).unwrap(), expected);

    // Broken on purpose: a signal two milliseconds late must not pass.
    let late = [&[0.0; 64], &signal[..signal.len() - 64]].concat();
    assert_ne!(codec.encode(&late, &context).unwrap(), expected);
}

#[test]
fn encoding_takes_any_length() {
    let codec = codec("mono");
    let context = JobContext::detached();
    for samples in [0_usize, 1, 2, 5, 639, 640, 641, 3000, 6400, 6401, 20_000] {
        let signal: Vec<f32> = (0..samples).map(|at| (at as f32 * 0.05).sin()).collect();
        let codes = codec.encode(&signal, &context).unwrap();
        assert!(codes.iter().all(|codes| codes.len() == samples.div_ceil(640)), "{samples} samples");
    }
    let dirty = [f32::NAN, f32::INFINITY, 0.5, -0.5].repeat(500);
    let clean = [0.0, 0.0, 0.5, -0.5].repeat(500);
    assert_eq!(codec.encode(&dirty, &context).unwrap(), codec.encode(&clean, &context).unwrap());
}

#[test]
fn both_names_of_weight_norm_are_read() {
    let given = some_codes(&codec("mono"), 8, 9);
    let renamed = |name: String| {
        name.replace("weight_g", "parametrizations.weight.original0")
            .replace("weight_v", "parametrizations.weight.original1")
    };
    let new_names: HashMap<String, Tensor> =
        tensors("mono").into_iter().map(|(name, tensor)| (renamed(name), tensor)).collect();
    assert!(!new_names.keys().any(|name| name.contains("weight_g")));
    assert_eq!(whole(&load(new_names, &config("mono")).unwrap(), &given), whole(&codec("mono"), &given));
}

#[test]
fn only_what_sounds_is_demanded() {
    let needless = |name: &String| ["embed_avg", "inited", "cluster_size"].iter().any(|part| name.contains(part));
    let mut fewer = tensors("mono");
    fewer.retain(|name, _| !needless(name) && !name.contains("audio_encoder.encoder"));
    let codec = load(fewer.clone(), &config("mono")).unwrap();
    assert!(!whole(&codec, &some_codes(&codec, 3, 1)).is_empty());
    let refused = codec.encode(&[0.1; 640], &JobContext::detached()).unwrap_err().to_string();
    assert!(refused.contains("encoder"), "{refused}");

    let name = "audio_encoder.decoder.layers.4.block.3.conv.weight_v";
    fewer.remove(name);
    let refused = load(fewer, &config("mono")).unwrap_err().to_string();
    assert!(refused.contains(name), "{refused}");
}

#[test]
fn foreign_codecs_are_refused() {
    let ours = config("mono");
    let foreign = [
        ("audio_channels", EncodecConfig { audio_channels: 2, ..ours.clone() }),
        ("normalize", EncodecConfig { normalize: true, ..ours.clone() }),
        ("norm_type", EncodecConfig { norm_type: "time_group_norm".into(), ..ours.clone() }),
        ("upsampling_ratios", EncodecConfig { upsampling_ratios: vec![8, 0], ..ours.clone() }),
        ("num_filters", EncodecConfig { num_filters: 0, ..ours.clone() }),
        ("target_bandwidths", EncodecConfig { target_bandwidths: vec![], ..ours.clone() }),
        ("codebook_dim", EncodecConfig { codebook_dim: Some(3), ..ours.clone() }),
    ];
    for (key, config) in foreign {
        let refused = load(tensors("mono"), &config).unwrap_err().to_string();
        assert!(refused.contains(key), "{refused}");
    }
    let wider = EncodecConfig { num_filters: 8, ..ours };
    assert!(matches!(load(tensors("mono"), &wider), Err(Error::Model { .. })));
}

#[test]
fn codes_that_are_none_are_refused() {
    let codec = codec("mono");
    let context = JobContext::detached();
    let bad = [vec![], vec![vec![0, 256]; 4], vec![vec![0]; 5], vec![vec![0, 1], vec![0]], vec![vec![0], vec![0, 1]]];
    for codes in bad {
        assert!(matches!(codec.decode(&codes, &context), Err(Error::OutOfRange { .. })), "{codes:?}");
    }
    let mut stream = codec.decode_stream();
    assert!(stream.push(&[vec![999]]).is_err());
    let given = some_codes(&codec, 12, 3);
    let mut sound = stream.push(&given).unwrap();
    sound.extend(stream.finish().unwrap());
    assert!(error(&sound, &whole(&codec, &given)) <= BAR, "a refused piece left something behind");
}

#[test]
fn weights_that_are_no_numbers_give_an_error() {
    let mut broken = tensors("mono");
    let name = "audio_encoder.decoder.layers.15.conv.bias";
    broken.insert(name.into(), Tensor::new(&[f32::NAN], &Device::Cpu).unwrap());
    let codec = load(broken, &config("mono")).unwrap();
    let result = codec.decode(&some_codes(&codec, 3, 1), &JobContext::detached());
    assert!(matches!(result, Err(Error::Model { .. })));
}

#[test]
fn a_cancelled_job_stops_the_codec() {
    let codec = codec("mono");
    let cancel = CancelToken::default();
    let context = JobContext::new(cancel.clone(), Arc::new(|_| ()));
    cancel.cancel();
    assert_eq!(codec.decode(&some_codes(&codec, 50, 1), &context), Err(Error::Cancelled));
    assert_eq!(codec.encode(&[0.1; 32_000], &context), Err(Error::Cancelled));
}
