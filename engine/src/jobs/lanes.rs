//! Thread: any submits, worker runs. Two lanes of workers with priorities, debounce, cancel and panic containment.
//!
//! A job runs once it is due, the most urgent first and the oldest among equals. A job with a key replaces a waiting job of the same
//! key and cancels a running one, which is how fifty tempo changes in a row become one re-rendering. Dropping [`Lanes`] cancels
//! everything and joins every thread; handles that outlive it only ever see failed submissions.

use super::priority::lower_own_priority;
use crate::error::{Error, Result};
use crate::job_context::{CancelToken, JobContext, Progress, Stage};
use parking_lot::{Condvar, Mutex};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Which workers run a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Milliseconds to a second: analysis, Band, rendering, export.
    Fast,
    /// Seconds to minutes: neural engines.
    Slow,
}

/// How urgent a job is; later variants are more urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Nobody waits for it: packing audio for a later save.
    Idle,
    /// Wanted soon: variations that do not play now.
    Normal,
    /// Somebody looks or listens: the analysis, what plays now.
    Urgent,
}

/// The work of a job.
pub type Work = Box<dyn FnOnce(&JobContext) -> Result<()> + Send>;

/// What hears the end of a job: once, on the worker, or on the submitter when the job never ran.
pub type Done = Box<dyn FnOnce(Result<()>) + Send>;

/// A job to submit.
pub struct Job {
    /// Which workers.
    pub lane: Lane,
    /// How urgent.
    pub priority: Priority,
    /// Not before this much time has passed.
    pub delay: Duration,
    /// Replaces a waiting or running job of the same key.
    pub key: Option<u64>,
    /// What to do.
    pub work: Work,
    /// What to tell at the end; panics and cancels arrive here as errors.
    pub done: Done,
}

/// Where a submitted job is.
#[derive(Debug, Clone)]
pub struct JobHandle {
    /// Unique within the process.
    pub id: u64,
    cancel: CancelToken,
    progress: Arc<Mutex<Progress>>,
    over: Arc<AtomicBool>,
}

impl JobHandle {
    /// Asks it to stop; its `done` hears [`Error::Cancelled`], unless it had something worth keeping and finished that.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Asks it to stop and to keep nothing; its `done` hears [`Error::Cancelled`].
    pub fn abandon(&self) {
        self.cancel.abandon();
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        *self.progress.lock()
    }

    /// Whether its work has ended, one way or another.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

struct Waiting {
    id: u64,
    due: Instant,
    job: Job,
    cancel: CancelToken,
    progress: Arc<Mutex<Progress>>,
    over: Arc<AtomicBool>,
}

impl Waiting {
    /// Tells that it will never run.
    fn refuse(self) {
        self.over.store(true, Ordering::Release);
        (self.job.done)(Err(Error::Cancelled));
    }
}

struct Running {
    id: u64,
    key: Option<u64>,
    cancel: CancelToken,
}

#[derive(Default)]
struct Board {
    waiting: Vec<Waiting>,
    running: Vec<Running>,
    closed: bool,
}

struct Queue {
    board: Mutex<Board>,
    changed: Condvar,
}

/// The workers. Owned by the process-wide engine.
pub struct Lanes {
    fast: Arc<Queue>,
    slow: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

/// Submits jobs without keeping the workers alive, so that a job may hold one.
#[derive(Clone)]
pub struct LanesHandle {
    fast: Weak<Queue>,
    slow: Weak<Queue>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Lanes {
    /// Starts the workers: half of the cores for the fast lane, one thread for the slow one.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system gives no thread.
    pub fn start() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut lanes = Self { fast: new_queue(), slow: new_queue(), threads: Vec::new() };
        for index in 0..(cores / 2).clamp(1, 4) {
            lanes.spawn(format!("cantus-fast-{index}"), Lane::Fast)?;
        }
        lanes.spawn("cantus-slow".to_owned(), Lane::Slow)?;
        Ok(lanes)
    }

    fn spawn(&mut self, name: String, lane: Lane) -> Result<()> {
        let queue = match lane {
            Lane::Fast => self.fast.clone(),
            Lane::Slow => self.slow.clone(),
        };
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || {
                lower_own_priority();
                while let Some(job) = queue.next() {
                    queue.run(job);
                }
            })
            .map_err(|error| Error::internal("starting", error))?;
        self.threads.push(thread);
        Ok(())
    }

