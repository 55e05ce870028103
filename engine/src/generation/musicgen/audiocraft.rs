//! Thread: worker. Audiocraft's own files, `state_dict.bin` and `compression_state_dict.bin`, under the names of `transformers`.
//!
//! They hold the language model and the codec. T5 is not in them: a folder `t5-base` with google-t5/t5-base lies beside them.

use super::config::Config;
use super::unusable;
use super::weights::{Checkpoint, File, Place};
use crate::error::Result;
use candle_core::DType;
use candle_core::pickle::{PthTensors, TensorInfo};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const LANGUAGE_MODEL: &str = "state_dict.bin";
const CODEC: &str = "compression_state_dict.bin";
const TEXT_ENCODER: &str = "t5-base";

/// Opens a folder of audiocraft's files. The configuration is `config.json` if there is one, else read off the shapes.
pub(super) fn open(folder: &Path) -> Result<(Config, Checkpoint)> {
    let mut checkpoint = Checkpoint::empty();
    let language_model = add_pickle(&mut checkpoint, &folder.join(LANGUAGE_MODEL), language_model_name)?;
    let codec_path = folder.join(CODEC);
    if !codec_path.is_file() {
        let reason = format!("{} is missing. It comes with {LANGUAGE_MODEL}; put it beside it.", codec_path.display());
        return Err(unusable(reason));
    }
    let codec = add_pickle(&mut checkpoint, &codec_path, codec_name)?;
    if codec.is_empty() {
        let reason = format!(
            "{} only names another file. Put compression_state_dict.bin of facebook/musicgen-melody (236 MB) in its place.",
            codec_path.display()
        );
        return Err(unusable(reason));
    }
    let text_folder = folder.join(TEXT_ENCODER);
    let (text_config, text_weights) = (text_folder.join("config.json"), text_folder.join("model.safetensors"));
    if !text_config.is_file() || !text_weights.is_file() {
        let reason = format!(
            "audiocraft's files come without their text encoder. Put config.json, tokenizer.json and model.safetensors of \
             google-t5/t5-base into {}.",
            text_folder.display()
        );
        return Err(unusable(reason));
    }
    checkpoint.add_safetensors(&text_weights, |name| {
        let is_encoder = name.starts_with("encoder.") || name.starts_with("shared.");
        is_encoder.then(|| format!("text_encoder.{name}"))
    })?;
    let config = if folder.join("config.json").is_file() {
        Config::read(folder)?
    } else {
        let text = std::fs::read_to_string(&text_config)
            .map_err(|error| crate::error::Error::file("read", &text_config, &error))?;
        let text: serde_json::Value = serde_json::from_str(&text)
            .map_err(|_| unusable(format!("{} is damaged. Download it again.", text_config.display())))?;
        derive_config(&language_model, &codec, &text, &folder.join(LANGUAGE_MODEL))?
    };
    Ok((config, checkpoint))
}

type Shapes = BTreeMap<String, Vec<usize>>;

/// Adds a file of tensors; returns the shapes by the file's own names.
fn add_pickle(
    checkpoint: &mut Checkpoint,
    path: &Path,
    rename: impl Fn(&str) -> Vec<(Option<String>, Option<usize>)>,
) -> Result<Shapes> {
    let bad = |what: &str| unusable(format!("{} {what}", path.display()));
    // A damaged pickle is full of nonsense that the reader was not written for.
    let opened = std::panic::catch_unwind(|| PthTensors::new(path, Some("best_state")));
    let tensors = match opened {
        Ok(Ok(tensors)) => tensors,
        Ok(Err(error)) if error.to_string().contains("best_state") => PthTensors::new(path, None)
            .map_err(|_| bad("holds no weights of audiocraft's. Use state_dict.bin of facebook/musicgen-melody."))?,
        _ => return Err(bad("is cut off, damaged or no PyTorch file. Download it again.")),
    };
    let mut infos: Vec<&TensorInfo> = tensors.tensor_infos().values().collect();
    infos.sort_by(|a, b| a.name.cmp(&b.name));
    let mut shapes = Shapes::new();
    let file = checkpoint.files.len();
    for info in infos {
        if info.layout.start_offset() != 0 {
            return Err(bad("stores tensors as parts of others, which is not read. Use the published file."));
        }
        let shape = info.layout.dims().to_vec();
        shapes.insert(info.name.clone(), shape.clone());
        let is_float = matches!(info.dtype, DType::F16 | DType::BF16 | DType::F32 | DType::F64);
        for (name, third) in rename(&info.name) {
            let mut place =
                Place { file, name: info.name.clone(), rows: None, shape: shape.clone(), in_place: false, is_float };
            if let (Some(third), Some(rows)) = (third, shape.first()) {
                place.rows = Some(third * rows / 3..(third + 1) * rows / 3);
                place.shape[0] = rows / 3;
            }
            checkpoint.put(name, place);
        }
    }
    checkpoint.files.push(Arc::new(File::Pickle { path: path.to_owned(), tensors }));
    Ok(shapes)
}

