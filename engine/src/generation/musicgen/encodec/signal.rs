//! Thread: worker. What flows between the codec's layers, and what a layer that is fed in pieces looks like.

/// A stretch of signal, `[moment][channel]`: samples, or frames, or anything between.
#[derive(Debug, Clone, Default)]
pub struct Signal {
    /// Numbers a moment.
    pub channels: usize,
    /// Moment after moment.
    pub data: Vec<f32>,
}

impl Signal {
    /// Nothing yet.
    pub fn empty(channels: usize) -> Self {
        Self { channels, data: Vec::new() }
    }

    /// How many moments it holds.
    pub fn moments(&self) -> usize {
        self.data.len() / self.channels
    }
}

/// A layer at work on signals that come in pieces, one signal a lane (the two sides of a stereo recording, or variations).
///
/// The pieces it gives make up what it would give for the whole, however the whole is cut. All lanes get pieces of equal length.
pub trait Running: Send {
    /// Takes the next piece of each lane and leaves in its place what can be said now; the rest follows with later pieces.
    /// With `last` nothing more will come.
    fn advance(&mut self, lanes: &mut [Signal], last: bool);
}
