//! Thread: any. The host's song clock: an integer position in frames, a tempo map, a loop, and the blocks cut from them.

/// A stretch of song at one tempo.
#[derive(Debug, Clone, Copy, PartialEq)]
struct TempoStretch {
    frame: i64,
    beats: f64,
    bpm: f64,
}

/// The loop, in quarter notes as the user sets it and in the frames nearest to them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoopRegion {
    /// First quarter note inside.
    pub start_beats: f64,
    /// First quarter note after the loop.
    pub end_beats: f64,
    /// First frame inside.
    pub start_frame: i64,
    /// First frame after the loop.
    pub end_frame: i64,
}

impl LoopRegion {
    /// Frames of one pass.
    pub fn frames(&self) -> i64 {
        self.end_frame - self.start_frame
    }
}

/// How much of the transport this host tells the plugin; real hosts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TransportReport {
    /// Tempo, metre, both time lines, bar and loop.
    #[default]
    Everything,
    /// All but the loop: the plugin only sees the position jump back.
    WithoutLoop,
    /// No transport event at all.
    Nothing,
}

/// A contiguous run of song inside one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Song position of its first frame.
    pub song_frame: i64,
    /// Its length.
    pub frames: usize,
}

/// One block: what of the song it covers, and the transport at its first frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Length of the block.
    pub frames: usize,
    /// What it covers, in order. One piece, unless the loop wraps inside the block.
    pub pieces: Vec<Piece>,
    /// Whether the song moves.
    pub playing: bool,
    /// Song position of the first frame in quarter notes.
    pub beats: f64,
    /// Song position of the first frame in seconds.
    pub seconds: f64,
    /// Tempo of the first frame in quarter notes per minute.
    pub bpm: f64,
}

/// Where the song is and how it goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct SongClock {
    rate: u32,
    tempo: Vec<TempoStretch>,
    metre: (u16, u16),
    looping: Option<LoopRegion>,
    position: i64,
    playing: bool,
    /// Whether blocks end at the loop's end, as most hosts do. Otherwise the loop wraps in the middle of a block.
    pub split_at_loop: bool,
    /// What the plugin is told.
    pub report: TransportReport,
    /// Whether the host claims to record.
    pub recording: bool,
}

impl SongClock {
    /// A stopped song in 4/4 at its beginning.
    pub fn new(rate: u32, bpm: f64) -> Self {
        Self {
            rate,
            tempo: vec![TempoStretch { frame: 0, beats: 0.0, bpm }],
            metre: (4, 4),
            looping: None,
            position: 0,
            playing: false,
            split_at_loop: true,
            report: TransportReport::Everything,
            recording: false,
        }
    }

    /// Frames per second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Time signature.
    pub fn metre(&self) -> (u16, u16) {
        self.metre
    }

    /// Sets the time signature of the whole song.
    pub fn set_metre(&mut self, numerator: u16, denominator: u16) {
        self.metre = (numerator, denominator);
    }

    /// Changes the tempo from a frame of the song on; changes after that frame are forgotten.
    pub fn set_tempo_from(&mut self, frame: i64, bpm: f64) {
        let beats = self.beats_at(frame);
        self.tempo.retain(|stretch| stretch.frame < frame);
        self.tempo.push(TempoStretch { frame, beats, bpm });
        if let Some(region) = self.looping {
            self.set_loop(Some((region.start_beats, region.end_beats)));
        }
    }

    fn stretch_at(&self, frame: i64) -> TempoStretch {
        let after = self.tempo.partition_point(|stretch| stretch.frame <= frame);
        self.tempo[after.saturating_sub(1)]
    }

    /// Song position of a frame in quarter notes.
    pub fn beats_at(&self, frame: i64) -> f64 {
        let stretch = self.stretch_at(frame);
        stretch.beats + (frame - stretch.frame) as f64 * stretch.bpm / (60.0 * f64::from(self.rate))
    }

    /// The frame nearest to a song position.
    pub fn frame_at(&self, beats: f64) -> i64 {
        let after = self.tempo.partition_point(|stretch| stretch.beats <= beats);
        let stretch = self.tempo[after.saturating_sub(1)];
        stretch.frame + ((beats - stretch.beats) * 60.0 * f64::from(self.rate) / stretch.bpm).round() as i64
    }

    /// Switches the loop on between two song positions in quarter notes, or off.
    pub fn set_loop(&mut self, beats: Option<(f64, f64)>) {
        self.looping = beats.map(|(start_beats, end_beats)| LoopRegion {
            start_beats,
            end_beats,
            start_frame: self.frame_at(start_beats),
            end_frame: self.frame_at(end_beats).max(self.frame_at(start_beats) + 1),
        });
    }

    /// The loop, when it is on.
    pub fn loop_region(&self) -> Option<LoopRegion> {
        self.looping
    }

    /// Current position in frames.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// Jumps to a frame of the song.
    pub fn locate(&mut self, frame: i64) {
        self.position = frame;
    }

    /// Jumps to the frame nearest to a song position.
    pub fn locate_beats(&mut self, beats: f64) {
        self.position = self.frame_at(beats);
    }

    /// Whether the song moves.
    pub fn playing(&self) -> bool {
        self.playing
    }

    /// Starts the song where it stands.
    pub fn play(&mut self) {
        self.playing = true;
    }

    /// Stops the song where it stands.
    pub fn stop(&mut self) {
        self.playing = false;
    }

    /// The bar that a song position lies in: its first quarter note and its number from 0.
    pub fn bar_at(&self, beats: f64) -> (f64, i32) {
        let bar = f64::from(self.metre.0) * 4.0 / f64::from(self.metre.1.max(1));
        // A bar line that floating point puts a hair late still starts its bar.
        let number = ((beats + 1e-9) / bar).floor();
        (number * bar, number as i32)
    }

    /// Cuts the next block of at most `max_frames` and moves on by it.
    ///
    /// A block never crosses a tempo change; it crosses the loop's end only when `split_at_loop` is off.
    pub fn advance(&mut self, max_frames: usize) -> Span {
        let start = self.position;
        let stretch = self.stretch_at(start);
        let mut span = Span {
            frames: 0,
            pieces: Vec::with_capacity(2),
            playing: self.playing,
            beats: self.beats_at(start),
            seconds: start as f64 / f64::from(self.rate),
            bpm: stretch.bpm,
        };
        if !self.playing {
            span.frames = max_frames;
            span.pieces.push(Piece { song_frame: start, frames: max_frames });
            return span;
        }
        while span.frames < max_frames {
            let piece_start = self.position;
            let mut end = piece_start + (max_frames - span.frames) as i64;
            if let Some(change) = self.tempo.iter().map(|stretch| stretch.frame).find(|&frame| frame > piece_start) {
                end = end.min(change);
            }
            // A song that starts after the loop plays on without looping, as in every DAW.
            let wraps = self.looping.filter(|region| piece_start < region.end_frame && end >= region.end_frame);
            if let Some(region) = wraps {
                end = region.end_frame;
            }
            let frames = (end - piece_start) as usize;
            span.pieces.push(Piece { song_frame: piece_start, frames });
            span.frames += frames;
            self.position = wraps.map_or(end, |region| region.start_frame);
            let tempo_changes = self.stretch_at(self.position).bpm != stretch.bpm;
            if wraps.is_none() || self.split_at_loop || tempo_changes {
                break;
            }
        }
        span
    }
}
