//! Thread: worker. The language model: a causal transformer over a prefix and columns of codes.
//!
//! Pre-norm layers without biases but in their norms; sinusoidal positions count from the start of the prefix. There is no cross-attention:
//! text and melody are the prefix (`transformers`, `modeling_musicgen_melody.py`).

use super::attention;
use super::config::DecoderConfig;
use super::gelu::gelu;
use super::kv_cache::{CacheShape, KvCache, Layers, Storage};
use super::linear::{self, Linear, Plan, QuantisedFile, Stack};
use super::positions::add_position;
use super::weights::{Checkpoint, Floats, Quantised};
use super::{Precision, failed};
use crate::error::Result;
use crate::job_context::{JobContext, Stage};
use candle_core::{DType, Device, Tensor};
use candle_nn::{LayerNorm, Module};
use std::path::Path;

const ROOT: &str = "decoder.model.decoder";
const NORM_EPSILON: f64 = 1e-5;

/// The language model with its weights.
pub(super) struct Decoder {
    config: DecoderConfig,
    precision: Precision,
    /// Everything is tensors there; our own loops on the processor when absent.
    device: Option<Device>,
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
    device: Option<&'a Device>,
    file: Option<QuantisedFile>,
}

impl Source<'_> {
    fn linear(&self, stack: Stack) -> Result<Linear> {
        let Some(plan) = Plan::new(self.checkpoint, stack.clone(), self.precision)? else {
            let Some(device) = self.device else { return Linear::full(self.checkpoint, &stack) };
            let kind = if self.precision == Precision::F16 { DType::F16 } else { DType::F32 };
            let linear = Linear::tensor(self.checkpoint, &stack, kind, device)?;
            self.checkpoint.forget(&stack.tensors);
            return Ok(linear);
        };
        let linear = match &self.file {
            Some(file) => Linear::from_file(file, &plan)?,
            None => Linear::quantised(self.checkpoint, &stack, plan.format)?,
        };
        let linear = match self.device {
            Some(device) => linear.on(device)?,
            None => linear,
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
        let device = self.device.unwrap_or(&Device::Cpu);
        let tensor = |name: &str| self.checkpoint.tensor(name)?.to_device(device).map_err(failed);
        Ok(LayerNorm::new(tensor(&weight)?, tensor(&bias)?, NORM_EPSILON))
    }
}

impl Decoder {
    /// Loads in a precision; quantised weights are kept in `weights_cache` when there is such a folder.
    pub(super) fn load(
        checkpoint: &Checkpoint,
        config: &DecoderConfig,
        precision: Precision,
        device: Option<Device>,
        weights_cache: Option<&Path>,
        context: &JobContext,
    ) -> Result<(Self, Option<Quantised>)> {
        let (file, mut origin) = quantised_file(checkpoint, config, precision, weights_cache, context)?;
        if origin.is_none() && precision.is_quantised() {
            origin = Some(Quantised::InMemory);
        }
        let source = Source { checkpoint, precision, device: device.as_ref(), file };
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for layer in 0..config.num_hidden_layers {
            context.progress(Stage::Loading, layer as f32 / config.num_hidden_layers as f32)?;
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
            Precision::F32 | Precision::F16 => source.linear(head_stack(config))?,
            Precision::Q8_0 | Precision::Q4K => {
                Source { precision: Precision::Q8_0, ..source }.linear(head_stack(config))?
            }
        };
        Ok((Self { config: config.clone(), precision, device, embeddings, layers, norm, heads }, origin))
    }

    /// The shape of its caches.
    pub(super) fn cache_shape(&self) -> CacheShape {
        let storage = match self.precision {
            Precision::F32 => Storage::F32,
            _ => Storage::F16,
        };
        let DecoderConfig { num_hidden_layers: layers, num_attention_heads: heads, .. } = self.config;
        CacheShape { layers, heads, head_size: self.config.head_size(), storage, device: self.device.clone() }
    }

    /// An empty cache with room for `capacity` positions in each of `rows`.
    ///
    /// # Errors
    /// [`crate::Error::Internal`] when a graphics processor has no memory left.
    pub(super) fn cache(&self, rows: usize, capacity: usize) -> Result<KvCache> {
        KvCache::new(&self.cache_shape(), rows, capacity).map_err(failed)
    }

