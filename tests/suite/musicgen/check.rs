//! The check that users run: it passes on the tiny models, and finds every entry and every weight that is not what it should be.

use super::{TINY, distance, reference, tiny};
use candle_core::{DType, Device, Tensor};
use cantus_engine::generation::musicgen::check::CheckReport;
use cantus_engine::generation::musicgen::{MusicGen, Precision};
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::{Error, Result};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

fn load(folder: &Path) -> MusicGen {
    MusicGen::load(folder, Precision::F32, &JobContext::detached()).unwrap().0
}

fn against(model: &MusicGen, reference: &Path) -> Result<CheckReport> {
    model.check_against(reference, &JobContext::detached(), &mut |_| ())
}

fn failed(report: &CheckReport) -> Vec<&str> {
    report.entries.iter().filter(|entry| !entry.passed()).map(|entry| entry.name.as_str()).collect()
}

fn save(tensors: &HashMap<String, Tensor>, path: &Path) {
    candle_core::safetensors::save(tensors, path).unwrap();
}

/// The same numbers with one of them changed: by a tenth of the largest, or by 1 where they are codes.
fn with_one_changed(tensor: &Tensor) -> Tensor {
    let mut flat: Vec<f32> = tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    let peak = flat.iter().fold(0.0_f32, |peak, value| peak.max(value.abs()));
    let at = flat.len() / 2;
    let is_float = tensor.dtype().is_float();
    flat[at] = match (is_float, flat[at] >= 1.0) {
        (true, _) => flat[at] + 0.1 * peak,
        (false, true) => flat[at] - 1.0,
        (false, false) => flat[at] + 1.0,
    };
    Tensor::from_vec(flat, tensor.shape(), &Device::Cpu).unwrap().to_dtype(tensor.dtype()).unwrap()
}

/// A copy of a tiny model with one tensor replaced.
fn changed_model(name: &str, weight: &str, change: impl Fn(&Tensor) -> Tensor) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "generation_config.json", "tokenizer.json"] {
        std::fs::copy(tiny(name).join(file), folder.path().join(file)).unwrap();
    }
    let mut tensors = candle_core::safetensors::load(tiny(name).join("model.safetensors"), &Device::Cpu).unwrap();
    let new = change(&tensors[weight]);
    tensors.insert(weight.into(), new);
    save(&tensors, &folder.path().join("model.safetensors"));
    folder
}

#[test]
fn the_tiny_models_pass() {
    for (name, least) in TINY.into_iter().zip([35, 19]) {
        let report = against(&load(&tiny(name)), &tiny(name).join("reference.safetensors")).unwrap();
        assert!(failed(&report).is_empty(), "{name}: {:?}", failed(&report));
        assert!(report.entries.len() >= least, "{name}: only {} entries", report.entries.len());
    }
}

#[test]
fn what_was_computed_is_written_as_the_reference_is() {
    let folder = tempfile::tempdir().unwrap();
    let report = against(&load(&tiny("mono")), &tiny("mono").join("reference.safetensors")).unwrap();
    let place = folder.path().join("dump.safetensors");
    report.dump(&place).unwrap();
    let (dump, reference) = (candle_core::safetensors::load(&place, &Device::Cpu).unwrap(), reference("mono"));
    assert_eq!(dump.len(), report.entries.len());
    for (name, tensor) in &dump {
        assert_eq!(tensor.dtype(), reference[name].dtype(), "{name}");
        let peak = reference[name].to_dtype(DType::F32).unwrap().abs().unwrap().max_all().unwrap();
        let far = distance(tensor, &reference[name]);
        assert!(far <= 1e-4_f32.max(1e-5 * peak.to_scalar::<f32>().unwrap()), "{name}: {far}");
    }
    let nowhere = folder.path().join("no/such/folder/dump.safetensors");
    assert!(matches!(report.dump(&nowhere), Err(Error::File { .. })));
}

/// Every entry that is compared can fail, and those that nothing else is computed from fail alone.
#[test]
fn a_reference_with_one_entry_changed_fails() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("reference.safetensors");
    let (model, reference) = (load(&tiny("mono")), reference("mono"));
    let with_changed = |names: &[&str]| {
        let mut changed = reference.clone();
        for name in names {
            changed.insert((*name).to_owned(), with_one_changed(&reference[*name]));
        }
        save(&changed, &place);
        against(&model, &place).unwrap()
    };
    let compared = with_changed(&[]);
    let all: Vec<&str> = compared.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(failed(&with_changed(&all)), all);
    for alone in ["chroma.b.soft", "dec.no_melody.logits_cfg3", "greedy.text_cfg3.min_top2_gap", "encodec.wav"] {
        assert_eq!(failed(&with_changed(&[alone])), [alone]);
    }
    for input in ["text.input_ids", "encodec.codes", "dec.codes", "text2.attention_mask"] {
        assert!(!failed(&with_changed(&[input])).is_empty(), "{input} is changed, and nothing fails");
    }
}

