//! Thread: any. A take: what was hummed or played, and where in the song.

use super::trim::Margins;
use crate::audio::AudioBuffer;
use crate::time::{Beats, Seconds, SongGrid};
use serde::{Deserialize, Serialize};

/// A MIDI note as it was played during a take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TakeNote {
    /// Start, from the start of the take.
    pub onset: Seconds,
    /// End, from the start of the take.
    pub offset: Seconds,
    /// MIDI key.
    pub key: u8,
    /// 0 to 1.
    pub velocity: f32,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
}

/// Where a take came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TakeSource {
    /// Started and stopped by hand.
    Free,
    /// A number of bars.
    Bars,
    /// The host's loop region.
    Loop,
    /// A file.
    File,
    /// What was remembered when it was asked for.
    Recall,
}

/// A captured melody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Take {
    /// Unique within a session.
    pub id: u64,
    /// How it was captured.
    pub source: TakeSource,
    /// What was heard, at the host's rate, one or two channels. Frame 0 lies at `grid.start`.
    pub audio: AudioBuffer,
    /// MIDI that arrived meanwhile.
    pub notes: Vec<TakeNote>,
    /// Where the take lies in the song; for a take without a running transport, a grid at the origin.
    pub grid: SongGrid,
    /// Whether `grid` comes from a running transport. Otherwise tempo and metre are a guess.
    pub on_grid: bool,
    /// Length in song time. The audio is as long.
    pub length: Beats,
    /// Frames lost to ring overruns inside the take; they are silent in `audio`.
    pub lost_frames: u64,
    /// What there is to know about how it was read, in sentences: which part of a MIDI file was taken as the melody.
    pub remarks: Vec<String>,
    /// What was heard around it, for trimming and for taking that back. Nothing but trimming looks at it.
    #[serde(default)]
    pub margins: Margins,
}
