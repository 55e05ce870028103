//! Thread: worker. The model from inside, step by step: for comparing it with others, on the same inputs.

use super::conditioning::Frame;
use super::config::Config;
use super::encodec::Encodec;
use super::kv_cache::KvCache;
use super::prefix::{STATES_AT_ONCE, no_melody};
use super::sampling::guide;
use super::text::{TextEncoder, TextStates};
use super::{Melody, MusicGen, failed};
use crate::error::Result;
use crate::job_context::JobContext;
use candle_core::{Device, Tensor};

/// Logits of columns behind a prefix.
#[derive(Debug, Clone)]
pub struct Logits {
    /// `[codebook, column, code]` of the conditional row.
    pub cond: Tensor,
    /// The same of the null row, when the prefix has one.
    pub uncond: Option<Tensor>,
}

impl Logits {
    /// Guided by a coefficient, `[codebook, column, code]`. Without a null row, the conditional ones.
    ///
    /// # Errors
    /// Never for logits of this model.
    pub fn guided(&self, coefficient: f32) -> candle_core::Result<Tensor> {
        let Some(uncond) = &self.uncond else { return Ok(self.cond.clone()) };
        let mut cond = self.cond.flatten_all()?.to_vec1::<f32>()?;
        guide(&mut cond, &uncond.flatten_all()?.to_vec1::<f32>()?, coefficient);
        Tensor::from_vec(cond, self.cond.shape(), &Device::Cpu)
    }
}

impl MusicGen {
    /// What the checkpoint says of itself.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The text encoder.
    pub fn text_encoder(&self) -> &TextEncoder {
        &self.text
    }

    /// The codec.
    pub fn codec(&self) -> &Encodec {
        &self.codec
    }

    /// The states of a text as the prefix has them, `[pieces, hidden]`: projected, and zero where the mask is.
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub fn projected_text(&self, text: &str, context: &JobContext) -> Result<Tensor> {
        let states = self.text.encode(&[text], context)?;
        let row = self.projections.conditional(&no_melody(self.config.chroma_length), &states)?;
        let width = self.config.decoder.hidden_size;
        let text = row[self.config.chroma_length * width..].to_vec();
        Tensor::from_vec(text, (row.len() / width - self.config.chroma_length, width), &Device::Cpu).map_err(failed)
    }

    /// The prefix of a text and a melody, `[2, chroma + text, hidden]`: the conditional row and the null row.
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub fn prefix(&self, text: &str, melody: &Melody, context: &JobContext) -> Result<Tensor> {
        let states = self.text.encode(&[text], context)?;
        let frames = self.melody_frames(melody, None, context)?;
        self.prefix_of(&frames, &states)
    }

    /// [`Self::prefix`] of frames, exactly `chroma_length`, and text states that are there already.
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub fn prefix_of(&self, frames: &[Frame], text: &TextStates) -> Result<Tensor> {
        let pieces = text.mask.dim(1).map_err(failed)?;
        let mut rows = self.projections.conditional(frames, text)?;
        rows.extend(self.projections.null(pieces)?);
        let width = self.config.decoder.hidden_size;
        let positions = rows.len() / 2 / width;
        Tensor::from_vec(rows, (2, positions, width), &Device::Cpu).map_err(failed)
    }

