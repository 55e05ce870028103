//! Thread: worker. EnCodec at 32 kHz (arXiv 2210.13438): what the language model writes, as sound, and sound as what it reads.
//!
//! Source: audiocraft `896ec7c` and Hugging Face transformers 5.23.0, to whose tensors this is compared. Everything runs on the
//! processor, on the calling thread, in single precision, piece by piece in constant memory: layers keep what they need of the past
//! ([`signal::Running`]), so that pieces give the very samples of the whole.

mod config;
mod convolution;
mod elu;
mod lstm;
mod network;
mod padding;
mod product;
mod quantizer;
mod residual;
mod signal;
mod transposed;
mod weights;

pub use config::EncodecConfig;
pub use padding::PadMode;

use crate::error::{Error, Result};
use crate::job_context::JobContext;
use candle_nn::VarBuilder;
use network::{Network, NetworkRunning};
use quantizer::Quantizer;
use signal::Signal;
use std::sync::Arc;

/// Frames decoded between two looks at whether to stop: 0.2 s of sound, less than 0.1 s of work.
const FRAMES_AT_ONCE: usize = 10;

/// The codec with its weights. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Encodec {
    config: EncodecConfig,
    quantizer: Arc<Quantizer>,
    decoder: Arc<Network>,
    encoder: Option<Arc<Network>>,
}

impl Encodec {
    /// From `weights` at `audio_encoder`; the encoder only when the file holds one, since only continuing a recording needs it.
    ///
    /// # Errors
    /// [`Error::Model`] for sizes that are not those of a MusicGen codec, and for a tensor that is missing or has another shape.
    pub fn load(weights: &VarBuilder, config: &EncodecConfig) -> Result<Self> {
        let mut codec = Self::load_decoder(weights, config)?;
        let weights = weights.pp("encoder");
        if weights.contains_tensor("layers.0.conv.bias") {
            codec.encoder = Some(Arc::new(Network::encoder(&weights, config).map_err(broken)?));
        }
        Ok(codec)
    }

    /// [`Self::load`] without the encoder: half the memory, when nothing is to be continued.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_decoder(weights: &VarBuilder, config: &EncodecConfig) -> Result<Self> {
        config.check()?;
        let quantizer = Quantizer::load(&weights.pp("quantizer"), config).map_err(broken)?;
        let decoder = Network::decoder(&weights.pp("decoder"), config).map_err(broken)?;
        Ok(Self { config: config.clone(), quantizer: Arc::new(quantizer), decoder: Arc::new(decoder), encoder: None })
    }

    /// Its sizes.
    pub fn config(&self) -> &EncodecConfig {
        &self.config
    }

    /// Whether it was loaded with its encoder.
    pub fn can_encode(&self) -> bool {
        self.encoder.is_some()
    }

    /// The sound of `codes` `[codebook][frame]`: mono at the codec's rate, `frames · samples_per_frame` samples.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::OutOfRange`] for codes that are none; [`Error::Model`] when the sound is not finite.
    pub fn decode(&self, codes: &[Vec<u32>], context: &JobContext) -> Result<Vec<f32>> {
        Ok(self.decode_lanes(&[codes], context)?.pop().unwrap_or_default())
    }

    /// [`Self::decode`] of several at once, `[lane][codebook][frame]` of equal length: the two sides of a stereo recording, or
    /// variations. They share the reading of the recurrent weights.
    ///
    /// # Errors
    /// As [`Self::decode`].
    pub fn decode_lanes(&self, lanes: &[&[Vec<u32>]], context: &JobContext) -> Result<Vec<Vec<f32>>> {
        let mut stream = self.decode_stream_of(lanes.len());
        let frames = lanes.first().and_then(|codes| codes.first()).map_or(0, Vec::len);
        let mut sound = vec![Vec::with_capacity(frames * self.config.samples_per_frame()); lanes.len()];
        let mut take = |pieces: Vec<Vec<f32>>| {
            sound.iter_mut().zip(pieces).for_each(|(sound, piece)| sound.extend(piece));
        };
        // Codebooks of another length than the first are found by the piece that is too short.
        let piece = |codes: &[Vec<u32>], from: usize| -> Vec<Vec<u32>> {
            let part = |codes: &Vec<u32>| {
                let end = if from + FRAMES_AT_ONCE < frames { from + FRAMES_AT_ONCE } else { codes.len() };
                codes[from.min(codes.len())..end.clamp(from.min(codes.len()), codes.len())].to_vec()
            };
            codes.iter().map(part).collect()
        };
        for from in (0..frames.max(1)).step_by(FRAMES_AT_ONCE) {
            let pieces: Vec<Vec<Vec<u32>>> = lanes.iter().map(|codes| piece(codes, from)).collect();
            let pieces: Vec<&[Vec<u32>]> = pieces.iter().map(Vec::as_slice).collect();
            take(stream.push_lanes(&pieces, context)?);
        }
        take(stream.finish_lanes(context)?);
        Ok(sound)
    }

    /// Decoding of one sound as its codes come. The stream keeps the codec alive.
    pub fn decode_stream(&self) -> DecodeStream {
        self.decode_stream_of(1)
    }

    /// Decoding of several sounds as their codes come; see [`Self::decode_lanes`].
    pub fn decode_stream_of(&self, lanes: usize) -> DecodeStream {
        DecodeStream { quantizer: self.quantizer.clone(), network: self.decoder.start(lanes), lanes }
    }

    /// The codes `[codebook][frame]` of mono sound at the codec's rate, `ceil(samples / samples_per_frame)` frames. Non-finite
    /// samples count as silence.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::Model`] when the model was loaded without an encoder.
    pub fn encode(&self, samples: &[f32], context: &JobContext) -> Result<Vec<Vec<u32>>> {
        Ok(self.quantizer.encode(&self.encoded(samples, context)?))
    }

    /// What the encoder makes of sound before it is rounded to codes, `[frame · hidden_size]` frame after frame. For comparing.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn embeddings(&self, samples: &[f32], context: &JobContext) -> Result<Vec<f32>> {
        Ok(self.encoded(samples, context)?.data)
    }

    /// The sum of codebook entries that `codes` `[codebook][frame]` stand for, `[frame · hidden_size]`. For comparing.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for codes that are none.
    pub fn quantized(&self, codes: &[Vec<u32>]) -> Result<Vec<f32>> {
        Ok(self.quantizer.decode(codes)?.data)
    }

    /// What the decoder's first `layers` layers make of `codes` `[codebook][frame]`, `[moment · channels]`. For comparing.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for codes that are none.
    pub fn decoder_layers(&self, codes: &[Vec<u32>], layers: usize) -> Result<Vec<f32>> {
        let signal = self.quantizer.decode(codes)?;
        let lanes = self.decoder.start(1).advance_to(layers, vec![signal], true);
        Ok(lanes.into_iter().flat_map(|lane| lane.data).collect())
    }

    fn encoded(&self, samples: &[f32], context: &JobContext) -> Result<Signal> {
        let encoder = self.encoder.as_ref().ok_or_else(|| Error::Model {
            name: "EnCodec",
            reason: "the file holds no encoder, so it cannot continue a recording. Fetch the model again.".into(),
        })?;
        let mut running = encoder.start(1);
        let mut result = Signal::empty(self.config.hidden_size);
        let at_once = FRAMES_AT_ONCE * self.config.samples_per_frame();
        let pieces = samples.chunks(at_once).chain(std::iter::once(&[][..]));
        let last = samples.len().div_ceil(at_once);
        for (index, piece) in pieces.enumerate() {
            let data = piece.iter().map(|&sample| if sample.is_finite() { sample } else { 0.0 }).collect();
            let lanes = running.advance(vec![Signal { channels: 1, data }], index == last, context)?;
            lanes.into_iter().for_each(|lane| result.data.extend(lane.data));
        }
        Ok(result)
    }
}

