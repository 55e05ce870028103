//! Thread: worker (the collector's). What one instance heard lately: one line of record time, and where in the song each
//! stretch of it was.
//!
//! Record time never jumps: frame `r` is the `r`-th frame since the recorder began, lost blocks included as silence. Song time
//! does jump, so it is kept as [`Segment`]s, a new one wherever the song did not simply run on.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lengths of blocks and chunks, which fit in memory and so in a usize"
)]

use super::host_clock::pieces;
use super::repeats::{JumpBack, Repeats};
use super::ring::{Block, MidiEvent};
use super::transport::TransportStamp;
use crate::time::{Bpm, Metre, SampleRate, Seconds};
use std::collections::VecDeque;

/// Frames of one piece of audio. A piece in which nothing ever sounded costs no memory.
pub const CHUNK_FRAMES: u64 = 4096;
/// How far a block may be from where the one before leads, and still be read as the same run without a new stamp.
const SAME_RUN_FRAMES: f64 = 0.75;
/// How far it may be off and still be the host's inaccuracy rather than a jump.
const JITTER_FRAMES: f64 = 2.0;
/// Loops shorter than this are not followed inside a block: nobody sings to them, and each pass would cost a segment.
const SHORTEST_LOOP_FRAMES: f64 = 64.0;

/// How a segment follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// The song runs on; only tempo, metre or loop changed.
    Continues,
    /// From the end of the loop to its start.
    LoopWrap,
    /// Start, stop or locate.
    Jump,
}

/// A stretch of record time over which song position is a straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// First record frame.
    pub start: u64,
    /// Record frames.
    pub frames: u64,
    /// Transport at the first frame.
    pub stamp: TransportStamp,
    /// How it follows the segment before.
    pub join: Join,
}

impl Segment {
    /// Record frame after the last.
    pub fn end(&self) -> u64 {
        self.start + self.frames
    }

    /// Record frames of one beat; `None` without a tempo.
    pub fn frames_per_beat(&self, rate: SampleRate) -> Option<f64> {
        self.stamp.tempo.filter(|tempo| tempo.0 > 0.0).map(|tempo| rate.hz() * 60.0 / tempo.0)
    }

    /// Song position of a record frame, in beats, also outside the segment. `None` when the song stands still or the host
    /// does not say where it is.
    pub fn beats_at(&self, frame: u64, rate: SampleRate) -> Option<f64> {
        let after = frame as f64 - self.start as f64;
        Some(self.start_beats()? + after / self.frames_per_beat(rate)?)
    }

    /// Record frame of a song position, not rounded, also outside the segment.
    pub fn frame_at(&self, beats: f64, rate: SampleRate) -> Option<f64> {
        Some(self.start as f64 + (beats - self.start_beats()?) * self.frames_per_beat(rate)?)
    }

    /// Song time of a song position, the host's own if it gives one.
    pub fn seconds_at(&self, beats: f64) -> Option<Seconds> {
        let tempo = self.stamp.tempo.filter(|tempo| tempo.0 > 0.0)?;
        let start = self.start_beats()?;
        let start_seconds = self.stamp.seconds.unwrap_or(start * 60.0 / tempo.0);
        Some(Seconds(start_seconds + (beats - start) * 60.0 / tempo.0))
    }

    /// The transport at a record frame inside the segment.
    fn stamp_at(&self, frame: u64, rate: SampleRate) -> TransportStamp {
        let after = if self.stamp.playing { (frame - self.start) as f64 } else { 0.0 };
        let beats = self.frames_per_beat(rate).map_or(0.0, |frames| after / frames);
        TransportStamp {
            beats: self.stamp.beats.map(|start| start + beats),
            seconds: self.stamp.seconds.map(|start| start + after / rate.hz()),
            ..self.stamp
        }
    }

    fn start_beats(&self) -> Option<f64> {
        self.stamp.song_beats().filter(|_| self.stamp.playing)
    }

