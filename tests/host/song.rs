//! Thread: any. What lies on the plugin's track: sound, notes, and the clock that moves over them.

use crate::clock::{Piece, SongClock};
use std::sync::Arc;

/// What a clip's frame 0 is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// A frame of the song: heard each time the song passes there, and only while it moves.
    Song(i64),
    /// A frame of host time, counted over all runs: someone at the microphone, heard whether the song moves or not.
    Live(u64),
}

/// Sound on the main input or the sidechain.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// Where it starts.
    pub placement: Placement,
    /// Planar samples at the song's rate. A mono clip goes to every channel of the port.
    pub channels: Arc<Vec<Vec<f32>>>,
    /// Frames that it arrives late, as through an interface with input latency.
    pub delay: i64,
    /// Input port: 0 is the main input, 1 the sidechain.
    pub port: usize,
}

impl Clip {
    /// A mono clip on the main input, placed in the song.
    pub fn mono_at(song_frame: i64, samples: Vec<f32>) -> Self {
        Self { placement: Placement::Song(song_frame), channels: Arc::new(vec![samples]), delay: 0, port: 0 }
    }

    fn sample(&self, channel: usize, frame: i64) -> f32 {
        let samples = self.channels.get(channel).or_else(|| self.channels.first());
        samples.zip(usize::try_from(frame).ok()).and_then(|(samples, frame)| samples.get(frame)).copied().unwrap_or(0.0)
    }
}

/// A note on the track, in song frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SongNote {
    /// First frame.
    pub start: i64,
    /// First frame after it.
    pub end: i64,
    /// MIDI key.
    pub key: u8,
    /// 0 to 1.
    pub velocity: f64,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
}

/// The time line and what lies on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Song {
    /// Position, tempo, loop.
    pub clock: SongClock,
    /// Sound.
    pub clips: Vec<Clip>,
    /// MIDI.
    pub notes: Vec<SongNote>,
}

impl Song {
    /// An empty song.
    pub fn new(clock: SongClock) -> Self {
        Self { clock, clips: Vec::new(), notes: Vec::new() }
    }

    /// Adds to `buffer` what one channel of an input port carries during a piece of a block.
    ///
    /// `live_frame` is the host time of the piece's first frame.
    pub fn mix_into(
        &self,
        port: usize,
        channel: usize,
        piece: Piece,
        playing: bool,
        live_frame: u64,
        buffer: &mut [f32],
    ) {
        for clip in self.clips.iter().filter(|clip| clip.port == port) {
            let first = match clip.placement {
                Placement::Song(start) if playing => piece.song_frame - start,
                Placement::Song(_) => continue,
                Placement::Live(start) => live_frame as i64 - start as i64,
            } - clip.delay;
            for (sample, offset) in buffer.iter_mut().zip(first..) {
                *sample += clip.sample(channel, offset);
            }
        }
    }

    /// The starts (`true`) and ends of notes inside a piece, with their offset from its first frame, in order.
    pub fn note_edges(&self, piece: Piece) -> Vec<(usize, bool, SongNote)> {
        let inside =
            |frame: i64| usize::try_from(frame - piece.song_frame).ok().filter(|&offset| offset < piece.frames);
        let mut edges = Vec::new();
        for &note in &self.notes {
            edges.extend(inside(note.end).map(|offset| (offset, false, note)));
            edges.extend(inside(note.start).map(|offset| (offset, true, note)));
        }
        edges.sort_by_key(|&(offset, starts, _)| (offset, starts));
        edges
    }
}
