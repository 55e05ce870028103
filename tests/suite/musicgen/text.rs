//! Prompts: pieces, states, and the facts that are put behind a description.

use super::{TINY, distance, reference, tiny};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use cantus_engine::analysis::{Key, Mode};
use cantus_engine::generation::musicgen::text::{T5Config, TextEncoder, TextStates, describe};
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::time::{Bpm, Metre};
use cantus_engine::{Error, Result};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What the references were made with.
const PROMPT: &str = "warm lofi piano with soft vinyl crackle and a slow swing beat";
const OTHER: &str = "solo violin";
/// Largest absolute error of the states.
const BAR: f32 = 1e-4;

fn config(name: &str) -> T5Config {
    let text = std::fs::read_to_string(tiny(name).join("config.json")).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(whole["text_encoder"].clone()).unwrap()
}

fn tensors(name: &str) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(tiny(name).join("model.safetensors"), &Device::Cpu).unwrap()
}

fn load(tensors: HashMap<String, Tensor>, config: &T5Config, tokenizer: &Path) -> Result<TextEncoder> {
    let weights = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    TextEncoder::load(&weights.pp("text_encoder"), config, tokenizer)
}

fn encoder(name: &str) -> TextEncoder {
    load(tensors(name), &config(name), &tiny(name).join("tokenizer.json")).unwrap()
}

fn encode(encoder: &TextEncoder, prompts: &[&str]) -> TextStates {
    encoder.encode(prompts, &JobContext::detached()).unwrap()
}

fn ids(tensor: &Tensor) -> Vec<Vec<u32>> {
    tensor.to_dtype(DType::U32).unwrap().to_vec2().unwrap()
}

#[test]
fn pieces_are_those_of_the_reference() {
    for name in TINY {
        let (encoder, reference) = (encoder(name), reference(name));
        assert_eq!(encoder.tokens(PROMPT).unwrap(), ids(&reference["text.input_ids"])[0]);
        let other = encoder.tokens(OTHER).unwrap();
        assert_eq!(other, ids(&reference["text2.input_ids"])[1][..other.len()]);
        assert_eq!(encoder.tokens("").unwrap(), [1], "a prompt without words is the end mark");
    }
}

#[test]
fn states_are_those_of_the_reference() {
    for name in TINY {
        let (encoder, reference) = (encoder(name), reference(name));
        let alone = encode(&encoder, &[PROMPT]);
        let error = distance(&alone.hidden, &reference["text.t5_last_hidden_state"]);
        assert!(error <= BAR, "{name}: states are off by {error}");

        let batch = encode(&encoder, &[PROMPT, OTHER]);
        let error = distance(&batch.hidden, &reference["text2.t5_last_hidden_state"]);
        assert!(error <= BAR, "{name}: states of a padded batch are off by {error}");
        assert_eq!(distance(&batch.mask, &reference["text2.attention_mask"]), 0.0);

        // Broken on purpose: padding that is listened to must not pass.
        let ids = ids(&reference["text2.input_ids"]);
        let all = vec![vec![1; ids[0].len()]; 2];
        let deaf = encoder.states(&ids, &all, &JobContext::detached()).unwrap();
        assert!(distance(&deaf.hidden, &reference["text2.t5_last_hidden_state"]) > 100.0 * BAR);
    }
}

/// A piece must hear how far away another is, or the order of words would not matter.
#[test]
fn an_encoder_without_distances_is_found() {
    let mut broken = tensors("mono");
    let name = "text_encoder.encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    let nothing = broken[name].zeros_like().unwrap();
    broken.insert(name.into(), nothing);
    let states = encode(&load(broken, &config("mono"), &tiny("mono").join("tokenizer.json")).unwrap(), &[PROMPT]);
    assert!(distance(&states.hidden, &reference("mono")["text.t5_last_hidden_state"]) > 100.0 * BAR);
}

#[test]
fn a_prompt_without_words_is_masked() {
    let encoder = encoder("mono");
    for nothing in ["", "   ", "\n\t"] {
        let states = encode(&encoder, &[nothing]);
        assert_eq!(states.mask.to_vec2::<f32>().unwrap(), [[0.0]]);
        assert_eq!(states.hidden.dims(), [1, 1, config("mono").d_model]);
    }
    let both = encode(&encoder, &["", OTHER]);
    let mask = both.mask.to_vec2::<f32>().unwrap();
    assert!(mask[0].iter().all(|&heard| heard == 0.0) && mask[1].iter().all(|&heard| heard == 1.0));
    let alone = encode(&encoder, &[OTHER]).hidden;
    assert!(distance(&both.hidden.narrow(0, 1, 1).unwrap(), &alone) <= 1e-6, "a neighbour is heard");
}

