//! Thread: worker. Pitch tracking: SwiftF0 over a whole take, in overlapping chunks.
//!
//! Model: SwiftF0 0.3.0 (arXiv 2508.18440 describes its family), 18,558 parameters, one pitch and one voicing confidence
//! every 16 ms. The weights are part of the program; see `assets/models/swift-f0`.

mod convolution;
mod network;
mod path;
mod spectrum;
pub(crate) mod steady_lines;
mod stream;

pub use stream::Stream;

use crate::analysis::F0Frame;
use crate::error::Result;
use crate::job_context::{JobContext, Stage};
use crate::side_by_side::side_by_side;
use crate::time::{Hz, MidiNote, SampleRate, Seconds};
use network::Network;
pub use network::{PITCHES, Pitch};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The rate the model listens at.
pub const RATE: SampleRate = SampleRate(16_000);
/// Frames of audio from one pitch to the next: 16 ms.
pub const HOP: usize = 256;
/// Lowest confidence of a voiced frame, as the model was calibrated.
pub const VOICED: f32 = 0.5;

/// Pitches computed at once: 2.3 s of audio, about 1 MB a feature map.
const CHUNK: usize = 146;
/// Pitches on either side whose features reach into a pitch: seven convolutions in a row look one frame to each side.
const CONTEXT: usize = 7;
/// A take whose peak lies under this (-35 dBFS) is scaled up: the model does not even out levels.
const QUIET_PEAK: f32 = 0.0178;
/// The peak that quiet takes are scaled to: -12 dBFS.
const SCALED_PEAK: f32 = 0.25;
/// Under this peak (-96 dBFS, half a step of 16 bits) there is nothing but rounding noise, and nothing to scale up.
pub const SILENT_PEAK: f32 = 1.6e-5;
/// A pitch whose audio peaks under this after scaling is unvoiced: the model saw no digital silence in training.
const SILENT_HOP_PEAK: f32 = 1e-3;

/// Tracks the pitch of mono audio at 16 kHz: one frame every 256 samples, frame `t` centred on sample `256 t`,
/// `max(1, len / 256)` frames; none for empty audio. Samples must be finite.
///
/// `hz` is the model's guess for unvoiced frames too. The result does not depend on the number of threads or the chunks.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::Internal`] or [`Error::Model`] when the built-in weights cannot be used.
pub fn track(mono_16k: &[f32], context: &JobContext) -> Result<Vec<F0Frame>> {
    track_in_chunks(mono_16k, CHUNK, context)
}

/// What the network believes of every frame, before one pitch is chosen: for input with more than one voice.
///
/// # Errors
/// As [`track`].
pub fn beliefs(mono_16k: &[f32], context: &JobContext) -> Result<Vec<Pitch>> {
    pitches(mono_16k, CHUNK, context)
}

/// The note of one of the network's pitches: 46.875 to 2093.75 Hz in even steps of 70 cents.
pub fn note_of(pitch: usize) -> MidiNote {
    let (lowest, highest) = (Hz(46.875).note().0, Hz(2093.75).note().0);
    MidiNote(lowest + (highest - lowest) * pitch as f32 / (PITCHES - 1) as f32)
}

/// [`track`], with the path of pitches that is the most likely as a whole instead of the best of each frame.
///
/// # Errors
/// As [`track`].
pub fn track_path(mono_16k: &[f32], context: &JobContext) -> Result<Vec<F0Frame>> {
    let pitches = pitches(mono_16k, CHUNK, context)?;
    frames(mono_16k, &pitches, &path::best(&pitches))
}

/// [`track`] with another chunk length in frames: the result must be the same for any. For tests of just that.
///
/// # Errors
/// As [`track`].
pub fn track_in_chunks(mono_16k: &[f32], chunk_frames: usize, context: &JobContext) -> Result<Vec<F0Frame>> {
    let pitches = pitches(mono_16k, chunk_frames, context)?;
    frames(mono_16k, &pitches, &pitches.iter().map(Pitch::best).collect::<Vec<_>>())
}

/// What the network says of every frame.
fn pitches(mono_16k: &[f32], chunk_frames: usize, context: &JobContext) -> Result<Vec<Pitch>> {
    if mono_16k.is_empty() {
        return Ok(Vec::new());
    }
    let gain = gain(mono_16k);
    let network = network()?;
    let frames = (mono_16k.len() / HOP).max(1);
    let starts: Vec<usize> = (0..frames).step_by(chunk_frames.max(1)).collect();
    let done = AtomicUsize::new(0);
    let count = starts.len();
    let chunks: Vec<Vec<Pitch>> = side_by_side(starts, |_, start| {
        context.check()?;
        let end = start.saturating_add(chunk_frames.max(1)).min(frames);
        let pitches = network.forward(mono_16k, gain, frames, start..end, CONTEXT);
        // Analysis is mostly this loop; the rest of the stage takes the last fifth of its bar.
        let share = (done.fetch_add(1, Ordering::Relaxed) + 1) as f32 / count as f32;
        context.progress(Stage::Analysis, 0.8 * share)?;
        Ok(pitches)
    })?;
    Ok(chunks.concat())
}

/// Frames of the pitches chosen, one a frame.
fn frames(mono_16k: &[f32], pitches: &[Pitch], chosen: &[usize]) -> Result<Vec<F0Frame>> {
    let (network, gain) = (network()?, gain(mono_16k));
    let frames = pitches.iter().zip(chosen).enumerate();
    Ok(frames.map(|(index, (pitch, &chosen))| frame(network, pitch, chosen, mono_16k, index, gain)).collect())
}

/// One frame, of the pitch chosen for it.
fn frame(network: &Network, pitch: &Pitch, chosen: usize, audio: &[f32], index: usize, gain: f32) -> F0Frame {
    let loud = hop_peak(audio, index) * gain >= SILENT_HOP_PEAK;
    let confidence = if loud { pitch.confidence } else { 0.0 };
    F0Frame { time: time(index), hz: network.hz(&pitch.logits, chosen), confidence, voiced: confidence >= VOICED }
}

/// The centre of a frame.
fn time(index: usize) -> Seconds {
    Seconds((index * HOP) as f64 / RATE.hz())
}

/// What the audio is multiplied by: quiet takes are scaled up.
fn gain(mono_16k: &[f32]) -> f32 {
    let peak = mono_16k.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    if (SILENT_PEAK..QUIET_PEAK).contains(&peak) { SCALED_PEAK / peak } else { 1.0 }
}

/// Peak of the hop centred on a frame.
fn hop_peak(audio: &[f32], frame: usize) -> f32 {
    let centre = frame * HOP;
    let start = centre.saturating_sub(HOP / 2).min(audio.len());
    let end = (centre + HOP / 2).min(audio.len());
    audio[start..end].iter().fold(0.0, |peak, sample| peak.max(sample.abs()))
}

/// The network, loaded once a process.
fn network() -> Result<&'static Network> {
    static NETWORK: OnceLock<Result<Network>> = OnceLock::new();
    NETWORK.get_or_init(Network::load).as_ref().map_err(Clone::clone)
}
