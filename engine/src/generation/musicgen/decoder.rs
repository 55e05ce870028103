//! Thread: worker. The language model: a causal transformer over a prefix and columns of codes.
//!
//! Pre-norm layers without biases but in their norms; sinusoidal positions count from the start of the prefix. There is no cross-attention:
//! text and melody are the prefix (`transformers`, `modeling_musicgen_melody.py`).

use super::attention::attend;
use super::config::DecoderConfig;
use super::gelu::gelu;
use super::kv_cache::{CacheShape, KvCache, Storage};
use super::linear::{self, Linear, Plan, QuantisedFile, Stack};
use super::positions::add_position;
use super::weights::{Checkpoint, Floats, Quantised};
use super::{Precision, failed};
use crate::error::Result;
use crate::job_context::{JobContext, Stage};
use candle_core::{Device, Tensor};
use candle_nn::{LayerNorm, Module};
use std::path::Path;

const ROOT: &str = "decoder.model.decoder";
const NORM_EPSILON: f64 = 1e-5;

/// The language model with its weights.
pub(super) struct Decoder {
    config: DecoderConfig,
    precision: Precision,
    /// One table a codebook.
    embeddings: Vec<Floats>,
    layers: Vec<Layer>,
    norm: LayerNorm,
    /// All codebooks' heads, stacked.
    heads: Linear,
}

struct Layer {
    attention_norm: LayerNorm,
    /// Queries, keys and values, stacked.
    projections: Linear,
    output: Linear,
    feed_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

/// The matrices of a layer, in the order of [`Layer`].
fn layer_stacks(layer: usize) -> [Stack; 4] {
    let at = format!("{ROOT}.layers.{layer}");
    let tensors = ["q", "k", "v"].map(|part| format!("{at}.self_attn.{part}_proj.weight")).to_vec();
    [
        Stack { name: format!("{at}.self_attn.qkv_proj.weight"), tensors },
        Stack::one(format!("{at}.self_attn.out_proj.weight")),
        Stack::one(format!("{at}.fc1.weight")),
        Stack::one(format!("{at}.fc2.weight")),
    ]
}

fn head_stack(config: &DecoderConfig) -> Stack {
    let tensors = (0..config.num_codebooks).map(|codebook| format!("decoder.lm_heads.{codebook}.weight")).collect();
    Stack { name: "decoder.lm_heads.weight".into(), tensors }
}

/// Makes the matrices in a precision, from a file of quantised weights if it can.
struct Source<'a> {
    checkpoint: &'a Checkpoint,
    precision: Precision,
    file: Option<QuantisedFile>,
}

impl Source<'_> {
    fn linear(&self, stack: Stack) -> Result<Linear> {
        let Some(plan) = Plan::new(self.checkpoint, stack.clone(), self.precision)? else {
            return Linear::full(self.checkpoint, &stack);
        };
        let linear = match &self.file {
            Some(file) => Linear::from_file(file, &plan)?,
            None => Linear::quantised(self.checkpoint, &stack, plan.format)?,
        };
        linear.prepare()?;
        match &self.file {
            Some(file) => file.forget(&plan),
            None => self.checkpoint.forget(&stack.tensors),
        }
        Ok(linear)
    }

    fn norm(&self, name: &str) -> Result<LayerNorm> {
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        Ok(LayerNorm::new(self.checkpoint.tensor(&weight)?, self.checkpoint.tensor(&bias)?, NORM_EPSILON))
    }
}

impl Decoder {
    /// Loads in a precision; quantised weights are kept in `weights_cache` when there is such a folder.
    pub(super) fn load(
        checkpoint: &Checkpoint,
        config: &DecoderConfig,
        precision: Precision,
        weights_cache: Option<&Path>,
        context: &JobContext,
    ) -> Result<(Self, Option<Quantised>)> {
        let (file, mut origin) = quantised_file(checkpoint, config, precision, weights_cache, context)?;
        if file.is_none() && precision != Precision::F32 {
            origin = Some(Quantised::InMemory);
        }
        let source = Source { checkpoint, precision, file };
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for layer in 0..config.num_hidden_layers {
            context.progress(Stage::Queued, layer as f32 / config.num_hidden_layers as f32)?;
            let at = format!("{ROOT}.layers.{layer}");
            let [projections, output, widen, narrow] = layer_stacks(layer);
            layers.push(Layer {
                attention_norm: source.norm(&format!("{at}.self_attn_layer_norm"))?,
                projections: source.linear(projections)?,
                output: source.linear(output)?,
                feed_norm: source.norm(&format!("{at}.final_layer_norm"))?,
                widen: source.linear(widen)?,
                narrow: source.linear(narrow)?,
            });
        }
        let embeddings = (0..config.num_codebooks)
            .map(|codebook| checkpoint.floats(&format!("{ROOT}.embed_tokens.{codebook}.weight")))
            .collect::<Result<_>>()?;
        let norm = source.norm(&format!("{ROOT}.layer_norm"))?;
        // The heads are a hundredth of the weights, and what they say is drawn from directly: they keep more bits.
        let heads = match precision {
            Precision::F32 => source.linear(head_stack(config))?,
            _ => Source { precision: Precision::Q8_0, ..source }.linear(head_stack(config))?,
        };
        Ok((Self { config: config.clone(), precision, embeddings, layers, norm, heads }, origin))
    }