    /// Whether another stamp could describe the same segment, position apart.
    fn same_line(&self, stamp: &TransportStamp) -> bool {
        self.stamp.tempo == stamp.tempo
            && self.stamp.metre == stamp.metre
            && self.stamp.loop_beats == stamp.loop_beats
            && self.stamp.playing == stamp.playing
    }
}

/// The rolling record.
#[derive(Debug)]
pub struct History {
    rate: SampleRate,
    channels: usize,
    limit_frames: u64,
    pinned: Option<u64>,
    /// Planar pieces, `[channel * CHUNK_FRAMES + frame]`; `None` is silence.
    chunks: VecDeque<Option<Box<[f32]>>>,
    first: u64,
    end: u64,
    segments: Vec<Segment>,
    midi: VecDeque<(u64, MidiEvent)>,
    lost: VecDeque<(u64, u64)>,
    last_stamp: TransportStamp,
    /// Frames of the newest block.
    last_frames: u64,
    /// Blocks since the transport started.
    blocks_played: u64,
    repeats: Repeats,
}

impl History {
    /// An empty record that keeps at least `limit`.
    pub fn new(rate: SampleRate, channels: usize, limit: Seconds) -> Self {
        Self {
            rate,
            channels,
            limit_frames: limit.frames(rate).index().unwrap_or(0) as u64,
            pinned: None,
            chunks: VecDeque::new(),
            first: 0,
            end: 0,
            segments: Vec::new(),
            midi: VecDeque::new(),
            lost: VecDeque::new(),
            last_stamp: TransportStamp::default(),
            last_frames: 0,
            blocks_played: 0,
            repeats: Repeats::default(),
        }
    }

    /// Rate of the audio.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Channels of the audio.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Oldest record frame still there.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Record frame after the newest.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Everything remembered, in order; each begins where the one before ends.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Notes on and off with their record frames, in order.
    pub fn midi(&self) -> &VecDeque<(u64, MidiEvent)> {
        &self.midi
    }

    /// Holes: first record frame and frames.
    pub fn lost(&self) -> &VecDeque<(u64, u64)> {
        &self.lost
    }

    /// Transport of the newest block.
    pub fn last_stamp(&self) -> TransportStamp {
        self.last_stamp
    }

    /// Bytes held for audio.
    pub fn audio_bytes(&self) -> usize {
        self.chunks.iter().flatten().map(|chunk| chunk.len() * size_of::<f32>()).sum()
    }

    /// Keeps everything from a record frame on beyond the limit, or lets go again.
    pub fn pin(&mut self, from: Option<u64>) {
        self.pinned = from;
    }

    /// Record frames from `from` on as blocks, one for each stretch of song: what [`Self::append`] would make the same record of.
    pub fn blocks_from(&self, from: u64) -> Vec<Block> {
        let first = self.segments.partition_point(|segment| segment.end() <= from);
        let block = |segment: &Segment| {
            let start = segment.start.max(from);
            let notes = self.midi.iter().filter(|(at, _)| (start..segment.end()).contains(at));
            Block {
                stamp: segment.stamp_at(start, self.rate),
                lost_frames: 0,
                frames: (segment.end() - start) as usize,
                channels: self.read(start, segment.end()),
                midi: notes.map(|&(at, event)| MidiEvent { frame: (at - start) as u32, ..event }).collect(),
            }
        };
        self.segments[first..].iter().map(block).collect()
    }

    /// Adds a block, with the silence of the frames lost before it.
    pub fn append(&mut self, block: &Block) {
        if block.lost_frames > 0 {
            let lost = u64::from(block.lost_frames);
            self.lost.push_back((self.end, lost));
            // Time went on meanwhile, so the segment does too; the block's own stamp then says whether that is true.
            match self.segments.last_mut() {
                Some(segment) => segment.frames += lost,
                None => self.push_segment(self.end, lost, TransportStamp::default(), Join::Jump),
            }
            self.append_audio(&[], lost as usize);
        }
        self.observe(&block.stamp, block.frames as u64);
        self.midi.extend(block.midi.iter().map(|event| (self.end + u64::from(event.frame), *event)));
        self.append_audio(&block.channels, block.frames);
        self.blocks_played = if block.stamp.playing { self.blocks_played + 1 } else { 0 };
        self.last_stamp = block.stamp;
        self.last_frames = block.frames as u64;
        self.trim();
    }

