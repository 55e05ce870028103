//! Thread: worker. The codec's convolution, padded on both sides, fed in pieces.

use super::padding::{PadMode, padded, push_after, push_before};
use super::product::add_product;
use super::signal::{Running, Signal};
use std::sync::Arc;

/// Sizes of a convolution.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Taps.
    pub kernel: usize,
    /// Moments in for one moment out.
    pub stride: usize,
    /// Moments from one tap to the next.
    pub dilation: usize,
}

/// A convolution and its weights.
#[derive(Debug)]
pub struct Convolution {
    shape: Shape,
    /// Moments heard before the first, and after the last when the length is a whole number of strides.
    left: usize,
    right: usize,
    mode: PadMode,
    /// `[kernel][inputs][outputs]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Convolution {
    /// From a weight `[outputs][inputs][kernel]` as checkpoints hold it.
    pub fn new(shape: Shape, causal: bool, mode: PadMode, weight: &[f32], bias: Vec<f32>) -> Self {
        let Shape { inputs, outputs, kernel, stride, dilation } = shape;
        let total = ((kernel - 1) * dilation + 1).saturating_sub(stride);
        let right = if causal { 0 } else { total / 2 };
        let mut turned = vec![0.0; weight.len()];
        for (output, weight) in weight.chunks_exact(inputs * kernel).enumerate() {
            for (input, taps) in weight.chunks_exact(kernel).enumerate() {
                for (tap, value) in taps.iter().enumerate() {
                    turned[(tap * inputs + input) * outputs + output] = *value;
                }
            }
        }
        Self { shape, left: total - right, right, mode, weight: turned, bias }
    }

    /// Ready for `lanes` signals.
    pub fn start(self: &Arc<Self>, lanes: usize) -> ConvolutionRunning {
        ConvolutionRunning { layer: self.clone(), lanes: (0..lanes).map(|_| Held::default()).collect() }
    }

    /// Moments from the first tap to the last.
    fn span(&self) -> usize {
        (self.shape.kernel - 1) * self.shape.dilation + 1
    }

    /// The convolution at `count` windows, the first at moment `start` of `signal`.
    fn windows(&self, signal: &[f32], start: usize, count: usize) -> Vec<f32> {
        let Shape { inputs, outputs, kernel, stride, dilation } = self.shape;
        let mut out = Vec::with_capacity(count * outputs);
        (0..count).for_each(|_| out.extend_from_slice(&self.bias));
        let signal = &signal[start * inputs..];
        if dilation == 1 {
            add_product(&mut out, outputs, signal, stride * inputs, kernel * inputs, &self.weight);
        } else {
            for (tap, weight) in self.weight.chunks_exact(inputs * outputs).enumerate() {
                let from = (tap * dilation * inputs).min(signal.len());
                add_product(&mut out, outputs, &signal[from..], stride * inputs, inputs, weight);
            }
        }
        out
    }
}

/// What a lane keeps from one piece to the next.
#[derive(Debug, Default)]
struct Held {
    /// The signal from some moment on, with what is heard before it once that is known.
    data: Vec<f32>,
    /// Moments of the signal itself that came so far.
    moments: usize,
    /// Whether what is heard before the first moment is in `data`.
    started: bool,
    /// Moment of `data` at which the next window begins.
    next: usize,
}

/// A [`Convolution`] at work.
pub struct ConvolutionRunning {
    layer: Arc<Convolution>,
    lanes: Vec<Held>,
}

impl Running for ConvolutionRunning {
    fn advance(&mut self, lanes: &mut [Signal], last: bool) {
        for (held, signal) in self.lanes.iter_mut().zip(lanes) {
            *signal = held.advance(&self.layer, signal, last);
        }
    }
}

impl Held {
    fn advance(&mut self, layer: &Convolution, signal: &Signal, last: bool) -> Signal {
        let Shape { inputs, outputs, stride, .. } = layer.shape;
        self.data.extend_from_slice(&signal.data);
        self.moments += signal.moments();
        // After the last moment so many more are heard that the last window is full.
        let farthest = layer.right + stride - 1;
        let right = layer.right + (stride - self.moments % stride) % stride;
        if !self.started {
            if self.moments > layer.left.max(farthest) {
                let mut data = Vec::with_capacity(self.data.len() + layer.left * inputs);
                push_before(&mut data, &self.data, inputs, layer.left, layer.mode);
                data.append(&mut self.data);
                self.data = data;
                self.started = true;
            } else if last && self.moments > 0 {
                self.data = padded(&self.data, inputs, layer.left, right, layer.mode);
            } else {
                return Signal::empty(outputs);
            }
        }
        if last && self.started {
            let heard = std::mem::take(&mut self.data);
            self.data.clone_from(&heard);
            push_after(&mut self.data, &heard, inputs, right, layer.mode);
        }
        let available = self.data.len() / inputs;
        let count = (available + stride).saturating_sub(self.next + layer.span()) / stride;
        let data = layer.windows(&self.data, self.next, count);
        self.next += count * stride;
        // What may still be mirrored at the end stays, even when no window begins there any more.
        let over = self.next.min(available.saturating_sub(farthest + 1));
        self.data.drain(..over * inputs);
        self.next -= over;
        Signal { channels: outputs, data }
    }
}
