//! Thread: audio. Which frame of a clip belongs to a moment of the host's transport. Pure functions.

use crate::capture::transport::TransportStamp;
use crate::time::{Beats, SampleRate, SongGrid};

/// Continuing is right as long as the host is less than this far from where we are: host positions are rounded, we count.
pub const SAME_RUN_FRAMES: f64 = 0.75;
/// Tempi closer than this, relatively, are the same.
const SAME_TEMPO: f64 = 1e-6;

/// Frame of a clip that belongs to the stamp's moment, not rounded: negative before the region. `None` when the host does not say where
/// it is.
///
/// The whole frames of the host's song and those of the clip's grid coincide (see [`SongGrid`]), so for a host of whole samples and of
/// the clip's tempo this is a whole number up to the precision of the host's position.
pub fn exact_position(stamp: &TransportStamp, grid: &SongGrid, rate: SampleRate) -> Option<f64> {
    match (stamp.beats, stamp.seconds) {
        (Some(beats), _) => Some(grid.exact_frame_of(Beats(beats), rate)),
        (None, Some(seconds)) => {
            let start = grid.exact_frame_of(grid.start, rate);
            Some(start + (seconds - grid.start_seconds.0) * rate.hz())
        }
        (None, None) => None,
    }
}

/// Whether the host plays the tempo a grid was made for. A host without tempo is believed to.
pub fn same_tempo(stamp: &TransportStamp, grid: &SongGrid) -> bool {
    match (stamp.usable_tempo(), stamp.song_beats()) {
        (Some(host), Some(beats)) => {
            let clip = grid.tempo.tempo_at(Beats(beats));
            (host.0 - clip.0).abs() <= clip.0 * SAME_TEMPO
        }
        _ => true,
    }
}

/// A stretch of one host beat while its tempo is not the clip's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slice {
    /// Frame of the clip at the moment, not rounded.
    pub position: f64,
    /// Frames until the clip's own beat is over: silence from there on.
    pub sounding: usize,
    /// Frames until the host's next beat.
    pub until_next: usize,
}

/// Beats stay aligned when the tempi differ: every beat of the host starts at the clip's frame of that beat, and is cut or left short
/// at the host's next one.
pub fn slice(stamp: &TransportStamp, grid: &SongGrid, rate: SampleRate) -> Option<Slice> {
    let beats = stamp.song_beats()?;
    let host_frames = rate.hz() * 60.0 / stamp.usable_tempo()?.0;
    // Half a frame early is on the beat: the host rounded.
    let beat = (beats + 0.5 / host_frames).floor();
    let into = (beats - beat) * host_frames;
    let until_next = (host_frames - into).round().max(1.0);
    let start = grid.exact_frame_of(Beats(beat), rate);
    let clip_frames = grid.exact_frame_of(Beats(beat + 1.0), rate) - start;
    Some(Slice {
        position: start.round() + into.round(),
        sounding: (clip_frames - into).max(0.0) as usize,
        until_next: until_next as usize,
    })
}