    fn append_audio(&mut self, channels: &[Vec<f32>], frames: usize) {
        let mut done = 0;
        while done < frames {
            let inside = (self.end % CHUNK_FRAMES) as usize;
            if inside == 0 || self.chunks.is_empty() {
                self.chunks.push_back(None);
            }
            let count = (frames - done).min(CHUNK_FRAMES as usize - inside);
            let Some(chunk) = self.chunks.back_mut() else { return };
            for (index, channel) in channels.iter().take(self.channels).enumerate() {
                let samples = &channel[done..done + count];
                if samples.iter().any(|&sample| sample != 0.0) {
                    let size = self.channels * CHUNK_FRAMES as usize;
                    let chunk = chunk.get_or_insert_with(|| vec![0.0; size].into_boxed_slice());
                    let at = index * CHUNK_FRAMES as usize + inside;
                    chunk[at..at + count].copy_from_slice(samples);
                }
            }
            done += count;
            self.end += count as u64;
        }
    }

    /// Follows the song through a block, also where the host lets the loop wrap inside it.
    fn observe(&mut self, stamp: &TransportStamp, frames: u64) {
        let start = self.end;
        let mut stamp = *stamp;
        stamp.beats = stamp.song_beats();
        if self.is_short_loop(&stamp) {
            stamp.loop_beats = None;
        }
        self.mend_first_block(&stamp, start);
        self.follow_repeats(&mut stamp, start);
        for piece in pieces(&stamp, self.rate, frames as usize) {
            let at = start + piece.offset as u64;
            let join = if piece.offset > 0 { Some(Join::LoopWrap) } else { self.join(&piece.stamp, at) };
            match (join, self.segments.last_mut()) {
                (None, Some(segment)) => segment.frames += piece.frames as u64,
                (join, _) => self.push_segment(at, piece.frames as u64, piece.stamp, join.unwrap_or(Join::Jump)),
            }
        }
    }

    /// Some hosts (Logic) still tell an old position in the first block after the start. What the second block says held in the first.
    fn mend_first_block(&mut self, stamp: &TransportStamp, at: u64) {
        if self.blocks_played != 1 || self.join(stamp, at) != Some(Join::Jump) {
            return;
        }
        let (frames, rate) = (self.last_frames, self.rate);
        let Some(first) = self.segments.last_mut().filter(|first| first.frames == frames && first.stamp.playing) else {
            return;
        };
        let (Some(beats), Some(tempo)) = (stamp.song_beats(), stamp.usable_tempo()) else { return };
        let seconds = frames as f64 / rate.hz();
        first.stamp = TransportStamp {
            beats: Some(beats - seconds * tempo.0 / 60.0),
            seconds: stamp.seconds.map(|after| after - seconds),
            ..*stamp
        };
    }

    /// Gives a host that does not tell of its loop the loop that its jumps back betray, also for the pass before.
    fn follow_repeats(&mut self, stamp: &mut TransportStamp, at: u64) {
        let host_tells = stamp.loop_beats.is_some() || self.last_stamp.loop_beats.is_some();
        if host_tells || !stamp.playing || !self.last_stamp.playing {
            self.repeats.forget();
            return;
        }
        let known = self.repeats.found;
        let inside = |region: (f64, f64)| stamp.beats.is_some_and(|beats| beats < region.1);
        stamp.loop_beats = known.filter(|&region| inside(region));
        if self.join(stamp, at) != Some(Join::Jump) {
            return;
        }
        stamp.loop_beats = None;
        let Some(last) = self.segments.last() else { return };
        let positions = last.beats_at(at, self.rate).zip(stamp.beats).zip(last.frames_per_beat(self.rate));
        let Some(((expected, actual), frames_per_beat)) = positions else { return };
        let jump = JumpBack { at, expected, actual, block_frames: self.last_frames, frames_per_beat };
        let Some((before, region)) = self.repeats.jumped(jump) else { return };
        // Both jumps lie some frames before the blocks that told of them.
        self.place_wrap(before.at, before.since(region.0) as u64, region);
        let since = jump.since(region.0) as u64;
        if let Some(last) = self.segments.last_mut().filter(|last| last.frames > since) {
            last.frames -= since;
            let wrapped = self.wrap_stamp(stamp, since, region);
            self.push_segment(at - since, since, wrapped, Join::LoopWrap);
        }
        stamp.loop_beats = Some(region);
    }

