//! Rendition: a score becomes audio that can be played, exported and judged.

use crate::audio::AudioBuffer;
use crate::generation::Recipe;
use crate::generation::score::{Role, Score};
use crate::time::{Frames, SampleRate, SongGrid};
use serde::{Deserialize, Serialize};

/// One part as audio, before the master.
#[derive(Debug, Clone, PartialEq)]
pub struct Stem {
    /// What it plays.
    pub role: Role,
    /// Instrument name.
    pub instrument: String,
    /// Stereo, as long as the mix.
    pub audio: AudioBuffer,
}

/// How well a rendition keeps the melody, measured on its audio.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Fidelity {
    /// Share of the melody's frames whose loudest pitch class in the lead stem is the sung one, 0 to 1.
    pub lead_chroma: f32,
    /// The same in the full mix.
    pub mix_chroma: f32,
    /// Share of notes that sound in the right octave in the lead.
    pub octave: f32,
    /// Share of sung onsets that the lead meets within 50 ms.
    pub onset: f32,
}

/// Levels of the finished mix.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Loudness {
    /// Integrated, EBU R128.
    pub integrated_lufs: f32,
    /// Largest true peak.
    pub true_peak_dbtp: f32,
    /// Integrated loudness of the lead stem minus that of all other stems together, in LU.
    pub lead_over_backing_lu: f32,
}

/// Where the time went, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// Pitch, notes, chroma, key. 0 when the analysis was already there.
    pub analysis_ms: f32,
    /// Harmony and parts.
    pub arrangement_ms: f32,
    /// Score to audio.
    pub render_ms: f32,
    /// Balance, room, loudness, fidelity.
    pub mix_ms: f32,
}

/// A finished rendition.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendition {
    /// What was asked for.
    pub recipe: Recipe,
    /// Human name: "Jazz 1".
    pub name: String,
    /// Where it lies in the song.
    pub grid: SongGrid,
    /// Frames of the region itself; the audio is longer by a tail that rings out.
    pub region: Frames,
    /// The mastered mix, stereo, 24-bit values.
    pub mix: AudioBuffer,
    /// The parts; they sum to the mix before its master gain and limiter. Empty when only the mix was kept.
    pub stems: Vec<Stem>,
    /// The notes, when the engine wrote any.
    pub score: Option<Score>,
    /// How it keeps the melody.
    pub fidelity: Fidelity,
    /// Its levels.
    pub loudness: Loudness,
    /// How long it took.
    pub timings: Timings,
}

impl Rendition {
    /// The rate of all its audio.
    pub fn rate(&self) -> SampleRate {
        self.mix.rate
    }
}
