//! Thread: worker. Pitch tracking while the take is still being sung: the same frames as of the whole take, as soon as they can be.

use super::network::Network;
use super::{CHUNK, CONTEXT, HOP, frame};
use crate::analysis::F0Frame;
use crate::error::Result;

/// Samples that the longest spectrum reaches to either side of its frame's centre.
const REACH: usize = 1024;
/// Frames that must stay in memory before the next one: what its convolutions see, and what the spectra of those see.
const KEPT: usize = CONTEXT + REACH / HOP;

/// Tracks pitch in audio at 16 kHz that comes piece by piece.
///
/// A frame is given out once its look-ahead of 176 ms has arrived. Memory stays under a few hundred kilobytes beside the piece
/// that is pushed. The frames are those of [`super::track`] on the whole, if that is not so quiet that it would be scaled up
/// (a peak under -35 dBFS): of a take that is not over, nobody knows the peak. `gain` stands in for it.
pub struct Stream {
    network: &'static Network,
    gain: f32,
    /// The audio from frame `base` on.
    audio: Vec<f32>,
    base: usize,
    /// The frame that is given out next.
    next: usize,
}

impl Stream {
    /// At the beginning of a take, whose audio will be multiplied by `gain`.
    ///
    /// # Errors
    /// As [`super::track`], when the built-in weights cannot be used.
    pub fn new(gain: f32) -> Result<Self> {
        Ok(Self { network: super::network()?, gain, audio: Vec::new(), base: 0, next: 0 })
    }

    /// Takes more audio, finite samples at 16 kHz, and gives out the frames that can be told now.
    pub fn push(&mut self, mono_16k: &[f32]) -> Vec<F0Frame> {
        let mut frames = Vec::new();
        for piece in mono_16k.chunks(CHUNK * HOP) {
            self.audio.extend_from_slice(piece);
            let arrived = self.audio.len().saturating_sub(REACH) / HOP + self.base;
            frames.extend(self.give_out((arrived + 1).saturating_sub(CONTEXT), usize::MAX));
            let done = (self.next - self.base).saturating_sub(KEPT);
            self.audio.drain(..done * HOP);
            self.base += done;
        }
        frames
    }

    /// The last frames: there will be no more audio.
    pub fn finish(mut self) -> Vec<F0Frame> {
        if self.audio.is_empty() {
            return Vec::new();
        }
        let total = (self.base + self.audio.len() / HOP).max(1);
        self.give_out(total, total)
    }

    /// Frames up to `end`, of `total` in the whole take.
    fn give_out(&mut self, end: usize, total: usize) -> Vec<F0Frame> {
        if end <= self.next {
            return Vec::new();
        }
        let wanted = self.next - self.base..end - self.base;
        let pitches = self.network.forward(&self.audio, self.gain, total - self.base, wanted.clone(), CONTEXT);
        self.next = end;
        let base = self.base;
        let given = wanted.zip(&pitches).map(|(here, pitch)| {
            let mut frame = frame(self.network, pitch, pitch.best(), &self.audio, here, self.gain);
            frame.time = super::time(base + here);
            frame
        });
        given.collect()
    }
}
