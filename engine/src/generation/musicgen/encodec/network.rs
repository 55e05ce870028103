//! Thread: worker. The codec's two networks, layer by layer in the order of the checkpoint.

use super::config::EncodecConfig;
use super::convolution::{Convolution, Shape};
use super::elu::Elu;
use super::lstm::Lstm;
use super::residual::Residual;
use super::signal::{Running, Signal};
use super::transposed::Transposed;
use super::weights::{convolution, lstm, transposed};
use crate::error::Result;
use crate::job_context::JobContext;
use candle_nn::VarBuilder;
use std::sync::Arc;

/// A layer's weights.
#[derive(Debug)]
enum Layer {
    Convolution(Arc<Convolution>),
    Transposed(Arc<Transposed>),
    Residual(Residual, usize),
    Lstm(Arc<Lstm>),
    Elu,
}

/// The decoder or the encoder.
#[derive(Debug)]
pub struct Network {
    layers: Vec<Layer>,
}

impl Network {
    /// From codebook entries `[frame][hidden_size]` to samples. `weights` at `audio_encoder.decoder`.
    pub fn decoder(weights: &VarBuilder, config: &EncodecConfig) -> candle_core::Result<Self> {
        let mut channels = config.num_filters << config.upsampling_ratios.len();
        let mut network = Builder::new(weights, config);
        network.convolution(config.hidden_size, channels, config.kernel_size, 1)?;
        network.lstm(channels)?;
        for &ratio in &config.upsampling_ratios {
            network.layers.push(Layer::Elu);
            let layer = transposed(&network.next(), config, channels, channels / 2, ratio)?;
            network.layers.push(Layer::Transposed(layer));
            channels /= 2;
            network.residuals(channels)?;
        }
        network.layers.push(Layer::Elu);
        network.convolution(channels, config.audio_channels, config.last_kernel_size, 1)?;
        Ok(Self { layers: network.layers })
    }

    /// From samples to `[frame][hidden_size]`. `weights` at `audio_encoder.encoder`.
    pub fn encoder(weights: &VarBuilder, config: &EncodecConfig) -> candle_core::Result<Self> {
        let mut channels = config.num_filters;
        let mut network = Builder::new(weights, config);
        network.convolution(config.audio_channels, channels, config.kernel_size, 1)?;
        for &ratio in config.upsampling_ratios.iter().rev() {
            network.residuals(channels)?;
            network.layers.push(Layer::Elu);
            network.convolution(channels, 2 * channels, 2 * ratio, ratio)?;
            channels *= 2;
        }
        network.lstm(channels)?;
        network.layers.push(Layer::Elu);
        network.convolution(channels, config.hidden_size, config.last_kernel_size, 1)?;
        Ok(Self { layers: network.layers })
    }

    /// Ready for `lanes` signals.
    pub fn start(&self, lanes: usize) -> NetworkRunning {
        let layers = self.layers.iter().map(|layer| -> Box<dyn Running> {
            match layer {
                Layer::Convolution(layer) => Box::new(layer.start(lanes)),
                Layer::Transposed(layer) => Box::new(layer.start(lanes)),
                Layer::Residual(layer, channels) => Box::new(layer.start(lanes, *channels)),
                Layer::Lstm(layer) => Box::new(layer.start(lanes)),
                Layer::Elu => Box::new(Elu),
            }
        });
        NetworkRunning { layers: layers.collect() }
    }
}

/// A [`Network`] at work. Its memory does not grow with what it has heard.
pub struct NetworkRunning {
    layers: Vec<Box<dyn Running>>,
}

impl NetworkRunning {
    /// Takes the next piece of each lane and gives what can be said now; see [`Running`].
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`]; then the state is that of no signal.
    pub fn advance(&mut self, mut lanes: Vec<Signal>, last: bool, context: &JobContext) -> Result<Vec<Signal>> {
        for layer in &mut self.layers {
            context.check()?;
            layer.advance(&mut lanes, last);
        }
        Ok(lanes)
    }

    /// [`Self::advance`] through the first layers only, for comparing what is inside.
    pub fn advance_to(&mut self, layers: usize, mut lanes: Vec<Signal>, last: bool) -> Vec<Signal> {
        self.layers.iter_mut().take(layers).for_each(|layer| layer.advance(&mut lanes, last));
        lanes
    }
}

/// Puts layers behind one another, with the numbers the checkpoint has for them.
struct Builder<'a> {
    weights: VarBuilder<'a>,
    config: &'a EncodecConfig,
    layers: Vec<Layer>,
}

impl<'a> Builder<'a> {
    fn new(weights: &VarBuilder<'a>, config: &'a EncodecConfig) -> Self {
        Self { weights: weights.pp("layers"), config, layers: Vec::new() }
    }

    /// Where the weights of the next layer are.
    fn next(&self) -> VarBuilder<'a> {
        self.weights.pp(self.layers.len())
    }

    fn convolution(&mut self, inputs: usize, outputs: usize, kernel: usize, stride: usize) -> candle_core::Result<()> {
        let shape = Shape { inputs, outputs, kernel, stride, dilation: 1 };
        self.layers.push(Layer::Convolution(convolution(&self.next(), self.config, shape)?));
        Ok(())
    }

    fn lstm(&mut self, channels: usize) -> candle_core::Result<()> {
        // Without layers it would be twice its input; the reference cannot be built so either.
        let layers = self.config.num_lstm_layers.max(1);
        self.layers.push(Layer::Lstm(lstm(&self.next(), channels, layers)?));
        Ok(())
    }

    fn residuals(&mut self, channels: usize) -> candle_core::Result<()> {
        let inner = channels / self.config.compress;
        let mut dilation = 1;
        for _ in 0..self.config.num_residual_layers {
            let weights = self.next();
            let kernel = self.config.residual_kernel_size;
            let first = Shape { inputs: channels, outputs: inner, kernel, stride: 1, dilation };
            let second = Shape { inputs: inner, outputs: channels, kernel: 1, stride: 1, dilation: 1 };
            let around = Shape { inputs: channels, outputs: channels, kernel: 1, stride: 1, dilation: 1 };
            // Published files say both that there is a convolution on the way around and that there is none: its weights decide.
            let shortcut = weights.contains_tensor("shortcut.conv.bias");
            let residual = Residual {
                first: convolution(&weights.pp("block.1"), self.config, first)?,
                second: convolution(&weights.pp("block.3"), self.config, second)?,
                shortcut: shortcut.then(|| convolution(&weights.pp("shortcut"), self.config, around)).transpose()?,
            };
            self.layers.push(Layer::Residual(residual, channels));
            dilation *= self.config.dilation_growth_rate;
        }
        Ok(())
    }
}
