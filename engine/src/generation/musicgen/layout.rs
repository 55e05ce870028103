//! Thread: any. Every tensor of a checkpoint: name, shape, and whether the model can do without it.
//!
//! Loading compares files with this list, and tests write checkpoints of any size from it. Names are those of `transformers`; `audiocraft`
//! maps its own onto them.

use super::config::Config;
use serde::Deserialize;

/// One tensor that a checkpoint has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name; when files of another age call it otherwise, those names follow.
    pub names: Vec<String>,
    /// `[out, in]` for matrices.
    pub shape: Vec<usize>,
    /// What it is for.
    pub need: Need,
}

/// Whether the model can do without a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing works without it.
    Always,
    /// Only continuing from audio works not.
    Continuation,
    /// Files have it, but it is computed here or was for training only.
    Never,
}

/// What the list needs of T5's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
struct Text {
    vocab_size: usize,
    d_model: usize,
    d_kv: usize,
    d_ff: usize,
    num_layers: usize,
    num_heads: usize,
    relative_attention_num_buckets: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            vocab_size: 32128,
            d_model: 512,
            d_kv: 64,
            d_ff: 2048,
            num_layers: 6,
            num_heads: 8,
            relative_attention_num_buckets: 32,
        }
    }
}

/// What the list needs of EnCodec's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
struct Audio {
    audio_channels: usize,
    num_filters: usize,
    hidden_size: usize,
    codebook_size: usize,
    codebook_dim: Option<usize>,
    upsampling_ratios: Vec<usize>,
    num_residual_layers: usize,
    num_lstm_layers: usize,
    kernel_size: usize,
    last_kernel_size: usize,
    residual_kernel_size: usize,
    compress: usize,
}

impl Default for Audio {
    fn default() -> Self {
        Self {
            audio_channels: 1,
            num_filters: 32,
            hidden_size: 128,
            codebook_size: 1024,
            codebook_dim: None,
            upsampling_ratios: vec![8, 5, 4, 2],
            num_residual_layers: 1,
            num_lstm_layers: 2,
            kernel_size: 7,
            last_kernel_size: 7,
            residual_kernel_size: 3,
            compress: 2,
        }
    }
}

struct List(Vec<Entry>);

impl List {
    fn add(&mut self, name: impl Into<String>, shape: &[usize], need: Need) {
        self.any_of(vec![name.into()], shape, need);
    }

    fn any_of(&mut self, names: Vec<String>, shape: &[usize], need: Need) {
        self.0.push(Entry { names, shape: shape.to_vec(), need });
    }

    /// A convolution whose weight is stored as length and direction, under either name. `out` is the first dimension.
    fn convolution(&mut self, at: &str, [out, within, kernel]: [usize; 3], biases: usize, need: Need) {
        let names =
            |old: &str, new: &str| vec![format!("{at}.conv.{old}"), format!("{at}.conv.parametrizations.weight.{new}")];
        self.any_of(names("weight_g", "original0"), &[out, 1, 1], need);
        self.any_of(names("weight_v", "original1"), &[out, within, kernel], need);
        self.add(format!("{at}.conv.bias"), &[biases], need);
    }

    fn residual(&mut self, at: &str, width: usize, audio: &Audio, need: Need) {
        let hidden = width / audio.compress.max(1);
        self.convolution(&format!("{at}.block.1"), [hidden, width, audio.residual_kernel_size], hidden, need);
        self.convolution(&format!("{at}.block.3"), [width, hidden, 1], width, need);
    }

    fn lstm(&mut self, at: &str, width: usize, layers: usize, need: Need) {
        for layer in 0..layers {
            for part in ["ih", "hh"] {
                self.add(format!("{at}.lstm.weight_{part}_l{layer}"), &[4 * width, width], need);
                self.add(format!("{at}.lstm.bias_{part}_l{layer}"), &[4 * width], need);
            }
        }
    }
}

/// All tensors of a checkpoint, in the order of the model. Unreadable parts of the configuration count as absent.
pub fn tensors(config: &Config) -> Vec<Entry> {
    let text: Text = serde_json::from_value(config.text_encoder.clone()).unwrap_or_default();
    let audio: Audio = serde_json::from_value(config.audio_encoder.clone()).unwrap_or_default();
    let mut list = List(Vec::new());
    list_text_encoder(&mut list, &text);
    list_decoder(&mut list, config, text.d_model);
    list_codec(&mut list, &audio, config.decoder.codebooks_per_channel());
    list.0
}

fn list_text_encoder(list: &mut List, text: &Text) {
    let inner = text.num_heads * text.d_kv;
    let embeddings = ["shared.weight", "encoder.embed_tokens.weight"].map(|name| format!("text_encoder.{name}"));
    list.any_of(embeddings.to_vec(), &[text.vocab_size, text.d_model], Need::Always);
    for block in 0..text.num_layers {
        let at = format!("text_encoder.encoder.block.{block}");
        for part in ["q", "k", "v"] {
            list.add(format!("{at}.layer.0.SelfAttention.{part}.weight"), &[inner, text.d_model], Need::Always);
        }
        list.add(format!("{at}.layer.0.SelfAttention.o.weight"), &[text.d_model, inner], Need::Always);
        if block == 0 {
            let bias = format!("{at}.layer.0.SelfAttention.relative_attention_bias.weight");
            list.add(bias, &[text.relative_attention_num_buckets, text.num_heads], Need::Always);
        }
        list.add(format!("{at}.layer.0.layer_norm.weight"), &[text.d_model], Need::Always);
        list.add(format!("{at}.layer.1.DenseReluDense.wi.weight"), &[text.d_ff, text.d_model], Need::Always);
        list.add(format!("{at}.layer.1.DenseReluDense.wo.weight"), &[text.d_model, text.d_ff], Need::Always);
        list.add(format!("{at}.layer.1.layer_norm.weight"), &[text.d_model], Need::Always);
    }
    list.add("text_encoder.encoder.final_layer_norm.weight", &[text.d_model], Need::Always);
}

