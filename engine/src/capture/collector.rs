//! Thread: collector, except [`Ear`], which is gui and worker. One thread drains the rings of all instances.
//!
//! Nothing slow runs here: it moves blocks from rings into histories, watches armed captures, and writes the takes that grow to
//! disk. A stall shorter than the rings, some seconds, loses nothing.

pub use super::cut::CaptureMode;
use super::cut::{self, Cut, Progress};
use super::history::History;
use super::ring::{Block, RingReader};
use super::signal::Signal;
use super::spool::{self, Spool};
use super::take::Take;
use super::transport::TransportStamp;
use crate::error::{Error, Result};
use crate::time::{Beats, Frames, Seconds};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two rounds: short enough for a meter and for arming to feel immediate.
const ROUND: Duration = Duration::from_millis(5);
/// The meter shows the peak of so much time.
const METER: Seconds = Seconds(0.05);
/// A level of nothing.
const SILENCE_DBFS: f32 = -120.0;

/// How an instance listens.
#[derive(Debug, Clone)]
pub struct EarSettings {
    /// How much is always remembered.
    pub history: Seconds,
    /// Where takes that grow are written; `None` keeps them in memory only.
    pub spool_dir: Option<PathBuf>,
}

impl Default for EarSettings {
    fn default() -> Self {
        Self { history: Seconds(60.0), spool_dir: spool::default_dir() }
    }
}

/// What happened to a capture.
#[derive(Debug)]
pub enum CaptureEvent {
    /// One was ordered, by whichever way.
    Armed,
    /// It is complete.
    TakeFinished(Take),
    /// It was cancelled, or stopped before it began.
    Cancelled,
    /// Something the user should know; the capture goes on if it can.
    Problem(String),
    /// An order that is not the collector's to carry out.
    Signal(Signal),
}

/// Hears events, on the collector's thread: it must be quick.
pub type OnCapture = Box<dyn Fn(CaptureEvent) + Send>;

/// What a capture is doing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum CaptureState {
    /// Nothing.
    #[default]
    Idle,
    /// Waiting for its first frame.
    Armed {
        /// How it will begin and end.
        mode: CaptureMode,
    },
    /// Growing.
    Recording {
        /// How it ends.
        mode: CaptureMode,
        /// What is there so far.
        recorded: Seconds,
        /// How long it is to become, if the mode says.
        target: Option<Beats>,
    },
}

/// A moment of an ear.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EarSnapshot {
    /// Transport of the newest block.
    pub stamp: TransportStamp,
    /// Peak of the last moment, in dBFS.
    pub level_dbfs: f32,
    /// How much is remembered.
    pub history_seconds: f64,
    /// Frames lost because the ring was full.
    pub overruns: u64,
    /// Input samples that were no numbers.
    pub non_finite: u64,
    /// What a capture is doing.
    pub capture: CaptureState,
    /// Captures that ended so far, by themselves or by hand.
    pub finished_captures: u64,
}

enum Order {
    Add(Box<Slot>),
    Arm(u64, CaptureMode),
    Stop(u64),
    Cancel(u64),
    Offset(u64, Seconds),
    Replace(u64, RingReader),
    Remove(u64, Sender<()>),
    Close,
}

