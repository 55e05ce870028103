//! Thread: any. What was heard around a take, and trimming with it: another piece of the same recording, to the sample, and back again.
//!
//! A take's audio, notes, grid and length speak of its region alone, and so does everything that listens to a take. The margins
//! lie beside it: moving an edge moves samples between the two, and nothing is ever thrown away.
//!
//! The margins are what was heard right before and after in *record* time. Where the song jumped there, as at the start of a
//! loop, they still hold what was sung, such as an upbeat; the grid is then the region's, drawn on.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "frames inside a recording: whole, not negative, below 2^53"
)]

use super::cut::EARLY;
use super::take::{Take, TakeNote};
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::time::{Beats, Frames, SampleRate, Seconds, SongGrid};
use serde::{Deserialize, Serialize};

/// How much is kept before and after a take, as far as it was heard.
pub const MARGIN: Seconds = Seconds(2.0);
/// Beyond this many beats there is no song, and no frame that could be counted.
const FARTHEST_BEATS: f64 = 1e7;
/// A take is never trimmed to less.
const SHORTEST: Seconds = Seconds(0.05);

/// What was heard around a take.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Margins {
    /// `[channel][frame]`, up to the frame before the take's first. Empty when there is nothing.
    pub before: Vec<Vec<f32>>,
    /// `[channel][frame]`, from the frame after the take's last. Empty when there is nothing.
    pub after: Vec<Vec<f32>>,
    /// Every note of the whole stretch, the take's own among them; times count from the first frame of `before`.
    pub notes: Vec<TakeNote>,
    /// What was captured, once the take was trimmed.
    pub captured: Option<Box<Captured>>,
}

/// The region as it was captured, for taking a trim back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Captured {
    /// Its first frame, counted from the first frame of the whole stretch.
    pub first: Frames,
    /// Its length.
    pub frames: Frames,
    /// Where it lies in the song.
    pub grid: SongGrid,
    /// Its length in song time.
    pub length: Beats,
    /// Its notes.
    pub notes: Vec<TakeNote>,
}

/// What was heard after a take was delivered, to be added to its margin.
#[derive(Debug, Clone, PartialEq)]
pub struct Tail {
    /// The `id` that the take was delivered with.
    pub capture: u64,
    /// `[channel][frame]`: what follows the whole stretch of the take.
    pub audio: Vec<Vec<f32>>,
    /// Every note of the whole stretch as it is now, as in [`Margins::notes`].
    pub notes: Vec<TakeNote>,
}

/// The part of [`Margins`] that is not audio, for projects: they keep the audio of the whole stretch as one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MarginFacts {
    /// Frames before the take.
    pub before: usize,
    /// Frames after it.
    pub after: usize,
    /// As in [`Margins::notes`].
    pub notes: Vec<TakeNote>,
    /// As in [`Margins::captured`].
    pub captured: Option<Box<Captured>>,
}

impl MarginFacts {
    /// Whether there is nothing to save.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn frames_of(channels: &[Vec<f32>]) -> usize {
    channels.first().map_or(0, Vec::len)
}

impl Margins {
    /// Divides the audio of a whole stretch: what is left in `audio` is the take's. Facts that do not fit the audio, as a
    /// damaged project may hold them, give less margin and never less take.
    pub fn split(audio: &mut AudioBuffer, facts: MarginFacts) -> Self {
        let whole = audio.frames();
        let fits = facts.before.checked_add(facts.after).is_some_and(|margins| margins <= whole);
        let (first, end) = if fits { (facts.before, whole - facts.after) } else { (0, whole) };
        let cut = |channel: &mut Vec<f32>, at: usize| channel.split_off(at);
        let after = audio.channels.iter_mut().map(|channel| cut(channel, end)).collect::<Vec<_>>();
        let own = audio.channels.iter_mut().map(|channel| cut(channel, first)).collect::<Vec<_>>();
        let before = std::mem::replace(&mut audio.channels, own);
        let captured = facts.captured.filter(|captured| fits && captured.fits(whole));
        let kept = |channels: Vec<Vec<f32>>| if frames_of(&channels) == 0 { Vec::new() } else { channels };
        let notes = if fits { facts.notes } else { Vec::new() };
        Self { before: kept(before), after: kept(after), notes, captured }
    }
}

impl Captured {
    fn end(&self) -> i64 {
        self.first.0 + self.frames.0
    }

    fn fits(&self, whole: usize) -> bool {
        let inside = self.first.0 >= 0 && self.frames.0 >= 0;
        let end = self.first.0.checked_add(self.frames.0);
        inside
            && end.is_some_and(|end| end <= Frames::from(whole).0)
            && self.grid.is_sane()
            && self.length.0.is_finite()
    }
}

impl Take {
    /// The audio of the whole stretch: what was heard before, the take, and what was heard after. A copy.
    pub fn whole_audio(&self) -> AudioBuffer {
        let none = Vec::new();
        let channels = self.audio.channels.iter().enumerate().map(|(index, own)| {
            let before = self.margins.before.get(index).unwrap_or(&none);
            let after = self.margins.after.get(index).unwrap_or(&none);
            [before.as_slice(), own, after].concat()
        });
        AudioBuffer { rate: self.audio.rate, channels: channels.collect() }
    }

    /// What a project saves of the margins beside [`Self::whole_audio`].
    pub fn margin_facts(&self) -> MarginFacts {
        MarginFacts {
            before: frames_of(&self.margins.before),
            after: frames_of(&self.margins.after),
            notes: self.margins.notes.clone(),
            captured: self.margins.captured.clone(),
        }
    }

    /// The song positions from and to which the take can be trimmed: all that was kept of the recording.
    pub fn extent(&self) -> (Beats, Beats) {
        let captured = self.as_captured();
        let at = |frame: i64| captured.song_position(frame, self.audio.rate);
        (at(0), at(self.whole_frames()))
    }

