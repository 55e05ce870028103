//! Codecs and text encoders of shapes that no published model has, against the reference: what one shape alone cannot show.

use super::{distance, tiny};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use cantus_engine::generation::musicgen::encodec::Encodec;
use cantus_engine::generation::musicgen::text::TextEncoder;
use cantus_engine::job_context::JobContext;
use std::collections::HashMap;
use std::path::PathBuf;

/// A file of `tests/data/musicgen-variants`: its tensors, and the model's sizes as JSON.
fn variant(name: &str) -> (HashMap<String, Tensor>, serde_json::Value) {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/data/musicgen-variants"));
    let bytes = std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let config = serde_json::from_str(header["__metadata__"]["config"].as_str().unwrap()).unwrap();
    (candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap(), config)
}

/// Numbers among the names `reference.<kind><number>.<what>`, in order.
fn sizes(tensors: &HashMap<String, Tensor>, kind: &str, what: &str) -> Vec<usize> {
    let number = |name: &String| {
        name.strip_prefix("reference.")?.strip_prefix(kind)?.strip_suffix(what)?.strip_suffix('.')?.parse().ok()
    };
    let mut found: Vec<usize> = tensors.keys().filter_map(number).collect();
    found.sort_unstable();
    assert!(found.len() >= 3, "{kind} {what}: {found:?}");
    found
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn ids(tensor: &Tensor) -> Vec<Vec<u32>> {
    tensor.to_dtype(DType::U32).unwrap().to_vec2().unwrap()
}

/// Largest difference relative to the largest value that is expected.
fn error(got: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(got.len(), expected.len(), "lengths differ");
    let peak = expected.iter().fold(0.0_f32, |peak, value| peak.max(value.abs()));
    let worst = got.iter().zip(expected).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs()));
    if worst.is_nan() { f32::INFINITY } else { worst / peak }
}

#[test]
fn codecs_of_other_shapes_are_those_of_the_reference() {
    let context = JobContext::detached();
    for name in ["codec-dilated", "codec-causal", "codec-replicate"] {
        let (tensors, config) = variant(name);
        let config = serde_json::from_value(config).unwrap();
        let weights = VarBuilder::from_tensors(tensors.clone(), DType::F32, &Device::Cpu);
        let codec = Encodec::load(&weights.pp("audio_encoder"), &config).unwrap();
        for frames in sizes(&tensors, "decode.", "wav") {
            let of = |what: &str| &tensors[&format!("reference.decode.{frames}.{what}")];
            let (codes, expected) = (ids(of("codes")), floats(of("wav")));
            let error_of_whole = error(&codec.decode(&codes, &context).unwrap(), &expected);
            assert!(error_of_whole <= 1e-5, "{name}, {frames} frames: off by {error_of_whole} of the peak");
            let mut stream = codec.decode_stream();
            let mut sound = Vec::new();
            for frame in 0..frames {
                let piece: Vec<Vec<u32>> = codes.iter().map(|codes| vec![codes[frame]]).collect();
                sound.extend(stream.push(&piece).unwrap());
            }
            sound.extend(stream.finish().unwrap());
            let error = error(&sound, &expected);
            assert!(error <= 1e-5, "{name}, {frames} frames one by one: off by {error} of the peak");
        }
        for samples in sizes(&tensors, "encode.", "wav") {
            let of = |what: &str| &tensors[&format!("reference.encode.{samples}.{what}")];
            let wav = floats(of("wav"));
            let embeddings = floats(&of("embeddings").t().unwrap().contiguous().unwrap());
            let error = error(&codec.embeddings(&wav, &context).unwrap(), &embeddings);
            assert!(error <= 1e-5, "{name}, {samples} samples: off by {error} of the peak");
            assert_eq!(codec.encode(&wav, &context).unwrap(), ids(of("codes")), "{name}, {samples} samples");
        }
    }
}

#[test]
fn text_encoders_of_other_shapes_are_those_of_the_reference() {
    for name in ["text-narrow", "text-near"] {
        let (tensors, config) = variant(name);
        let config = serde_json::from_value(config).unwrap();
        let weights = VarBuilder::from_tensors(tensors.clone(), DType::F32, &Device::Cpu);
        let tokenizer = tiny("mono").join("tokenizer.json");
        let encoder = TextEncoder::load(&weights.pp("text_encoder"), &config, &tokenizer).unwrap();
        for length in sizes(&tensors, "", "states") {
            let of = |what: &str| &tensors[&format!("reference.{length}.{what}")];
            let got = encoder.states(&ids(of("ids")), &ids(of("mask")), &JobContext::detached()).unwrap();
            let error = distance(&got.hidden, of("states"));
            assert!(error <= 1e-4, "{name}, {length} pieces: off by {error}");
        }
    }
}
