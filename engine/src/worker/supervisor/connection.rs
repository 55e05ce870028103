//! Thread: worker opens and uses; its own threads move bytes. One worker process and the pipes to it.

use super::Settings;
use crate::error::{Error, Result};
use crate::job_context::JobContext;
use crate::worker::place;
use crate::worker::protocol::{self, FromWorker, PROTOCOL, ToWorker, VERSION};
use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The greeting takes milliseconds; a machine that swaps may need longer.
const GREETING: Duration = Duration::from_secs(20);
/// A process whose pipe is closed ends at once, or is ended.
const FAREWELL: Duration = Duration::from_millis(500);
/// Last lines of its errors that are kept, and bytes of the longest.
const KEPT_LINES: usize = 12;
const LONGEST_LINE: u64 = 2_048;

/// What comes from the process.
pub enum Event {
    /// A message and its payload.
    Said(FromWorker, Vec<u8>),
    /// Bytes that are no message. Nothing comes after it.
    Garbled(io::Error),
    /// It closed its pipe. Nothing comes after it.
    Ended,
}

/// A process that was greeted. Dropping it ends the process and joins the threads.
pub struct Connection {
    program: PathBuf,
    child: Mutex<Child>,
    /// `None` only while it is dropped.
    orders: Option<Sender<(ToWorker, Vec<u8>)>>,
    events: Receiver<Event>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// A process, as long as it serves.
pub struct Serving {
    process: u32,
    shared: Arc<Shared>,
}

impl Serving {
    /// Its number in the system; `None` once it has left or failed.
    pub fn process(&self) -> Option<u32> {
        let gone = self.shared.over.load(Ordering::Acquire) || self.shared.left.load(Ordering::Acquire);
        (!gone).then_some(self.process)
    }
}

#[derive(Default)]
struct Shared {
    errors: Mutex<VecDeque<String>>,
    /// It said that it leaves.
    left: AtomicBool,
    /// Its pipe is closed or garbled.
    over: AtomicBool,
}

impl Connection {
    /// Starts a process and greets it.
    ///
    /// # Errors
    /// [`Error::Worker`] when the program is missing, cannot be started, is of another version or does not answer;
    /// [`Error::Cancelled`].
    pub fn open(settings: &Settings, context: &JobContext) -> Result<Self> {
        let program = settings.program.clone().map_or_else(place::find, Ok)?;
        let mut child = command(&program, settings).spawn().map_err(|error| cannot_start(&program, &error))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(Error::internal("starting the music engine", "it has no pipes"));
        };
        let (orders, to_send) = unbounded();
        let (heard, events) = unbounded();
        let shared = Arc::new(Shared::default());
        let mut connection =
            Self { program, child: Mutex::new(child), orders: Some(orders), events, shared, threads: Vec::new() };
        connection.spawn("cantus-to-worker", move || send_all(&to_send, stdin))?;
        let shared = connection.shared.clone();
        connection.spawn("cantus-from-worker", move || hear_all(stdout, &heard, &shared))?;
        let shared = connection.shared.clone();
        connection.spawn("cantus-worker-log", move || keep_last_lines(stderr, &shared))?;
        connection.greet(settings, context)?;
        Ok(connection)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        self.threads.push(thread.map_err(|error| Error::internal("starting the music engine", error))?);
        Ok(())
    }

    fn greet(&self, settings: &Settings, context: &JobContext) -> Result<()> {
        let idle_ms = u64::try_from(settings.idle.as_millis()).unwrap_or(u64::MAX);
        self.send(ToWorker::Hello { protocol: PROTOCOL, version: VERSION.to_owned(), idle_ms }, Vec::new());
        let begun = Instant::now();
        loop {
            context.check()?;
            match self.next(Duration::from_millis(20)) {
                Some(Event::Said(FromWorker::Hello { protocol, version, .. }, _)) => {
                    if protocol == PROTOCOL && version == VERSION {
                        return Ok(());
                    }
                    return Err(Error::worker(format!(
                        "{} is Cantus {version}, but this plugin is Cantus {VERSION}. Install both from the same version.",
                        self.program.display()
                    )));
                }
                Some(Event::Said(..)) => {}
                Some(Event::Garbled(_)) => {
                    self.kill();
                    return Err(Error::worker(format!(
                        "{} does not answer like the music engine of Cantus {VERSION}. Install Cantus again.",
                        self.program.display()
                    )));
                }
                Some(Event::Ended) => return Err(self.obituary()),
                None if begun.elapsed() > GREETING => {
                    self.kill();
                    return Err(Error::worker(format!("{} did not answer. Please try again.", self.program.display())));
                }
                None => {}
            }
        }
    }

    /// Queues a message; one that cannot be delivered shows as [`Event::Ended`].
    pub fn send(&self, message: ToWorker, payload: Vec<u8>) {
        if let Some(orders) = &self.orders {
            let _ = orders.send((message, payload));
        }
    }

    /// The next event, if one comes in time.
    pub fn next(&self, patience: Duration) -> Option<Event> {
        match self.events.recv_timeout(patience) {
            Ok(event) => Some(event),
            Err(error) if error.is_timeout() => None,
            Err(_) => Some(Event::Ended),
        }
    }

    /// What can be asked of it while it works.
    pub fn serving(&self) -> Serving {
        Serving { process: self.child.lock().id(), shared: self.shared.clone() }
    }

    /// Whether nothing more will come.
    pub fn is_over(&self) -> bool {
        self.shared.over.load(Ordering::Acquire)
    }

    /// Whether it can take another order.
    pub fn is_usable(&self) -> bool {
        !self.is_over() && !self.left_in_peace()
    }

    /// Whether it said that it leaves.
    pub fn left_in_peace(&self) -> bool {
        self.shared.left.load(Ordering::Acquire)
    }