    fn device(&self) -> &Device {
        self.device.as_ref().unwrap_or(&Device::Cpu)
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
        let rows = cache.rows();
        let count = input.len() / width;
        let steps = count / rows;
        debug_assert!(cache.length() + steps <= cache.capacity());
        for (index, state) in input.chunks_exact_mut(width).enumerate() {
            add_position(cache.length() + index % steps, state);
        }
        let mut states = Tensor::from_vec(input, (count, width), self.device()).map_err(failed)?;
        for (index, layer) in self.layers.iter().enumerate() {
            context.check()?;
            states = self.layer(layer, index, &states, cache).map_err(failed)?;
        }
        cache.advance(steps);
        self.norm.forward(&states).map_err(failed)
    }

    fn layer(&self, layer: &Layer, index: usize, states: &Tensor, cache: &mut KvCache) -> candle_core::Result<Tensor> {
        let projected = layer.projections.forward(&layer.attention_norm.forward(states)?)?;
        let attended = self.attend(index, &projected, cache)?;
        let states = (states + layer.output.forward(&attended)?)?;
        let wide = layer.widen.forward(&layer.feed_norm.forward(&states)?)?;
        let wide = if self.device.is_some() {
            wide.gelu_erf()?
        } else {
            let shape = wide.shape().clone();
            let mut wide = wide.flatten_all()?.to_vec1::<f32>()?;
            gelu(&mut wide);
            Tensor::from_vec(wide, shape, &Device::Cpu)?
        };
        &states + layer.narrow.forward(&wide)?
    }

    /// Attention over queries, keys and values `[count, 3 * width]`, the latter two of which are kept in the cache.
    fn attend(&self, index: usize, projected: &Tensor, cache: &mut KvCache) -> candle_core::Result<Tensor> {
        let before = cache.length();
        if let Layers::Tensors(layers) = &mut cache.layers {
            return layers[index].attend(projected, before);
        }
        let width = self.config.hidden_size;
        let (heads, head_size) = (self.config.num_attention_heads, self.config.head_size());
        let part = |part: usize| projected.narrow(1, part * width, width)?.flatten_all()?.to_vec1::<f32>();
        let scale = 1.0 / (head_size as f32).sqrt();
        let queries: Vec<f32> = part(0)?.into_iter().map(|value| value * scale).collect();
        cache.write(index, &part(1)?, &part(2)?)?;
        let Layers::Own(layers) = &cache.layers else { candle_core::bail!("the cache lies on a device") };
        let attended = attention::attend(&layers[index], (before, cache.capacity()), &queries, (heads, head_size));
        Tensor::from_vec(attended, (projected.dim(0)?, width), &Device::Cpu)
    }

    /// Final states `[count, hidden]` to logits `[count][codebook][code]`.
    pub(super) fn logits(&self, states: &Tensor) -> Result<Vec<f32>> {
        let logits = states.to_device(self.device()).and_then(|states| self.heads.forward(&states));
        logits.and_then(|logits| logits.flatten_all()?.to_vec1::<f32>()).map_err(failed)
    }
}

/// The file of quantised weights for a precision, made first if need be; without a folder for it, one that only this process sees. None when
/// it cannot be written: then the weights stay in memory.
fn quantised_file(
    checkpoint: &Checkpoint,
    config: &DecoderConfig,
    precision: Precision,
    weights_cache: Option<&Path>,
    context: &JobContext,
) -> Result<(Option<QuantisedFile>, Option<Quantised>)> {
    if !precision.is_quantised() {
        return Ok((None, None));
    }
    let stacks = (0..config.num_hidden_layers).flat_map(layer_stacks);
    let mut plans = Vec::new();
    for stack in stacks {
        plans.extend(Plan::new(checkpoint, stack, precision)?);
    }
    plans.extend(Plan::new(checkpoint, head_stack(config), Precision::Q8_0)?);
    let fingerprint = linear::fingerprint(checkpoint);
    let unnamed = || Ok((QuantisedFile::unnamed(fingerprint, &plans, checkpoint, context)?, None));
    let Some(folder) = weights_cache else { return unnamed() };
    if let Some(file) = QuantisedFile::open(folder, fingerprint, &plans) {
        return Ok((Some(file), Some(Quantised::FromCache)));
    }
    match linear::write(folder, fingerprint, &plans, checkpoint, context) {
        Err(crate::Error::File { .. }) => unnamed(),
        Err(error) => Err(error),
        Ok(()) => {
            linear::prune(folder, fingerprint, checkpoint);
            Ok((QuantisedFile::open(folder, fingerprint, &plans), Some(Quantised::Written)))
        }
    }
}
