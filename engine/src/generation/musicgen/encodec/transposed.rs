//! Thread: worker. The codec's transposed convolution, which makes several moments of one, fed in pieces.

use super::product::add_product;
use super::signal::{Running, Signal};
use std::sync::Arc;

/// A transposed convolution whose kernel is twice its stride.
///
/// Each moment of the input reaches over two blocks of `stride` moments of the output. So a block is made of two neighbouring
/// moments, and all blocks are one product of overlapping pairs with the weights.
#[derive(Debug)]
pub struct Transposed {
    inputs: usize,
    outputs: usize,
    stride: usize,
    /// Moments cut off at the two ends, `stride` together.
    left: usize,
    right: usize,
    /// `[2][inputs][stride][outputs]`: the earlier moment of a pair first.
    weight: Vec<f32>,
    /// The bias for each moment of a block.
    bias: Vec<f32>,
}

impl Transposed {
    /// From a weight `[inputs][outputs][2 · stride]` as checkpoints hold it; `right` moments are cut off at the end.
    pub fn new(inputs: usize, outputs: usize, stride: usize, right: usize, weight: &[f32], bias: &[f32]) -> Self {
        let mut turned = vec![0.0; weight.len()];
        for (input, weight) in weight.chunks_exact(outputs * 2 * stride).enumerate() {
            for (output, taps) in weight.chunks_exact(2 * stride).enumerate() {
                for (tap, value) in taps.iter().enumerate() {
                    // The second half of the taps falls into the next block, where this moment is the earlier one.
                    let earlier = tap >= stride;
                    let row = if earlier { input } else { inputs + input };
                    turned[(row * stride + tap % stride) * outputs + output] = *value;
                }
            }
        }
        let right = right.min(stride);
        Self { inputs, outputs, stride, left: stride - right, right, weight: turned, bias: bias.repeat(stride) }
    }

    /// Ready for `lanes` signals.
    pub fn start(self: &Arc<Self>, lanes: usize) -> TransposedRunning {
        let held = || Held { earlier: vec![0.0; self.inputs], cut: self.left };
        TransposedRunning { layer: self.clone(), lanes: (0..lanes).map(|_| held()).collect() }
    }
}

/// What a lane keeps from one piece to the next.
#[derive(Debug)]
struct Held {
    /// The last moment that came; silence before the first.
    earlier: Vec<f32>,
    /// Moments still to be cut off at the start.
    cut: usize,
}

/// A [`Transposed`] at work.
pub struct TransposedRunning {
    layer: Arc<Transposed>,
    lanes: Vec<Held>,
}

impl Running for TransposedRunning {
    fn advance(&mut self, lanes: &mut [Signal], last: bool) {
        for (held, signal) in self.lanes.iter_mut().zip(lanes) {
            *signal = held.advance(&self.layer, signal, last);
        }
    }
}

impl Held {
    fn advance(&mut self, layer: &Transposed, signal: &Signal, last: bool) -> Signal {
        let Transposed { inputs, outputs, stride, .. } = *layer;
        let mut data = std::mem::take(&mut self.earlier);
        data.extend_from_slice(&signal.data);
        if last {
            // The last moment reaches into one more block, where nothing follows it.
            data.resize(data.len() + inputs, 0.0);
        }
        let blocks = data.len() / inputs - 1;
        let mut out = Vec::with_capacity(blocks * stride * outputs);
        (0..blocks).for_each(|_| out.extend_from_slice(&layer.bias));
        add_product(&mut out, stride * outputs, &data, inputs, 2 * inputs, &layer.weight);
        self.earlier = data.split_off(blocks * inputs);
        if last {
            out.truncate(out.len().saturating_sub(layer.right * outputs));
        }
        let cut = self.cut.min(out.len() / outputs);
        out.drain(..cut * outputs);
        self.cut -= cut;
        Signal { channels: outputs, data: out }
    }
}
