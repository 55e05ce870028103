//! A simulated host and an ear that listens to it. The host counts whole samples of its song, as hosts do, and knows nothing
//! of the code under test.

use cantus_engine::capture::collector::{CaptureEvent, CaptureState, Collector, Ear, EarSettings};
use cantus_engine::capture::cut::{CaptureMode, Recall};
use cantus_engine::capture::recorder::Recorder;
use cantus_engine::capture::ring::{MidiEvent, ring};
use cantus_engine::capture::take::Take;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::time::{Bpm, Metre, SampleRate, Seconds};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longest wait for the collector's thread before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A host's transport: a position in whole samples of the song.
#[derive(Clone)]
pub struct Host {
    pub rate: u32,
    pub tempo: f64,
    pub metre: Metre,
    pub playing: bool,
    pub sample: i64,
    pub loop_beats: Option<(f64, f64)>,
    /// Whether blocks end at the loop's end, or the loop wraps inside them.
    pub splits: bool,
    pub says_beats: bool,
    pub says_seconds: bool,
}

impl Host {
    pub fn new(rate: u32, tempo: f64) -> Self {
        Self {
            rate,
            tempo,
            metre: Metre::default(),
            playing: true,
            sample: 0,
            loop_beats: None,
            splits: true,
            says_beats: true,
            says_seconds: true,
        }
    }

    pub fn sample_of(&self, beats: f64) -> i64 {
        (beats * 60.0 / self.tempo * f64::from(self.rate)).round() as i64
    }

    pub fn beats(&self) -> f64 {
        self.sample as f64 / f64::from(self.rate) * self.tempo / 60.0
    }

    pub fn stamp(&self) -> TransportStamp {
        let beats = self.beats();
        let bar = self.metre.bar().0;
        TransportStamp {
            playing: self.playing,
            tempo: Some(Bpm(self.tempo)),
            metre: Some(self.metre),
            beats: self.says_beats.then_some(beats),
            seconds: self.says_seconds.then(|| self.sample as f64 / f64::from(self.rate)),
            bar_start_beats: self.says_beats.then(|| (beats / bar + 1e-9).floor() * bar),
            loop_beats: self.loop_beats,
            // Lets the recorder wait for the collector, so that a test may run faster than time.
            offline: true,
            ..TransportStamp::default()
        }
    }

    /// The host's blocks for so many frames: the stamp, and for each frame the song's sample.
    pub fn blocks(&mut self, frames: usize) -> Vec<(TransportStamp, Vec<i64>)> {
        let mut blocks = vec![(self.stamp(), Vec::new())];
        for _ in 0..frames {
            if let Some((start, end)) = self.loop_beats.filter(|_| self.playing)
                && self.sample == self.sample_of(end)
            {
                self.sample = self.sample_of(start);
                if self.splits && !blocks[blocks.len() - 1].1.is_empty() {
                    blocks.push((self.stamp(), Vec::new()));
                } else if blocks[blocks.len() - 1].1.is_empty() {
                    blocks.last_mut().unwrap().0 = self.stamp();
                }
            }
            blocks.last_mut().unwrap().1.push(self.sample);
            self.sample += i64::from(self.playing);
        }
        blocks
    }
}

/// The number of a record frame as a sample, exact in 24 bits.
pub fn numbered(frame: usize) -> f32 {
    (frame + 1) as f32 / 16_777_216.0
}

/// The record frame of a numbered sample; `None` for silence.
pub fn number(sample: f32) -> Option<usize> {
    (sample != 0.0).then(|| (sample * 16_777_216.0) as usize - 1)
}

/// A host, the ring, the collector and an ear.
pub struct Rig {
    pub host: Host,
    pub recorder: Recorder,
    pub ear: Ear,
    pub events: Receiver<CaptureEvent>,
    /// Song sample of every frame pushed so far.
    pub pushed: Vec<i64>,
    /// After the ear, so that it is dropped last.
    _collector: Collector,
}

pub fn settings(spool_dir: &Path) -> EarSettings {
    EarSettings { spool_dir: Some(spool_dir.to_owned()), ..EarSettings::default() }
}