fn list_decoder(list: &mut List, config: &Config, text_width: usize) {
    let decoder = &config.decoder;
    let (width, inner) = (decoder.hidden_size, decoder.ffn_dim);
    let root = "decoder.model.decoder";
    for codebook in 0..decoder.num_codebooks {
        let name = format!("{root}.embed_tokens.{codebook}.weight");
        list.add(name, &[decoder.vocab_size + 1, width], Need::Always);
    }
    // As long as the table of the published files, whatever is generated.
    list.add(format!("{root}.embed_positions.weights"), &[2048, width], Need::Never);
    for layer in 0..decoder.num_hidden_layers {
        let at = format!("{root}.layers.{layer}");
        for part in ["q", "k", "v", "out"] {
            list.add(format!("{at}.self_attn.{part}_proj.weight"), &[width, width], Need::Always);
        }
        for norm in ["self_attn_layer_norm", "final_layer_norm"] {
            list.add(format!("{at}.{norm}.weight"), &[width], Need::Always);
            list.add(format!("{at}.{norm}.bias"), &[width], Need::Always);
        }
        list.add(format!("{at}.fc1.weight"), &[inner, width], Need::Always);
        list.add(format!("{at}.fc2.weight"), &[width, inner], Need::Always);
    }
    list.add(format!("{root}.layer_norm.weight"), &[width], Need::Always);
    list.add(format!("{root}.layer_norm.bias"), &[width], Need::Always);
    for codebook in 0..decoder.num_codebooks {
        list.add(format!("decoder.lm_heads.{codebook}.weight"), &[decoder.vocab_size, width], Need::Always);
    }
    if text_width != width {
        list.add("enc_to_dec_proj.weight", &[width, text_width], Need::Always);
        list.add("enc_to_dec_proj.bias", &[width], Need::Always);
    }
    list.add("audio_enc_to_dec_proj.weight", &[width, config.num_chroma], Need::Always);
    list.add("audio_enc_to_dec_proj.bias", &[width], Need::Always);
}

fn list_codec(list: &mut List, audio: &Audio, codebooks: usize) {
    let code_width = audio.codebook_dim.unwrap_or(audio.hidden_size);
    for codebook in 0..codebooks {
        let at = format!("audio_encoder.quantizer.layers.{codebook}.codebook");
        list.add(format!("{at}.embed"), &[audio.codebook_size, code_width], Need::Always);
        list.add(format!("{at}.embed_avg"), &[audio.codebook_size, code_width], Need::Never);
        list.add(format!("{at}.cluster_size"), &[audio.codebook_size], Need::Never);
        list.add(format!("{at}.inited"), &[1], Need::Never);
    }
    let widest = audio.num_filters << audio.upsampling_ratios.len().min(16);
    list_codec_decoder(list, audio, widest);
    list_codec_encoder(list, audio, widest);
}

fn list_codec_decoder(list: &mut List, audio: &Audio, widest: usize) {
    let layer = |index: usize| format!("audio_encoder.decoder.layers.{index}");
    list.convolution(&layer(0), [widest, audio.hidden_size, audio.kernel_size], widest, Need::Always);
    list.lstm(&layer(1), widest, audio.num_lstm_layers, Need::Always);
    let mut width = widest;
    let mut index = 2;
    for ratio in &audio.upsampling_ratios {
        // An activation without weights takes every other place.
        index += 1;
        list.convolution(&layer(index), [width, width / 2, 2 * ratio], width / 2, Need::Always);
        width /= 2;
        index += 1;
        for _ in 0..audio.num_residual_layers {
            list.residual(&layer(index), width, audio, Need::Always);
            index += 1;
        }
    }
    let last = [audio.audio_channels, width, audio.last_kernel_size];
    list.convolution(&layer(index + 1), last, audio.audio_channels, Need::Always);
}

fn list_codec_encoder(list: &mut List, audio: &Audio, widest: usize) {
    let need = Need::Continuation;
    let layer = |index: usize| format!("audio_encoder.encoder.layers.{index}");
    let mut width = audio.num_filters;
    list.convolution(&layer(0), [width, audio.audio_channels, audio.kernel_size], width, need);
    let mut index = 1;
    for ratio in audio.upsampling_ratios.iter().rev() {
        for _ in 0..audio.num_residual_layers {
            list.residual(&layer(index), width, audio, need);
            index += 1;
        }
        index += 1;
        list.convolution(&layer(index), [2 * width, width, 2 * ratio], 2 * width, need);
        width *= 2;
        index += 1;
    }
    list.lstm(&layer(index), widest, audio.num_lstm_layers, need);
    list.convolution(&layer(index + 2), [audio.hidden_size, widest, audio.last_kernel_size], audio.hidden_size, need);
}