/// The collector thread. Dropping it joins it.
pub struct Collector {
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Collector {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system gives none.
    pub fn start() -> Result<Self> {
        let (orders, inbox) = unbounded();
        let thread = std::thread::Builder::new()
            .name("cantus-collect".to_owned())
            .spawn(move || collect(&inbox))
            .map_err(|error| Error::internal("starting", error))?;
        Ok(Self { orders, thread: Some(thread) })
    }

    /// Listens to a ring.
    pub fn add(&self, reader: RingReader, settings: EarSettings, on_event: OnCapture) -> Ear {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let snapshot = Arc::new(Mutex::new(EarSnapshot { level_dbfs: SILENCE_DBFS, ..EarSnapshot::default() }));
        let slot = Slot {
            id,
            history: History::new(reader.rate(), reader.channels(), settings.history),
            reader,
            settings,
            on_event,
            block: Block::default(),
            capture: Capture::Idle,
            offset: Seconds(0.0),
            snapshot: snapshot.clone(),
            spools: Vec::new(),
            finished_captures: 0,
            lost_before: 0,
            non_finite_before: 0,
        };
        self.send(Order::Add(Box::new(slot)));
        Ear { id, orders: self.orders.clone(), snapshot }
    }

    fn send(&self, order: Order) {
        // The thread only ends by our own order.
        let _ = self.orders.send(order);
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.send(Order::Close);
        if let Some(thread) = self.thread.take() {
            // A collector that died has nothing left to wait for.
            let _ = thread.join();
        }
    }
}

/// One instance's way to order captures. Dropping it forgets the instance, and deletes its spools: the project has its takes.
pub struct Ear {
    id: u64,
    orders: Sender<Order>,
    snapshot: Arc<Mutex<EarSnapshot>>,
}

impl Ear {
    /// Waits for a take; an unfinished one is forgotten.
    pub fn arm(&self, mode: CaptureMode) {
        self.send(Order::Arm(self.id, mode));
    }

    /// Ends a take now and keeps what is there.
    pub fn stop(&self) {
        self.send(Order::Stop(self.id));
    }

    /// Ends a take and forgets it.
    pub fn cancel(&self) {
        self.send(Order::Cancel(self.id));
    }

    /// How late the singer hears the song; takes are shifted back by it.
    pub fn set_input_offset(&self, offset: Seconds) {
        self.send(Order::Offset(self.id, offset));
    }

    /// Listens to another ring, as after a change of rate. A take in progress is finished as it is.
    pub fn replace_reader(&self, reader: RingReader) {
        self.send(Order::Replace(self.id, reader));
    }

    /// How it stands.
    pub fn snapshot(&self) -> EarSnapshot {
        *self.snapshot.lock()
    }

    fn send(&self, order: Order) {
        // After the collector has gone there is nobody to order about.
        let _ = self.orders.send(order);
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let (done, wait) = bounded(1);
        self.send(Order::Remove(self.id, done));
        // Until then an event may still be under way. An error means that the collector has gone already.
        let _ = wait.recv();
    }
}

enum Capture {
    Idle,
    Armed { mode: CaptureMode, at: u64 },
    Recording { mode: CaptureMode, at: u64, start: u64, target: Option<Beats>, spool: Option<Spool> },
}

/// What the thread keeps of one instance.
struct Slot {
    id: u64,
    reader: RingReader,
    history: History,
    settings: EarSettings,
    on_event: OnCapture,
    block: Block,
    capture: Capture,
    offset: Seconds,
    snapshot: Arc<Mutex<EarSnapshot>>,
    /// Spools of finished takes, kept until the instance goes.
    spools: Vec<Spool>,
    finished_captures: u64,
    /// What earlier rings counted.
    lost_before: u64,
    non_finite_before: u64,
}

fn collect(orders: &Receiver<Order>) {
    let mut slots: Vec<Slot> = Vec::new();
    loop {
        // Waiting for orders is also the pause between two rounds.
        let mut order = orders.recv_timeout(ROUND).ok();
        while let Some(now) = order {
            if !obey(now, &mut slots) {
                return;
            }
            order = orders.try_recv().ok();
        }
        slots.retain_mut(|slot| {
            // A mistake in one instance's capture must not end the others'.
            let survived = catch_unwind(AssertUnwindSafe(|| slot.round())).is_ok();
            if !survived {
                let text = "Capturing stopped because of a mistake inside Cantus. Please save and reopen the project.";
                slot.tell(CaptureEvent::Problem(text.to_owned()));
            }
            survived
        });
    }
}

/// Carries an order out; false for the last one.
fn obey(order: Order, slots: &mut Vec<Slot>) -> bool {
    let mut with = |id: u64, act: &mut dyn FnMut(&mut Slot)| {
        if let Some(slot) = slots.iter_mut().find(|slot| slot.id == id) {
            // What was played before the order belongs to the time before it.
            slot.drain();
            act(slot);
        }
    };
    match order {
        Order::Add(slot) => slots.push(*slot),
        Order::Arm(id, mode) => with(id, &mut |slot| slot.arm(mode, None)),
        Order::Stop(id) => with(id, &mut |slot| slot.stop(None)),
        Order::Cancel(id) => with(id, &mut Slot::cancel),
        Order::Offset(id, offset) => with(id, &mut |slot| slot.offset = offset),
        Order::Replace(id, reader) => {
            let mut reader = Some(reader);
            with(id, &mut |slot| {
                if let Some(reader) = reader.take() {
                    slot.replace(reader);
                }
            });
        }
        Order::Remove(id, done) => {
            slots.retain_mut(|slot| slot.id != id || !slot.forget());
            // The ear may have given up waiting.
            let _ = done.send(());
        }
        Order::Close => return false,
    }
    true
}

impl Slot {
    fn round(&mut self) {
        if self.drain() {
            self.watch();
        }
        while let Some(signal) = self.reader.signal() {
            match signal {
                Signal::StartCapture { mode, at } => self.arm(mode, Some(at)),
                Signal::StopCapture { at } => self.stop(Some(at)),
                Signal::InputOffset(offset) => self.offset = offset,
                other => {
                    self.tell(CaptureEvent::Signal(other));
                }
            }
        }
        self.publish();
    }

