//! Thread: collector. What the collector keeps of one instance: its ring, its memory, and the capture that is on.

mod course;
mod delivery;

use super::count_in::{self, Count};
use super::cut::{self, CaptureMode, Tailless};
use super::ear::{CaptureEvent, CaptureState, EarSettings, EarSnapshot, OnCapture};
use super::history::History;
use super::loopback::{self, Measurement};
use super::passes::{PassFacts, Passes};
use super::ring::{Block, RingReader};
use super::signal::Signal;
use super::spool::Spool;
use crate::error::Error;
use crate::time::{Beats, Frames, Seconds};
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The meter shows the peak of so much time.
const METER: Seconds = Seconds(0.05);
/// A level of nothing.
const SILENCE_DBFS: f32 = -120.0;
/// Of a shorter loop only the first pass is taken: nobody sings to it, and each pass costs a take.
const SHORTEST_PASS: Seconds = Seconds(0.5);
/// The longest count-in, in bars.
const LONGEST_COUNT_IN: u32 = 4;

/// A capture that is on.
struct Capture {
    mode: CaptureMode,
    /// The record frame from which on it may begin.
    at: u64,
    /// Bars still to be counted before that.
    count_in: u32,
    /// It was armed because the song started, not by hand.
    auto: bool,
    /// Complete passes of the loop so far.
    passes: u32,
    /// Takes that were delivered so far.
    delivered: u32,
    growing: Option<Growing>,
}

/// A take that has begun.
struct Growing {
    start: u64,
    target: Option<Beats>,
    spool: Option<Spool>,
}

/// What the thread keeps of one instance.
pub(super) struct Slot {
    id: u64,
    reader: RingReader,
    history: History,
    settings: EarSettings,
    on_event: OnCapture,
    block: Block,
    capture: Option<Capture>,
    passes: Passes,
    tailless: Vec<Tailless>,
    measurement: Option<Measurement>,
    auto_arm: Option<CaptureMode>,
    count_in: u32,
    offset: Seconds,
    snapshot: Arc<Mutex<EarSnapshot>>,
    told_passes: Arc<Mutex<Vec<PassFacts>>>,
    /// Spools of finished takes, kept until the instance goes.
    spools: Vec<Spool>,
    /// Takes made so far, which names them.
    takes: u64,
    finished_captures: u64,
    /// What earlier rings counted.
    lost_before: u64,
    non_finite_before: u64,
}

impl Slot {
    pub fn new(id: u64, reader: RingReader, settings: EarSettings, on_event: OnCapture) -> Self {
        let snapshot = EarSnapshot { level_dbfs: SILENCE_DBFS, ..EarSnapshot::default() };
        Self {
            id,
            history: History::new(reader.rate(), reader.channels(), settings.history),
            reader,
            settings,
            on_event,
            block: Block::default(),
            capture: None,
            passes: Passes::default(),
            tailless: Vec::new(),
            measurement: None,
            auto_arm: None,
            count_in: 0,
            offset: Seconds(0.0),
            snapshot: Arc::new(Mutex::new(snapshot)),
            told_passes: Arc::default(),
            spools: Vec::new(),
            takes: 0,
            finished_captures: 0,
            lost_before: 0,
            non_finite_before: 0,
        }
    }

    pub fn id(&self) -> u64 {
        self.id
    }

    /// Where it tells how it stands.
    pub fn snapshot(&self) -> Arc<Mutex<EarSnapshot>> {
        self.snapshot.clone()
    }

    /// Where it tells of passes.
    pub fn passes(&self) -> Arc<Mutex<Vec<PassFacts>>> {
        self.told_passes.clone()
    }

    /// One round: everything the ring holds, and what follows from it.
    pub fn round(&mut self) {
        if self.drain() {
            self.watch();
            self.complete_tails(false);
            self.watch_measurement();
        }
        while let Some(signal) = self.reader.signal() {
            self.obey(signal);
        }
        self.publish();
    }

    fn obey(&mut self, signal: Signal) {
        match signal {
            Signal::StartCapture { mode, at } => self.arm(mode, Some(at)),
            Signal::StopCapture { at } => self.stop(Some(at)),
            Signal::InputOffset(offset) => self.offset = offset,
            Signal::Recall { span, at } => self.recall(span, at),
            Signal::AutoArm(mode) => self.auto_arm = mode,
            Signal::CountIn(bars) => self.set_count_in(bars),
            other => {
                if matches!(other, Signal::Generate { .. }) {
                    // What is made now is made of the take that is there.
                    self.keep();
                }
                self.tell(CaptureEvent::Signal(other));
            }
        }
    }

    /// Takes everything out of the ring; true when there was anything.
    pub fn drain(&mut self) -> bool {
        let mut any = false;
        while self.reader.read(&mut self.block) {
            let starts = self.block.stamp.playing && !self.history.last_stamp().playing;
            let first = self.history.end() + u64::from(self.block.lost_frames);
            self.history.append(&self.block);
            self.spool_block();
            if let Some(mode) = self.auto_arm.filter(|_| starts && self.capture.is_none()) {
                self.begin(mode, first, true);
            }
            any = true;
        }
        any
    }