    /// The shape of its caches.
    pub(super) fn cache_shape(&self) -> CacheShape {
        let storage = match self.precision {
            Precision::F32 => Storage::F32,
            _ => Storage::F16,
        };
        let DecoderConfig { num_hidden_layers: layers, num_attention_heads: heads, .. } = self.config;
        CacheShape { layers, heads, head_size: self.config.head_size(), storage }
    }

    /// The sum of the codes' embeddings of each column, `[columns, hidden]`, appended to `into`.
    pub(super) fn embed(&self, columns: &[Vec<u32>], into: &mut Vec<f32>) {
        let width = self.config.hidden_size;
        let scale = if self.config.scale_embedding { (width as f32).sqrt() } else { 1.0 };
        for column in columns {
            let start = into.len();
            into.resize(start + width, 0.0);
            for (table, &code) in self.embeddings.iter().zip(column) {
                let rows = table.as_slice();
                // Codes come from this model's own vocabulary; one that does not would count as nothing.
                let row = rows.get(code as usize * width..(code as usize + 1) * width).unwrap_or(&[]);
                into[start..].iter_mut().zip(row).for_each(|(sum, value)| *sum += scale * value);
            }
        }
    }

    /// Runs new positions of every row of `cache`, `[row][step][hidden]` without positions added, and fills the cache with them.
    /// Returns the final states in the same shape.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], asked for before each layer; the cache is then of no more use.
    pub(super) fn forward(&self, mut input: Vec<f32>, cache: &mut KvCache, context: &JobContext) -> Result<Tensor> {
        let width = self.config.hidden_size;
        let rows = cache.layers.first().map_or(1, Vec::len);
        let count = input.len() / width;
        let steps = count / rows;
        debug_assert!(cache.length() + steps <= cache.capacity());
        for (index, state) in input.chunks_exact_mut(width).enumerate() {
            add_position(cache.length() + index % steps, state);
        }
        let mut states = Tensor::from_vec(input, (count, width), &Device::Cpu).map_err(failed)?;
        for (index, layer) in self.layers.iter().enumerate() {
            context.check()?;
            states = self.layer(layer, index, &states, cache).map_err(failed)?;
        }
        cache.advance(steps);
        self.norm.forward(&states).map_err(failed)
    }

    fn layer(&self, layer: &Layer, index: usize, states: &Tensor, cache: &mut KvCache) -> candle_core::Result<Tensor> {
        let (count, width) = states.dims2()?;
        let (heads, head_size) = (self.config.num_attention_heads, self.config.head_size());
        let projected = layer.projections.forward(&layer.attention_norm.forward(states)?)?;
        let part = |part: usize| projected.narrow(1, part * width, width)?.flatten_all()?.to_vec1::<f32>();
        let scale = 1.0 / (head_size as f32).sqrt();
        let queries: Vec<f32> = part(0)?.into_iter().map(|value| value * scale).collect();
        cache.write(index, &part(1)?, &part(2)?);
        let attended = attend(cache, index, &queries, heads, head_size);
        let attended = Tensor::from_vec(attended, (count, width), &Device::Cpu)?;
        let states = (states + layer.output.forward(&attended)?)?;
        let wide = layer.widen.forward(&layer.feed_norm.forward(&states)?)?;
        let shape = wide.shape().clone();
        let mut wide = wide.flatten_all()?.to_vec1::<f32>()?;
        gelu(&mut wide);
        &states + layer.narrow.forward(&Tensor::from_vec(wide, shape, &Device::Cpu)?)?
    }

    /// Final states `[count, hidden]` to logits `[count][codebook][code]`.
    pub(super) fn logits(&self, states: &Tensor) -> Result<Vec<f32>> {
        self.heads.forward(states).and_then(|logits| logits.flatten_all()?.to_vec1::<f32>()).map_err(failed)
    }
}

/// The file of quantised weights for a precision, made first if need be. None when there is no folder for it, or it cannot be
/// written: then the weights stay in memory.
fn quantised_file(
    checkpoint: &Checkpoint,
    config: &DecoderConfig,
    precision: Precision,
    weights_cache: Option<&Path>,
    context: &JobContext,
) -> Result<(Option<QuantisedFile>, Option<Quantised>)> {
    let Some(folder) = weights_cache.filter(|_| precision != Precision::F32) else {
        return Ok((None, None));
    };
    let stacks = (0..config.num_hidden_layers).flat_map(layer_stacks);
    let mut plans = Vec::new();
    for stack in stacks {
        plans.extend(Plan::new(checkpoint, stack, precision)?);
    }
    plans.extend(Plan::new(checkpoint, head_stack(config), Precision::Q8_0)?);
    let fingerprint = linear::fingerprint(checkpoint);
    if let Some(file) = QuantisedFile::open(folder, fingerprint, &plans) {
        return Ok((Some(file), Some(Quantised::FromCache)));
    }
    match linear::write(folder, fingerprint, &plans, checkpoint, context) {
        Err(crate::Error::File { .. }) => Ok((None, None)),
        Err(error) => Err(error),
        Ok(()) => Ok((QuantisedFile::open(folder, fingerprint, &plans), Some(Quantised::Written))),
    }
}
