//! Thread: any. The ring between the audio thread and the collector: how one block lies in it, and the reading end.
//!
//! A block is one committed run of 32-bit words: a header with the whole transport stamp, then each channel's samples as
//! float bits, then MIDI. It is committed at once, so a reader sees a whole block or none.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "words are cut from wider numbers and joined to them again; counts are bounded by the size of the ring"
)]

use super::loopback::ClickLine;
use super::recorder::Recorder;
use super::signal::Signal;
use super::transport::TransportStamp;
use crate::time::{Bpm, Metre, SampleRate};
use rtrb::{Consumer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A note on or off inside a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MidiEvent {
    /// Frame inside the block.
    pub frame: u32,
    /// MIDI key, 0 to 127.
    pub key: u8,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
    /// 0 to 1; 0 is a note off.
    pub velocity: f32,
}

/// Words before the samples of a block.
pub(super) const HEADER_WORDS: usize = 18;
/// Words of one MIDI event.
pub(super) const MIDI_WORDS: usize = 3;
/// MIDI events kept of one block. A keyboard never sends as many; a runaway generator must not fill the ring.
pub(super) const MIDI_EVENTS_PER_BLOCK: usize = 1024;
/// The largest block a host is expected to send; the ring holds at least four of them.
const LARGEST_BLOCK_FRAMES: usize = 8192;

/// Orders under way: a handful of parameters can change in the collector's pause.
const SIGNALS: usize = 64;

const PLAYING: u32 = 1;
const RECORDING: u32 = 2;
const OFFLINE: u32 = 4;
const HAS_TEMPO: u32 = 8;
const HAS_METRE: u32 = 16;
const HAS_BEATS: u32 = 32;
const HAS_SECONDS: u32 = 64;
const HAS_BAR_START: u32 = 128;
const HAS_LOOP: u32 = 256;

/// What both ends count, read by whoever shows it.
#[derive(Debug, Default)]
pub(super) struct RingCounters {
    pub overrun_frames: AtomicU64,
    pub non_finite: AtomicU64,
    /// The measuring of the input offset.
    pub clicks: ClickLine,
}

/// A header, decoded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Header {
    pub stamp: TransportStamp,
    pub frames: u32,
    pub channels: u16,
    pub midi_events: u16,
    /// Frames that were dropped since the block before.
    pub lost_frames: u32,
}

impl Header {
    /// As words of the ring. Realtime safe.
    pub fn encode(&self) -> [u32; HEADER_WORDS] {
        let stamp = &self.stamp;
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        let flags = flag(stamp.playing, PLAYING)
            | flag(stamp.recording, RECORDING)
            | flag(stamp.offline, OFFLINE)
            | flag(stamp.tempo.is_some(), HAS_TEMPO)
            | flag(stamp.metre.is_some(), HAS_METRE)
            | flag(stamp.beats.is_some(), HAS_BEATS)
            | flag(stamp.seconds.is_some(), HAS_SECONDS)
            | flag(stamp.bar_start_beats.is_some(), HAS_BAR_START)
            | flag(stamp.loop_beats.is_some(), HAS_LOOP);
        let metre = stamp.metre.unwrap_or_default();
        let (loop_start, loop_end) = stamp.loop_beats.unwrap_or_default();
        let [tempo_low, tempo_high] = words(stamp.tempo.map_or(0.0, |tempo| tempo.0));
        let [beats_low, beats_high] = words(stamp.beats.unwrap_or_default());
        let [seconds_low, seconds_high] = words(stamp.seconds.unwrap_or_default());
        let [bar_low, bar_high] = words(stamp.bar_start_beats.unwrap_or_default());
        let [loop_start_low, loop_start_high] = words(loop_start);
        let [loop_end_low, loop_end_high] = words(loop_end);
        [
            flags,
            self.frames,
            u32::from(self.channels) | u32::from(self.midi_events) << 16,
            self.lost_frames,
            u32::from(metre.numerator) | u32::from(metre.denominator) << 8,
            tempo_low,
            tempo_high,
            beats_low,
            beats_high,
            seconds_low,
            seconds_high,
            bar_low,
            bar_high,
            loop_start_low,
            loop_start_high,
            loop_end_low,
            loop_end_high,
            0,
        ]
    }

    /// Inverse of [`Self::encode`].
    pub fn decode(words: &[u32; HEADER_WORDS]) -> Self {
        let flags = words[0];
        let given = |bit: u32, low: usize| (flags & bit != 0).then(|| double(words[low], words[low + 1]));
        let stamp = TransportStamp {
            playing: flags & PLAYING != 0,
            recording: flags & RECORDING != 0,
            offline: flags & OFFLINE != 0,
            tempo: given(HAS_TEMPO, 5).map(Bpm),
            metre: (flags & HAS_METRE != 0)
                .then_some(Metre { numerator: words[4] as u8, denominator: (words[4] >> 8) as u8 }),
            beats: given(HAS_BEATS, 7),
            seconds: given(HAS_SECONDS, 9),
            bar_start_beats: given(HAS_BAR_START, 11),
            loop_beats: given(HAS_LOOP, 13).zip(given(HAS_LOOP, 15)),
        };
        Self {
            stamp,
            frames: words[1],
            channels: words[2] as u16,
            midi_events: (words[2] >> 16) as u16,
            lost_frames: words[3],
        }
    }
}

fn words(value: f64) -> [u32; 2] {
    let bits = value.to_bits();
    [bits as u32, (bits >> 32) as u32]
}

fn double(low: u32, high: u32) -> f64 {
    f64::from_bits(u64::from(low) | u64::from(high) << 32)
}

