//! Thread: worker. Several notes at once: Basic Pitch over a whole take, and notes from its answers.
//!
//! Model: Basic Pitch 0.4.0 (Bittner et al., ICASSP 2022, arXiv 2203.09893), which says for each piano key and moment whether
//! a note begins and whether one sounds, and for each third of a semitone whether there is a pitch. The weights are part of the
//! program; see `assets/models/basic-pitch`.

mod beginnings;
mod constant_q;
mod convolution;
mod hearing;
mod network;
mod note_creation;
mod texture;
mod top_voice;

pub use hearing::{Heard, Hearing};
pub use note_creation::{PolyNote, notes};

use crate::error::Result;
use crate::job_context::JobContext;
use crate::side_by_side::side_by_side;
use crate::time::SampleRate;
use network::{CONTEXT, Network};
use std::sync::OnceLock;

/// The rate the model listens at.
pub const RATE: SampleRate = SampleRate(22_050);
/// Samples from one frame to the next: 11.6 ms.
pub const HOP: usize = 256;
/// Piano keys the model knows, from A0 ([`LOWEST_KEY`]) up.
pub const KEYS: usize = 88;
/// MIDI key of the lowest of them.
pub const LOWEST_KEY: u8 = 21;
/// Pitches of the contour, three a semitone: of the key `k` above the lowest, pitch `3 k + 1` is in tune, as the model was
/// trained.
pub const CONTOUR_BINS: usize = 264;

/// Frames computed at once. With their context they fill the convolution's blocks without a remainder.
const CHUNK: usize = 172;
/// Samples the original looks at in one piece. Shorter audio is followed by silence up to this length, as there.
const SHORTEST: usize = 43_844;

/// What the model says of each frame. Frame `t` is centred on sample `HOP * t`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Posteriors {
    /// Whether a note begins, `[frame][key]`, 0 to 1.
    pub onset: Vec<[f32; KEYS]>,
    /// Whether a note sounds, `[frame][key]`, 0 to 1.
    pub note: Vec<[f32; KEYS]>,
    /// Whether there is a pitch, `[frame][third of a semitone]`, 0 to 1.
    pub contour: Vec<[f32; CONTOUR_BINS]>,
    /// Level at the fundamental of each key, `[frame][key]`, in decibels under the loudest of all: the model's own ears, not
    /// its answer.
    pub level_db: Vec<[f32; KEYS]>,
}

impl Posteriors {
    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.note.len()
    }

    /// Seconds of a frame's centre.
    pub fn time(frame: usize) -> f64 {
        (frame * HOP) as f64 / RATE.hz()
    }
}

/// Listens to mono audio at 22.05 kHz: `len / 256 + 1` frames, none for empty audio. Samples must be finite.
///
/// The original cuts audio into windows of two seconds that overlap. Here there are no windows: every frame is computed in its
/// whole surroundings, and levels are measured against the loudest and quietest of the whole. For audio as long as one window
/// both are the same. The result does not depend on the number of threads.
///
/// # Errors
/// [`crate::Error::Cancelled`]; [`crate::Error::Model`] when the built-in weights cannot be used.
pub fn posteriors(mono_22k: &[f32], context: &JobContext) -> Result<Posteriors> {
    posteriors_in_chunks(mono_22k, CHUNK, context)
}

/// [`posteriors`] with another chunk length in frames: the result must be the same for any. For tests of just that.
///
/// # Errors
/// As [`posteriors`].
pub fn posteriors_in_chunks(mono_22k: &[f32], chunk_frames: usize, context: &JobContext) -> Result<Posteriors> {
    if mono_22k.is_empty() {
        return Ok(Posteriors::default());
    }
    let network = network()?;
    let features = if mono_22k.len() < SHORTEST {
        let mut padded = mono_22k.to_vec();
        padded.resize(SHORTEST, 0.0);
        network.features(&padded, context)?
    } else {
        network.features(mono_22k, context)?
    };
    let frames = mono_22k.len() / HOP + 1;
    let starts: Vec<usize> = (0..frames).step_by(chunk_frames.max(1)).collect();
    let chunks = side_by_side(starts, |_, start| {
        context.check()?;
        let end = (start + chunk_frames.max(1)).min(frames);
        Ok(network.forward(&features, start..end, CONTEXT))
    })?;
    let mut whole = Posteriors::default();
    for chunk in chunks {
        whole.onset.extend(chunk.onset);
        whole.note.extend(chunk.note);
        whole.contour.extend(chunk.contour);
        whole.level_db.extend(chunk.level_db);
    }
    Ok(whole)
}

/// The network, loaded once a process.
fn network() -> Result<&'static Network> {
    static NETWORK: OnceLock<Result<Network>> = OnceLock::new();
    NETWORK.get_or_init(Network::load).as_ref().map_err(Clone::clone)
}