    /// Logits of `columns` `[column][codebook]` behind a prefix `[1 or 2, positions, hidden]`. Positions run in steps of `at_once`, through
    /// the cache: any number gives the same, and all at once is a full forward pass.
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub fn logits(
        &self,
        prefix: &Tensor,
        columns: &[Vec<u32>],
        at_once: usize,
        context: &JobContext,
    ) -> Result<Logits> {
        let (rows, positions, width) = prefix.dims3().map_err(failed)?;
        let mut embedded = Vec::new();
        self.decoder.embed(columns, &mut embedded);
        let mut input = Vec::with_capacity(rows);
        for row in 0..rows {
            let flat = prefix.get(row).and_then(|row| row.flatten_all()?.to_vec1::<f32>());
            let mut row = flat.map_err(failed)?;
            row.extend_from_slice(&embedded);
            input.push(row);
        }
        let total = positions + columns.len();
        let mut cache = self.decoder.cache(rows, total)?;
        let mut states = vec![Vec::new(); rows];
        for start in (0..total).step_by(at_once.max(1)) {
            let range = start * width..(start + at_once.max(1)).min(total) * width;
            let step: Vec<f32> = input.iter().flat_map(|row| &row[range.clone()]).copied().collect();
            let result = self.pool.install(|| self.decoder.forward(step, &mut cache, context))?;
            let result = result.flatten_all().and_then(|result| result.to_vec1::<f32>()).map_err(failed)?;
            for (all, new) in states.iter_mut().zip(result.chunks_exact(range.len())) {
                all.extend_from_slice(new);
            }
        }
        let mut logits = states.iter().map(|states| self.logits_of(&states[positions * width..], columns.len()));
        let cond = logits.next().unwrap_or_else(|| Err(failed("a prefix without rows")))?;
        Ok(Logits { cond, uncond: logits.next().transpose()? })
    }

    fn logits_of(&self, states: &[f32], columns: usize) -> Result<Tensor> {
        let decoder = &self.config.decoder;
        let states = Tensor::from_slice(states, (columns, decoder.hidden_size), &Device::Cpu).map_err(failed)?;
        let logits = self.pool.install(|| self.decoder.logits(&states))?;
        Tensor::from_vec(logits, (columns, decoder.num_codebooks, decoder.vocab_size), &Device::Cpu)
            .and_then(|logits| logits.transpose(0, 1)?.contiguous())
            .map_err(failed)
    }
}

/// Single steps behind a prefix, in the caller's hands: for measuring.
pub struct Stepper<'a> {
    model: &'a MusicGen,
    cache: KvCache,
    rows: usize,
}

impl MusicGen {
    /// Runs a prefix `[1 or 2, positions, hidden]`, with room for `room` more positions.
    ///
    /// # Errors
    /// As [`Self::generate`].
    pub fn stepper(&self, prefix: &Tensor, room: usize, context: &JobContext) -> Result<Stepper<'_>> {
        let (rows, positions, width) = prefix.dims3().map_err(failed)?;
        let mut cache = self.decoder.cache(rows, positions + room)?;
        let at_once = (STATES_AT_ONCE / rows).max(1);
        for start in (0..positions).step_by(at_once) {
            let count = at_once.min(positions - start);
            let part = prefix.narrow(1, start, count).and_then(|part| part.flatten_all()?.to_vec1::<f32>());
            let part = part.map_err(failed)?;
            debug_assert_eq!(part.len(), rows * count * width);
            self.pool.install(|| self.decoder.forward(part, &mut cache, context))?;
        }
        Ok(Stepper { model: self, cache, rows })
    }
}

impl Stepper<'_> {
    /// Positions so far.
    pub fn positions(&self) -> usize {
        self.cache.length()
    }

    /// Fills positions with keys and values of no meaning, as if so many steps had been made.
    ///
    /// # Errors
    /// When a graphics processor fails.
    pub fn pretend(&mut self, positions: usize) -> Result<()> {
        let decoder = &self.model.config.decoder;
        let count = self.rows * positions * decoder.hidden_size;
        let noise: Vec<f32> = (0..count).map(|index| ((index * 7919) % 1009) as f32 / 504.5 - 1.0).collect();
        for layer in 0..decoder.num_hidden_layers {
            self.cache.write(layer, &noise, &noise).map_err(failed)?;
        }
        self.cache.advance(positions);
        Ok(())
    }

    /// One column, the same in every row; returns its logits `[row][codebook][code]`.
    ///
    /// # Errors
    /// As [`MusicGen::generate`].
    pub fn step(&mut self, column: &[u32], context: &JobContext) -> Result<Vec<f32>> {
        let mut one = Vec::new();
        self.model.decoder.embed(&[column.to_vec()], &mut one);
        let input = one.repeat(self.rows);
        let (decoder, cache) = (&self.model.decoder, &mut self.cache);
        self.model.pool.install(|| {
            let states = decoder.forward(input, cache, context)?;
            decoder.logits(&states)
        })
    }
}
