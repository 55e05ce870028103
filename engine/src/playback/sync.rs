//! Thread: audio. Which frame belongs where: pure functions from the host's stamp to frames.
//!
//! Hosts count whole frames and tell positions in beats, so a position in beats lies within 10⁻⁴ of a whole frame of the
//! host's own grid. Everything here rounds once, onto that grid.

use crate::capture::transport::TransportStamp;
use crate::time::{Beats, Bpm, SampleRate, SongGrid};

/// Counting goes on as long as the host's position is nearer than this to the count.
const CONTINUITY_FRAMES: f64 = 0.75;
/// Tempos nearer than this, as a share, are one tempo.
const SAME_TEMPO: f64 = 1e-6;
/// Positions beyond this, in beats or seconds, are a host's mistake.
const SANE_POSITION: f64 = 1e9;

/// The stamp without what no song can have: positions and tempos that are not finite or absurdly large are left out.
pub fn sane(stamp: &TransportStamp) -> TransportStamp {
    let position = |value: &f64| value.abs() < SANE_POSITION;
    TransportStamp {
        tempo: stamp.tempo.filter(|tempo| (1.0..=100_000.0).contains(&tempo.0)),
        beats: stamp.beats.filter(position),
        seconds: stamp.seconds.filter(position),
        loop_beats: stamp.loop_beats.filter(|(start, end)| position(start) && position(end)),
        ..*stamp
    }
}

/// The frame of a rendition at the block's first frame, not yet rounded: from the position in beats when the host gives
/// one, else from seconds. Holds when the host's tempo is the rendition's. `None` when the host gives neither.
pub fn exact_position(stamp: &TransportStamp, grid: &SongGrid, rate: SampleRate) -> Option<f64> {
    match (stamp.beats, stamp.seconds) {
        (Some(beats), _) => Some(grid.exact_frame_of(Beats(beats), rate)),
        (None, Some(seconds)) => Some(seconds * rate.hz() - grid.start_seconds.frames(rate).0 as f64),
        (None, None) => None,
    }
}

/// The whole frame to play for an exact position, when `next` is the frame that plain counting arrived at.
#[allow(clippy::cast_possible_truncation, reason = "positions are sane, far below 2^53")]
pub fn settle(exact: f64, next: Option<i64>) -> i64 {
    match next {
        Some(next) if (exact - next as f64).abs() < CONTINUITY_FRAMES => next,
        _ => exact.round() as i64,
    }
}

/// Whether the host plays at another tempo than the grid has at this position, so that frames cannot simply be counted.
pub fn tempo_differs(stamp: &TransportStamp, grid: &SongGrid) -> bool {
    let Some(Bpm(host)) = stamp.tempo else { return false };
    // A position told a hair before a tempo change stands for the change itself.
    let at = stamp.beats.map_or(grid.start, |beats| Beats(beats + SAME_TEMPO));
    let Bpm(own) = grid.tempo.tempo_at(at);
    (host - own).abs() > SAME_TEMPO * own
}