    /// Ends it now.
    pub fn kill(&self) {
        // Not to be asked for any more, whatever its pipe still holds.
        self.shared.over.store(true, Ordering::Release);
        let mut child = self.child.lock();
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// After bytes that are no message: ends it and says so.
    pub fn garbled(&self, error: &io::Error) -> Error {
        self.kill();
        Error::worker(format!(
            "The music engine sent something unreadable ({error}) and was stopped. Please generate again."
        ))
    }

    /// How it ended, in a sentence, after its pipe was closed.
    pub fn obituary(&self) -> Error {
        let status = self.wait(FAREWELL);
        // Its last words travel on another pipe.
        std::thread::sleep(Duration::from_millis(20));
        let errors = self.shared.errors.lock();
        let last = errors.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or("");
        Error::worker(sentence(status, last))
    }

    /// Waits for its end, which is hastened when it takes too long.
    fn wait(&self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            let mut child = self.child.lock();
            match child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if begun.elapsed() < patience => {
                    drop(child);
                    std::thread::sleep(Duration::from_millis(2));
                }
                _ => {
                    drop(child);
                    self.kill();
                    return None;
                }
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        // The end of its input is the sign to leave.
        self.orders = None;
        if self.child.lock().try_wait().is_ok_and(|status| status.is_none()) {
            self.wait(FAREWELL);
        }
        for thread in self.threads.drain(..) {
            // They only move bytes; a panic there has nothing left to break.
            let _ = thread.join();
        }
    }
}

fn command(program: &Path, settings: &Settings) -> Command {
    let mut command = Command::new(program);
    let threads = settings.threads.to_string();
    command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Both pools of the tensor library are built once a process, from these. Its own for quantised products gets one thread: its
    // workers wait in loops that busy cores stop, while our threads share those products without waiting.
    command.env("RAYON_NUM_THREADS", &threads).env("CANDLE_NUM_THREADS", "1");
    command.envs(settings.environment.iter().map(|(name, value)| (name, value)));
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt;
        const BELOW_NORMAL_PRIORITY_CLASS: u32 = 0x4000;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(BELOW_NORMAL_PRIORITY_CLASS | CREATE_NO_WINDOW);
    }
    command
}

fn cannot_start(program: &Path, error: &io::Error) -> Error {
    Error::worker(format!(
        "The music engine {} cannot be started: {error}. Install Cantus again, or name the program in CANTUS_PROGRAM.",
        program.display()
    ))
}

/// Thread: to-worker. Ends, and closes the pipe, when nobody can send any more.
fn send_all(orders: &Receiver<(ToWorker, Vec<u8>)>, mut stdin: ChildStdin) {
    for (message, payload) in orders {
        if let Err(error) = protocol::write(&mut stdin, &message, &payload)
            && error.kind() != io::ErrorKind::InvalidInput
        {
            return;
        }
    }
}

/// Thread: from-worker. Ends with the pipe.
fn hear_all(stdout: ChildStdout, heard: &Sender<Event>, shared: &Shared) {
    let mut stdout = BufReader::with_capacity(1 << 16, stdout);
    loop {
        let event = match protocol::read(&mut stdout) {
            Ok(Some((message, payload))) => Event::Said(message, payload),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Event::Garbled(error),
            Ok(None) | Err(_) => Event::Ended,
        };
        if matches!(event, Event::Said(FromWorker::Leaving, _)) {
            shared.left.store(true, Ordering::Release);
        }
        let last = !matches!(event, Event::Said(..));
        if last {
            shared.over.store(true, Ordering::Release);
        }
        // Beats of an idle worker are nothing anybody waits for.
        let idle = matches!(event, Event::Said(FromWorker::Beat { .. }, _)) && heard.len() > 64;
        if (!idle && heard.send(event).is_err()) || last {
            return;
        }
    }
}

/// Thread: worker-log. Ends with the pipe.
fn keep_last_lines(stderr: ChildStderr, shared: &Shared) {
    let mut stderr = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        match stderr.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let mut lines = shared.errors.lock();
                lines.push_back(String::from_utf8_lossy(&line).into_owned());
                if lines.len() > KEPT_LINES {
                    lines.pop_front();
                }
            }
        }
    }
}

/// What the end of a process means to a musician.
fn sentence(status: Option<ExitStatus>, last_words: &str) -> String {
    const SAFE: &str = "Your take is safe";
    let memory = "close other programs, make it shorter or choose a smaller precision, then generate again";
    if last_words.contains("memory allocation") {
        return format!("The music engine ran out of memory. {SAFE}: {memory}.");
    }
    let said = if last_words.is_empty() { String::new() } else { format!(" ({last_words})") };
    match signal(status) {
        Some(KILLED) => {
            format!("The music engine was stopped from outside, perhaps because memory ran out. {SAFE}: {memory}.")
        }
        Some(BUS) => format!(
            "The music engine could not read its model, which has changed or is damaged. {SAFE}: check the model, then generate again."
        ),
        Some(number) => format!("The music engine crashed with signal {number}{said}. {SAFE}: generate again."),
        None => {
            let code =
                status.and_then(|status| status.code()).map_or_else(String::new, |code| format!(" with status {code}"));
            format!("The music engine ended{code}{said}. {SAFE}: generate again.")
        }
    }
}

const KILLED: i32 = 9;
/// A file that was mapped into memory and became shorter.
const BUS: i32 = if cfg!(target_os = "macos") { 10 } else { 7 };

#[cfg(unix)]
fn signal(status: Option<ExitStatus>) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status?)
}

#[cfg(not(unix))]
fn signal(_status: Option<ExitStatus>) -> Option<i32> {
    None
}
