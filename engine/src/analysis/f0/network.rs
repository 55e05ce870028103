//! Thread: worker. The SwiftF0 network: names and shapes as in its checkpoint.

use crate::analysis::f0::convolution::{Convolution, Finish, Map};
use crate::analysis::f0::spectrum::Spectrum;
use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use std::ops::Range;

/// Bins of the log-spaced frequency axis.
pub const BINS: usize = 128;
/// Bins the neck looks at, and pitches it decides between: 46.875 to 2093.75 Hz in steps of 70 cents.
const NECK_BINS: usize = 96;
pub const PITCHES: usize = 95;
/// Channels of the trunk and of the neck.
const TRUNK: usize = 12;
const NECK: usize = 4;
/// Hidden channels of the voicing head.
const VOICING: usize = 16;
/// Lengths of the three spectra, in the order of the network's input channels.
const SPECTRA: [usize; 3] = [1024, 2048, 512];
/// Kernel (bins, frames) and dilation along the bins of the residual blocks.
const BLOCKS: [(usize, usize, usize); 6] = [(7, 3, 1), (7, 1, 17), (5, 1, 27), (3, 1, 40), (3, 1, 48), (7, 3, 2)];

const WEIGHTS: &[u8] = include_bytes!("../../../../assets/models/swift-f0/swift_f0.safetensors");

/// The network's answer for one frame.
#[derive(Debug, Clone, Copy)]
pub struct Pitch {
    /// Natural logarithm of how much each pitch is believed, up to a common constant.
    pub logits: [f32; PITCHES],
    /// 0 to 1.
    pub confidence: f32,
}

impl Pitch {
    /// The most believed pitch, the lowest on ties.
    pub fn best(&self) -> usize {
        (0..PITCHES).fold(0, |best, pitch| if self.logits[pitch] > self.logits[best] { pitch } else { best })
    }
}

/// All layers with their weights.
pub struct Network {
    front: Vec<Spectrum>,
    stem: Convolution,
    blocks: Vec<(Convolution, Convolution)>,
    neck: Convolution,
    /// `[PITCHES][NECK]` applied to each bin by itself: weights and bias of one pitch logit.
    pitch: (Vec<f32>, f32),
    voicing: Voicing,
    /// Natural logarithm of the frequency of each pitch.
    log_freq: Vec<f64>,
}

/// The small head that says whether there is a pitch.
struct Voicing {
    band: Convolution,
    /// `[16][5][3]`, frames last.
    conv1: (Vec<f32>, Vec<f32>),
    /// `[1][16][1]`.
    conv2: (Vec<f32>, f32),
}

impl Network {
    /// From the weights inside the program.
    pub fn load() -> Result<Self> {
        // Only the first line: the rest may be a backtrace.
        let broken = |error: candle_core::Error| Error::Model {
            name: "SwiftF0",
            reason: error.to_string().lines().next().unwrap_or_default().into(),
        };
        let weights = VarBuilder::from_slice_safetensors(WEIGHTS, DType::F32, &Device::Cpu).map_err(broken)?;
        Self::from_weights(&weights).map_err(broken)
    }

    fn from_weights(weights: &VarBuilder) -> candle_core::Result<Self> {
        let front = weights.pp("front");
        let front = SPECTRA
            .iter()
            .map(|&length| {
                let window = flat(&front.get(length, &format!("window_{length}"))?)?;
                let bank = flat(&front.get((length / 2 + 1, BINS), &format!("bank_{length}"))?)?;
                Ok(Spectrum::new(window, &bank))
            })
            .collect::<candle_core::Result<_>>()?;
        let blocks = BLOCKS
            .iter()
            .zip(1..)
            .map(|(&(bins, frames, dilation), number)| {
                let block = weights.pp(format!("block{number}"));
                let padding = dilation * (bins - 1) / 2;
                let layer = |name: &str| convolution(&block.pp(name), [TRUNK, TRUNK, bins, frames], dilation, padding);
                Ok((layer("conv1")?, layer("conv2")?))
            })
            .collect::<candle_core::Result<_>>()?;
        let pitch = weights.pp("pitch");
        let voicing = weights.pp("voicing");
        let (conv1, conv2) = (voicing.pp("conv1"), voicing.pp("conv2"));
        Ok(Self {
            front,
            stem: convolution(&weights.pp("stem"), [TRUNK, SPECTRA.len(), 3, 3], 1, 1)?,
            blocks,
            neck: convolution(&weights.pp("neck"), [NECK, TRUNK, 3, 3], 1, 1)?,
            pitch: (flat(&pitch.get((1, NECK, 1, 1), "weight")?)?, flat(&pitch.get(1, "bias")?)?[0]),
            voicing: Voicing {
                band: convolution(&voicing.pp("band"), [NECK, NECK, 5, 1], 1, 2)?,
                conv1: (flat(&conv1.get((VOICING, NECK + 1, 3), "weight")?)?, flat(&conv1.get(VOICING, "bias")?)?),
                conv2: (flat(&conv2.get((1, VOICING, 1), "weight")?)?, flat(&conv2.get(1, "bias")?)?[0]),
            },
            log_freq: flat(&weights.get(PITCHES, "log_freq")?)?.into_iter().map(f64::from).collect(),
        })
    }

