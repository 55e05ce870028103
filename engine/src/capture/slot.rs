//! Thread: collector. What the collector keeps of one instance: its ring, its memory, and the capture that is on.

use super::count_in::{self, Count};
use super::cut::{self, CaptureMode, Cut, Progress, Recall, Tailless};
use super::ear::{CaptureEvent, CaptureState, EarSettings, EarSnapshot, OnCapture};
use super::history::History;
use super::loopback::{self, Measurement};
use super::passes::{PassFacts, Passes};
use super::recall;
use super::ring::{Block, RingReader};
use super::signal::Signal;
use super::sound::{self, Gate};
use super::spool::{self, Spool};
use super::trim::MARGIN;
use crate::error::{Error, Result};
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

    pub fn arm(&mut self, mode: CaptureMode, at: Option<u64>) {
        self.drop_capture();
        let now = self.history.end();
        self.begin(mode, at.map_or(now, |at| at.clamp(self.history.first(), now)), false);
        self.watch();
    }

    fn begin(&mut self, mode: CaptureMode, at: u64, auto: bool) {
        // A loop begins where it begins; there is nothing to count.
        let count_in = if mode == CaptureMode::LoopRegion { 0 } else { self.count_in };
        self.capture = Some(Capture { mode, at, count_in, auto, passes: 0, delivered: 0, growing: None });
        self.tell(CaptureEvent::Armed);
    }

    /// Looks whether an armed take begins or a growing one is complete. One round may bring several passes of a loop.
    fn watch(&mut self) {
        while let Some(capture) = &mut self.capture {
            if capture.count_in > 0 {
                let Count::Over(at) = count_in::count(&self.history, capture.at, capture.count_in) else { break };
                (capture.at, capture.count_in) = (at, 0);
            }
            let (mode, at) = (capture.mode, capture.at);
            match cut::progress(&self.history, mode, at, self.offset_frames()) {
                Progress::Waiting => {
                    // The song jumped: what had begun is not what was asked for.
                    self.drop_growing();
                    break;
                }
                Progress::Recording { start, target } => {
                    self.record(mode, start, target);
                    let longest = spool::LONGEST.frames(self.history.rate()).0.unsigned_abs();
                    if self.history.end().saturating_sub(start) >= longest {
                        let text = "The recording has reached an hour and was ended; it is kept.";
                        self.tell(CaptureEvent::Problem(text.to_owned()));
                        self.end_now(None);
                    }
                    break;
                }
                Progress::Complete(cut) => {
                    // A take that began and ended between two rounds was never written; now it is.
                    self.record(mode, cut.start, Some(cut.length));
                    let seconds = Frames::from((cut.end - cut.start) as usize).seconds(self.history.rate());
                    if mode == CaptureMode::LoopRegion && seconds >= SHORTEST_PASS {
                        self.pass_finished(&cut);
                    } else {
                        self.finish(&cut);
                    }
                }
            }
        }
        self.watch_stop();
    }

    /// When the song stops, so does a capture that nobody stops by hand.
    fn watch_stop(&mut self) {
        let Some(capture) = &self.capture else { return };
        let stopped = self.history.segments().last().filter(|segment| !segment.stamp.playing);
        // What was sung to the last moment of the song is still on its way.
        let Some(stopped_at) = stopped
            .filter(|segment| {
                segment.start >= capture.at && segment.frames >= self.offset_frames().max(0).unsigned_abs()
            })
            .map(|segment| segment.start)
        else {
            return;
        };
        match (capture.mode, &capture.growing) {
            (CaptureMode::Free, Some(_)) if capture.auto => {
                let late = self.offset_frames().max(0).unsigned_abs();
                self.end_now(Some(stopped_at + late));
            }
            _ if capture.auto || capture.delivered > 0 => self.over(CaptureEvent::Ended),
            _ => {}
        }
    }

    fn record(&mut self, mode: CaptureMode, begin: u64, length: Option<Beats>) {
        if let Some(Growing { start, target, .. }) = self.growing()
            && *start == begin
        {
            *target = length;
            return;
        }
        self.drop_growing();
        let margin = MARGIN.frames(self.history.rate()).0.unsigned_abs();
        self.history.pin(Some(begin.saturating_sub(margin)));
        let spool = self.open_spool(mode, begin);
        if let Some(capture) = &mut self.capture {
            capture.growing = Some(Growing { start: begin, target: length, spool });
        }
    }

    fn growing(&mut self) -> Option<&mut Growing> {
        self.capture.as_mut()?.growing.as_mut()
    }

    fn open_spool(&self, mode: CaptureMode, start: u64) -> Option<Spool> {
        let dir = self.settings.spool_dir.as_ref()?;
        let form = (self.history.rate(), self.history.channels());
        let opened = Spool::create(dir, form, mode, self.offset_frames()).and_then(|mut spool| {
            // Notes struck a little early belong to the take too; a free take begins where it was ordered.
            let early = match mode {
                CaptureMode::Free => 0,
                CaptureMode::Bars(_) | CaptureMode::LoopRegion => {
                    cut::EARLY.frames(self.history.rate()).0.unsigned_abs()
                }
            };
            for block in self.history.blocks_from(start.saturating_sub(early).max(self.history.first())) {
                spool.write(&block)?;
            }
            Ok(spool)
        });
        opened
            .inspect_err(|error| {
                let text = format!("{error} The recording is kept in memory; it would not survive a crash.");
                self.tell(CaptureEvent::Problem(text));
            })
            .ok()
    }

    fn take_of(&mut self, cut: &Cut) -> Result<super::take::Take> {
        self.takes += 1;
        let take = cut::take(&self.history, cut, self.takes)?;
        self.tailless.extend(Tailless::of(&self.history, cut, self.takes));
        Ok(take)
    }

    fn has_sound(&self, cut: &Cut) -> bool {
        let (from, to) = cut.audio();
        let frame = |at: i64| u64::try_from(at).unwrap_or(0);
        Gate::of(&self.history).sound(&self.history, frame(from), frame(to)) >= sound::LEAST
    }

    /// A capture is complete, and over.
    fn finish(&mut self, cut: &Cut) {
        if self.capture.as_ref().is_some_and(|capture| capture.auto) && !self.has_sound(cut) {
            self.over(CaptureEvent::Ended);
            return;
        }
        let capture = self.capture.take();
        let take = self.take_of(cut);
        self.history.pin(None);
        self.finished_captures += 1;
        let delivered = match take {
            Ok(take) => {
                self.forget_passes();
                self.tell(CaptureEvent::TakeFinished(take))
            }
            Err(error) => {
                self.tell(CaptureEvent::Problem(error.to_string()));
                false
            }
        };
        // A spool whose take nobody got is left on disk, to be offered next time.
        let spool = capture.and_then(|capture| capture.growing?.spool);
        self.spools.extend(spool.filter(|_| delivered));
    }

    /// A pass of the loop is complete, and the capture goes on. The first is the take; later ones are when they have sound.
    fn pass_finished(&mut self, cut: &Cut) {
        let has_sound = self.has_sound(cut);
        let take = self.take_of(cut);
        let Some(capture) = &mut self.capture else { return };
        capture.at = cut.end;
        capture.passes += 1;
        let number = capture.passes;
        let first = capture.delivered == 0;
        let deliver = has_sound || first && !capture.auto;
        let spool = capture.growing.take().and_then(|growing| growing.spool);
        self.history.pin(Some(cut.end.saturating_sub(MARGIN.frames(self.history.rate()).0.unsigned_abs())));
        let take = match take {
            // Passes in which nobody sang before the first are nothing to choose from.
            Ok(take) if deliver || !first => take,
            other => {
                spool.into_iter().for_each(Spool::delete);
                if let Err(error) = other {
                    self.tell(CaptureEvent::Problem(error.to_string()));
                }
                return;
            }
        };
        if first {
            self.forget_passes();
        }
        let peak = take.audio.peak();
        let facts = PassFacts {
            number,
            start: take.grid.start,
            seconds: take.audio.length().seconds(take.audio.rate),
            level_dbfs: decibels(peak),
            has_sound,
            is_take: deliver,
        };
        self.passes.add(facts, take.clone(), spool);
        if deliver {
            if let Some(capture) = &mut self.capture {
                capture.delivered += 1;
            }
            self.tell(CaptureEvent::TakeFinished(take));
        }
    }

    fn forget_passes(&mut self) {
        let of_take = self.passes.clear();
        self.spools.extend(of_take);
    }

    /// Adds what was heard after takes to them.
    fn complete_tails(&mut self, nothing_more: bool) {
        let mut waiting = std::mem::take(&mut self.tailless);
        waiting.retain(|tailless| {
            let Some(tail) = tailless.tail(&self.history, nothing_more) else { return !nothing_more };
            self.passes.add_tail(&tail);
            self.tell(CaptureEvent::TailArrived(tail));
            false
        });
        self.tailless = waiting;
    }

    pub fn stop(&mut self, at: Option<u64>) {
        self.watch();
        self.end_now(at);
    }

    fn end_now(&mut self, at: Option<u64>) {
        let Some(capture) = &self.capture else { return };
        match &capture.growing {
            _ if capture.delivered > 0 => self.over(CaptureEvent::Ended),
            None => self.cancel(),
            Some(growing) => {
                let until = at.unwrap_or(u64::MAX);
                let (mode, start) = (capture.mode, growing.start);
                match cut::unfinished(&self.history, mode, start, until, self.offset_frames()) {
                    Ok(cut) => self.finish(&cut),
                    Err(error) => {
                        self.cancel();
                        self.tell(CaptureEvent::Problem(error.to_string()));
                    }
                }
            }
        }
    }

    pub fn cancel(&mut self) {
        self.over(CaptureEvent::Cancelled);
    }

    /// Ends a capture whose take is there already.
    pub fn keep(&mut self) {
        if self.capture.as_ref().is_some_and(|capture| capture.delivered > 0) {
            self.over(CaptureEvent::Ended);
        }
    }

    fn over(&mut self, event: CaptureEvent) {
        if self.capture.is_some() {
            self.drop_capture();
            self.finished_captures += 1;
            self.tell(event);
        }
    }

    fn drop_capture(&mut self) {
        self.drop_growing();
        self.capture = None;
        self.history.pin(None);
    }

    /// Forgets what has begun; the capture waits again, for what comes from now on.
    fn drop_growing(&mut self) {
        let end = self.history.end();
        let Some(capture) = &mut self.capture else { return };
        if let Some(growing) = capture.growing.take() {
            capture.at = end;
            growing.spool.into_iter().for_each(Spool::delete);
            self.history.pin(None);
        }
    }

    /// Makes a take of what was just heard.
    pub fn recall(&mut self, what: Recall, at: u64) {
        self.watch();
        let recalled = recall::recall(&self.history, what, at, self.offset_frames());
        let made = recalled.and_then(|(cut, remarks)| Ok((self.take_of(&cut)?, remarks)));
        match made {
            Ok((mut take, remarks)) => {
                self.keep();
                take.remarks = remarks;
                self.tell(CaptureEvent::Recalled(take));
            }
            Err(error) => {
                self.tell(CaptureEvent::Problem(error.to_string()));
            }
        }
    }

    /// Delivers an earlier pass.
    pub fn choose_pass(&mut self, number: u32) {
        let event = match self.passes.choose(number) {
            Some(take) => {
                self.keep();
                CaptureEvent::TakeFinished(take)
            }
            None => CaptureEvent::Problem(format!("Pass {number} of the loop is no longer there. Choose another one.")),
        };
        self.tell(event);
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