impl Rig {
    pub fn new(host: Host, channels: usize, spool_dir: &Path) -> Self {
        let (recorder, reader) = ring(SampleRate(host.rate), channels, 4.0);
        let collector = Collector::start().unwrap();
        let (sender, events) = channel();
        let on_event = Box::new(move |event| drop(sender.send(event)));
        let ear = collector.add(reader, settings(spool_dir), on_event);
        Self { host, recorder, ear, events, pushed: Vec::new(), _collector: collector }
    }

    pub fn set_input_offset(&self, offset: Seconds) {
        self.ear.set_input_offset(offset);
    }

    /// Plays blocks of the sizes in turn, at least `frames` in all; `sound` makes a sample of the record frame and the song's
    /// samples so far.
    pub fn play_sound(&mut self, frames: usize, sizes: &[usize], sound: impl Fn(usize, &[i64]) -> f32) {
        let mut played = 0;
        for &size in sizes.iter().cycle() {
            if played >= frames {
                return;
            }
            for (stamp, songs) in self.host.blocks(size) {
                let first = self.pushed.len();
                self.pushed.extend(&songs);
                let samples: Vec<f32> = (first..self.pushed.len()).map(|frame| sound(frame, &self.pushed)).collect();
                self.recorder.push(&stamp, &[samples], &[]);
            }
            played += size;
        }
    }

    /// Plays numbered samples.
    pub fn play(&mut self, frames: usize, sizes: &[usize]) {
        self.play_sound(frames, sizes, |frame, _| numbered(frame));
    }

    pub fn push_midi(&mut self, frames: usize, midi: &[MidiEvent]) {
        let stamp = self.host.stamp();
        let first = self.pushed.len();
        self.pushed.extend((0..frames as i64).map(|frame| self.host.sample + frame));
        self.host.sample += frames as i64;
        let samples: Vec<f32> = (first..first + frames).map(numbered).collect();
        self.recorder.push(&stamp, &[samples], midi);
    }

    pub fn wait_until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}; state {:?}", self.ear.snapshot());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until everything pushed was heard, and what followed from it is told.
    pub fn settle(&self) {
        self.wait_until("all was heard", |rig| rig.ear.snapshot().heard_frames >= rig.pushed.len() as u64);
        // Two of the collector's rounds and some, for orders that are under way.
        std::thread::sleep(Duration::from_millis(40));
    }

    pub fn arm(&self, mode: CaptureMode) {
        self.settle();
        self.ear.arm(mode);
        self.wait_until("armed", |rig| rig.ear.snapshot().capture != CaptureState::Idle);
    }

    /// The next event that is a result: not the arming, and not the tail of a take.
    pub fn event(&self) -> CaptureEvent {
        loop {
            match self.events.recv_timeout(PATIENCE) {
                Ok(CaptureEvent::Armed | CaptureEvent::TailArrived(_)) => {}
                Ok(event) => return event,
                Err(error) => panic!("waited in vain for an event ({error}); {:?}", self.ear.snapshot()),
            }
        }
    }

    /// The next result, which must be a take.
    pub fn take(&self) -> Take {
        match self.event() {
            CaptureEvent::TakeFinished(take) => take,
            other => panic!("expected a take, got {other:?}; {:?}", self.ear.snapshot()),
        }
    }

    /// What was just hummed, or the sentence that says why there is none.
    pub fn recall(&self, what: Recall) -> Result<Take, String> {
        self.ear.recall(what);
        match self.event() {
            CaptureEvent::Recalled(take) => Ok(take),
            CaptureEvent::Problem(sentence) => Err(sentence),
            other => panic!("expected what was hummed, got {other:?}; {:?}", self.ear.snapshot()),
        }
    }

    /// Events that have come by now, once everything pushed was heard.
    pub fn events_so_far(&self) -> Vec<CaptureEvent> {
        self.settle();
        self.events
            .try_iter()
            .filter(|event| !matches!(event, CaptureEvent::Armed | CaptureEvent::TailArrived(_)))
            .collect()
    }
}