/// Decoding in pieces. All pieces together are the samples of the whole; what is said lags up to four frames behind what was
/// pushed, because the convolutions look ahead. Its memory does not grow.
pub struct DecodeStream {
    quantizer: Arc<Quantizer>,
    network: NetworkRunning,
    lanes: usize,
}

impl DecodeStream {
    /// Takes the next codes `[codebook][frame]`, any number of frames, and gives the samples they complete.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for codes that are none, after which the stream can go on; [`Error::Model`] when the sound is not
    /// finite; [`Error::Internal`] when the stream is one of several lanes.
    pub fn push(&mut self, codes: &[Vec<u32>]) -> Result<Vec<f32>> {
        Ok(self.push_lanes(&[codes], &JobContext::detached())?.pop().unwrap_or_default())
    }

    /// The samples that are still due. The stream is over then.
    ///
    /// # Errors
    /// [`Error::Model`] when the sound is not finite.
    pub fn finish(self) -> Result<Vec<f32>> {
        Ok(self.finish_lanes(&JobContext::detached())?.pop().unwrap_or_default())
    }

    /// [`Self::push`] for every lane `[lane][codebook][frame]`, inside a job. After a cancel the stream is of no more use.
    ///
    /// # Errors
    /// As [`Self::push`], and [`Error::Cancelled`].
    pub fn push_lanes(&mut self, lanes: &[&[Vec<u32>]], context: &JobContext) -> Result<Vec<Vec<f32>>> {
        let signals = lanes.iter().map(|codes| self.quantizer.decode(codes)).collect::<Result<Vec<_>>>()?;
        let equal = signals.iter().all(|signal| signal.data.len() == signals[0].data.len());
        if signals.len() != self.lanes || !equal {
            return Err(Error::internal("decoding audio", "the lanes of a stream do not fit"));
        }
        finite(self.network.advance(signals, false, context)?)
    }

    /// [`Self::finish`] for every lane, inside a job.
    ///
    /// # Errors
    /// As [`Self::finish`], and [`Error::Cancelled`].
    pub fn finish_lanes(mut self, context: &JobContext) -> Result<Vec<Vec<f32>>> {
        let nothing = vec![self.quantizer.nothing(); self.lanes];
        finite(self.network.advance(nothing, true, context)?)
    }
}

/// Samples of all lanes, when they are numbers.
fn finite(lanes: Vec<Signal>) -> Result<Vec<Vec<f32>>> {
    if lanes.iter().flat_map(|lane| &lane.data).all(|sample| sample.is_finite()) {
        return Ok(lanes.into_iter().map(|lane| lane.data).collect());
    }
    Err(Error::Model { name: "EnCodec", reason: "its weights give no sound. Fetch the model again.".into() })
}

/// What the library says of a tensor, without the backtrace that may follow the first line.
fn broken(error: candle_core::Error) -> Error {
    let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
    Error::Model { name: "EnCodec", reason: format!("{reason}. Fetch the model again.") }
}