    /// The pitches of `wanted` among the `total` frames of `audio` at 16 kHz, scaled by `gain`. `context` more frames on
    /// each side are computed, so that the result is that of the whole.
    pub fn forward(&self, audio: &[f32], gain: f32, total: usize, wanted: Range<usize>, context: usize) -> Vec<Pitch> {
        let computed = wanted.start.saturating_sub(context)..(wanted.end + context).min(total);
        let frames = computed.len();

        // [3, 128, T]
        let mut features = Map::new(SPECTRA.len(), BINS, frames);
        for (channel, spectrum) in self.front.iter().enumerate() {
            let mut scratch = spectrum.scratch();
            for frame in computed.clone() {
                spectrum.features(audio, gain, frame, &mut scratch, |bin, value| {
                    features.set(channel, bin, frame - computed.start, value);
                });
            }
        }

        // [12, 128, T]
        let mut trunk = Map::new(TRUNK, BINS, frames);
        let mut inner = trunk.clone();
        let mut next = trunk.clone();
        self.stem.forward(&features, BINS, Finish::Relu, &mut trunk);
        for (conv1, conv2) in &self.blocks {
            conv1.forward(&trunk, BINS, Finish::Relu, &mut inner);
            conv2.forward(&inner, BINS, Finish::AddRelu(&trunk), &mut next);
            std::mem::swap(&mut trunk, &mut next);
        }

        // [4, 95, T]: one row of padding below, none above, so 96 bins become 95.
        let mut neck = Map::new(NECK, PITCHES, frames);
        self.neck.forward(&trunk, NECK_BINS, Finish::Relu, &mut neck);

        let confidence = self.confidence(&features, &neck, frames);
        let first = wanted.start - computed.start;
        (first..first + wanted.len())
            .map(|frame| Pitch { logits: self.logits(&neck, frame), confidence: confidence[frame] })
            .collect()
    }

    /// The pitch logits of one frame.
    fn logits(&self, neck: &Map, frame: usize) -> [f32; PITCHES] {
        let (weights, bias) = &self.pitch;
        std::array::from_fn(|pitch| {
            (0..NECK).fold(0.0, |sum, channel| sum + weights[channel] * neck.row(channel, pitch)[frame]) + bias
        })
    }

    /// The frequency in hertz of one of the 95 pitches, refined by its two neighbours.
    pub fn hz(&self, logits: &[f32; PITCHES], pitch: usize) -> f32 {
        let (mut weight_sum, mut sum) = (0.0, 0.0);
        for near in pitch.saturating_sub(1)..=(pitch + 1).min(PITCHES - 1) {
            let weight = f64::from(logits[near] - logits[pitch]).exp();
            weight_sum += weight;
            sum += weight * self.log_freq[near];
        }
        (sum / weight_sum).exp() as f32
    }

    /// Voicing confidence of every frame.
    fn confidence(&self, features: &Map, neck: &Map, frames: usize) -> Vec<f32> {
        let mut band = Map::new(NECK, PITCHES, frames);
        self.voicing.band.forward(neck, PITCHES, Finish::Linear, &mut band);
        // [5, T]: the loudest pitch of each channel, and the overall level.
        let mut summary = vec![vec![f32::NEG_INFINITY; frames]; NECK];
        for (channel, loudest) in summary.iter_mut().enumerate() {
            for pitch in 0..PITCHES {
                loudest.iter_mut().zip(band.row(channel, pitch)).for_each(|(top, value)| *top = top.max(*value));
            }
        }
        let mut level = vec![0.0_f32; frames];
        for channel in 0..SPECTRA.len() {
            for bin in 0..BINS {
                level.iter_mut().zip(features.row(channel, bin)).for_each(|(sum, value)| *sum += value);
            }
        }
        level.iter_mut().for_each(|sum| *sum /= (SPECTRA.len() * BINS) as f32);
        summary.push(level);

        let (weight1, bias1) = &self.voicing.conv1;
        let (weight2, bias2) = &self.voicing.conv2;
        (0..frames)
            .map(|frame| {
                let mut logit = *bias2;
                for (output, bias) in bias1.iter().enumerate() {
                    let mut hidden = *bias;
                    for (input, row) in summary.iter().enumerate() {
                        let weights = &weight1[(output * (NECK + 1) + input) * 3..][..3];
                        for (tap, weight) in weights.iter().enumerate() {
                            let value = (frame + tap).checked_sub(1).and_then(|source| row.get(source));
                            hidden += weight * value.copied().unwrap_or(0.0);
                        }
                    }
                    logit += weight2[output] * hidden.max(0.0);
                }
                1.0 / (1.0 + (-logit).exp())
            })
            .collect()
    }
}

fn flat(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

fn convolution(
    weights: &VarBuilder,
    shape: [usize; 4],
    dilation: usize,
    padding_below: usize,
) -> candle_core::Result<Convolution> {
    let weight = flat(&weights.get((shape[0], shape[1], shape[2], shape[3]), "weight")?)?;
    let bias = flat(&weights.get(shape[0], "bias")?)?;
    Ok(Convolution::new(shape, dilation, padding_below, &weight, bias))
}
