//! Thread: main of the worker process, and its two helpers. Serves one order after another, and leaves when nobody needs it.
//!
//! The main thread reads orders and hears stops at once; one thread works; one beats, so that the plugin knows that the process
//! lives, and ends it when it is idle, when somebody else waits for the turn, or when the plugin has gone.

use super::here::Here;
use super::protocol::{self, FromWorker, PROTOCOL, SentOrder, ToWorker, VERSION};
use super::turn::Turn;
use crate::data_dir::data_dir;
use crate::error::{Error, Result};
use crate::job_context::{CancelToken, JobContext, Progress, Stage};
use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time between two signs of life.
const BEAT: Duration = Duration::from_millis(200);
/// Exit status after bytes that are no message.
const GARBAGE: i32 = 3;
/// Most seconds of audio an order may ask for: an hour.
const LONGEST_SECONDS: f64 = 3_600.0;

type Pipe = Mutex<Box<dyn Write + Send>>;

/// What the threads of the process share.
struct Desk {
    to_plugin: Pipe,
    here: Here,
    turn: Mutex<Option<Turn>>,
    state: Mutex<State>,
}

struct State {
    /// The job that was accepted and is not over.
    job: Option<(u64, CancelToken)>,
    idle_since: Instant,
    idle: Duration,
}

/// Serves until the plugin closes its end of the pipe. The process must have nothing else to do.
///
/// # Errors
/// [`Error::Worker`] when the plugin is of another version or does not begin with a greeting.
pub fn serve(mut from_plugin: impl Read, to_plugin: impl Write + Send + 'static) -> Result<()> {
    lower_priority();
    let idle = greet(&mut from_plugin)?;
    let state = State { job: None, idle_since: Instant::now(), idle };
    let desk = Arc::new(Desk {
        to_plugin: Mutex::new(Box::new(to_plugin)),
        here: Here::default(),
        turn: Mutex::default(),
        state: Mutex::new(state),
    });
    desk.say(&FromWorker::Hello { protocol: PROTOCOL, version: VERSION.to_owned(), pid: process::id() }, &[]);
    let (to_work, orders) = unbounded();
    let (work, beat) = (desk.clone(), desk.clone());
    spawn("cantus-work", move || work.work(&orders))?;
    spawn("cantus-beat", move || beat.beat())?;
    desk.listen(&mut from_plugin, &to_work)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map(drop).map_err(|error| Error::internal("starting", error))
}

/// Hears the greeting; how long to stay idle.
fn greet(from_plugin: &mut impl Read) -> Result<Duration> {
    match protocol::read::<ToWorker>(from_plugin) {
        // Another version hears ours in the answer, and says it to the user.
        Ok(Some((ToWorker::Hello { idle_ms, .. }, _))) => Ok(Duration::from_millis(idle_ms)),
        Ok(None) => process::exit(0),
        _ => Err(Error::worker("This is the worker of the Cantus plugin; it is of no use by itself.")),
    }
}

impl Desk {
    /// Thread: main.
    fn listen(&self, from_plugin: &mut impl Read, to_work: &Sender<(u64, CancelToken, SentOrder, Vec<u8>)>) -> ! {
        loop {
            match protocol::read(from_plugin) {
                Ok(Some((ToWorker::Generate { job, order }, payload))) => {
                    let cancel = CancelToken::default();
                    self.state.lock().job = Some((job, cancel.clone()));
                    self.say(&FromWorker::Accepted { job }, &[]);
                    // The working thread lives as long as the process.
                    let _ = to_work.send((job, cancel, order, payload));
                }
                Ok(Some((ToWorker::Cancel { job }, _))) => {
                    self.say(&FromWorker::CancelHeard { job }, &[]);
                    if let Some((_, cancel)) = self.state.lock().job.as_ref().filter(|(running, _)| *running == job) {
                        cancel.cancel();
                    }
                }
                Ok(Some((ToWorker::Hello { .. }, _))) => {}
                // The plugin, or its whole host, has gone: nobody wants what is being made.
                Ok(None) => process::exit(0),
                Err(error) => {
                    eprintln!("cantus worker: {error}");
                    process::exit(GARBAGE);
                }
            }
        }
    }

