//! MusicGen-melody on tiny random models, against what the reference implementation computed with the same weights.

mod check;
mod codec;
mod conditioning;
mod delay;
mod devices;
mod generation;
mod loading;
mod parity;
mod sampling;
mod text;
mod variants;
#[path = "../random_checkpoint/writer.rs"]
mod writer;

use candle_core::{DType, Device, Tensor};
use std::collections::HashMap;
use std::path::PathBuf;

/// The tiny models, as folders in the layout that users download.
pub const TINY: [&str; 2] = ["mono", "stereo"];

/// The folder of a tiny model. `CANTUS_MUSICGEN_TINY` names another folder of models of the same kind, with other sizes or weights, to
/// run the parity tests on.
pub fn tiny(name: &str) -> PathBuf {
    let folder = std::env::var("CANTUS_MUSICGEN_TINY");
    PathBuf::from(folder.unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/data/musicgen-tiny").into()))
        .join(name)
}

/// What the reference computed with a tiny model, by name.
pub fn reference(name: &str) -> HashMap<String, Tensor> {
    let path = tiny(name).join("reference.safetensors");
    candle_core::safetensors::load(&path, &Device::Cpu).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Largest absolute difference of two tensors of one shape. A NaN counts as infinitely far.
pub fn distance(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims(), "shapes differ");
    let flat = |tensor: &Tensor| tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let far = |(a, b): (f32, f32)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
    flat(a).into_iter().zip(flat(b)).map(far).fold(0.0, f32::max)
}

#[test]
fn the_references_belong_to_the_models() {
    for (name, codebooks) in TINY.into_iter().zip([4, 8]) {
        let reference = reference(name);
        assert_eq!(reference["dec.input_ids"].dims()[0], codebooks);
        assert_eq!(distance(&reference["prefix.melody_cfg"], &reference["prefix.melody_cfg"]), 0.0);
        assert!(distance(&reference["prefix.melody_cfg"], &reference["prefix.no_melody_cfg"]) > 0.1);
    }
}
