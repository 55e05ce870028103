//! Thread: any. Units of musical and audio time, and every conversion between them.
//!
//! A bare number never crosses a public border as a time: it is `Frames`, `Seconds` or `Beats`, and turning one into
//! another always names the rate or the tempo that the conversion needs.
#![deny(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]

use serde::{Deserialize, Serialize};
use std::ops::{Add, Neg, Sub};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
    };
}

unit!(
    /// A count of sample frames, or a position in frames. Negative before an origin.
    Frames(i64)
);
unit!(
    /// A duration or position in seconds.
    Seconds(f64)
);
unit!(
    /// A duration or position in quarter notes, the host's "beats" whatever the metre.
    Beats(f64)
);

/// Tempo in quarter notes per minute.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bpm(pub f64);

/// Sample rate in frames per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleRate(pub u32);

/// Frequency in hertz.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hz(pub f32);

/// A MIDI note number that may lie between two keys: 69.0 is A4 = 440 Hz, 0.01 is one cent.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MidiNote(pub f32);

/// Time signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metre {
    /// Beats in a bar, counted in the unit of `denominator`.
    pub numerator: u8,
    /// Note value of one count: 4 is a quarter note.
    pub denominator: u8,
}

impl Default for Metre {
    fn default() -> Self {
        Self { numerator: 4, denominator: 4 }
    }
}

impl Metre {
    /// Length of one bar.
    pub fn bar(self) -> Beats {
        Beats(f64::from(self.numerator) * 4.0 / f64::from(self.denominator.max(1)))
    }
}

impl Hz {
    /// The note number of this frequency, A4 = 440 Hz.
    pub fn note(self) -> MidiNote {
        MidiNote(69.0 + 12.0 * (self.0 / 440.0).log2())
    }
}

impl MidiNote {
    /// The frequency of this note number, A4 = 440 Hz.
    pub fn hz(self) -> Hz {
        Hz(440.0 * ((self.0 - 69.0) / 12.0).exp2())
    }
}

impl SampleRate {
    /// The rate as a number for arithmetic.
    pub fn hz(self) -> f64 {
        f64::from(self.0)
    }
}

/// The nearest whole number of frames. Times of a song fit: 2^53 frames at 192 kHz are 1,400 years.
#[allow(clippy::cast_possible_truncation)]
fn round_frames(frames: f64) -> Frames {
    Frames(frames.round() as i64)
}

#[allow(clippy::cast_precision_loss)]
fn frames_f64(frames: Frames) -> f64 {
    frames.0 as f64
}

impl Frames {
    /// Duration of this many frames.
    pub fn seconds(self, rate: SampleRate) -> Seconds {
        Seconds(frames_f64(self) / rate.hz())
    }

    /// As an index; `None` when negative.
    pub fn index(self) -> Option<usize> {
        usize::try_from(self.0).ok()
    }
}

