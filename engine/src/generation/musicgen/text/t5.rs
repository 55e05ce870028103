//! Thread: worker. The encoder of T5 1.0 (arXiv 1910.10683): names and shapes as in the checkpoint, everything in single precision.

use super::broken;
use crate::error::{Error, Result};
use crate::job_context::JobContext;
use candle_core::{DType, Module, Tensor};
use candle_nn::ops::{rms_norm, softmax_last_dim};
use candle_nn::{Linear, VarBuilder};
use serde::Deserialize;

/// Sizes of T5, as `config.json` states them under `text_encoder`. Absent keys have the values Hugging Face's `T5Config` begins with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct T5Config {
    /// Pieces of words.
    pub vocab_size: usize,
    /// Numbers a piece.
    pub d_model: usize,
    /// Numbers a head.
    pub d_kv: usize,
    /// Numbers inside of the feed-forward part.
    pub d_ff: usize,
    /// Blocks.
    pub num_layers: usize,
    /// Heads.
    pub num_heads: usize,
    /// Classes of distance between two pieces.
    pub relative_attention_num_buckets: usize,
    /// Distances from here on are one class.
    pub relative_attention_max_distance: usize,
    /// Added to the mean square before its root is taken.
    pub layer_norm_epsilon: f64,
    /// Kind of the feed-forward part; only `relu` is T5 1.0.
    pub feed_forward_proj: String,
    /// The id that fills up shorter prompts.
    pub pad_token_id: u32,
}

impl Default for T5Config {
    fn default() -> Self {
        Self {
            vocab_size: 32_128,
            d_model: 512,
            d_kv: 64,
            d_ff: 2048,
            num_layers: 6,
            num_heads: 8,
            relative_attention_num_buckets: 32,
            relative_attention_max_distance: 128,
            layer_norm_epsilon: 1e-6,
            feed_forward_proj: "relu".into(),
            pad_token_id: 0,
        }
    }
}

impl T5Config {
    /// Whether an encoder of these sizes is one we can run.
    ///
    /// # Errors
    /// [`Error::Model`] that names the key.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            ("vocab_size", self.vocab_size),
            ("d_model", self.d_model),
            ("d_kv", self.d_kv),
            ("d_ff", self.d_ff),
            ("num_layers", self.num_layers),
            ("num_heads", self.num_heads),
        ];
        // Both directions of distance have half the classes, and half of those are single distances.
        let (buckets, farthest) = (self.relative_attention_num_buckets, self.relative_attention_max_distance);
        let unfit = sizes.iter().find(|(_, size)| !(1..=1 << 20).contains(size)).map(|(name, _)| *name);
        let fault = unfit
            .or((!(4..=1 << 16).contains(&buckets)).then_some("relative_attention_num_buckets"))
            .or((farthest <= buckets / 4).then_some("relative_attention_max_distance"))
            .or((self.feed_forward_proj != "relu").then_some("feed_forward_proj"))
            .or((self.pad_token_id as usize >= self.vocab_size).then_some("pad_token_id"));
        match fault {
            None => Ok(()),
            Some(key) => Err(Error::Model {
                name: "MusicGen",
                reason: format!(
                    "\"{key}\" under \"text_encoder\" in config.json is not that of a T5 1.0. Fetch the model again."
                ),
            }),
        }
    }
}

/// The encoder with its weights.
pub struct T5Encoder {
    config: T5Config,
    /// `[vocab_size, d_model]`.
    embedding: Tensor,
    /// `[num_buckets, num_heads]`, kept in the first block and used by all.
    distance_bias: Tensor,
    blocks: Vec<Block>,
    final_norm: Tensor,
}

struct Block {
    attention_norm: Tensor,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    feed_norm: Tensor,
    wide: Linear,
    narrow: Linear,
}

impl T5Encoder {
    /// From `weights` at `text_encoder`.
    pub fn load(weights: &VarBuilder, config: &T5Config) -> candle_core::Result<Self> {
        let T5Config { d_model, d_ff, num_heads, .. } = *config;
        let inner = num_heads * config.d_kv;
        let weights = &weights.clone().set_dtype(DType::F32);
        let encoder = weights.pp("encoder");
        // The two names are of one table; files hold either or both.
        let (table, name) = (weights.pp("shared"), encoder.pp("embed_tokens"));
        let table = if table.contains_tensor("weight") || !name.contains_tensor("weight") { table } else { name };
        let blocks = (0..config.num_layers)
            .map(|block| {
                let layers = encoder.pp("block").pp(block).pp("layer");
                let (attention, feed) = (layers.pp("0"), layers.pp("1"));
                let attend = attention.pp("SelfAttention");
                let dense = feed.pp("DenseReluDense");
                Ok(Block {
                    attention_norm: attention.get(d_model, "layer_norm.weight")?,
                    query: linear(&attend, "q", d_model, inner)?,
                    key: linear(&attend, "k", d_model, inner)?,
                    value: linear(&attend, "v", d_model, inner)?,
                    output: linear(&attend, "o", inner, d_model)?,
                    feed_norm: feed.get(d_model, "layer_norm.weight")?,
                    wide: linear(&dense, "wi", d_model, d_ff)?,
                    narrow: linear(&dense, "wo", d_ff, d_model)?,
                })
            })
            .collect::<candle_core::Result<_>>()?;
        let bias = encoder.pp("block.0.layer.0.SelfAttention.relative_attention_bias");
        Ok(Self {
            embedding: table.get((config.vocab_size, d_model), "weight")?,
            distance_bias: bias.get((config.relative_attention_num_buckets, num_heads), "weight")?,
            blocks,
            final_norm: encoder.get(d_model, "final_layer_norm.weight")?,
            config: config.clone(),
        })
    }

