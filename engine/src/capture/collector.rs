//! Thread: collector, except [`Ear`], which is gui and worker. One thread drains the rings of all instances.
//!
//! Nothing slow runs here: it moves blocks from rings into histories, watches armed captures, and writes the takes that grow to
//! disk. A stall shorter than the rings, some seconds, loses nothing.

pub use super::cut::CaptureMode;
use super::cut::Recall;
pub use super::ear::{CaptureEvent, CaptureState, Ear, EarSettings, EarSnapshot, OnCapture};
use super::ring::RingReader;
use super::slot::Slot;
use crate::error::{Error, Result};
use crate::time::Seconds;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two rounds: short enough for a meter and for arming to feel immediate.
const ROUND: Duration = Duration::from_millis(5);

pub(super) enum Order {
    Add(Box<Slot>),
    Arm(u64, CaptureMode),
    Stop(u64),
    Cancel(u64),
    Keep(u64),
    Recall(u64, Recall),
    ChoosePass(u64, u32),
    AutoArm(u64, Option<CaptureMode>),
    CountIn(u64, u32),
    Measure(u64),
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
        let slot = Slot::new(id, reader, settings, on_event);
        let ear = Ear::new(id, self.orders.clone(), slot.snapshot(), slot.passes());
        self.send(Order::Add(Box::new(slot)));
        ear
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

fn collect(orders: &Receiver<Order>) {
    let mut slots: Vec<Slot> = Vec::new();
    loop {
        // Waiting for orders is also the pause between two rounds.
        let mut order = orders.recv_timeout(ROUND).ok();
        while let Some(now) = order {
            // An order that fails leaves the other instances' captures alone, and this one's for the round below to judge.
            let goes_on = catch_unwind(AssertUnwindSafe(|| obey(now, &mut slots))).unwrap_or(true);
            if !goes_on {
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
        if let Some(slot) = slots.iter_mut().find(|slot| slot.id() == id) {
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
        Order::Keep(id) => with(id, &mut Slot::keep),
        Order::Recall(id, what) => with(id, &mut |slot| slot.recall(what, u64::MAX)),
        Order::ChoosePass(id, number) => with(id, &mut |slot| slot.choose_pass(number)),
        Order::AutoArm(id, mode) => with(id, &mut |slot| slot.set_auto_arm(mode)),
        Order::CountIn(id, bars) => with(id, &mut |slot| slot.set_count_in(bars)),
        Order::Measure(id) => with(id, &mut Slot::measure_offset),
        Order::Offset(id, offset) => with(id, &mut |slot| slot.set_offset(offset)),
        Order::Replace(id, reader) => {
            let mut reader = Some(reader);
            with(id, &mut |slot| {
                if let Some(reader) = reader.take() {
                    slot.replace(reader);
                }
            });
        }
        Order::Remove(id, done) => {
            slots.retain_mut(|slot| slot.id() != id || !slot.forget());
            // The ear may have given up waiting.
            let _ = done.send(());
        }
        Order::Close => return false,
    }
    true
}
