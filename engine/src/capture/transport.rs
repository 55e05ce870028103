//! Thread: any. The host's transport at the start of one block, as plain data.

use crate::time::{Bpm, Metre};

/// What the host said about its transport at the first frame of a block. Every field a host may leave out is optional.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TransportStamp {
    /// The song is moving.
    pub playing: bool,
    /// The host is recording.
    pub recording: bool,
    /// The host renders faster than real time.
    pub offline: bool,
    /// Tempo.
    pub tempo: Option<Bpm>,
    /// Time signature.
    pub metre: Option<Metre>,
    /// Song position in quarter notes.
    pub beats: Option<f64>,
    /// Song position in seconds.
    pub seconds: Option<f64>,
    /// Song position of the current bar's first beat, in quarter notes.
    pub bar_start_beats: Option<f64>,
    /// The active loop, in quarter notes: start and exclusive end. `None` when the loop is off or the host does not say.
    pub loop_beats: Option<(f64, f64)>,
}

impl TransportStamp {
    /// The tempo, when it is one that time can be counted in.
    pub fn usable_tempo(&self) -> Option<Bpm> {
        self.tempo.filter(|tempo| tempo.0 > 0.0 && tempo.0.is_finite())
    }

    /// Song position in beats: the host's, or made from its seconds. `None` without a position or a tempo.
    pub fn song_beats(&self) -> Option<f64> {
        let tempo = self.usable_tempo()?;
        self.beats.or_else(|| Some(self.seconds? * tempo.0 / 60.0)).filter(|beats| beats.is_finite())
    }
}
