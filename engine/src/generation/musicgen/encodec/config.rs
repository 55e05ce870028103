//! Thread: any. The codec's sizes, as `config.json` states them under `audio_encoder`.

use super::padding::PadMode;
use crate::error::{Error, Result};
use crate::time::SampleRate;
use serde::Deserialize;

/// Sizes of EnCodec. Files leave out keys that have the value Hugging Face's `EncodecConfig` begins with, which is that of another
/// codec at 24 kHz; so that is what an absent key means. Keys that play no part here are passed over.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub struct EncodecConfig {
    /// Samples a second.
    pub sampling_rate: u32,
    /// 1; MusicGen's stereo models run the same mono codec twice.
    pub audio_channels: usize,
    /// Whether loudness is taken off before encoding; not in this codec.
    pub normalize: bool,
    /// Length of pieces that are encoded by themselves; `None`, as in this codec, is the whole.
    pub chunk_length_s: Option<f64>,
    /// Numbers a frame between the network and the codebooks.
    pub hidden_size: usize,
    /// Channels at the full sample rate; each step down in rate doubles them.
    pub num_filters: usize,
    /// Residual blocks after each change of rate.
    pub num_residual_layers: usize,
    /// Steps in rate from frames to samples; their product is the samples of a frame.
    pub upsampling_ratios: Vec<usize>,
    /// How the convolutions' weights are stored; only `weight_norm` is known.
    pub norm_type: String,
    /// Taps of the first convolution.
    pub kernel_size: usize,
    /// Taps of the last convolution.
    pub last_kernel_size: usize,
    /// Taps of a residual block's first convolution.
    pub residual_kernel_size: usize,
    /// The dilation of the `j`-th residual block is this to the power `j`.
    pub dilation_growth_rate: usize,
    /// Whether convolutions look only back; not in this codec.
    pub use_causal_conv: bool,
    /// What is heard beyond the ends.
    pub pad_mode: PadMode,
    /// By how much a residual block narrows inside.
    pub compress: usize,
    /// Recurrent layers.
    pub num_lstm_layers: usize,
    /// Share of a transposed convolution's surplus that is cut off at the end, for a causal codec.
    pub trim_right_ratio: f64,
    /// Entries of a codebook.
    pub codebook_size: usize,
    /// Numbers of an entry; `None` is `hidden_size`.
    pub codebook_dim: Option<usize>,
    /// Kilobits a second the codec was trained for; the last one says how many codebooks there are.
    pub target_bandwidths: Vec<f64>,
}

impl Default for EncodecConfig {
    fn default() -> Self {
        Self {
            sampling_rate: 24_000,
            audio_channels: 1,
            normalize: false,
            chunk_length_s: None,
            hidden_size: 128,
            num_filters: 32,
            num_residual_layers: 1,
            upsampling_ratios: vec![8, 5, 4, 2],
            norm_type: "weight_norm".into(),
            kernel_size: 7,
            last_kernel_size: 7,
            residual_kernel_size: 3,
            dilation_growth_rate: 2,
            use_causal_conv: true,
            pad_mode: PadMode::Reflect,
            compress: 2,
            num_lstm_layers: 2,
            trim_right_ratio: 1.0,
            codebook_size: 1024,
            codebook_dim: None,
            target_bandwidths: vec![1.5, 3.0, 6.0, 12.0, 24.0],
        }
    }
}

impl EncodecConfig {
    /// The rate as a unit.
    pub fn rate(&self) -> SampleRate {
        SampleRate(self.sampling_rate)
    }

    /// Samples of a frame: 640 in the real codec.
    pub fn samples_per_frame(&self) -> usize {
        self.upsampling_ratios.iter().product()
    }

    /// Frames a second, rounded up as the reference does: 50 in the real codec.
    pub fn frame_rate(&self) -> usize {
        (self.sampling_rate as usize).div_ceil(self.samples_per_frame().max(1))
    }

    /// Codebooks of a frame: 4 in the real codec.
    pub fn codebooks(&self) -> usize {
        let bits = self.codebook_size.max(2).next_power_of_two().ilog2() as usize;
        let bandwidth = self.target_bandwidths.last().copied().unwrap_or(0.0);
        (1000.0 * bandwidth / (self.frame_rate() * bits) as f64).floor() as usize
    }

    /// Whether a codec of these sizes is one we can run.
    ///
    /// # Errors
    /// [`Error::Model`] that names the key.
    pub fn check(&self) -> Result<()> {
        let sizes = [
            ("hidden_size", self.hidden_size),
            ("num_filters", self.num_filters),
            ("kernel_size", self.kernel_size),
            ("last_kernel_size", self.last_kernel_size),
            ("residual_kernel_size", self.residual_kernel_size),
            ("dilation_growth_rate", self.dilation_growth_rate),
            ("compress", self.compress),
            ("codebook_size", self.codebook_size),
            ("sampling_rate", self.sampling_rate as usize),
        ];
        let unfit = sizes.iter().find(|(_, size)| !(1..=1 << 20).contains(size)).map(|(name, _)| *name);
        let odd_ratio = self.upsampling_ratios.iter().any(|ratio| !(1..=1 << 10).contains(ratio));
        let fault = unfit
            .or((self.upsampling_ratios.is_empty() || self.upsampling_ratios.len() > 16 || odd_ratio)
                .then_some("upsampling_ratios"))
            .or((self.compress > self.num_filters).then_some("compress"))
            .or((self.num_residual_layers > 16).then_some("num_residual_layers"))
            .or((self.num_lstm_layers > 16).then_some("num_lstm_layers"))
            .or((self.audio_channels != 1).then_some("audio_channels"))
            .or(self.normalize.then_some("normalize"))
            .or(self.chunk_length_s.is_some().then_some("chunk_length_s"))
            .or((self.norm_type != "weight_norm").then_some("norm_type"))
            .or((!self.use_causal_conv && self.trim_right_ratio != 1.0).then_some("trim_right_ratio"))
            .or((!(0.0..=1.0).contains(&self.trim_right_ratio)).then_some("trim_right_ratio"))
            .or((self.codebook_dim.is_some_and(|size| size != self.hidden_size)).then_some("codebook_dim"))
            .or((!(1..=256).contains(&self.codebooks())).then_some("target_bandwidths"));
        match fault {
            None => Ok(()),
            Some(key) => Err(Error::Model {
                name: "EnCodec",
                reason: format!(
                    "\"{key}\" under \"audio_encoder\" in config.json is not that of a MusicGen codec. Fetch the model again."
                ),
            }),
        }
    }
}