#[test]
fn a_model_with_one_weight_changed_fails() {
    let rows = [
        ("text_encoder.encoder.block.1.layer.0.SelfAttention.v.weight", "text.t5_last_hidden_state"),
        ("enc_to_dec_proj.bias", "text.projected"),
        ("audio_enc_to_dec_proj.weight", "prefix.melody_cfg"),
        ("decoder.model.decoder.layers.1.fc2.weight", "dec.melody.logits_cond"),
        ("decoder.lm_heads.2.weight", "dec.no_melody.logits_cfg3"),
        ("audio_encoder.decoder.layers.1.lstm.weight_hh_l1", "encodec.wav"),
        ("audio_encoder.encoder.layers.6.conv.weight_v", "encodec.encode_b.emb"),
    ];
    for (weight, entry) in rows {
        let more = |tensor: &Tensor| {
            let mut flat: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
            flat[0] += 0.5;
            Tensor::from_vec(flat, tensor.shape(), &Device::Cpu).unwrap()
        };
        let folder = changed_model("mono", weight, more);
        let report = against(&load(folder.path()), &tiny("mono").join("reference.safetensors")).unwrap();
        assert!(failed(&report).contains(&entry), "{weight} is changed, and only {:?} fail", failed(&report));
    }
}

#[test]
fn without_a_reference_conditions_must_matter() {
    let itself = |folder: &Path| load(folder).check_itself(&JobContext::detached(), &mut |_| ()).unwrap();
    for name in TINY {
        let report = itself(&tiny(name));
        assert!(failed(&report).is_empty(), "{name}: {:?}", failed(&report));
        assert!(report.entries.len() >= 8);
    }
    let nothing = |tensor: &Tensor| tensor.zeros_like().unwrap();
    let deaf = changed_model("stereo", "audio_enc_to_dec_proj.weight", nothing);
    assert_eq!(failed(&itself(deaf.path())), ["the melody matters"]);
    let wordless = changed_model("stereo", "enc_to_dec_proj.weight", nothing);
    assert_eq!(failed(&itself(wordless.path())), ["the words matter"]);
}

#[test]
fn files_that_are_no_reference_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let model = load(&tiny("mono"));
    let place = folder.path().join("reference.safetensors");
    assert!(matches!(against(&model, &place), Err(Error::File { .. })));
    for junk in [&b""[..], b"{}", &[255; 100], &[0; 64]] {
        std::fs::write(&place, junk).unwrap();
        assert!(matches!(against(&model, &place), Err(Error::Model { .. })), "{junk:?}");
    }
    let foreign = HashMap::from([("some.weight".to_owned(), Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap())]);
    save(&foreign, &place);
    assert!(matches!(against(&model, &place), Err(Error::Model { .. })));

    // The reference of a model with other codebooks, and codes that no model has.
    let of_stereo = against(&model, &tiny("stereo").join("reference.safetensors"));
    assert!(of_stereo.is_err() || !failed(&of_stereo.unwrap()).is_empty());
    let mut strange = reference("mono");
    let shape = strange["encodec.codes"].shape().clone();
    strange.insert("encodec.codes".into(), Tensor::full(-5.0_f32, shape, &Device::Cpu).unwrap());
    save(&strange, &place);
    assert!(matches!(against(&model, &place), Err(Error::Model { .. })));
    // Entries that are missing, or of a strange shape, do no harm to the others.
    for name in ["text.input_ids", "chroma.a.onehot", "dec.input_ids", "encodec.codes", "greedy.text_cfg3.codes"] {
        let mut fewer = reference("mono");
        fewer.remove(name);
        fewer.insert(format!("{name}.more"), Tensor::zeros((1, 0), DType::F32, &Device::Cpu).unwrap());
        save(&fewer, &place);
        let report = against(&model, &place).unwrap();
        assert!(failed(&report).is_empty(), "without {name}: {:?}", failed(&report));
    }
}

#[test]
fn a_cancelled_check_stops() {
    let cancel = CancelToken::default();
    let context = JobContext::new(cancel.clone(), Arc::new(|_| ()));
    let reference = tiny("mono").join("reference.safetensors");
    let model = load(&tiny("mono"));
    let result = model.check_against(&reference, &context, &mut |_| cancel.cancel());
    assert_eq!(result.err(), Some(Error::Cancelled));
}
