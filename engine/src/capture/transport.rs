//! Thread: any. The host's transport at the start of one block, as plain data.

use crate::time::{Bpm, Metre, SampleRate};

/// How close to a whole number a position counts as on the host's sample grid.
const ON_SAMPLE_GRID: f64 = 0.01;

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

    /// The same transport some frames later, the song running on. Realtime safe.
    pub fn after(&self, frames: usize, rate: SampleRate) -> Self {
        self.moved(if self.playing { frames as f64 } else { 0.0 }, rate)
    }

    fn moved(&self, frames: f64, rate: SampleRate) -> Self {
        let seconds = frames / rate.hz();
        let beats = self.usable_tempo().map_or(0.0, |tempo| seconds * tempo.0 / 60.0);
        Self {
            beats: self.beats.map(|position| position + beats),
            seconds: self.seconds.map(|position| position + seconds),
            ..*self
        }
    }

    /// Where the loop wraps inside a block of `frames`, and the transport on its first frame after that. Hosts that end blocks at the
    /// loop's end never need it. Realtime safe.
    ///
    /// A host counts whole samples, so it leaves and enters the loop on the samples nearest to its ends.
    pub fn wrap_within(&self, rate: SampleRate, frames: usize) -> Option<(usize, Self)> {
        let (loop_start, loop_end) = self.loop_beats.filter(|_| self.playing)?;
        let beats = self.song_beats()?;
        let frames_per_beat = rate.hz() * 60.0 / self.usable_tempo()?.0;
        let to_end = (loop_end - beats) * frames_per_beat;
        let count = to_end.round();
        if count < 1.0 || count >= frames as f64 || (loop_end - loop_start) * frames_per_beat < 1.0 {
            return None;
        }
        let sample = self.seconds.unwrap_or(beats * rate.hz().recip() * frames_per_beat) * rate.hz();
        let entry = sample + (loop_start - beats) * frames_per_beat;
        let entry = if (sample - sample.round()).abs() < ON_SAMPLE_GRID {
            entry.round()
        } else {
            // Not a host of whole samples: what was played beyond the end is played beyond the start.
            entry + count - to_end
        };
        Some((count as usize, self.moved(entry - sample, rate)))
    }
}