/// The model's names for a tensor of `state_dict.bin`, and which third of its rows each is.
fn language_model_name(name: &str) -> Vec<(Option<String>, Option<usize>)> {
    let decoder = "decoder.model.decoder";
    let one = |name: String| vec![(Some(name), None)];
    let parts: Vec<&str> = name.split('.').collect();
    match parts.as_slice() {
        ["emb", codebook, "weight"] => one(format!("{decoder}.embed_tokens.{codebook}.weight")),
        ["linears", codebook, "weight"] => one(format!("decoder.lm_heads.{codebook}.weight")),
        ["out_norm", leaf] => one(format!("{decoder}.layer_norm.{leaf}")),
        ["transformer", "layers", layer, "self_attn", "in_proj_weight"] => ["q", "k", "v"]
            .iter()
            .enumerate()
            .map(|(third, part)| (Some(format!("{decoder}.layers.{layer}.self_attn.{part}_proj.weight")), Some(third)))
            .collect(),
        ["transformer", "layers", layer, "self_attn", "out_proj", "weight"] => {
            one(format!("{decoder}.layers.{layer}.self_attn.out_proj.weight"))
        }
        ["transformer", "layers", layer, "linear1", "weight"] => one(format!("{decoder}.layers.{layer}.fc1.weight")),
        ["transformer", "layers", layer, "linear2", "weight"] => one(format!("{decoder}.layers.{layer}.fc2.weight")),
        ["transformer", "layers", layer, "norm1", leaf] => {
            one(format!("{decoder}.layers.{layer}.self_attn_layer_norm.{leaf}"))
        }
        ["transformer", "layers", layer, "norm2", leaf] => {
            one(format!("{decoder}.layers.{layer}.final_layer_norm.{leaf}"))
        }
        ["condition_provider", "conditioners", "description", "output_proj", leaf] => {
            one(format!("enc_to_dec_proj.{leaf}"))
        }
        ["condition_provider", "conditioners", "self_wav", "output_proj", leaf] => {
            one(format!("audio_enc_to_dec_proj.{leaf}"))
        }
        // The window of the melody's spectrum, which is computed.
        ["condition_provider", "conditioners", "self_wav", ..] => Vec::new(),
        _ => vec![(None, None)],
    }
}

/// The model's name for a tensor of `compression_state_dict.bin`.
fn codec_name(name: &str) -> Vec<(Option<String>, Option<usize>)> {
    let one = |name: String| vec![(Some(format!("audio_encoder.{name}")), None)];
    let parts: Vec<&str> = name.split('.').collect();
    match parts.as_slice() {
        ["quantizer", "vq", "layers", layer, "_codebook", leaf] => {
            one(format!("quantizer.layers.{layer}.codebook.{leaf}"))
        }
        [half @ ("encoder" | "decoder"), "model", layer, rest @ ..] => {
            // `conv.conv` and `convtr.convtr` are one module inside another of the same name.
            let mut inner: Vec<&str> = Vec::new();
            for &part in rest {
                let part = if part == "convtr" { "conv" } else { part };
                if part != "conv" || inner.last() != Some(&"conv") {
                    inner.push(part);
                }
            }
            one(format!("{half}.layers.{layer}.{}", inner.join(".")))
        }
        _ => vec![(None, None)],
    }
}

/// What `config.json` would say, from shapes. Heads are 64 wide in every published model.
fn derive_config(language_model: &Shapes, codec: &Shapes, text: &serde_json::Value, path: &Path) -> Result<Config> {
    let foreign = || {
        let what =
            "is no MusicGen-melody: it lacks the melody's projection or the shape of the model. Use state_dict.bin of";
        unusable(format!("{} {what} facebook/musicgen-melody.", path.display()))
    };
    let count = |start: &str, end: &str| {
        (0..1024).take_while(|index| language_model.contains_key(&format!("{start}{index}{end}"))).count()
    };
    let dims = |shapes: &Shapes, name: &str| shapes.get(name).cloned().unwrap_or_default();
    let projection = dims(language_model, "condition_provider.conditioners.self_wav.output_proj.weight");
    let embedding = dims(language_model, "emb.0.weight");
    let inner = dims(language_model, "transformer.layers.0.linear1.weight");
    let codebook = dims(codec, "quantizer.vq.layers.0._codebook.embed");
    let (&[hidden, chroma], &[rows, _], &[inner, _], &[codes, code_width]) =
        (&projection[..], &embedding[..], &inner[..], &codebook[..])
    else {
        return Err(foreign());
    };
    let codebooks = count("emb.", ".weight");
    let codec_codebooks =
        (0..64).take_while(|index| codec.contains_key(&format!("quantizer.vq.layers.{index}._codebook.embed"))).count();
    if codec_codebooks == 0 || !codebooks.is_multiple_of(codec_codebooks) || hidden < 64 {
        return Err(foreign());
    }
    let filters = ["weight_g", "parametrizations.weight.original0"]
        .iter()
        .find_map(|leaf| codec.get(&format!("encoder.model.0.conv.conv.{leaf}")))
        .and_then(|shape| shape.first().copied())
        .unwrap_or(64);
    let raw = json!({
        "model_type": "musicgen_melody",
        "num_chroma": chroma,
        "chroma_length": 235,
        "decoder": {
            "vocab_size": rows.saturating_sub(1),
            "hidden_size": hidden,
            "num_hidden_layers": count("transformer.layers.", ".linear1.weight"),
            "num_attention_heads": hidden / 64,
            "ffn_dim": inner,
            "num_codebooks": codebooks,
            "audio_channels": codebooks / codec_codebooks,
            "pad_token_id": rows.saturating_sub(1),
            "bos_token_id": rows.saturating_sub(1),
        },
        "text_encoder": text,
        "audio_encoder": {
            "audio_channels": 1,
            "sampling_rate": 32000,
            "num_filters": filters,
            "hidden_size": code_width,
            "codebook_dim": code_width,
            "codebook_size": codes,
            "upsampling_ratios": [8, 5, 4, 4],
            "norm_type": "weight_norm",
            "use_causal_conv": false,
            "pad_mode": "reflect",
            "use_conv_shortcut": false,
            "normalize": false,
            "target_bandwidths": [(50 * codec_codebooks) as f64 * f64::from(codes.max(2).ilog2()) / 1000.0],
        },
    });
    Config::from_json(raw, path)
}
