//! Thread: worker. The Basic Pitch network: names and shapes as in its checkpoint.

use crate::analysis::polyphony::constant_q::{BINS, ConstantQ};
use crate::analysis::polyphony::convolution::{Convolution, Finish, Map};
use crate::analysis::polyphony::{CONTOUR_BINS, HOP, KEYS, Posteriors};
use crate::error::{Error, Result};
use crate::job_context::JobContext;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::ops::Range;

/// Frames on either side that reach into a frame: the halves of all kernels in a row.
pub const CONTEXT: usize = 10;

/// Bins from a pitch to its harmonics 1/2, 1, 2 ... 7.
const HARMONICS: [isize; 8] = [-36, 0, 36, 57, 72, 84, 93, 101];
/// Keeps the logarithm of silence finite; a value of the model.
const FLOOR: f32 = 1e-10;

const WEIGHTS: &[u8] = include_bytes!("../../../../assets/models/basic-pitch/basic_pitch.safetensors");

/// What the layers see of a take.
pub struct Features {
    /// Levels `[BINS][frames]` as the network was trained on them.
    bins: Vec<Vec<f32>>,
    /// Decibels between the quietest and the loudest of all.
    range_db: f32,
}

/// All layers with their weights.
pub struct Network {
    constant_q: ConstantQ,
    /// Factor and offset of the normalised level.
    norm: (f32, f32),
    contour: (Convolution, Convolution),
    note: (Convolution, Convolution),
    onset: (Convolution, Convolution),
}

impl Network {
    /// From the weights inside the program.
    pub fn load() -> Result<Self> {
        // Only the first line: the rest may be a backtrace.
        let broken = |error: candle_core::Error| Error::Model {
            name: "Basic Pitch",
            reason: error.to_string().lines().next().unwrap_or_default().into(),
        };
        let weights = VarBuilder::from_slice_safetensors(WEIGHTS, DType::F32, &Device::Cpu).map_err(broken)?;
        Self::from_weights(&weights).map_err(broken)
    }

    fn from_weights(weights: &VarBuilder) -> candle_core::Result<Self> {
        let cqt = weights.pp("cqt");
        let constant_q = ConstantQ::new(
            &flat(&cqt.get((36, 256), "cosine")?)?,
            &flat(&cqt.get((36, 256), "sine")?)?,
            flat(&cqt.get(256, "lowpass")?)?,
            &flat(&cqt.get(BINS, "scale")?)?,
        );
        let norm = weights.pp("norm");
        let norm = (flat(&norm.get(1, "scale")?)?[0], flat(&norm.get(1, "bias")?)?[0]);
        let layer = |name: &str, shape: [usize; 4], stride: usize, finish: Finish| {
            let weights = weights.pp(name);
            let weight = flat(&weights.get((shape[0], shape[1], shape[2], shape[3]), "weight")?)?;
            let bias = flat(&weights.get(shape[0], "bias")?)?;
            candle_core::Result::Ok(Convolution::new(shape, stride, finish, &weight, bias))
        };
        Ok(Self {
            constant_q,
            norm,
            contour: (
                layer("contour.conv1", [8, 8, 3, 39], 1, Finish::Relu)?,
                layer("contour.conv2", [1, 8, 5, 5], 1, Finish::Sigmoid)?,
            ),
            note: (
                layer("note.conv1", [32, 1, 7, 7], 3, Finish::Relu)?,
                layer("note.conv2", [1, 32, 7, 3], 1, Finish::Sigmoid)?,
            ),
            onset: (
                layer("onset.conv1", [32, 8, 5, 5], 3, Finish::Relu)?,
                layer("onset.conv2", [1, 33, 3, 3], 1, Finish::Sigmoid)?,
            ),
        })
    }

    /// Of at least two seconds of audio at 22.05 kHz: levels in decibels, the loudest of all 1 and the quietest 0 before the
    /// network's own factor and offset.
    pub fn features(&self, audio: &[f32], context: &JobContext) -> Result<Features> {
        let mut levels = self.constant_q.power(audio, HOP, context)?;
        let (mut lowest, mut highest) = (f32::MAX, f32::MIN);
        for row in &mut levels {
            for value in row.iter_mut() {
                *value = 10.0 * (*value + FLOOR).log10();
                lowest = lowest.min(*value);
                highest = highest.max(*value);
            }
        }
        let range_db = highest - lowest;
        let factor = if range_db > 0.0 { self.norm.0 / range_db } else { 0.0 };
        for row in &mut levels {
            context.check()?;
            row.iter_mut().for_each(|value| *value = (*value - lowest) * factor + self.norm.1);
        }
        Ok(Features { bins: levels, range_db })
    }

    /// Level of a key's fundamental: the loudest of its three bins, against the loudest of the take, in decibels.
    fn level_db(&self, features: &Features, key: usize, frame: usize) -> f32 {
        let bins = &features.bins[(3 * key).saturating_sub(1)..3 * key + 2];
        let loudest = bins.iter().fold(f32::MIN, |loudest, row| loudest.max(row[frame]));
        ((loudest - self.norm.1) / self.norm.0 - 1.0) * features.range_db
    }

    /// The answers for the frames `wanted`; `context` more on each side are computed, so that the result is that of the whole.
    pub fn forward(&self, features: &Features, wanted: Range<usize>, context: usize) -> Posteriors {
        let total = features.bins.first().map_or(0, Vec::len);
        let computed = wanted.start.saturating_sub(context)..(wanted.end + context).min(total);
        let frames = computed.len();

        // [8, 264, T]: each pitch sees its harmonics in the channels; what lies beyond either end is 0.
        let mut harmonics = Map::new(HARMONICS.len(), CONTOUR_BINS, frames);
        for (channel, shift) in HARMONICS.into_iter().enumerate() {
            for bin in 0..CONTOUR_BINS {
                if let Some(row) = bin.checked_add_signed(shift).and_then(|bin| features.bins.get(bin)) {
                    harmonics.row_mut(channel, bin).copy_from_slice(&row[computed.clone()]);
                }
            }
        }

        // [1, 264, T], [1, 88, T]
        let contour = self.contour.1.forward(&self.contour.0.forward(&harmonics));
        let note = self.note.1.forward(&self.note.0.forward(&contour));
        // [33, 88, T]: the note map, then the 32 channels of the onset's own layer.
        let struck = self.onset.0.forward(&harmonics);
        let mut joined = Map::new(33, KEYS, frames);
        for key in 0..KEYS {
            joined.row_mut(0, key).copy_from_slice(note.row(0, key));
            for channel in 0..32 {
                joined.row_mut(channel + 1, key).copy_from_slice(struck.row(channel, key));
            }
        }
        let onset = self.onset.1.forward(&joined);

        let inside = wanted.start - computed.start..wanted.end - computed.start;
        let level = |frame: usize| std::array::from_fn(|key| self.level_db(features, key, frame));
        Posteriors {
            level_db: wanted.clone().map(level).collect(),
            onset: transposed(&onset, inside.clone()),
            note: transposed(&note, inside.clone()),
            contour: transposed(&contour, inside),
        }
    }
}

/// `[frame][bin]` of a map of one channel.
fn transposed<const N: usize>(map: &Map, frames: Range<usize>) -> Vec<[f32; N]> {
    let mut result = vec![[0.0; N]; frames.len()];
    for bin in 0..N {
        result.iter_mut().zip(&map.row(0, bin)[frames.clone()]).for_each(|(frame, value)| frame[bin] = *value);
    }
    result
}

fn flat(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}