impl From<usize> for Frames {
    fn from(count: usize) -> Self {
        Self(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl Seconds {
    /// The nearest whole frame.
    pub fn frames(self, rate: SampleRate) -> Frames {
        round_frames(self.0 * rate.hz())
    }

    /// At a constant tempo.
    pub fn beats(self, tempo: Bpm) -> Beats {
        Beats(self.0 * tempo.0 / 60.0)
    }
}

impl Beats {
    /// At a constant tempo.
    pub fn seconds(self, tempo: Bpm) -> Seconds {
        Seconds(self.0 * 60.0 / tempo.0)
    }
}

/// A change of tempo at a position.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TempoPoint {
    /// Where the tempo begins, in song position.
    pub at: Beats,
    /// The tempo from there to the next point.
    pub tempo: Bpm,
}

/// Tempo of a stretch of song: piecewise constant, never empty, points in ascending order, also when it was read from a file.
///
/// Positions before the first point use the first tempo, so a song with one tempo is one point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TempoPoint>", into = "Vec<TempoPoint>")]
pub struct TempoMap {
    points: Vec<TempoPoint>,
}

/// No song is longer or further away than this, in beats or in seconds.
const FARTHEST: f64 = 1e7;

impl TryFrom<Vec<TempoPoint>> for TempoMap {
    type Error = &'static str;

    fn try_from(points: Vec<TempoPoint>) -> Result<Self, Self::Error> {
        let sane = |point: &TempoPoint| point.at.0.abs() < FARTHEST && (1.0..=1_000.0).contains(&point.tempo.0);
        if points.is_empty() || !points.iter().all(sane) || !points.is_sorted_by(|a, b| a.at < b.at) {
            return Err("a tempo map that no song has");
        }
        Ok(Self { points })
    }
}

impl From<TempoMap> for Vec<TempoPoint> {
    fn from(map: TempoMap) -> Self {
        map.points
    }
}

impl TempoMap {
    /// One tempo throughout.
    pub fn constant(tempo: Bpm) -> Self {
        Self { points: vec![TempoPoint { at: Beats(0.0), tempo }] }
    }

    /// From points in any order; equal neighbours are merged. Falls back to 120 BPM when `points` is empty.
    pub fn new(mut points: Vec<TempoPoint>) -> Self {
        points.sort_by(|a, b| a.at.0.total_cmp(&b.at.0));
        points.dedup_by(|next, kept| next.tempo == kept.tempo);
        if points.is_empty() {
            return Self::constant(Bpm(120.0));
        }
        Self { points }
    }

    /// The points, in order.
    pub fn points(&self) -> &[TempoPoint] {
        &self.points
    }

    /// The tempo at a position.
    pub fn tempo_at(&self, at: Beats) -> Bpm {
        let after = self.points.partition_point(|point| point.at <= at);
        self.points[after.saturating_sub(1)].tempo
    }

    /// The tempo when it never changes.
    pub fn single(&self) -> Option<Bpm> {
        (self.points.len() == 1).then(|| self.points[0].tempo)
    }

    /// Time from one song position to another; negative when `to` is earlier.
    pub fn seconds_between(&self, from: Beats, to: Beats) -> Seconds {
        if to < from {
            return -self.seconds_between(to, from);
        }
        let mut total = Seconds(0.0);
        let mut at = from;
        for next in self.points.iter().skip(1).map(|point| point.at).filter(|&next| next > from && next < to) {
            total = total + (next - at).seconds(self.tempo_at(at));
            at = next;
        }
        total + (to - at).seconds(self.tempo_at(at))
    }

    /// The song position that lies `after` the position `from`. Inverse of [`Self::seconds_between`].
    pub fn beats_after(&self, from: Beats, after: Seconds) -> Beats {
        if after.0 < 0.0 {
            // Backwards from a position the tempo in force there holds; a take never looks further back than its own start.
            return from + after.beats(self.tempo_at(from));
        }
        let mut left = after;
        let mut at = from;
        for next in self.points.iter().skip(1).map(|point| point.at).filter(|&next| next > from) {
            let span = (next - at).seconds(self.tempo_at(at));
            if span >= left {
                break;
            }
            left = left - span;
            at = next;
        }
        at + left.beats(self.tempo_at(at))
    }
}

/// Where something lies on the host's time line, and how beats become frames there.
///
/// Rounding is done once against the host's own sample grid: beat `b` sounds on the frame nearest to it in the *song*, so
/// a rendition that starts between two samples still puts every later beat on the sample the host would.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SongGrid {
    /// Song position of frame 0, in beats.
    pub start: Beats,
    /// Song position of frame 0, in seconds from the start of the song.
    pub start_seconds: Seconds,
    /// Tempo from `start` on.
    pub tempo: TempoMap,
    /// Time signature.
    pub metre: Metre,
}

impl SongGrid {
    /// The bar line at or before the start: where a file has to begin so that its bars are those of the song.
    pub fn bar_line(&self) -> Beats {
        let bar = self.metre.bar().0;
        // A hair before a bar line is the bar line.
        Beats((self.start.0 / bar + 1e-9).floor() * bar)
    }

    /// Whether a song can have it: what is read from a file is asked before it is used.
    pub fn is_sane(&self) -> bool {
        let near = |value: f64| value.abs() < FARTHEST;
        let metre = self.metre.numerator > 0 && self.metre.denominator > 0;
        near(self.start.0) && near(self.start_seconds.0) && metre
    }

    /// A grid that starts the song, at one tempo.
    pub fn at_origin(tempo: Bpm, metre: Metre) -> Self {
        Self { start: Beats(0.0), start_seconds: Seconds(0.0), tempo: TempoMap::constant(tempo), metre }
    }

    /// Frame of a song position, counted from the frame of `start`.
    pub fn frame_of(&self, beat: Beats, rate: SampleRate) -> Frames {
        let seconds = self.start_seconds + self.tempo.seconds_between(self.start, beat);
        seconds.frames(rate) - self.start_seconds.frames(rate)
    }

    /// Song position of a time counted from `start`.
    pub fn beat_at(&self, after: Seconds) -> Beats {
        self.tempo.beats_after(self.start, after)
    }

    /// Frames, not yet rounded, from the whole frame of `start` to a song position. For playback, which decides itself
    /// how to treat the fraction.
    pub fn exact_frame_of(&self, beat: Beats, rate: SampleRate) -> f64 {
        let seconds = self.start_seconds + self.tempo.seconds_between(self.start, beat);
        seconds.0 * rate.hz() - frames_f64(self.start_seconds.frames(rate))
    }
}
