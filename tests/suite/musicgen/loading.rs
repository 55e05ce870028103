//! Checkpoints as people have them: one file or several, other kinds of numbers, audiocraft's own files, and everything that is none.

use super::{distance, reference, tiny, writer};
use candle_core::{DType, Device, Tensor};
use cantus_engine::Error;
use cantus_engine::generation::musicgen::{LoadOptions, LoadReport, Melody, MusicGen, Precision};
use cantus_engine::job_context::{CancelToken, JobContext};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const TEXT: &str = "solo violin";

fn load(folder: &Path) -> Result<(MusicGen, LoadReport), Error> {
    MusicGen::load(folder, Precision::F32, &JobContext::detached())
}

/// A copy of the mono model that may be spoiled.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(tiny("mono").join(name), folder.path().join(name)).unwrap();
    }
    folder
}

fn tensors() -> HashMap<String, Tensor> {
    candle_core::safetensors::load(tiny("mono").join("model.safetensors"), &Device::Cpu).unwrap()
}

/// The mono model with other weights in place of its file.
fn with_tensors(tensors: &HashMap<String, Tensor>) -> TempDir {
    let folder = copy();
    candle_core::safetensors::save(tensors, folder.path().join("model.safetensors")).unwrap();
    folder
}

/// Logits of some columns, which show every weight of the language model and its conditions.
fn logits(model: &MusicGen) -> Tensor {
    let context = JobContext::detached();
    let melody = Melody::Frames(vec![std::array::from_fn(|class| f32::from(class == 4))]);
    let prefix = model.prefix(TEXT, &melody, &context).unwrap();
    let codes = model.config().decoder.vocab_size;
    let columns: Vec<Vec<u32>> = (0..5)
        .map(|column| {
            (0..model.config().decoder.num_codebooks).map(|k| ((column * 7 + k * 3) % codes) as u32).collect()
        })
        .collect();
    model.logits(&prefix, &columns, 16, &context).unwrap().guided(3.0).unwrap()
}