    /// Whether the take is another piece of its recording than was captured.
    pub fn is_trimmed(&self) -> bool {
        self.margins.captured.is_some()
    }

    /// The piece of the same recording between two song positions; what reaches beyond the recording is cut off there. Grid,
    /// notes and audio move together: what sounded on a beat still does, on the same sample of the song. The result of many
    /// trims is that of the last one.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] when less than 50 ms would be left.
    pub fn trimmed(&self, start: Beats, end: Beats) -> Result<Self> {
        let captured = self.as_captured();
        let rate = self.audio.rate;
        let whole = self.whole_frames();
        if start == captured.grid.start && end == captured.grid.start + captured.length {
            return Ok(self.untrimmed());
        }
        let frame = |position: Beats| {
            let position = Beats(position.0.clamp(-FARTHEST_BEATS, FARTHEST_BEATS));
            let frame = captured.first.0.saturating_add(captured.grid.frame_of(position, rate).0);
            // What is no number is no frame either.
            if position.0.is_finite() { frame.clamp(0, whole) } else { 0 }
        };
        let (from, to) = (frame(start), frame(end));
        if to - from < SHORTEST.frames(rate).0 {
            return Err(Error::OutOfRange {
                what: "The trimmed take",
                got: format!("{:.0} ms long", Frames((to - from).max(0)).seconds(rate).0 * 1e3),
                expected: "at least 50 ms long and inside what was recorded".to_owned(),
            });
        }
        // A position that was cut off becomes that of the frame it was cut off at.
        let position = |asked: Beats, frame: i64| {
            if frame == 0 || frame == whole { captured.song_position(frame, rate) } else { asked }
        };
        let (start, end) = (position(start, from), position(end, to));
        let grid = SongGrid {
            start,
            start_seconds: captured.grid.start_seconds
                + captured.grid.tempo.seconds_between(captured.grid.start, start),
            ..captured.grid.clone()
        };
        let notes = self.whole_notes();
        let within = notes_within(&notes, Frames(from).seconds(rate), Frames(to).seconds(rate));
        Ok(self.with_region(from, to, grid, end - start, within, Some((captured, notes))))
    }

    /// The take as it was captured. Exactly that, down to the last bit, whatever was done in between.
    pub fn untrimmed(&self) -> Self {
        let captured = self.as_captured();
        let notes = self.whole_notes();
        let mut take = self.with_region(
            captured.first.0,
            captured.end(),
            captured.grid.clone(),
            captured.length,
            captured.notes.clone(),
            None,
        );
        if !take.margins.before.is_empty() || !take.margins.after.is_empty() {
            take.margins.notes = notes;
        }
        take
    }

    /// The take with what was heard after it was delivered.
    #[must_use]
    pub fn with_tail(mut self, tail: &Tail) -> Self {
        let channels = self.audio.channels.len();
        self.margins.after.resize(channels, Vec::new());
        for (after, more) in self.margins.after.iter_mut().zip(&tail.audio) {
            after.extend_from_slice(more);
        }
        self.margins.notes.clone_from(&tail.notes);
        self
    }

    fn whole_frames(&self) -> i64 {
        let margins = frames_of(&self.margins.before) + frames_of(&self.margins.after);
        Frames::from(self.audio.frames() + margins).0
    }

    fn as_captured(&self) -> Captured {
        self.margins.captured.as_deref().cloned().unwrap_or_else(|| Captured {
            first: Frames::from(frames_of(&self.margins.before)),
            frames: self.audio.length(),
            grid: self.grid.clone(),
            length: self.length,
            notes: self.notes.clone(),
        })
    }

    fn whole_notes(&self) -> Vec<TakeNote> {
        if !self.margins.notes.is_empty() || self.is_trimmed() {
            return self.margins.notes.clone();
        }
        let before = Frames::from(frames_of(&self.margins.before)).seconds(self.audio.rate);
        let moved = |note: &TakeNote| TakeNote { onset: note.onset + before, offset: note.offset + before, ..*note };
        self.notes.iter().map(moved).collect()
    }

    fn with_region(
        &self,
        from: i64,
        to: i64,
        grid: SongGrid,
        length: Beats,
        notes: Vec<TakeNote>,
        trim: Option<(Captured, Vec<TakeNote>)>,
    ) -> Self {
        let mut audio = self.whole_audio();
        let after = Frames(audio.length().0 - to).index().unwrap_or(0);
        let (captured, whole_notes) =
            trim.map_or((None, Vec::new()), |(captured, notes)| (Some(Box::new(captured)), notes));
        let facts = MarginFacts { before: Frames(from).index().unwrap_or(0), after, notes: whole_notes, captured };
        let margins = Margins::split(&mut audio, facts);
        Self { audio, grid, length, notes, margins, remarks: self.remarks.clone(), ..*self }
    }
}

impl Captured {
    fn song_position(&self, frame: i64, rate: SampleRate) -> Beats {
        self.grid.beat_at(Frames(frame - self.first.0).seconds(rate))
    }
}

/// The notes that sound inside a piece, in its own time. One struck a little before is meant for its first beat.
fn notes_within(notes: &[TakeNote], from: Seconds, to: Seconds) -> Vec<TakeNote> {
    let inside = |note: &&TakeNote| note.onset + EARLY >= from && note.onset < to && note.offset > from;
    let moved = |note: &TakeNote| TakeNote {
        onset: Seconds((note.onset - from).0.max(0.0)),
        offset: Seconds((note.offset - from).0.min((to - from).0)),
        ..*note
    };
    notes.iter().filter(inside).map(moved).collect()
}