/// One block as it came out of the ring. Reused from block to block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// Transport at the first frame.
    pub stamp: TransportStamp,
    /// Frames the recorder had to drop before this block.
    pub lost_frames: u32,
    /// Frames in each channel.
    pub frames: usize,
    /// Samples, `[channel][frame]`.
    pub channels: Vec<Vec<f32>>,
    /// Notes, in the host's order.
    pub midi: Vec<MidiEvent>,
}

/// Words of the block whose header these words begin with; `None` when they are too few for a header.
pub(super) fn words_of_block(words: impl Iterator<Item = u32>) -> Option<usize> {
    let header = header(words)?;
    let samples = header.frames as usize * usize::from(header.channels);
    Some(HEADER_WORDS + samples + usize::from(header.midi_events) * MIDI_WORDS)
}

fn header(words: impl Iterator<Item = u32>) -> Option<Header> {
    let mut filled = [0; HEADER_WORDS];
    let mut count = 0;
    for (slot, word) in filled.iter_mut().zip(words) {
        *slot = word;
        count += 1;
    }
    (count == HEADER_WORDS).then(|| Header::decode(&filled))
}

impl Block {
    /// From all the words of one block.
    pub(super) fn fill_from_words(&mut self, words: impl Iterator<Item = u32> + Clone) {
        let Some(header) = header(words.clone()) else { return };
        let frames = header.frames as usize;
        self.stamp = header.stamp;
        self.lost_frames = header.lost_frames;
        self.frames = frames;
        self.channels.resize_with(usize::from(header.channels), Vec::new);
        self.midi.clear();
        let mut words = words.skip(HEADER_WORDS);
        for channel in &mut self.channels {
            channel.clear();
            channel.extend(words.by_ref().take(frames).map(f32::from_bits));
        }
        while let (Some(frame), Some(note), Some(velocity)) = (words.next(), words.next(), words.next()) {
            let (key, channel) = (note as u8, (note >> 8) as u8);
            self.midi.push(MidiEvent { frame, key, channel, velocity: f32::from_bits(velocity) });
        }
    }

    /// As words, the way a recorder writes them.
    pub(super) fn to_words(&self) -> Vec<u32> {
        let header = Header {
            stamp: self.stamp,
            frames: self.frames as u32,
            channels: self.channels.len() as u16,
            midi_events: self.midi.len().min(MIDI_EVENTS_PER_BLOCK) as u16,
            lost_frames: self.lost_frames,
        };
        let samples = self.channels.iter().flatten().map(|sample| sample.to_bits());
        let notes = self.midi.iter().take(MIDI_EVENTS_PER_BLOCK).flat_map(|event| {
            [event.frame, u32::from(event.key) | u32::from(event.channel) << 8, event.velocity.to_bits()]
        });
        header.encode().into_iter().chain(samples).chain(notes).collect()
    }
}

/// The collector's end of a ring.
#[derive(Debug)]
pub struct RingReader {
    from_recorder: Consumer<u32>,
    signals: Consumer<Signal>,
    counters: Arc<RingCounters>,
    rate: SampleRate,
    channels: usize,
}

/// A ring for one instance: `seconds` of one or two channels (clamped), and room for four of the largest blocks in any case.
pub fn ring(rate: SampleRate, channels: usize, seconds: f64) -> (Recorder, RingReader) {
    let channels = channels.clamp(1, 2);
    let frames = ((seconds.clamp(0.0, 600.0) * rate.hz()) as usize).max(4 * LARGEST_BLOCK_FRAMES);
    // One word a frame more than the samples need pays for the headers of small blocks.
    let words = frames * (channels + 1) + 4 * (HEADER_WORDS + MIDI_WORDS * MIDI_EVENTS_PER_BLOCK);
    let (to_collector, from_recorder) = RingBuffer::new(words);
    let counters = Arc::new(RingCounters::default());
    let (to_signals, signals) = RingBuffer::new(SIGNALS);
    let recorder = Recorder::new(to_collector, to_signals, Arc::clone(&counters), rate, channels);
    (recorder, RingReader { from_recorder, signals, counters, rate, channels })
}

impl RingReader {
    /// Rate of the recorded audio.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Channels of the recorded audio, 1 or 2.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Frames dropped so far because the ring was full.
    pub fn overrun_frames(&self) -> u64 {
        self.counters.overrun_frames.load(Ordering::Relaxed)
    }

    /// Samples so far that were not a number or infinite.
    pub fn non_finite(&self) -> u64 {
        self.counters.non_finite.load(Ordering::Relaxed)
    }

    /// Lets the audio thread sound the clicks of a measurement.
    pub(super) fn order_click(&self) {
        self.counters.clicks.order();
    }

    /// The record frame of the first click of what was ordered last, once it sounds.
    pub(super) fn click_sounded_at(&self) -> Option<u64> {
        self.counters.clicks.sounded_at()
    }

    /// Takes the next order that the audio thread noticed.
    pub fn signal(&mut self) -> Option<Signal> {
        self.signals.pop().ok()
    }

    /// Takes the next block; false when there is none.
    pub fn read(&mut self, block: &mut Block) -> bool {
        let Ok(peek) = self.from_recorder.read_chunk(HEADER_WORDS) else { return false };
        let (first, second) = peek.as_slices();
        let Some(total) = words_of_block(first.iter().chain(second).copied()) else { return false };
        // The block was committed whole, so what its header promises is there.
        let Ok(chunk) = self.from_recorder.read_chunk(total) else { return false };
        let (first, second) = chunk.as_slices();
        block.fill_from_words(first.iter().chain(second).copied());
        chunk.commit_all();
        true
    }
}