    /// Moves a jump that was seen at a record frame to where it was, and tells the segments from there on of the loop.
    fn place_wrap(&mut self, seen_at: u64, since: u64, region: (f64, f64)) {
        let Some(index) =
            self.segments.iter().position(|segment| segment.start == seen_at && segment.join == Join::Jump)
        else {
            return;
        };
        let room = index.checked_sub(1).is_some_and(|before| self.segments[before].frames > since);
        if since > 0 && !room {
            return;
        }
        if since > 0 {
            self.segments[index - 1].frames -= since;
        }
        let stamp = self.wrap_stamp(&self.segments[index].stamp, since, region);
        let first = &mut self.segments[index];
        *first = Segment { start: seen_at - since, frames: first.frames + since, stamp, join: Join::LoopWrap };
        for segment in &mut self.segments[index..] {
            segment.stamp.loop_beats = Some(region);
        }
    }

    /// A stamp as it was some frames before, at the start of a loop.
    fn wrap_stamp(&self, stamp: &TransportStamp, since: u64, region: (f64, f64)) -> TransportStamp {
        TransportStamp {
            beats: Some(region.0),
            seconds: stamp.seconds.map(|seconds| seconds - since as f64 / self.rate.hz()),
            loop_beats: Some(region),
            ..*stamp
        }
    }

    fn is_short_loop(&self, stamp: &TransportStamp) -> bool {
        let frames_per_beat = stamp.usable_tempo().map_or(0.0, |tempo| self.rate.hz() * 60.0 / tempo.0);
        stamp.loop_beats.is_some_and(|(start, end)| (end - start) * frames_per_beat < SHORTEST_LOOP_FRAMES)
    }

    /// How a stamp at a record frame follows what is there; `None` when the last segment already says the same.
    fn join(&self, stamp: &TransportStamp, at: u64) -> Option<Join> {
        let Some(last) = self.segments.last() else { return Some(Join::Jump) };
        if last.stamp.playing != stamp.playing {
            return Some(Join::Jump);
        }
        let same_line = last.same_line(stamp);
        if !stamp.playing {
            return (!same_line).then_some(Join::Continues);
        }
        let (Some(expected), Some(actual)) = (last.beats_at(at, self.rate), stamp.song_beats()) else {
            let both_unknown = last.start_beats().is_none() && stamp.song_beats().is_none();
            return if !both_unknown { Some(Join::Jump) } else { (!same_line).then_some(Join::Continues) };
        };
        let frames_per_beat = last.frames_per_beat(self.rate)?;
        let off_frames = (actual - expected).abs() * frames_per_beat;
        if off_frames < SAME_RUN_FRAMES && same_line {
            return None;
        }
        if off_frames <= JITTER_FRAMES {
            return Some(Join::Continues);
        }
        let wrapped = last.stamp.loop_beats.is_some_and(|(loop_start, loop_end)| {
            let past_end = expected - loop_end;
            let past_start = actual - loop_start;
            past_end.abs().max(past_start.abs()) * frames_per_beat <= JITTER_FRAMES
                || (past_end >= 0.0 && (past_end - past_start).abs() * frames_per_beat <= JITTER_FRAMES)
        });
        Some(if wrapped { Join::LoopWrap } else { Join::Jump })
    }