    /// Thread: work.
    fn work(&self, orders: &Receiver<(u64, CancelToken, SentOrder, Vec<u8>)>) {
        for (job, cancel, order, payload) in orders {
            let result = catch_unwind(AssertUnwindSafe(|| self.carry_out(job, cancel, order, &payload)))
                .unwrap_or_else(|panic| Err(Error::internal("making music", reason(panic.as_ref()))));
            // Idle before the answer goes out: the next order may come at once.
            {
                let mut state = self.state.lock();
                state.job = None;
                state.idle_since = Instant::now();
            }
            match result {
                Ok(audio) => {
                    let (shape, payload) = protocol::pack(&audio);
                    self.say(&FromWorker::Done { job, shape }, &payload);
                }
                Err(error) => {
                    let cancelled = error == Error::Cancelled;
                    self.say(&FromWorker::Failed { job, cancelled, sentence: error.to_string() }, &[]);
                }
            }
            self.leave_if(|desk, _| desk.is_wanted());
        }
    }

    fn carry_out(
        self: &Desk,
        job: u64,
        cancel: CancelToken,
        order: SentOrder,
        payload: &[u8],
    ) -> Result<crate::audio::AudioBuffer> {
        let order = order.unpack(payload).map_err(|error| Error::internal("reading an order", error))?;
        if !(0.0..=LONGEST_SECONDS).contains(&order.request.seconds.0) {
            return Err(Error::OutOfRange {
                what: "The length of the music",
                got: format!("{} s", order.request.seconds.0),
                expected: "between nothing and an hour".into(),
            });
        }
        std::thread::scope(|scope| {
            let (reports, told) = unbounded();
            // A report goes out from a thread of its own, because a report must never wait for a pipe.
            scope.spawn(move || {
                for progress in told {
                    self.say(&FromWorker::Progress { job, progress }, &[]);
                }
            });
            let last = Mutex::new((None, Instant::now()));
            let report = move |progress: Progress| {
                let mut last = last.lock();
                let news = last.0 != Some(progress.stage) || last.1.elapsed() > Duration::from_millis(30);
                if news {
                    *last = (Some(progress.stage), Instant::now());
                    // Nobody listens only when the job is over.
                    let _ = reports.send(progress);
                }
            };
            let context = JobContext::new(cancel, Arc::new(report));
            self.take_turn(&context)?;
            self.here.generate(&order, &context, &mut |audio| {
                let (shape, payload) = protocol::pack(audio);
                self.say(&FromWorker::Audio { job, shape }, &payload);
            })
        })
    }

    fn take_turn(&self, context: &JobContext) -> Result<()> {
        let Some(folder) = data_dir() else { return Ok(()) };
        if self.turn.lock().is_some() {
            return Ok(());
        }
        let turn = Turn::wait(&folder, context, || context.tell(Progress::new(Stage::Turn, 0.0)))?;
        *self.turn.lock() = Some(turn);
        Ok(())
    }

    fn is_wanted(&self) -> bool {
        self.turn.lock().as_ref().is_some_and(Turn::is_wanted)
    }

    /// Thread: beat.
    fn beat(&self) {
        let parent = parent();
        loop {
            std::thread::sleep(BEAT);
            let looks = self.state.lock().job.as_ref().map_or(0, |(_, cancel)| cancel.looks());
            self.say(&FromWorker::Beat { looks }, &[]);
            // A host that was killed closes the pipe, unless another process has inherited it.
            if parent != self::parent() {
                process::exit(0);
            }
            self.leave_if(|desk, state| state.idle_since.elapsed() >= state.idle || desk.is_wanted());
        }
    }

    /// Ends the process when it has no job and a condition holds. No order can be accepted in between.
    fn leave_if(&self, condition: impl FnOnce(&Self, &State) -> bool) {
        let state = self.state.lock();
        if state.job.is_none() && condition(self, &state) {
            self.say(&FromWorker::Leaving, &[]);
            process::exit(0);
        }
    }

    fn say(&self, message: &FromWorker, payload: &[u8]) {
        if protocol::write(&mut *self.to_plugin.lock(), message, payload).is_err() {
            // The plugin has gone.
            process::exit(0);
        }
    }
}

fn reason(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(unix)]
fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

/// Where a process does not know its parent, the closed pipe has to do.
#[cfg(not(unix))]
fn parent() -> u32 {
    0
}

/// The host's audio always wins. Threads that come later inherit it.
#[cfg(unix)]
fn lower_priority() {
    const NICER: libc::c_int = 10;
    // SAFETY: takes plain numbers; a refusal is harmless and ignored.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, NICER);
    }
}

/// On Windows the plugin starts the process with a lower class.
#[cfg(not(unix))]
fn lower_priority() {}
