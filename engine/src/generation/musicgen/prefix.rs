//! Thread: worker. What stands in front of every piece: the melody's frames and the words, and their keys and values once computed.
//!
//! A row is `[chroma][text]`. The conditional row has the melody and the words; the null row has no melody, which is the first class in every
//! frame, and zeros for words, as many as the conditional row has. Nothing of either is masked. So the null row depends only on how many
//! pieces the words have, and the conditional row not on the seed: both are kept.

use super::conditioning::Frame;
use super::config::Config;
use super::decoder::Decoder;
use super::kv_cache::KvCache;
use super::text::TextStates;
use super::weights::Checkpoint;
use super::{MusicGen, failed};
use crate::error::Result;
use crate::job_context::JobContext;
use candle_core::{Device, Tensor};
use std::sync::{Arc, Mutex, PoisonError};

/// States run through the model at once, all rows together: long enough to be worth reading the weights, short enough that a layer takes
/// less than 0.1 s.
pub(super) const STATES_AT_ONCE: usize = 128;
/// Null rows kept: two lengths of prompt, 80 MB each in the real model.
const NULL_ROWS_KEPT: usize = 2;

/// The projections of conditions into the model's width.
pub(super) struct Projections {
    /// Absent when T5 is as wide as the model.
    text: Option<Projection>,
    chroma: Projection,
    chroma_length: usize,
    width: usize,
}

struct Projection {
    weight: Tensor,
    bias: Tensor,
}

impl Projection {
    fn load(checkpoint: &Checkpoint, name: &str) -> Result<Self> {
        let part = |part: &str| checkpoint.tensor(&format!("{name}.{part}"));
        Ok(Self { weight: part("weight")?, bias: part("bias")? })
    }

    /// `[count, inputs]` to `[count, width]`.
    fn forward(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        input.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)
    }
}

impl Projections {
    pub(super) fn load(checkpoint: &Checkpoint, config: &Config, text_width: usize) -> Result<Self> {
        let width = config.decoder.hidden_size;
        let text = (text_width != width).then(|| Projection::load(checkpoint, "enc_to_dec_proj")).transpose()?;
        let chroma = Projection::load(checkpoint, "audio_enc_to_dec_proj")?;
        Ok(Self { text, chroma, chroma_length: config.chroma_length, width })
    }

    /// The conditional row, `[chroma + text, hidden]`.
    pub(super) fn conditional(&self, melody: &[Frame], text: &TextStates) -> Result<Vec<f32>> {
        let project = || {
            let hidden = text.hidden.get(0)?;
            let projected = match &self.text {
                Some(projection) => projection.forward(&hidden)?,
                None => hidden,
            };
            // Masked after the bias: padding, and a prompt without words, become zeros.
            projected.broadcast_mul(&text.mask.get(0)?.unsqueeze(1)?)?.flatten_all()?.to_vec1::<f32>()
        };
        let mut row = self.melody(melody)?;
        row.extend(project().map_err(failed)?);
        Ok(row)
    }

    /// The null row for so many pieces of words.
    pub(super) fn null(&self, pieces: usize) -> Result<Vec<f32>> {
        let mut row = self.melody(&no_melody(self.chroma_length))?;
        row.resize(row.len() + pieces * self.width, 0.0);
        Ok(row)
    }

    fn melody(&self, frames: &[Frame]) -> Result<Vec<f32>> {
        let numbers: Vec<f32> = frames.iter().flatten().copied().collect();
        Tensor::from_vec(numbers, (frames.len(), 12), &Device::Cpu)
            .and_then(|frames| self.chroma.forward(&frames)?.flatten_all()?.to_vec1::<f32>())
            .map_err(failed)
    }
}

/// The frames that mean no melody.
pub(super) fn no_melody(length: usize) -> Vec<Frame> {
    super::conditioning::Melody::none().fitted(length)
}

/// Computed rows: what they are for, and their keys and values.
#[derive(Default)]
pub(super) struct KeptRows {
    null: Vec<(usize, Arc<KvCache>)>,
    conditional: Option<(ConditionKey, Arc<KvCache>)>,
}

/// Words and melody, to the bit.
#[derive(PartialEq)]
struct ConditionKey {
    text: String,
    melody: Vec<u32>,
}

/// The keys and values of a prefix.
pub(super) struct PrefixRows {
    pub(super) conditional: Arc<KvCache>,
    /// None without guidance.
    pub(super) null: Option<Arc<KvCache>>,
}

impl MusicGen {
    /// The prefix for words and melody, computed where it is not kept from before.
    pub(super) fn prefix_rows(
        &self,
        text: &str,
        states: &TextStates,
        melody: &[Frame],
        guided: bool,
        context: &JobContext,
    ) -> Result<PrefixRows> {
        let pieces = states.mask.dim(1).map_err(failed)?;
        let melody_bits = melody.iter().flatten().map(|value| value.to_bits()).collect();
        let key = ConditionKey { text: text.to_owned(), melody: melody_bits };
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |rows: &KeptRows| {
            let null = rows.null.iter().find(|(length, _)| *length == pieces).map(|(_, row)| row.clone());
            let conditional = rows.conditional.as_ref().filter(|(kept, _)| *kept == key).map(|(_, row)| row.clone());
            (null, conditional)
        };
        let (mut null, mut conditional) = find(&kept());
        // Rows that are both missing are computed together, which reads the weights once.
        let mut rows = Vec::new();
        let null_is_missing = guided && null.is_none();
        if conditional.is_none() {
            rows.push(self.projections.conditional(melody, states)?);
        }
        if null_is_missing {
            rows.push(self.projections.null(pieces)?);
        }
        if !rows.is_empty() {
            let mut computed = prefill(self, &rows, context)?.into_iter();
            if conditional.is_none() {
                conditional = computed.next().map(Arc::new);
            }
            if null_is_missing {
                null = computed.next().map(Arc::new);
            }
        }
        let conditional = conditional.ok_or_else(|| failed("a prefix came to nothing"))?;
        let mut rows = kept();
        rows.conditional = Some((key, conditional.clone()));
        if let Some(null) = null.as_ref().filter(|_| null_is_missing) {
            rows.null.insert(0, (pieces, null.clone()));
            rows.null.truncate(NULL_ROWS_KEPT);
        }
        Ok(PrefixRows { conditional, null: null.filter(|_| guided) })
    }
}

/// Runs rows of one length, `[position][hidden]` each, and returns each one's keys and values.
fn prefill(model: &MusicGen, rows: &[Vec<f32>], context: &JobContext) -> Result<Vec<KvCache>> {
    let decoder: &Decoder = &model.decoder;
    let (width, shape) = (model.config.decoder.hidden_size, decoder.cache_shape());
    let positions = rows[0].len() / width;
    let mut cache = decoder.cache(rows.len(), positions)?;
    let steps = (STATES_AT_ONCE / rows.len()).max(1);
    for start in (0..positions).step_by(steps) {
        let range = start * width..(start + steps).min(positions) * width;
        let input: Vec<f32> = rows.iter().flat_map(|row| &row[range.clone()]).copied().collect();
        model.pool.install(|| decoder.forward(input, &mut cache, context))?;
    }
    (0..rows.len()).map(|row| cache.row(row, &shape).map_err(failed)).collect()
}

/// A mutex of kept rows, empty.
pub(super) fn nothing_kept() -> Mutex<KeptRows> {
    Mutex::new(KeptRows::default())
}
