//! Thread: gui, worker. An ear: one instance's way to order captures, and what it hears of them.

use super::collector::Order;
use super::cut::{CaptureMode, Recall};
use super::loopback::MeasuredOffset;
use super::passes::PassFacts;
use super::ring::RingReader;
use super::signal::Signal;
use super::spool;
use super::take::Take;
use super::transport::TransportStamp;
use super::trim::Tail;
use crate::time::{Beats, Seconds};
use crossbeam_channel::{Sender, bounded};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::Arc;

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
    /// What was just hummed, as it was asked for. No capture was armed for it, and one that was armed goes on.
    Recalled(Take),
    /// It was cancelled, or stopped before it began.
    Cancelled,
    /// It had delivered its takes and is over.
    Ended,
    /// More of what was heard after a take, for its margin.
    TailArrived(Tail),
    /// How late the sound of our output came back.
    OffsetMeasured(MeasuredOffset),
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
    /// Record frames heard since the ring was made.
    pub heard_frames: u64,
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
    /// Song time until an armed take begins: what is left of the count-in, of the bar, or until the loop's start.
    pub starts_in: Option<Beats>,
    /// Passes of the loop that can be chosen; see [`Ear::passes`].
    pub passes: usize,
    /// The input offset is being measured.
    pub measuring: bool,
}

/// One instance's way to order captures. Dropping it forgets the instance, and deletes its spools: the project has its takes.
pub struct Ear {
    id: u64,
    orders: Sender<Order>,
    snapshot: Arc<Mutex<EarSnapshot>>,
    passes: Arc<Mutex<Vec<PassFacts>>>,
}

impl Ear {
    pub(super) fn new(
        id: u64,
        orders: Sender<Order>,
        snapshot: Arc<Mutex<EarSnapshot>>,
        passes: Arc<Mutex<Vec<PassFacts>>>,
    ) -> Self {
        Self { id, orders, snapshot, passes }
    }

    /// Waits for a take; an unfinished one is forgotten. Of a loop, the first complete pass is delivered at once, and every further
    /// one that has sound replaces it until [`Self::stop`], [`Self::keep`], a choice, another capture, or the song stops.
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

    /// Ends a capture whose take is there already, such as that of a loop: no later pass shall replace it any more.
    pub fn keep(&self) {
        self.send(Order::Keep(self.id));
    }

    /// Makes a take of what was just heard, whether the song plays or not. It arrives as [`CaptureEvent::Recalled`]; when
    /// nothing was heard, [`CaptureEvent::Problem`] says so.
    pub fn recall(&self, what: Recall) {
        self.send(Order::Recall(self.id, what));
    }

    /// The passes of the loop that can be chosen, oldest first.
    pub fn passes(&self) -> Vec<PassFacts> {
        self.passes.lock().clone()
    }

    /// Delivers an earlier pass of the loop as the take, and ends the capture, so that no later pass replaces the choice.
    pub fn choose_pass(&self, number: u32) {
        self.send(Order::ChoosePass(self.id, number));
    }

    /// Arms by itself in a mode whenever the song starts and nothing is captured; `None` never does. Takes without sound are then
    /// not delivered, so that listening to the song replaces nothing.
    pub fn set_auto_arm(&self, mode: Option<CaptureMode>) {
        self.send(Order::AutoArm(self.id, mode));
    }

    /// Bars that are counted, from the bar line after arming, before a take of bars or a free one begins; at most four.
    pub fn set_count_in(&self, bars: u32) {
        self.send(Order::CountIn(self.id, bars));
    }

    /// Sounds four quiet clicks and listens when they come back: [`CaptureEvent::OffsetMeasured`] after some three seconds, or
    /// [`CaptureEvent::Problem`].
    pub fn measure_offset(&self) {
        self.send(Order::Measure(self.id));
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