    /// Takes everything out of the ring; true when there was anything.
    fn drain(&mut self) -> bool {
        let mut any = false;
        while self.reader.read(&mut self.block) {
            self.history.append(&self.block);
            if let Capture::Recording { spool, .. } = &mut self.capture
                && let Some(file) = spool
                && let Err(error) = file.write(&self.block)
            {
                *spool = None;
                let text = format!("{error} The recording goes on in memory; it would not survive a crash.");
                self.tell(CaptureEvent::Problem(text));
            }
            any = true;
        }
        any
    }

    /// Tells the instance; false when its code failed, which runs on this thread and must not end it.
    fn tell(&self, event: CaptureEvent) -> bool {
        catch_unwind(AssertUnwindSafe(|| (self.on_event)(event))).is_ok()
    }

    fn offset_frames(&self) -> i64 {
        self.offset.frames(self.history.rate()).0
    }

    fn arm(&mut self, mode: CaptureMode, at: Option<u64>) {
        self.drop_capture();
        let now = self.history.end();
        let at = at.map_or(now, |at| at.clamp(self.history.first(), now));
        self.capture = Capture::Armed { mode, at };
        self.tell(CaptureEvent::Armed);
        self.watch();
    }

    /// Looks whether an armed take begins or a growing one is complete.
    fn watch(&mut self) {
        let (mode, at) = match &self.capture {
            Capture::Idle => return,
            Capture::Armed { mode, at } | Capture::Recording { mode, at, .. } => (*mode, *at),
        };
        match cut::progress(&self.history, mode, at, self.offset_frames()) {
            Progress::Waiting => {
                // The song jumped: what had begun is not what was asked for.
                if matches!(self.capture, Capture::Recording { .. }) {
                    self.drop_capture();
                    self.capture = Capture::Armed { mode, at: self.history.end() };
                }
            }
            Progress::Recording { start, target } => {
                self.record(mode, at, start, target);
                let longest = spool::LONGEST.frames(self.history.rate()).0.unsigned_abs();
                if self.history.end().saturating_sub(start) >= longest {
                    let text = "The recording has reached an hour and was ended; it is kept.";
                    self.tell(CaptureEvent::Problem(text.to_owned()));
                    self.end_now(None);
                }
            }
            Progress::Complete(cut) => {
                // A take that began and ended between two rounds was never written; now it is.
                self.record(mode, at, cut.start, Some(cut.length));
                self.finish(&cut);
            }
        }
    }

