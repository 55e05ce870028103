//! Thread: worker. The codec's codebooks: a frame is the sum of one entry of each, every further one closer to it.

use super::config::EncodecConfig;
use super::product::add_product;
use super::signal::Signal;
use super::weights::numbers;
use crate::error::{Error, Result};
use candle_nn::VarBuilder;

/// All codebooks.
#[derive(Debug)]
pub struct Quantizer {
    /// Entries `[codebook_size][dimension]` of each.
    codebooks: Vec<Vec<f32>>,
    entries: usize,
    dimension: usize,
}

impl Quantizer {
    /// `weights` at `audio_encoder.quantizer`.
    pub fn load(weights: &VarBuilder, config: &EncodecConfig) -> candle_core::Result<Self> {
        let (entries, dimension) = (config.codebook_size, config.hidden_size);
        let codebooks = (0..config.codebooks())
            .map(|layer| numbers(&weights.get((entries, dimension), &format!("layers.{layer}.codebook.embed"))?))
            .collect::<candle_core::Result<_>>()?;
        Ok(Self { codebooks, entries, dimension })
    }

    /// No frame at all.
    pub fn nothing(&self) -> Signal {
        Signal::empty(self.dimension)
    }

    /// The frames that `codes` `[codebook][frame]` stand for.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a code that no entry has, for too many codebooks, and for codebooks of different lengths.
    pub fn decode(&self, codes: &[Vec<u32>]) -> Result<Signal> {
        if codes.is_empty() || codes.len() > self.codebooks.len() {
            return Err(Error::OutOfRange {
                what: "The number of codebooks",
                got: codes.len().to_string(),
                expected: format!("from 1 to {}", self.codebooks.len()),
            });
        }
        let frames = codes[0].len();
        let mut data = vec![0.0; frames * self.dimension];
        for (codes, codebook) in codes.iter().zip(&self.codebooks) {
            if codes.len() != frames {
                return Err(Error::OutOfRange {
                    what: "The length of a codebook's part",
                    got: codes.len().to_string(),
                    expected: format!("{frames}, as long as the first's"),
                });
            }
            for (frame, &code) in data.chunks_exact_mut(self.dimension).zip(codes) {
                let entry =
                    codebook.chunks_exact(self.dimension).nth(code as usize).ok_or_else(|| Error::OutOfRange {
                        what: "A code of the sound",
                        got: code.to_string(),
                        expected: format!("below {}", self.entries),
                    })?;
                frame.iter_mut().zip(entry).for_each(|(value, part)| *value += part);
            }
        }
        Ok(Signal { channels: self.dimension, data })
    }

    /// The nearest entry of each codebook in turn, `[codebook][frame]`; each is taken off before the next is looked for. The lowest
    /// code wins a tie.
    pub fn encode(&self, signal: &Signal) -> Vec<Vec<u32>> {
        let mut left = signal.data.clone();
        let mut codes = Vec::with_capacity(self.codebooks.len());
        for codebook in &self.codebooks {
            let mut turned = vec![0.0; codebook.len()];
            for (entry, values) in codebook.chunks_exact(self.dimension).enumerate() {
                for (at, value) in values.iter().enumerate() {
                    turned[at * self.entries + entry] = -2.0 * value;
                }
            }
            // |x - e|² without |x|², which is the same for every entry e.
            let squares: Vec<f32> = codebook
                .chunks_exact(self.dimension)
                .map(|entry| entry.iter().map(|value| value * value).sum())
                .collect();
            let mut distances = squares.repeat(signal.moments());
            add_product(&mut distances, self.entries, &left, self.dimension, self.dimension, &turned);
            let nearest: Vec<u32> = distances.chunks_exact(self.entries).map(lowest).collect();
            for (frame, &code) in left.chunks_exact_mut(self.dimension).zip(&nearest) {
                let entry = &codebook[code as usize * self.dimension..][..self.dimension];
                frame.iter_mut().zip(entry).for_each(|(value, part)| *value -= part);
            }
            codes.push(nearest);
        }
        codes
    }
}

/// Where the lowest value is, the first of equals.
fn lowest(values: &[f32]) -> u32 {
    let best = (0..values.len()).fold(0, |best, at| if values[at] < values[best] { at } else { best });
    best as u32
}
