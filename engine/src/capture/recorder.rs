//! Thread: audio. Pushes every block and its transport stamp to the collector. It has no modes and never waits in real time.
//!
//! A block that finds no room is dropped and counted, and the next header says how long the hole is, so the time line stays
//! true. Only when the host renders offline, where nobody listens, does the recorder wait for room, and not for long.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "blocks and their event lists are far shorter than their counts in a header can say"
)]

use super::loopback::Clicker;
use super::ring::{HEADER_WORDS, Header, MIDI_EVENTS_PER_BLOCK, MIDI_WORDS, MidiEvent, RingCounters};
use super::signal::Signal;
use super::transport::TransportStamp;
use crate::time::SampleRate;
use rtrb::Producer;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Longest wait for room while the host renders offline, in steps of [`OFFLINE_STEP`].
const OFFLINE_STEPS: u32 = 500;
const OFFLINE_STEP: Duration = Duration::from_millis(1);

/// The audio thread's end of a ring, made by [`super::ring::ring`].
#[derive(Debug)]
pub struct Recorder {
    to_collector: Producer<u32>,
    signals: Producer<Signal>,
    counters: Arc<RingCounters>,
    channels: usize,
    /// Frames dropped since the last block that got through.
    lost_frames: u32,
    /// Frames of all blocks so far, the dropped ones too.
    heard_frames: u64,
    /// Frames of the last block.
    block_frames: u64,
    clicker: Clicker,
}

impl Recorder {
    pub(super) fn new(
        to_collector: Producer<u32>,
        signals: Producer<Signal>,
        counters: Arc<RingCounters>,
        rate: SampleRate,
        channels: usize,
    ) -> Self {
        let clicker = Clicker::new(rate);
        Self { to_collector, signals, counters, channels, lost_frames: 0, heard_frames: 0, block_frames: 0, clicker }
    }

    /// Sends an order that the audio thread noticed; gives it back when there is no room for now. Realtime safe.
    ///
    /// # Errors
    /// The order, to be tried again with the next block.
    pub fn signal(&mut self, signal: Signal) -> Result<(), Signal> {
        self.signals.push(signal).map_err(|rtrb::PushError::Full(signal)| signal)
    }

    /// The record frame at which the next block begins, for the orders that name one.
    pub fn position(&self) -> u64 {
        self.heard_frames
    }

    /// Sends one block: `input` is `[channel][frame]`, borrowed in any form the host has it. A missing second channel repeats
    /// the first, further ones are not recorded. Samples that are not finite are sent as 0 and counted.
    ///
    /// # Realtime safety
    /// Never allocates or locks. Waits only when `stamp.offline`, at most about half a second.
    pub fn push<C: AsRef<[f32]>>(&mut self, stamp: &TransportStamp, input: &[C], midi: &[MidiEvent]) {
        let frames = input.iter().map(|channel| channel.as_ref().len()).min().unwrap_or(0);
        if frames == 0 {
            return;
        }
        self.heard_frames += frames as u64;
        self.block_frames = frames as u64;
        let midi = &midi[..midi.len().min(MIDI_EVENTS_PER_BLOCK)];
        let words = HEADER_WORDS + frames * self.channels + midi.len() * MIDI_WORDS;
        if stamp.offline {
            self.wait_for_room(words);
        }
        let Ok(chunk) = self.to_collector.write_chunk_uninit(words) else {
            self.counters.overrun_frames.fetch_add(frames as u64, Ordering::Relaxed);
            self.lost_frames = self.lost_frames.saturating_add(frames as u32);
            return;
        };
        let header = Header {
            stamp: *stamp,
            frames: frames as u32,
            channels: self.channels as u16,
            midi_events: midi.len() as u16,
            lost_frames: self.lost_frames,
        };
        let last = input.len() - 1;
        let samples = (0..self.channels)
            .flat_map(|channel| &input[channel.min(last)].as_ref()[..frames])
            .map(|&sample| if sample.is_finite() { sample.to_bits() } else { 0 });
        let notes = midi.iter().flat_map(|event| {
            let note = u32::from(event.key) | u32::from(event.channel) << 8;
            [event.frame.min(frames as u32 - 1), note, event.velocity.to_bits()]
        });
        chunk.fill_from_iter(header.encode().into_iter().chain(samples).chain(notes));
        self.lost_frames = 0;
        let used = input.iter().take(self.channels).flat_map(|channel| &channel.as_ref()[..frames]);
        let non_finite = used.filter(|sample| !sample.is_finite()).count() as u64;
        if non_finite > 0 {
            self.counters.non_finite.fetch_add(non_finite, Ordering::Relaxed);
        }
    }

    /// Adds the clicks that measure the input offset, while they are ordered, to the output of the block that was pushed last.
    /// `output` is `[channel][frame]` as it goes to the host.
    ///
    /// # Realtime safety
    /// Never allocates or waits.
    pub fn sound_clicks<C: AsMut<[f32]>>(&mut self, output: &mut [C]) {
        let block_at = self.heard_frames - self.block_frames;
        self.clicker.sound(&self.counters.clicks, block_at, output);
    }

    /// Gives a slow reader time, as long as there is a reader and the block could ever fit.
    fn wait_for_room(&mut self, words: usize) {
        if words > self.to_collector.buffer().capacity() {
            return;
        }
        for _ in 0..OFFLINE_STEPS {
            if self.to_collector.slots() >= words || self.to_collector.is_abandoned() {
                return;
            }
            // RT-OK: the host renders offline, so there is no deadline, and losing sound would be worse than waiting.
            std::thread::sleep(OFFLINE_STEP);
        }
    }
}