    fn push_segment(&mut self, start: u64, frames: u64, stamp: TransportStamp, join: Join) {
        self.segments.push(Segment { start, frames, stamp, join });
    }

    fn trim(&mut self) {
        let keep_from = self.end.saturating_sub(self.limit_frames);
        let keep_from = self.pinned.map_or(keep_from, |pinned| pinned.min(keep_from));
        while self.chunks.len() > 1 && self.first + CHUNK_FRAMES <= keep_from {
            self.chunks.pop_front();
            self.first += CHUNK_FRAMES;
        }
        let first = self.first;
        // In batches, since removing from the front moves the rest.
        let old = self.segments.partition_point(|segment| segment.end() <= first);
        if old > 64.max(self.segments.len() / 2) {
            self.segments.drain(..old);
        }
        while self.midi.front().is_some_and(|&(at, _)| at < first) {
            self.midi.pop_front();
        }
        while self.lost.front().is_some_and(|&(at, frames)| at + frames <= first) {
            self.lost.pop_front();
        }
    }

    /// Copies record frames `from..to` of every channel, in order. Frames that are not there are silent.
    pub fn read(&self, from: u64, to: u64) -> Vec<Vec<f32>> {
        let mut out = vec![Vec::with_capacity(to.saturating_sub(from) as usize); self.channels];
        self.each_piece(from, to, |frames, piece| {
            for (index, channel) in out.iter_mut().enumerate() {
                match piece {
                    Some((chunk, inside)) => {
                        let at = index * CHUNK_FRAMES as usize + inside;
                        channel.extend_from_slice(&chunk[at..at + frames]);
                    }
                    None => channel.resize(channel.len() + frames, 0.0),
                }
            }
        });
        out
    }

    /// Largest absolute sample of record frames `from..to`.
    pub fn peak(&self, from: u64, to: u64) -> f32 {
        let mut peak = 0.0_f32;
        self.each_piece(from, to, |frames, piece| {
            let Some((chunk, inside)) = piece else { return };
            for index in 0..self.channels {
                let at = index * CHUNK_FRAMES as usize + inside;
                peak = chunk[at..at + frames].iter().fold(peak, |peak, sample| peak.max(sample.abs()));
            }
        });
        peak
    }

    /// Mean square of record frames `from..to`, of the loudest channel.
    pub fn energy(&self, from: u64, to: u64) -> f32 {
        let mut sums = [0.0_f32; 2];
        self.each_piece(from, to, |frames, piece| {
            let Some((chunk, inside)) = piece else { return };
            for (index, sum) in sums.iter_mut().take(self.channels).enumerate() {
                let at = index * CHUNK_FRAMES as usize + inside;
                *sum += chunk[at..at + frames].iter().map(|sample| sample * sample).sum::<f32>();
            }
        });
        sums[0].max(sums[1]) / (to.saturating_sub(from)).max(1) as f32
    }

    /// Walks `from..to` piece by piece: frames, and the chunk with the frame inside it unless it is silent.
    fn each_piece<'a>(&'a self, from: u64, to: u64, mut visit: impl FnMut(usize, Option<(&'a [f32], usize)>)) {
        let mut at = from;
        while at < to {
            let inside = at % CHUNK_FRAMES;
            let frames = (CHUNK_FRAMES - inside).min(to - at) as usize;
            let chunk = (at >= self.first)
                .then(|| self.chunks.get(((at - inside - self.first) / CHUNK_FRAMES) as usize))
                .and_then(|chunk| chunk?.as_deref());
            visit(frames, chunk.map(|chunk| (chunk, inside as usize)));
            at += frames as u64;
        }
    }

    /// Tempo and metre the host last gave, with the usual ones where it gave none.
    pub fn last_tempo(&self) -> (Bpm, Metre) {
        let stamp = self.last_stamp;
        let tempo = stamp.tempo.filter(|tempo| tempo.0 > 0.0 && tempo.0.is_finite()).unwrap_or(Bpm(120.0));
        (tempo, stamp.metre.unwrap_or_default())
    }
}