    /// Pieces of words it knows.
    pub fn vocabulary(&self) -> usize {
        self.config.vocab_size
    }

    /// The id that fills up shorter prompts.
    pub fn padding(&self) -> u32 {
        self.config.pad_token_id
    }

    /// The states `[B, L, d_model]` of `ids` `[B, L]`; nothing listens to a place where `mask` `[B, L]` is 0.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::Model`] when the states are not finite.
    pub fn forward(&self, ids: &Tensor, mask: &Tensor, context: &JobContext) -> Result<Tensor> {
        let (bias, mut states) = self.begin(ids, mask).map_err(broken)?;
        for block in &self.blocks {
            context.check()?;
            states = block.forward(&states, &bias, &self.config).map_err(broken)?;
        }
        let states = rms_norm(&states, &self.final_norm, self.config.layer_norm_epsilon as f32).map_err(broken)?;
        let sum = states.abs().and_then(|states| states.sum_all()?.to_scalar::<f32>()).map_err(broken)?;
        if sum.is_finite() {
            return Ok(states);
        }
        Err(Error::Model {
            name: "MusicGen",
            reason: "its text encoder gives no numbers. Fetch the model again.".into(),
        })
    }

    /// What is added to the attention `[B, heads, L, L]`, and the states before the first block `[B, L, d_model]`.
    fn begin(&self, ids: &Tensor, mask: &Tensor) -> candle_core::Result<(Tensor, Tensor)> {
        let (batch, length) = ids.dims2()?;
        let heads = self.config.num_heads;
        let classes: Vec<u32> = (0..length)
            .flat_map(|query| (0..length).map(move |key| (query, key)))
            .map(|(query, key)| self.class(query, key))
            .collect();
        let classes = Tensor::from_vec(classes, length * length, ids.device())?;
        // [L · L, heads] → [1, heads, L, L]
        let bias =
            self.distance_bias.index_select(&classes, 0)?.reshape((1, length, length, heads))?.permute((0, 3, 1, 2))?;
        // The lowest number rather than infinity: where everything is masked the softmax stays a number.
        let unheard = mask.affine(f64::from(-f32::MIN), f64::from(f32::MIN))?.reshape((batch, 1, 1, length))?;
        let states = self.embedding.index_select(&ids.flatten_all()?, 0)?.reshape((batch, length, ()))?;
        Ok((bias.broadcast_add(&unheard)?.contiguous()?, states))
    }

    /// The class of distance from one piece to another: half of the classes for either direction, the near ones a distance each, the
    /// far ones in equal steps of its logarithm.
    fn class(&self, query: usize, key: usize) -> u32 {
        let classes = self.config.relative_attention_num_buckets / 2;
        let single = classes / 2;
        let distance = query.abs_diff(key);
        let class = if distance < single {
            distance
        } else {
            let farthest = self.config.relative_attention_max_distance as f64 / single as f64;
            let share = (distance as f32 / single as f32).ln() / farthest.ln() as f32;
            (single + (share * (classes - single) as f32) as usize).min(classes - 1)
        };
        (if key > query { classes + class } else { class }) as u32
    }
}

impl Block {
    /// `[B, L, d_model]` → the same.
    fn forward(&self, states: &Tensor, bias: &Tensor, config: &T5Config) -> candle_core::Result<Tensor> {
        let (batch, length, _) = states.dims3()?;
        let epsilon = config.layer_norm_epsilon as f32;
        let heads = |states: Tensor| {
            states.reshape((batch, length, config.num_heads, config.d_kv))?.transpose(1, 2)?.contiguous()
        };
        let normal = rms_norm(states, &self.attention_norm, epsilon)?;
        // [B, heads, L, d_kv]
        let query = heads(self.query.forward(&normal)?)?;
        let key = heads(self.key.forward(&normal)?)?;
        let value = heads(self.value.forward(&normal)?)?;
        // T5 does not scale by the size of a head: that is in the weights.
        let weights = softmax_last_dim(&(query.matmul(&key.transpose(2, 3)?)? + bias)?)?;
        let heard = weights.matmul(&value)?.transpose(1, 2)?.reshape((batch, length, ()))?;
        let states = (states + self.output.forward(&heard)?)?;
        let normal = rms_norm(&states, &self.feed_norm, epsilon)?;
        &states + self.narrow.forward(&self.wide.forward(&normal)?.relu()?)?
    }
}

/// A product without bias.
fn linear(weights: &VarBuilder, name: &str, inputs: usize, outputs: usize) -> candle_core::Result<Linear> {
    Ok(Linear::new(weights.pp(name).get((outputs, inputs), "weight")?, None))
}
