//! Thread: worker. Where the stems meet the effects of their score: what their strips must know of the song, and the style's touch on the sum.
//!
//! The touch is spread over the stems, so that they add up to the mix: tilt, tape and crush work on each of them, crackle on one; only what
//! needs to hear the sum, the glue, is left for the master.

use crate::generation::score::{Balance, Master, Role};
use crate::time::{Beats, SampleRate, SongGrid};

/// Frames at which a kick is struck, in order; those before the region are not heard.
pub fn kicks(grid: &SongGrid, balance: &Balance, rate: SampleRate) -> Vec<usize> {
    let frame = |beats: &f64| grid.frame_of(grid.start + Beats(*beats), rate).index();
    balance.kicks.iter().filter_map(frame).collect()
}

/// What of the style's touch a stem carries.
pub fn stem_touch(master: &Master, role: Role, balance: &Balance) -> Master {
    let vinyl = if balance.crackle == Some(role) { master.vinyl } else { 0.0 };
    Master { glue: 0.0, vinyl, ..*master }
}

/// What of it only the sum can have.
pub fn sum_touch(master: &Master) -> Master {
    Master { glue: master.glue, ..Master::default() }
}
