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

    /// The bar lines of this part of the song. Where the host tells none, one lies at the song's start.
    pub fn bar_lines(&self) -> BarLines {
        let one = self.bar_start_beats.filter(|line| line.is_finite()).unwrap_or(0.0);
        BarLines { one, apart: self.metre.unwrap_or_default().bar().0 }
    }

    /// Song position in beats: the host's, or made from its seconds. `None` without a position or a tempo.
    pub fn song_beats(&self) -> Option<f64> {
        let tempo = self.usable_tempo()?;
        self.beats.or_else(|| Some(self.seconds? * tempo.0 / 60.0)).filter(|beats| beats.is_finite())
    }
}

/// Bar lines that are equally far apart, in quarter notes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BarLines {
    /// One of them.
    one: f64,
    /// Length of a bar.
    pub apart: f64,
}

impl BarLines {
    /// The last one at or before a position.
    pub fn before(&self, position: f64) -> f64 {
        self.line(((position - self.one) / self.apart).floor())
    }

    /// The first one at or after a position.
    pub fn after(&self, position: f64) -> f64 {
        self.line(((position - self.one) / self.apart).ceil())
    }

    /// The one nearest to a position.
    pub fn nearest(&self, position: f64) -> f64 {
        self.line(((position - self.one) / self.apart).round())
    }

    fn line(&self, number: f64) -> f64 {
        self.one + number * self.apart
    }
}