/// A folder is refused with a sentence that names `named`.
fn check_refused(what: &str, folder: &Path, named: &str) {
    match load(folder) {
        Ok(_) => panic!("{what} was loaded"),
        Err(error) => {
            let sentence = error.to_string();
            let is_sentence = sentence.ends_with('.') && !sentence.contains('\n') && !sentence.ends_with("..");
            assert!(is_sentence && sentence.contains(named), "{what}: {sentence}");
            assert!(matches!(error, Error::Model { .. } | Error::File { .. }), "{what}: {error:?}");
        }
    }
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let spoil = |what: &str, named: &str, spoil: &dyn Fn(&Path)| {
        let folder = copy();
        spoil(folder.path());
        check_refused(what, folder.path(), named);
    };
    let write = |folder: &Path, name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let weights = std::fs::read(tiny("mono").join("model.safetensors")).unwrap();
    let put = |folder: &Path, bytes: &[u8]| std::fs::write(folder.join("model.safetensors"), bytes).unwrap();
    let remove = |folder: &Path, name: &str| std::fs::remove_file(folder.join(name)).unwrap();
    check_refused("no folder", Path::new("not-there"), "not-there");
    check_refused("an empty folder", tempfile::tempdir().unwrap().path(), "config.json");
    spoil("no configuration", "config.json", &|folder| remove(folder, "config.json"));
    spoil("no tokenizer", "tokenizer.json", &|folder| remove(folder, "tokenizer.json"));
    spoil("no weights", "weights", &|folder| remove(folder, "model.safetensors"));
    spoil("only pickled weights", "pytorch_model.bin", &|folder| {
        remove(folder, "model.safetensors");
        write(folder, "pytorch_model.bin", "");
    });
    spoil("a part is missing", "model-00002-of-00002.safetensors", &|folder| {
        std::fs::rename(folder.join("model.safetensors"), folder.join("model-00001-of-00002.safetensors")).unwrap();
    });
    spoil("another index", "model-00001-of-00001.safetensors", &|folder| {
        remove(folder, "model.safetensors");
        let map = r#"{"weight_map": {"a": "model-00001-of-00001.safetensors"}}"#;
        write(folder, "model.safetensors.index.json", map);
    });
    spoil("a damaged index", "index.json", &|folder| write(folder, "model.safetensors.index.json", "{"));
    spoil("an index that leads out", "../", &|folder| {
        remove(folder, "model.safetensors");
        write(folder, "model.safetensors.index.json", r#"{"weight_map": {"a": "../other.safetensors"}}"#);
    });
    spoil("a damaged configuration", "config.json", &|folder| write(folder, "config.json", "{\"model_type\": "));
    spoil("another model's configuration", "\"musicgen\"", &|folder| {
        write(folder, "config.json", r#"{"model_type": "musicgen"}"#);
    });
    spoil("a configuration without a kind", "musicgen_melody", &|folder| write(folder, "config.json", "{}"));
    for nonsense in [
        r#"{"hidden_size": 0}"#,
        r#"{"num_attention_heads": 7}"#,
        r#"{"num_codebooks": 999999999}"#,
        r#"{"hidden_size": -3}"#,
        r#"{"activation_function": "relu"}"#,
        r#"{"audio_channels": 3}"#,
    ] {
        spoil(nonsense, "config.json", &|folder| {
            write(folder, "config.json", &format!(r#"{{"model_type": "musicgen_melody", "decoder": {nonsense}}}"#));
        });
    }
    for length in [0, 3, 8, 100, weights.len() / 2, weights.len() - 1] {
        spoil("a file that is cut off", "model.safetensors", &|folder| put(folder, &weights[..length]));
    }
    spoil("noise", "model.safetensors", &|folder| put(folder, &[0xA5; 4096]));
    spoil("a web page", "web page", &|folder| put(folder, b"<!DOCTYPE html><html></html>"));
    spoil("a pointer", "Git LFS", &|folder| put(folder, b"version https://git-lfs.github.com/spec/v1\n"));
    spoil("a damaged header", "model.safetensors", &|folder| {
        let mut bytes = weights.clone();
        bytes[40..60].fill(b'#');
        put(folder, &bytes);
    });
    spoil("another model's weights", "model.safetensors", &|folder| {
        let other = HashMap::from([("a".to_owned(), Tensor::zeros((2, 2), DType::F32, &Device::Cpu).unwrap())]);
        candle_core::safetensors::save(&other, folder.join("model.safetensors")).unwrap();
    });
    spoil("a tokenizer that is none", "tokenizer", &|folder| write(folder, "tokenizer.json", "{}"));
}

#[test]
fn a_missing_or_misshapen_tensor_is_named() {
    let names = [
        "decoder.model.decoder.layers.1.fc2.weight",
        "audio_enc_to_dec_proj.bias",
        "text_encoder.encoder.final_layer_norm.weight",
        "audio_encoder.decoder.layers.6.conv.weight_v",
    ];
    for name in names {
        let mut tensors = tensors();
        let tensor = tensors.remove(name).unwrap();
        check_refused("a missing tensor", with_tensors(&tensors).path(), name);
        let misshapen = tensor.unsqueeze(0).unwrap();
        tensors.insert(name.into(), misshapen);
        check_refused("a misshapen tensor", with_tensors(&tensors).path(), name);
        tensors.insert(name.into(), tensor.to_dtype(DType::U8).unwrap());
        check_refused("a tensor of bytes", with_tensors(&tensors).path(), name);
    }
}

#[test]
fn what_is_missing_and_unused_is_listed() {
    let (_, report) = load(&tiny("mono")).unwrap();
    assert_eq!((report.missing.len(), report.unused.len(), report.quantised), (0, 0, None));
    let mut tensors = tensors();
    tensors.insert("decoder.model.decoder.layers.9.fc2.weight".into(), tensors["enc_to_dec_proj.bias"].clone());
    tensors.remove("audio_encoder.encoder.layers.0.conv.bias");
    let (_, report) = load(with_tensors(&tensors).path()).unwrap();
    assert_eq!(report.unused, ["decoder.model.decoder.layers.9.fc2.weight"]);
    assert_eq!(report.missing, ["audio_encoder.encoder.layers.0.conv.bias"]);
}

#[test]
fn parts_are_the_whole() {
    let whole = logits(&load(&tiny("mono")).unwrap().0);
    for with_index in [true, false] {
        let folder = copy();
        std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
        let mut parts = [HashMap::new(), HashMap::new(), HashMap::new()];
        let mut map = serde_json::Map::new();
        for (index, (name, tensor)) in tensors().into_iter().enumerate() {
            map.insert(name.clone(), format!("model-{:05}-of-00003.safetensors", index % 3 + 1).into());
            parts[index % 3].insert(name, tensor);
        }
        for (index, part) in parts.iter().enumerate() {
            let path = folder.path().join(format!("model-{:05}-of-00003.safetensors", index + 1));
            candle_core::safetensors::save(part, path).unwrap();
        }
        if with_index {
            let index = serde_json::json!({ "weight_map": map }).to_string();
            std::fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
        }
        let (model, report) = load(folder.path()).unwrap();
        assert_eq!(report.files.len(), 3);
        assert_eq!(distance(&logits(&model), &whole), 0.0, "with an index: {with_index}");
    }
}

#[test]
fn other_kinds_of_numbers_are_widened() {
    let whole = logits(&load(&tiny("mono")).unwrap().0);
    for (kind, most) in [(DType::F64, 0.0), (DType::F16, 0.02), (DType::BF16, 0.2)] {
        let narrow = tensors().into_iter().map(|(name, tensor)| (name, tensor.to_dtype(kind).unwrap())).collect();
        let far = distance(&logits(&load(with_tensors(&narrow).path()).unwrap().0), &whole);
        assert!(far <= most && (kind == DType::F64 || far > 0.0), "{kind:?}: {far}");
    }
}

#[test]
fn both_names_of_weight_norm_are_read() {
    let renamed = tensors()
        .into_iter()
        .map(|(name, tensor)| {
            let name = name.replace("conv.weight_g", "conv.parametrizations.weight.original0");
            (name.replace("conv.weight_v", "conv.parametrizations.weight.original1"), tensor)
        })
        .collect();
    let (model, report) = load(with_tensors(&renamed).path()).unwrap();
    assert_eq!((report.missing.len(), report.unused.len()), (0, 0));
    let reference = reference("mono");
    let codes = reference["encodec.codes"].to_dtype(DType::U32).unwrap().to_vec2::<u32>().unwrap();
    let wave = model.codec().decode(&codes, &JobContext::detached()).unwrap();
    let wave = Tensor::new(vec![wave], &Device::Cpu).unwrap();
    assert!(distance(&wave, &reference["encodec.wav"]) <= 1e-3);
}

#[test]
fn audiocrafts_own_files_are_read() {
    let folder = tiny("audiocraft");
    let (model, report) = load(&folder).unwrap();
    assert_eq!(report.missing, [""; 0]);
    assert_eq!(report.unused, ["decoder.final_layer_norm.weight"], "only the text model's own decoder");
    let reference = candle_core::safetensors::load(folder.join("reference.safetensors"), &Device::Cpu).unwrap();
    let codes = reference["columns"].to_dtype(DType::U32).unwrap();
    let columns = codes.t().unwrap().to_vec2::<u32>().unwrap();
    let frames = (0..235).map(|frame| std::array::from_fn(|class| f32::from(class == frame / 20 % 12))).collect();
    let context = JobContext::detached();
    let prefix = model.prefix(TEXT, &Melody::Frames(frames), &context).unwrap();
    let logits = model.logits(&prefix, &columns, usize::MAX, &context).unwrap();
    assert!(distance(&logits.cond, &reference["logits"]) <= 1e-4);
    let wave = model.codec().decode(&codes.to_vec2::<u32>().unwrap(), &context).unwrap();
    let wave = Tensor::new(vec![wave], &Device::Cpu).unwrap();
    let peak = reference["wave"].abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(distance(&wave, &reference["wave"]) <= 1e-5 * peak);
}

#[test]
fn half_of_audiocrafts_files_is_refused() {
    let copy = |without: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("t5-base")).unwrap();
        for name in ["state_dict.bin", "compression_state_dict.bin"] {
            std::fs::copy(tiny("audiocraft").join(name), folder.path().join(name)).unwrap();
        }
        for name in ["config.json", "model.safetensors", "tokenizer.json"] {
            let name = Path::new("t5-base").join(name);
            std::fs::copy(tiny("audiocraft").join(&name), folder.path().join(&name)).unwrap();
        }
        if !without.is_empty() {
            std::fs::remove_file(folder.path().join(without)).unwrap();
        }
        folder
    };
    assert!(load(copy("").path()).is_ok());
    check_refused("no codec", copy("compression_state_dict.bin").path(), "compression_state_dict.bin");
    check_refused("no text encoder", copy("t5-base/model.safetensors").path(), "t5-base");
    check_refused("no tokenizer", copy("t5-base/tokenizer.json").path(), "tokenizer.json");
    for name in ["state_dict.bin", "compression_state_dict.bin"] {
        let bytes = std::fs::read(tiny("audiocraft").join(name)).unwrap();
        for damaged in [&bytes[..bytes.len() / 2], b"PK\x03\x04", b"", &[0x55; 3000]] {
            let folder = copy("");
            std::fs::write(folder.path().join(name), damaged).unwrap();
            check_refused("a damaged file", folder.path(), name);
        }
        let folder = copy("");
        let other = if name == "state_dict.bin" { "compression_state_dict.bin" } else { "state_dict.bin" };
        std::fs::copy(tiny("audiocraft").join(other), folder.path().join(name)).unwrap();
        check_refused("files changed round", folder.path(), "state_dict.bin");
    }
}

#[test]
fn written_checkpoints_of_any_size_load() {
    for size in ["small", "small-stereo"] {
        let folder = tempfile::tempdir().unwrap();
        writer::write(folder.path(), &writer::config(size).unwrap(), 3_000_000, 7).unwrap();
        let (model, report) = load(folder.path()).unwrap();
        assert!(report.files.len() > 2 && report.missing.is_empty() && report.unused.is_empty(), "{report:?}");
        assert_eq!(model.channels(), if size == "small" { 1 } else { 2 });
    }
    assert!(writer::config("enormous").is_none());
}

/// Average divergence of one model's odds from another's, in nats.
fn divergence(exact: &Tensor, other: &Tensor) -> f64 {
    let odds = |logits: &Tensor| candle_nn::ops::log_softmax(logits, 2).unwrap().to_dtype(DType::F64).unwrap();
    let (p, q) = (odds(exact), odds(other));
    let each = (p.exp().unwrap() * (&p - &q).unwrap()).unwrap().sum(2).unwrap();
    each.mean_all().unwrap().to_scalar::<f64>().unwrap()
}

#[test]
fn quantised_models_are_near_the_exact_one() {
    let folder = tempfile::tempdir().unwrap();
    writer::write(folder.path(), &writer::config("small").unwrap(), usize::MAX, 3).unwrap();
    let load = |precision| logits(&MusicGen::load(folder.path(), precision, &JobContext::detached()).unwrap().0);
    let exact = load(Precision::F32);
    let (fine, coarse) = (divergence(&exact, &load(Precision::Q8_0)), divergence(&exact, &load(Precision::Q4K)));
    assert!(fine > 1e-6 && fine < 0.02, "8 bits: {fine}");
    assert!(coarse > 2.0 * fine && coarse < 0.3, "4 bits: {coarse}");
    // Rows too short for blocks of 256 have blocks of 32, those too short for these stay exact.
    let tiny_exact = logits(&self::load(&tiny("mono")).unwrap().0);
    let tiny_coarse = MusicGen::load(&tiny("mono"), Precision::Q4K, &JobContext::detached()).unwrap().0;
    assert!(divergence(&tiny_exact, &logits(&tiny_coarse)) < 0.05);
}

#[test]
fn quantised_weights_are_kept() {
    use cantus_engine::generation::musicgen::Quantised::{FromCache, InMemory, Written};
    let folder = tempfile::tempdir().unwrap();
    writer::write(folder.path(), &writer::config("small").unwrap(), usize::MAX, 3).unwrap();
    let cache = tempfile::tempdir().unwrap();
    for precision in [Precision::Q8_0, Precision::Q4K] {
        let load = |cache: Option<&Path>| {
            let options = LoadOptions { precision, weights_cache: cache.map(Path::to_owned), ..LoadOptions::default() };
            let (model, report) = MusicGen::load_with(folder.path(), &options, &JobContext::detached()).unwrap();
            (logits(&model), report.quantised.unwrap())
        };
        let (expected, origin) = load(None);
        assert_eq!(origin, InMemory);
        let check = |cache: &Path, expected_origin| {
            let (logits, origin) = load(Some(cache));
            assert_eq!(origin, expected_origin);
            assert_eq!(distance(&logits, &expected), 0.0, "{precision:?}, {origin:?}");
        };
        let folder = cache.path().join("weights");
        check(&folder, Written);
        check(&folder, FromCache);
        let is_own = |path: &std::path::PathBuf| {
            let name = if precision == Precision::Q8_0 { "q8-0" } else { "q4-k" };
            path.to_string_lossy().contains(name)
        };
        let file = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).find(is_own).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        for damaged in [&bytes[..bytes.len() - 1], &bytes[..50], b""] {
            std::fs::write(&file, damaged).unwrap();
            check(&folder, Written);
        }
        check(&folder, FromCache);
        // A file where the folder should be.
        check(&file, InMemory);
    }
}

#[test]
fn only_useless_quantised_weights_are_removed() {
    let names = |folder: &Path, part: &str| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = entries.filter(|name| name.contains(part)).collect();
        names.sort();
        names
    };
    let (mine, other, cache) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let load = |folder: &Path, precision, cache: Option<&Path>| {
        let options = LoadOptions { precision, weights_cache: cache.map(Path::to_owned), ..LoadOptions::default() };
        MusicGen::load_with(folder, &options, &JobContext::detached()).unwrap();
    };
    let config = writer::config("small").unwrap();
    writer::write(mine.path(), &config, usize::MAX, 3).unwrap();
    writer::write(other.path(), &config, usize::MAX, 4).unwrap();
    let before = names(mine.path(), "");
    load(mine.path(), Precision::Q8_0, None);
    assert_eq!(names(mine.path(), ""), before, "something was left beside the checkpoint");
    std::fs::write(cache.path().join("notes.txt"), "of somebody else").unwrap();
    load(mine.path(), Precision::Q8_0, Some(cache.path()));
    load(mine.path(), Precision::Q4K, Some(cache.path()));
    load(other.path(), Precision::Q8_0, Some(cache.path()));
    let first = names(cache.path(), "musicgen-");
    assert_eq!(first.len(), 3);
    // Another model in the same folder: both files of the old one go.
    writer::write(mine.path(), &config, usize::MAX, 5).unwrap();
    load(mine.path(), Precision::Q8_0, Some(cache.path()));
    let then = names(cache.path(), "musicgen-");
    assert_eq!(then.len(), 2, "{then:?}");
    assert_eq!(then.iter().filter(|name| first.contains(name)).count(), 1, "the other checkpoint's stays");
    assert_eq!(names(cache.path(), "notes"), ["notes.txt"]);
}