#[test]
fn prompts_of_any_kind_are_read() {
    let encoder = encoder("mono");
    let long = "slow swing beat, ".repeat(200);
    for prompt in ["ЖЖЖ 漢字 🎹", "\u{0}\u{feff}", "<pad> </s> <extra_id_0>", &long] {
        let states = encode(&encoder, &[prompt]);
        assert_eq!(states.hidden.dims()[1], encoder.tokens(prompt).unwrap().len());
    }
    assert!(encoder.tokens(&long).unwrap().len() > 600, "a long prompt is cut off");
}

#[test]
fn the_table_of_words_has_either_name() {
    let mut renamed = tensors("mono");
    let table = renamed.remove("text_encoder.shared.weight").unwrap();
    renamed.insert("text_encoder.encoder.embed_tokens.weight".into(), table);
    let tokenizer = tiny("mono").join("tokenizer.json");
    let states = encode(&load(renamed.clone(), &config("mono"), &tokenizer).unwrap(), &[PROMPT]);
    assert_eq!(distance(&states.hidden, &encode(&encoder("mono"), &[PROMPT]).hidden), 0.0);

    renamed.remove("text_encoder.encoder.embed_tokens.weight");
    let refused = load(renamed, &config("mono"), &tokenizer).err().unwrap().to_string();
    assert!(refused.contains("text_encoder.shared.weight"), "{refused}");
}

#[test]
fn foreign_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = folder.path().join("tokenizer.json");
    let refused = load(tensors("mono"), &config("mono"), &tokenizer).err().unwrap();
    assert!(matches!(refused, Error::File { .. }), "{refused}");
    for junk in ["", "{}", "no JSON", "\u{1}\u{2}"] {
        std::fs::write(&tokenizer, junk).unwrap();
        let refused = load(tensors("mono"), &config("mono"), &tokenizer).err().unwrap().to_string();
        assert!(refused.contains("tokenizer.json"), "{refused}");
    }
    let tokenizer = tiny("mono").join("tokenizer.json");
    let gated = T5Config { feed_forward_proj: "gated-gelu".into(), ..config("mono") };
    assert!(load(tensors("mono"), &gated, &tokenizer).err().unwrap().to_string().contains("feed_forward_proj"));
    let wider = T5Config { d_model: 32, ..config("mono") };
    assert!(matches!(load(tensors("mono"), &wider, &tokenizer), Err(Error::Model { .. })));

    // The tokenizer of a larger model knows pieces that the encoder has no row for.
    let mut small = tensors("mono");
    let table = small["text_encoder.shared.weight"].narrow(0, 0, 20).unwrap().contiguous().unwrap();
    small.insert("text_encoder.shared.weight".into(), table);
    let config = T5Config { vocab_size: 20, ..config("mono") };
    let encoder = load(small, &config, &tokenizer).unwrap();
    let refused = encoder.encode(&[PROMPT], &JobContext::detached()).unwrap_err().to_string();
    assert!(refused.contains("different models"), "{refused}");
}

#[test]
fn a_cancelled_job_stops_reading() {
    let cancel = CancelToken::default();
    let context = JobContext::new(cancel.clone(), Arc::new(|_| ()));
    cancel.cancel();
    assert_eq!(encoder("mono").encode(&[PROMPT], &context).err(), Some(Error::Cancelled));
}

#[test]
fn descriptions_carry_what_is_known() {
    let a_minor = Some(Key { tonic: 9, mode: Mode::Minor });
    let e_flat = Some(Key { tonic: 3, mode: Mode::Major });
    let waltz = Some(Metre { numerator: 3, denominator: 4 });
    let four = Some(Metre::default());
    let rows = [
        ("lofi piano", None, None, None, "lofi piano"),
        ("lofi piano.", Some(90.0), None, four, "lofi piano. bpm: 90.0"),
        (" lofi piano . ", Some(92.504), a_minor, None, "lofi piano. key: a minor. bpm: 92.5"),
        ("", Some(120.0), e_flat, None, "key: eb major. bpm: 120.0"),
        ("", None, None, None, ""),
        ("strings", None, a_minor, waltz, "strings. 3/4 time, waltz feel. key: a minor"),
        ("strings", None, None, Some(Metre { numerator: 7, denominator: 8 }), "strings. 7/8 time"),
        // What the description states stays as it is.
        ("techno, 128 BPM", Some(120.0), None, None, "techno, 128 BPM"),
        ("quartet in C# minor", None, a_minor, None, "quartet in C# minor"),
        ("quartet in F sharp minor", None, a_minor, None, "quartet in F sharp minor"),
        ("quartet in A minor", None, e_flat, None, "quartet in A minor"),
        ("strings in a minor key", None, e_flat, None, "strings in a minor key. key: eb major"),
        ("a major hit", None, None, None, "a major hit"),
        ("rock", Some(f64::NAN), None, None, "rock"),
    ];
    for (text, tempo, key, metre, expected) in rows {
        assert_eq!(describe(text, tempo.map(Bpm), key, metre), expected);
    }
}
