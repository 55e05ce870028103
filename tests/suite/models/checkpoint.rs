//! A checkpoint in the real layout, with small weights of no meaning.

use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

pub const INDEX: &str = "model.safetensors.index.json";
pub const FIRST: &str = "model-00001-of-00002.safetensors";
pub const SECOND: &str = "model-00002-of-00002.safetensors";
/// Bytes of weights in each of the two files.
const WEIGHTS: usize = 400_000;

pub type Files = BTreeMap<String, Vec<u8>>;

/// Everything a repository holds, also what nobody needs. Another seed gives other weights of the same length.
pub fn repository(seed: u8) -> Files {
    let mut files = needed(seed);
    files.insert("README.md".to_owned(), b"# MusicGen".to_vec());
    files.insert(".gitattributes".to_owned(), b"*.bin filter=lfs".to_vec());
    files.insert("state_dict.bin".to_owned(), vec![7; 100_000]);
    files.insert("compression_state_dict.bin".to_owned(), vec![7; 50_000]);
    files
}

/// The files that are fetched.
pub fn needed(seed: u8) -> Files {
    let config = json!({
        "model_type": "musicgen_melody", "num_chroma": 12, "chroma_length": 235,
        "decoder": { "hidden_size": 1536, "num_codebooks": 4, "num_hidden_layers": 48, "audio_channels": 1 },
    });
    let index = json!({
        "metadata": { "total_size": 2 * WEIGHTS },
        "weight_map": { "decoder.a": FIRST, "decoder.b": FIRST, "text_encoder.c": SECOND },
    });
    let texts = [
        ("config.json", config),
        ("generation_config.json", json!({ "guidance_scale": 3.0 })),
        ("preprocessor_config.json", json!({ "sampling_rate": 32_000 })),
        ("special_tokens_map.json", json!({})),
        ("tokenizer.json", json!({ "model": { "type": "Unigram" } })),
        ("tokenizer_config.json", json!({})),
        (INDEX, index),
    ];
    let mut files: Files =
        texts.into_iter().map(|(name, text)| (name.to_owned(), text.to_string().into_bytes())).collect();
    files.insert("spiece.model".to_owned(), vec![9; 5_000]);
    files.insert(FIRST.to_owned(), weights(&[("decoder.a", WEIGHTS / 2), ("decoder.b", WEIGHTS / 2)], seed));
    files.insert(SECOND.to_owned(), weights(&[("text_encoder.c", WEIGHTS)], seed.wrapping_add(100)));
    files
}

/// A safetensors file of tensors with so many bytes each.
pub fn weights(tensors: &[(&str, usize)], seed: u8) -> Vec<u8> {
    let mut head = serde_json::Map::new();
    head.insert("__metadata__".to_owned(), json!({ "format": "pt" }));
    let mut end = 0;
    for (name, bytes) in tensors {
        head.insert(
            (*name).to_owned(),
            json!({ "dtype": "F32", "shape": [bytes / 4], "data_offsets": [end, end + bytes] }),
        );
        end += bytes;
    }
    let head = serde_json::Value::Object(head).to_string();
    let mut file = (head.len() as u64).to_le_bytes().to_vec();
    file.extend(head.bytes());
    let mut state = u32::from(seed) + 1;
    file.extend((0..end).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }));
    file
}

/// Writes files into a folder.
pub fn write(files: &Files, dir: &Path) {
    std::fs::create_dir_all(dir).unwrap();
    for (name, bytes) in files {
        std::fs::write(dir.join(name), bytes).unwrap();
    }
}

/// The visible files of a folder.
pub fn read(dir: &Path) -> Files {
    let entries = std::fs::read_dir(dir).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let visible = entries.into_iter().map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path()));
    visible
        .filter(|(name, path)| !name.starts_with('.') && path.is_file())
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .collect()
}