#[test]
fn another_checkpoint_does_not_get_the_kept_weights() {
    let cache = tempfile::tempdir().unwrap();
    let results = [3, 4].map(|seed| {
        let folder = tempfile::tempdir().unwrap();
        writer::write(folder.path(), &writer::config("small").unwrap(), usize::MAX, seed).unwrap();
        let weights_cache = Some(cache.path().to_owned());
        let options = LoadOptions { precision: Precision::Q8_0, weights_cache, ..LoadOptions::default() };
        let (model, report) = MusicGen::load_with(folder.path(), &options, &JobContext::detached()).unwrap();
        assert_eq!(report.quantised, Some(cantus_engine::generation::musicgen::Quantised::Written));
        logits(&model)
    });
    assert!(distance(&results[0], &results[1]) > 0.1);
}

#[test]
fn loading_stops_when_it_is_cancelled() {
    let token = CancelToken::default();
    token.cancel();
    let context = JobContext::new(token, Arc::new(|_| ()));
    let outcome = MusicGen::load(&tiny("mono"), Precision::Q8_0, &context);
    assert_eq!(outcome.err(), Some(Error::Cancelled));
    // In the midst of quantising, and nothing unfinished is left.
    let token = CancelToken::default();
    let canceller = token.clone();
    let context = JobContext::new(
        token,
        Arc::new(move |progress| {
            if progress.fraction > 0.3 {
                canceller.cancel();
            }
        }),
    );
    let cache = tempfile::tempdir().unwrap();
    let options = LoadOptions {
        precision: Precision::Q8_0,
        weights_cache: Some(cache.path().to_owned()),
        ..LoadOptions::default()
    };
    let outcome = MusicGen::load_with(&tiny("mono"), &options, &context);
    assert_eq!(outcome.err(), Some(Error::Cancelled));
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
}
