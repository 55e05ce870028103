//! Thread: worker. Complete frames become sound while the rest is still being made.

use super::encodec::{DecodeStream, Encodec};
use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::job_context::JobContext;

/// Frames that become sound at once: 0.2 s.
const FRAMES_AT_ONCE: usize = 10;

/// The sound of several variations as their codes become complete.
pub(super) struct Sound<'a> {
    stream: DecodeStream,
    /// Frames that went into the stream.
    given: usize,
    outlet: Outlet<'a>,
}

struct Outlet<'a> {
    channels: usize,
    /// Number of the first variation.
    first: usize,
    whole: Vec<AudioBuffer>,
    on_audio: &'a mut dyn FnMut(usize, &AudioBuffer),
}

impl<'a> Sound<'a> {
    /// For variations from number `first` on.
    pub(super) fn new(
        codec: &Encodec,
        lanes: usize,
        channels: usize,
        first: usize,
        on_audio: &'a mut dyn FnMut(usize, &AudioBuffer),
    ) -> Self {
        let whole = vec![AudioBuffer::silent(codec.config().rate(), channels, 0); lanes];
        let outlet = Outlet { channels, first, whole, on_audio };
        Self { stream: codec.decode_stream_of(lanes * channels), given: 0, outlet }
    }

    /// Takes the variations' codes `[variation][codebook][frame]`, of which `complete` frames are known, and hands on what they make.
    /// Frames that do not fill a piece wait, unless these are all.
    pub(super) fn take(
        &mut self,
        lanes: &[&[Vec<u32>]],
        complete: usize,
        are_all: bool,
        context: &JobContext,
    ) -> Result<()> {
        let channels = self.outlet.channels;
        while self.given + FRAMES_AT_ONCE <= complete || (are_all && self.given < complete) {
            let range = self.given..(self.given + FRAMES_AT_ONCE).min(complete);
            let side = |codes: &[Vec<u32>], side: usize| -> Vec<Vec<u32>> {
                codes.iter().skip(side).step_by(channels).map(|codes| codes[range.clone()].to_vec()).collect()
            };
            let sides: Vec<Vec<Vec<u32>>> =
                lanes.iter().flat_map(|codes| (0..channels).map(|number| side(codes, number))).collect();
            let sides: Vec<&[Vec<u32>]> = sides.iter().map(Vec::as_slice).collect();
            let pieces = self.stream.push_lanes(&sides, context)?;
            self.given = range.end;
            self.outlet.hand_on(pieces);
        }
        Ok(())
    }

    /// Hands on what is still due, and returns the whole of each variation.
    pub(super) fn finish(self, context: &JobContext) -> Result<Vec<AudioBuffer>> {
        let Self { stream, mut outlet, .. } = self;
        outlet.hand_on(stream.finish_lanes(context)?);
        Ok(outlet.whole)
    }
}

impl Outlet<'_> {
    /// Sides of all variations, one after another.
    fn hand_on(&mut self, mut sides: Vec<Vec<f32>>) {
        for (lane, sides) in sides.chunks_exact_mut(self.channels).enumerate() {
            let whole = &mut self.whole[lane];
            let piece = AudioBuffer { rate: whole.rate, channels: sides.iter_mut().map(std::mem::take).collect() };
            if piece.frames() > 0 {
                whole.channels.iter_mut().zip(&piece.channels).for_each(|(whole, piece)| whole.extend(piece));
                (self.on_audio)(self.first + lane, &piece);
            }
        }
    }
}