    fn record(&mut self, mode: CaptureMode, at: u64, begin: u64, length: Option<Beats>) {
        match &mut self.capture {
            Capture::Recording { start, target, .. } if *start == begin => *target = length,
            _ => {
                self.drop_capture();
                self.history.pin(Some(begin));
                let spool = self.open_spool(mode, begin);
                self.capture = Capture::Recording { mode, at, start: begin, target: length, spool };
            }
        }
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

    fn finish(&mut self, cut: &Cut) {
        let capture = std::mem::replace(&mut self.capture, Capture::Idle);
        let take = cut::take(&self.history, cut, 0);
        self.history.pin(None);
        self.finished_captures += 1;
        let delivered = match take {
            Ok(take) => self.tell(CaptureEvent::TakeFinished(take)),
            Err(error) => {
                self.tell(CaptureEvent::Problem(error.to_string()));
                false
            }
        };
        // A spool whose take nobody got is left on disk, to be offered next time.
        if let Capture::Recording { spool: Some(spool), .. } = capture
            && delivered
        {
            self.spools.push(spool);
        }
    }

    fn stop(&mut self, at: Option<u64>) {
        self.watch();
        self.end_now(at);
    }

    fn end_now(&mut self, at: Option<u64>) {
        match &self.capture {
            Capture::Idle => {}
            Capture::Armed { .. } => self.cancel(),
            Capture::Recording { mode, start, .. } => {
                let until = at.unwrap_or(u64::MAX);
                match cut::unfinished(&self.history, *mode, *start, until, self.offset_frames()) {
                    Ok(cut) => self.finish(&cut),
                    Err(error) => {
                        self.cancel();
                        self.tell(CaptureEvent::Problem(error.to_string()));
                    }
                }
            }
        }
    }

    fn cancel(&mut self) {
        if !matches!(self.capture, Capture::Idle) {
            self.drop_capture();
            self.finished_captures += 1;
            self.tell(CaptureEvent::Cancelled);
        }
    }

    fn drop_capture(&mut self) {
        if let Capture::Recording { spool: Some(spool), .. } = std::mem::replace(&mut self.capture, Capture::Idle) {
            spool.delete();
        }
        self.history.pin(None);
    }

    fn replace(&mut self, reader: RingReader) {
        self.drain();
        let waiting = match self.capture {
            Capture::Armed { mode, .. } => Some(mode),
            _ => None,
        };
        if waiting.is_none() {
            self.stop(None);
        }
        self.lost_before += self.reader.overrun_frames();
        self.non_finite_before += self.reader.non_finite();
        self.history = History::new(reader.rate(), reader.channels(), self.settings.history);
        self.reader = reader;
        if let Some(mode) = waiting {
            self.arm(mode, None);
        }
    }

    /// Deletes what the project has by now; a take that is still growing is left on disk, to be offered next time. Always true, for
    /// `retain`.
    fn forget(&mut self) -> bool {
        self.spools.drain(..).for_each(Spool::delete);
        true
    }

    fn publish(&mut self) {
        let rate = self.history.rate();
        let end = self.history.end();
        let meter = METER.frames(rate).index().unwrap_or(0) as u64;
        let peak = self.history.peak(end.saturating_sub(meter).max(self.history.first()), end);
        let capture = match &self.capture {
            Capture::Idle => CaptureState::Idle,
            Capture::Armed { mode, .. } => CaptureState::Armed { mode: *mode },
            Capture::Recording { mode, start, target, .. } => CaptureState::Recording {
                mode: *mode,
                recorded: Frames(end.saturating_sub(*start) as i64).seconds(rate),
                target: *target,
            },
        };
        *self.snapshot.lock() = EarSnapshot {
            stamp: self.history.last_stamp(),
            level_dbfs: if peak > 0.0 { (20.0 * peak.log10()).max(SILENCE_DBFS) } else { SILENCE_DBFS },
            history_seconds: Frames((end - self.history.first()) as i64).seconds(rate).0,
            overruns: self.lost_before + self.reader.overrun_frames(),
            non_finite: self.non_finite_before + self.reader.non_finite(),
            capture,
            finished_captures: self.finished_captures,
        };
    }
}