    /// A handle that does not keep the workers alive.
    pub fn handle(&self) -> LanesHandle {
        LanesHandle { fast: Arc::downgrade(&self.fast), slow: Arc::downgrade(&self.slow) }
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for queue in [&self.fast, &self.slow] {
            queue.close().into_iter().for_each(Waiting::refuse);
        }
        for thread in self.threads.drain(..) {
            // A worker contains the panics of its jobs; if it died all the same there is nothing left to wait for.
            let _ = thread.join();
        }
    }
}

impl LanesHandle {
    /// Queues a job. After the engine has gone, `done` hears [`Error::Cancelled`] at once.
    pub fn submit(&self, job: Job) -> JobHandle {
        let handle = JobHandle {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            cancel: CancelToken::default(),
            progress: Arc::new(Mutex::new(Progress::new(Stage::Queued, 0.0))),
            over: Arc::default(),
        };
        let queue = match job.lane {
            Lane::Fast => self.fast.upgrade(),
            Lane::Slow => self.slow.upgrade(),
        };
        let waiting = Waiting {
            id: handle.id,
            due: Instant::now() + job.delay,
            job,
            cancel: handle.cancel.clone(),
            progress: handle.progress.clone(),
            over: handle.over.clone(),
        };
        let refused = match queue {
            Some(queue) => queue.push(waiting),
            None => vec![waiting],
        };
        refused.into_iter().for_each(Waiting::refuse);
        handle
    }
}

fn new_queue() -> Arc<Queue> {
    Arc::new(Queue { board: Mutex::default(), changed: Condvar::new() })
}

impl Queue {
    /// Queues a job; gives back the jobs that will never run because of it.
    fn push(&self, waiting: Waiting) -> Vec<Waiting> {
        let mut board = self.board.lock();
        if board.closed {
            return vec![waiting];
        }
        let mut replaced = Vec::new();
        if let Some(key) = waiting.job.key {
            replaced = board.waiting.extract_if(.., |other| other.job.key == Some(key)).collect();
            for running in board.running.iter().filter(|running| running.key == Some(key)) {
                running.cancel.abandon();
            }
        }
        board.waiting.push(waiting);
        drop(board);
        self.changed.notify_one();
        replaced
    }

    fn close(&self) -> Vec<Waiting> {
        let mut board = self.board.lock();
        board.closed = true;
        for running in &board.running {
            running.cancel.abandon();
        }
        let waiting = std::mem::take(&mut board.waiting);
        drop(board);
        self.changed.notify_all();
        waiting
    }

    /// Waits for the next due job; `None` once closed.
    fn next(&self) -> Option<Waiting> {
        let mut board = self.board.lock();
        loop {
            if board.closed {
                return None;
            }
            let now = Instant::now();
            let due = (0..board.waiting.len())
                .filter(|&index| board.waiting[index].due <= now || board.waiting[index].cancel.is_cancelled())
                .max_by_key(|&index| (board.waiting[index].job.priority, std::cmp::Reverse(board.waiting[index].id)));
            if let Some(index) = due {
                let job = board.waiting.remove(index);
                board.running.push(Running { id: job.id, key: job.job.key, cancel: job.cancel.clone() });
                return Some(job);
            }
            match board.waiting.iter().map(|waiting| waiting.due).min() {
                Some(due) => {
                    self.changed.wait_until(&mut board, due);
                }
                None => self.changed.wait(&mut board),
            }
        }
    }

    fn run(&self, waiting: Waiting) {
        let Waiting { id, job, cancel, progress, over, .. } = waiting;
        let stage = progress.clone();
        let report = Arc::new(move |now| *progress.lock() = now);
        let context = JobContext::new(cancel, report);
        let result = contain(&stage, || {
            context.check()?;
            (job.work)(&context)
        });
        self.board.lock().running.retain(|running| running.id != id);
        over.store(true, Ordering::Release);
        let _ = contain(&stage, || {
            (job.done)(result);
            Ok(())
        });
    }
}

/// Turns a panic into a failed job with a sentence.
fn contain(progress: &Mutex<Progress>, work: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let reason = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "unknown".to_owned());
        Err(Error::Internal { stage: progress.lock().stage.doing(), reason })
    })
}
