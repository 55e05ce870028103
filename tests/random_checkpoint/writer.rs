//! Thread: any. Writes a MusicGen-melody checkpoint of any size with random weights, in the layout of the published ones: sharded 32-bit
//! safetensors with an index, configuration, tokenizer.
//!
//! Weights are scaled so that every part has outputs of about 1: logits, attention and sound are sane, though they mean nothing.

use cantus_engine::generation::musicgen::config::Config;
use cantus_engine::generation::musicgen::layout::{self, Entry};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};
use std::io::{BufWriter, Error, Result, Write};
use std::path::Path;

/// A tokenizer that gives ids every size has.
const TOKENIZER: &str = include_str!("../data/musicgen-tiny/mono/tokenizer.json");

/// The sizes that can be written, and the configuration of each.
pub fn config(size: &str) -> Option<Value> {
    let real_text = json!({
        "model_type": "t5", "vocab_size": 32128, "d_model": 768, "d_kv": 64, "d_ff": 3072, "num_layers": 12, "num_heads": 12,
        "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128, "feed_forward_proj": "relu",
        "layer_norm_epsilon": 1e-6,
    });
    let small_text = json!({
        "model_type": "t5", "vocab_size": 256, "d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4,
        "feed_forward_proj": "relu",
    });
    let audio = |filters: usize, width: usize, codes: usize, bandwidth: f64| {
        json!({
            "model_type": "encodec", "audio_channels": 1, "sampling_rate": 32000, "normalize": false, "chunk_length_s": null,
            "overlap": null, "hidden_size": width, "num_filters": filters, "num_residual_layers": 1,
            "upsampling_ratios": [8, 5, 4, 4], "norm_type": "weight_norm", "kernel_size": 7, "last_kernel_size": 7,
            "residual_kernel_size": 3, "dilation_growth_rate": 2, "use_causal_conv": false, "pad_mode": "reflect", "compress": 2,
            "num_lstm_layers": 2, "trim_right_ratio": 1.0, "codebook_size": codes, "codebook_dim": width,
            "target_bandwidths": [bandwidth], "use_conv_shortcut": false,
        })
    };
    let decoder = |hidden: usize, layers: usize, heads: usize, channels: usize, codes: usize| {
        json!({
            "model_type": "musicgen_melody_decoder", "vocab_size": codes, "hidden_size": hidden, "num_hidden_layers": layers,
            "num_attention_heads": heads, "ffn_dim": 4 * hidden, "num_codebooks": 4 * channels, "audio_channels": channels,
            "pad_token_id": codes, "bos_token_id": codes, "activation_function": "gelu", "scale_embedding": false,
            "max_position_embeddings": 2048,
        })
    };
    let real = |hidden: usize, channels: usize| {
        (real_text.clone(), audio(64, 128, 2048, 2.2), decoder(hidden, 48, hidden / 64, channels, 2048))
    };
    let (text_encoder, audio_encoder, decoder) = match size {
        "melody" => real(1536, 1),
        "melody-large" => real(2048, 1),
        "stereo-melody" => real(1536, 2),
        "stereo-melody-large" => real(2048, 2),
        "medium" => (small_text, audio(64, 128, 2048, 2.2), decoder(1024, 24, 16, 1, 2048)),
        "small" => (small_text, audio(4, 16, 256, 1.6), decoder(256, 2, 4, 1, 256)),
        "small-stereo" => (small_text, audio(4, 16, 256, 1.6), decoder(256, 2, 4, 2, 256)),
        _ => return None,
    };
    Some(json!({
        "model_type": "musicgen_melody", "architectures": ["MusicgenMelodyForConditionalGeneration"], "num_chroma": 12,
        "chroma_length": 235, "text_encoder": text_encoder, "audio_encoder": audio_encoder, "decoder": decoder,
    }))
}

