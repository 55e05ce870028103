//! Thread: audio sends, collector receives. Orders that the audio thread noticed in its parameters and must not carry out itself.
//!
//! They travel beside the blocks and name the record frame they belong to, so that it does not matter when they arrive. Not through the
//! plugin framework's own queue: its thread may become the last owner of the plugin and would have to join itself.

use super::cut::{CaptureMode, Recall};
use super::transport::TransportStamp;
use crate::time::Seconds;

/// An order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Signal {
    /// Wait for a take, from a record frame on.
    StartCapture {
        /// How it begins and ends.
        mode: CaptureMode,
        /// Record frame.
        at: u64,
    },
    /// End a take and keep it.
    StopCapture {
        /// Record frame.
        at: u64,
    },
    /// The monitoring delay changed.
    InputOffset(Seconds),
    /// Make variations.
    Generate {
        /// Place of the style among the built-in ones, used when nothing was typed.
        style: usize,
        /// Seed of the first.
        seed: u64,
        /// How many.
        variations: u32,
        /// 0 as sung, 1 paraphrased.
        freedom: f32,
        /// How far the notes of the melody are pulled to the grid, 0 to 1.
        tightness: f32,
    },
    /// Stop what is being made.
    Cancel,
    /// Play the variation of a number.
    Select(usize),
    /// Let orders speak of the region of a number, from 1.
    ChooseRegion(usize),
    /// Capture what was just hummed.
    Recall {
        /// How much of it.
        span: Recall,
        /// Record frame at which the order was given.
        at: u64,
    },
    /// Arm by itself whenever the song begins to play, or no longer.
    AutoArm(Option<CaptureMode>),
    /// Bars that are counted before a capture begins.
    CountIn(u32),
    /// The host's tempo is not the one of what plays.
    FollowTempo {
        /// What the host says.
        stamp: TransportStamp,
        /// The chosen region is heard wherever the song is.
        anywhere: bool,
    },
    /// An offline bounce waited for a rendition as long as it may, and goes on without it.
    WaitedInVain,
}
