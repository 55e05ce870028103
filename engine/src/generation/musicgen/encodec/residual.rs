//! Thread: worker. The codec's residual block: a signal plus two convolutions of it.

use super::convolution::{Convolution, ConvolutionRunning};
use super::elu::elu;
use super::signal::{Running, Signal};
use std::sync::Arc;

/// `x + conv₂(elu(conv₁(elu(x))))`, or with a convolution of one tap in place of the first `x`.
#[derive(Debug)]
pub struct Residual {
    /// A few taps wide, to fewer channels.
    pub first: Arc<Convolution>,
    /// One tap wide, back to all channels.
    pub second: Arc<Convolution>,
    /// On the way around the two.
    pub shortcut: Option<Arc<Convolution>>,
}

impl Residual {
    /// Ready for `lanes` signals of `channels`.
    pub fn start(&self, lanes: usize, channels: usize) -> ResidualRunning {
        ResidualRunning {
            first: self.first.start(lanes),
            second: self.second.start(lanes),
            shortcut: self.shortcut.as_ref().map(|layer| layer.start(lanes)),
            waiting: vec![Signal::empty(channels); lanes],
        }
    }
}

/// A [`Residual`] at work.
pub struct ResidualRunning {
    first: ConvolutionRunning,
    second: ConvolutionRunning,
    shortcut: Option<ConvolutionRunning>,
    /// What has gone around the convolutions and waits for them: they look ahead.
    waiting: Vec<Signal>,
}

impl Running for ResidualRunning {
    fn advance(&mut self, lanes: &mut [Signal], last: bool) {
        let mut around = lanes.to_vec();
        if let Some(shortcut) = &mut self.shortcut {
            shortcut.advance(&mut around, last);
        }
        lanes.iter_mut().for_each(|lane| elu(&mut lane.data));
        self.first.advance(lanes, last);
        lanes.iter_mut().for_each(|lane| elu(&mut lane.data));
        self.second.advance(lanes, last);
        for ((lane, around), waiting) in lanes.iter_mut().zip(around).zip(&mut self.waiting) {
            waiting.data.extend(around.data);
            let due = lane.data.len();
            lane.data.iter_mut().zip(&waiting.data).for_each(|(value, skipped)| *value += skipped);
            waiting.data.drain(..due);
        }
    }
}