/// Writes a checkpoint into a folder, which is made if need be; a shard holds at most `shard_bytes`.
pub fn write(folder: &Path, raw: &Value, shard_bytes: usize, seed: u64) -> Result<()> {
    let bad = |error: &dyn std::fmt::Display| Error::other(error.to_string());
    let config = Config::from_json(raw.clone(), &folder.join("config.json")).map_err(|error| bad(&error))?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("config.json"), serde_json::to_vec_pretty(raw)?)?;
    let pad = config.decoder.pad_token_id;
    let generation = json!({
        "decoder_start_token_id": pad, "bos_token_id": pad, "pad_token_id": pad, "do_sample": true, "guidance_scale": 3.0,
        "max_length": 1500,
    });
    std::fs::write(folder.join("generation_config.json"), serde_json::to_vec_pretty(&generation)?)?;
    std::fs::write(folder.join("tokenizer.json"), TOKENIZER)?;
    let mut shards: Vec<Vec<Entry>> = vec![Vec::new()];
    let mut filled = 0;
    for entry in layout::tensors(&config) {
        let bytes = 4 * entry.shape.iter().product::<usize>();
        if filled > 0 && filled + bytes > shard_bytes {
            shards.push(Vec::new());
            filled = 0;
        }
        filled += bytes;
        if let Some(shard) = shards.last_mut() {
            shard.push(entry);
        }
    }
    let name = |index: usize| match shards.len() {
        1 => "model.safetensors".to_owned(),
        count => format!("model-{:05}-of-{count:05}.safetensors", index + 1),
    };
    let mut map = serde_json::Map::new();
    let mut total = 0;
    for (index, shard) in shards.iter().enumerate() {
        for entry in shard {
            map.insert(entry.names[0].clone(), json!(name(index)));
            total += 4 * entry.shape.iter().product::<usize>();
        }
        write_shard(&folder.join(name(index)), shard, seed)?;
    }
    if shards.len() > 1 {
        let index = json!({ "metadata": { "total_size": total }, "weight_map": map });
        std::fs::write(folder.join("model.safetensors.index.json"), serde_json::to_vec_pretty(&index)?)?;
    }
    Ok(())
}

fn write_shard(path: &Path, entries: &[Entry], seed: u64) -> Result<()> {
    let mut header = serde_json::Map::new();
    header.insert("__metadata__".into(), json!({ "format": "pt" }));
    let mut at = 0;
    for entry in entries {
        let end = at + 4 * entry.shape.iter().product::<usize>();
        let tensor = json!({ "dtype": "F32", "shape": entry.shape, "data_offsets": [at, end] });
        header.insert(entry.names[0].clone(), tensor);
        at = end;
    }
    let mut text = Value::Object(header).to_string().into_bytes();
    text.resize((text.len() + 8).next_multiple_of(8) - 8, b' ');
    let mut file = BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
    file.write_all(&(text.len() as u64).to_le_bytes())?;
    file.write_all(&text)?;
    let mut numbers = Vec::new();
    for entry in entries {
        let (mean, deviation) = spread(&entry.names[0], &entry.shape);
        // A tensor's numbers depend on its name, not on what was written before it.
        let of_name =
            entry.names[0].bytes().fold(seed, |sum, byte| sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte));
        let mut chance = ChaCha8Rng::seed_from_u64(of_name);
        let mut left = entry.shape.iter().product::<usize>();
        while left > 0 {
            let count = left.min(1 << 16);
            numbers.clear();
            for _ in 0..count {
                let value = mean + deviation * normal(&mut chance);
                numbers.extend_from_slice(&value.to_le_bytes());
            }
            file.write_all(&numbers)?;
            left -= count;
        }
    }
    file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
}

/// About normal, deviation 1, at most 4.9: the sum of eight bytes.
fn normal(chance: &mut ChaCha8Rng) -> f32 {
    const DEVIATION: f32 = 209.02;
    let sum: u32 = chance.next_u64().to_le_bytes().into_iter().map(u32::from).sum();
    (sum as f32 - 1020.0) / DEVIATION
}

/// Mean and deviation of a tensor's numbers.
fn spread(name: &str, shape: &[usize]) -> (f32, f32) {
    let size = |at: usize| shape.get(at).copied().unwrap_or(1).max(1) as f32;
    let root = |value: f32| 1.0 / value.sqrt();
    match name {
        name if name.ends_with("cluster_size") || name.ends_with("inited") => (1.0, 0.0),
        name if name.contains("norm.weight") => (1.0, 0.1),
        name if name.ends_with("bias") || name.contains(".bias_") => (0.0, 0.02),
        // Long directions cancel; only lengths count. A transposed convolution spreads one input over half its stride.
        name if name.ends_with("weight_g") && name.contains("audio_encoder.decoder") && is_transposed(name) => {
            (1.5, 0.1)
        }
        name if name.ends_with("weight_g") => (1.0, 0.1),
        name if name.ends_with("weight_v") || name.contains("codebook.embed") => (0.0, 1.0),
        name if name.contains("shared.weight") || name.contains("embed_positions") => (0.0, 1.0),
        name if name.contains("embed_tokens") => (0.0, 0.5),
        // T5 does not scale its attention.
        name if name.contains("SelfAttention.q") => (0.0, root(size(1)) / 8.0),
        name if name.contains("lm_heads") => (0.0, 2.0 * root(size(1))),
        _ => (0.0, root(size(1))),
    }
}

fn is_transposed(name: &str) -> bool {
    ["layers.3.", "layers.6.", "layers.9.", "layers.12."].iter().any(|layer| name.contains(layer))
}
