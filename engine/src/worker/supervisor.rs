//! Thread: worker (the slow lane). Starts the worker process on demand, gives it orders, and makes every way it can end a sentence.

mod connection;

use super::Order;
use super::protocol::{self, FromWorker, SentOrder, ToWorker};
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::job_context::{JobContext, Progress, Stage};
use connection::{Connection, Event, Serving};
use parking_lot::Mutex;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long to wait for a message before looking at everything else.
const LOOK: Duration = Duration::from_millis(10);

/// How a worker is started and how long it may take.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The program; otherwise it is [looked for](super::place::find).
    pub program: Option<PathBuf>,
    /// Threads that compute.
    pub threads: usize,
    /// It leaves after so long without work.
    pub idle: Duration,
    /// A process that gives no sign of life for so long is ended.
    pub silence: Duration,
    /// A job that has not looked whether to stop for so long hangs.
    pub stuck: Duration,
    /// After a stop was asked for, it may take so long before the process is ended.
    pub stop: Duration,
    /// Variables for the process, besides those of this one.
    pub environment: Vec<(String, String)>,
}

impl Default for Settings {
    /// All cores but one, so that the host has one for its audio; `CANTUS_THREADS` says otherwise.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let wished = std::env::var("CANTUS_THREADS").ok().and_then(|wish| wish.parse().ok());
        Self {
            program: None,
            threads: wished.unwrap_or(cores.saturating_sub(1)).clamp(1, 256),
            idle: Duration::from_secs(120),
            silence: Duration::from_secs(20),
            stuck: Duration::from_secs(180),
            stop: Duration::from_secs(4),
            environment: Vec::new(),
        }
    }
}

/// Owns at most one worker process. Dropping it ends the process.
pub struct Supervisor {
    settings: Settings,
    /// Locked for as long as a job runs: jobs come one after another.
    connection: Mutex<Option<Connection>>,
    /// The process of the last connection, never locked for long.
    serving: Mutex<Option<Serving>>,
}

/// How one attempt at an order ended.
enum Outcome {
    Over(Result<AudioBuffer>),
    /// The worker had left before it accepted the order: its successor does it.
    NotAccepted,
}

static NEXT_JOB: AtomicU64 = AtomicU64::new(1);

impl Supervisor {
    /// Starts nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, connection: Mutex::default(), serving: Mutex::default() }
    }

    /// The process that serves now, for tests and the curious.
    pub fn process(&self) -> Option<u32> {
        self.serving.lock().as_ref().and_then(Serving::process)
    }

    /// Has the worker make audio, starting one when there is none. `on_audio` gets each piece once.
    ///
    /// # Errors
    /// [`Error::Worker`] with what happened and what to do; [`Error::Cancelled`].
    pub fn generate(
        &self,
        order: &Order,
        context: &JobContext,
        on_audio: &mut dyn FnMut(&AudioBuffer),
    ) -> Result<AudioBuffer> {
        let mut slot = self.connection.lock();
        for _ in 0..2 {
            context.check()?;
            let connection = match slot.take().filter(|connection| !connection.is_over()) {
                Some(connection) => connection,
                None => {
                    context.tell(Progress::new(Stage::Loading, 0.0));
                    let connection = Connection::open(&self.settings, context)?;
                    *self.serving.lock() = Some(connection.serving());
                    connection
                }
            };
            match self.attempt(&connection, order, context, on_audio) {
                Outcome::Over(result) => {
                    if connection.is_usable() {
                        *slot = Some(connection);
                    }
                    return result;
                }
                Outcome::NotAccepted => {}
            }
        }
        Err(Error::worker("The music engine ends as soon as it is started. Please install Cantus again."))
    }

    fn attempt(
        &self,
        connection: &Connection,
        order: &Order,
        context: &JobContext,
        on_audio: &mut dyn FnMut(&AudioBuffer),
    ) -> Outcome {
        let job = NEXT_JOB.fetch_add(1, Ordering::Relaxed);
        let (sent, payload) = SentOrder::pack(order);
        connection.send(ToWorker::Generate { job, order: sent }, payload);
        let now = Instant::now();
        let (mut accepted, mut stop_asked) = (false, None::<Instant>);
        let (mut heard, mut looked, mut looks) = (now, now, 0);
        loop {
            if stop_asked.is_none() && context.check().is_err() {
                connection.send(ToWorker::Cancel { job }, Vec::new());
                stop_asked = Some(Instant::now());
            }
            let event = connection.next(LOOK);
            if event.is_some() {
                heard = Instant::now();
            }
            match event {
                Some(Event::Said(message, payload)) => match message {
                    FromWorker::Accepted { job: of } if of == job => accepted = true,
                    FromWorker::Progress { job: of, progress } if of == job => context.tell(progress),
                    FromWorker::Audio { job: of, shape } if of == job => {
                        match protocol::unpack(shape, &mut payload.as_slice()) {
                            Ok(audio) => on_audio(&audio),
                            Err(error) => return Outcome::Over(Err(connection.garbled(&error))),
                        }
                    }
                    FromWorker::Done { job: of, shape } if of == job => {
                        let audio = protocol::unpack(shape, &mut payload.as_slice());
                        return Outcome::Over(audio.map_err(|error| connection.garbled(&error)));
                    }
                    FromWorker::Failed { job: of, cancelled, sentence } if of == job => {
                        let error = if cancelled { Error::Cancelled } else { Error::worker(sentence) };
                        return Outcome::Over(Err(error));
                    }
                    FromWorker::Beat { looks: now } if now != looks => {
                        looks = now;
                        looked = Instant::now();
                    }
                    _ => {}
                },
                Some(Event::Garbled(error)) => return Outcome::Over(Err(connection.garbled(&error))),
                Some(Event::Ended) if !accepted && connection.left_in_peace() => return Outcome::NotAccepted,
                Some(Event::Ended) if stop_asked.is_some() => return Outcome::Over(Err(Error::Cancelled)),
                Some(Event::Ended) => return Outcome::Over(Err(connection.obituary())),
                None => {}
            }
            if stop_asked.is_some_and(|asked| asked.elapsed() > self.settings.stop) {
                connection.kill();
                return Outcome::Over(Err(Error::Cancelled));
            }
            if heard.elapsed() > self.settings.silence || looked.elapsed() > self.settings.stuck {
                connection.kill();
                return Outcome::Over(Err(Error::worker(
                    "The music engine no longer answered and was stopped. Your take is safe: generate again, with fewer \
                     other programs running or a smaller precision.",
                )));
            }
        }
    }
}