    fn spool_block(&mut self) {
        if let Some(growing) = self.capture.as_mut().and_then(|capture| capture.growing.as_mut())
            && let Some(file) = &mut growing.spool
            && let Err(error) = file.write(&self.block)
        {
            growing.spool = None;
            let text = format!("{error} The recording goes on in memory; it would not survive a crash.");
            self.tell(CaptureEvent::Problem(text));
        }
    }

    /// Tells the instance; false when its code failed, which runs on this thread and must not end it.
    pub fn tell(&self, event: CaptureEvent) -> bool {
        catch_unwind(AssertUnwindSafe(|| (self.on_event)(event))).is_ok()
    }

    fn offset_frames(&self) -> i64 {
        self.offset.frames(self.history.rate()).0
    }

    pub fn set_offset(&mut self, offset: Seconds) {
        self.offset = offset;
    }

    pub fn set_auto_arm(&mut self, mode: Option<CaptureMode>) {
        self.auto_arm = mode;
    }

    pub fn set_count_in(&mut self, bars: u32) {
        self.count_in = bars.min(LONGEST_COUNT_IN);
    }

    pub fn measure_offset(&mut self) {
        self.reader.order_click();
        self.measurement = Some(Measurement::ordered(self.history.end()));
    }

    fn watch_measurement(&mut self) {
        let Some(measurement) = self.measurement else { return };
        let sounded_at = self.reader.click_sounded_at();
        let Some(result) = loopback::measured(&self.history, measurement, sounded_at) else { return };
        self.measurement = None;
        let event = match result {
            Ok(offset) => CaptureEvent::OffsetMeasured(offset),
            Err(error) => CaptureEvent::Problem(error.to_string()),
        };
        self.tell(event);
    }

    pub fn replace(&mut self, reader: RingReader) {
        self.drain();
        let waiting = self.capture.as_ref().filter(|capture| capture.growing.is_none() && capture.delivered == 0);
        let waiting = waiting.map(|capture| (capture.mode, capture.auto));
        if waiting.is_none() {
            self.stop(None);
        }
        self.complete_tails(true);
        if self.measurement.take().is_some() {
            let error = Error::Loopback { reason: "the sound card's settings changed meanwhile" };
            self.tell(CaptureEvent::Problem(error.to_string()));
        }
        self.lost_before += self.reader.overrun_frames();
        self.non_finite_before += self.reader.non_finite();
        self.history = History::new(reader.rate(), reader.channels(), self.settings.history);
        self.reader = reader;
        self.drop_capture();
        if let Some((mode, auto)) = waiting {
            self.begin(mode, 0, auto);
        }
    }

    /// Deletes what the project has by now; a take that is still growing is left on disk, to be offered next time. Always true, for
    /// `retain`.
    pub fn forget(&mut self) -> bool {
        self.forget_passes();
        self.spools.drain(..).for_each(Spool::delete);
        true
    }

    fn publish(&mut self) {
        let rate = self.history.rate();
        let end = self.history.end();
        let meter = METER.frames(rate).index().unwrap_or(0) as u64;
        let peak = self.history.peak(end.saturating_sub(meter).max(self.history.first()), end);
        let seconds = |frames: u64| Frames(i64::try_from(frames).unwrap_or(i64::MAX)).seconds(rate);
        let capture = self.capture.as_ref().map_or(CaptureState::Idle, |capture| match &capture.growing {
            None => CaptureState::Armed { mode: capture.mode },
            Some(growing) => CaptureState::Recording {
                mode: capture.mode,
                recorded: seconds(end.saturating_sub(growing.start)),
                target: growing.target,
            },
        });
        let waiting = self.capture.as_ref().filter(|capture| capture.growing.is_none());
        let starts_in =
            waiting.and_then(|capture| match count_in::count(&self.history, capture.at, capture.count_in) {
                Count::Counting(left) => Some(left),
                Count::Over(_) => cut::starts_in(&self.history, capture.mode),
            });
        *self.told_passes.lock() = self.passes.facts();
        *self.snapshot.lock() = EarSnapshot {
            stamp: self.history.last_stamp(),
            level_dbfs: decibels(peak),
            heard_frames: end,
            history_seconds: seconds(end - self.history.first()).0,
            overruns: self.lost_before + self.reader.overrun_frames(),
            non_finite: self.non_finite_before + self.reader.non_finite(),
            capture,
            finished_captures: self.finished_captures,
            starts_in,
            passes: self.passes.len(),
            measuring: self.measurement.is_some(),
        };
    }
}

fn decibels(peak: f32) -> f32 {
    if peak > 0.0 { (20.0 * peak.log10()).max(SILENCE_DBFS) } else { SILENCE_DBFS }
}
