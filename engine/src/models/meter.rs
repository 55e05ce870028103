//! Thread: worker. How far work on a model's files is: bytes, files, speed.

use crate::error::Result;
use crate::job_context::{JobContext, Stage};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is being done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Asking the hub what there is.
    Asking,
    /// Bytes come in.
    Fetching,
    /// Reading a file to see whether it is right.
    Checking,
    /// The connection was lost; it is tried again in a moment.
    Waiting,
}

/// How far it is. Bytes and files count everything that belongs to the model, also what is there already.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelProgress {
    /// What is being done.
    pub doing: Doing,
    /// The file it is done to; empty while asking.
    pub file: String,
    /// Files that are finished.
    pub files_done: usize,
    /// Files in all; 0 as long as it is not known.
    pub files: usize,
    /// Bytes that are there.
    pub bytes_done: u64,
    /// Bytes in all; 0 as long as it is not known.
    pub bytes: u64,
    /// Speed of the last seconds; 0 when nothing moves.
    pub bytes_per_second: f64,
}

/// The span the speed is taken over: long enough to be steady, short enough to show a stall.
const SPEED_SPAN: Duration = Duration::from_secs(4);
/// Listeners are told this often at most, beside every change of what is being done.
const INTERVAL: Duration = Duration::from_millis(50);

/// Keeps count and tells.
pub(super) struct Meter<'a> {
    context: &'a JobContext,
    stage: Stage,
    listener: &'a dyn Fn(&ModelProgress),
    now: ModelProgress,
    /// Bytes that came, with their time.
    recent: VecDeque<(Instant, u64)>,
    told: Option<Instant>,
}

impl<'a> Meter<'a> {
    pub fn new(context: &'a JobContext, stage: Stage, listener: &'a dyn Fn(&ModelProgress)) -> Self {
        let now = ModelProgress {
            doing: Doing::Asking,
            file: String::new(),
            files_done: 0,
            files: 0,
            bytes_done: 0,
            bytes: 0,
            bytes_per_second: 0.0,
        };
        Self { context, stage, listener, now, recent: VecDeque::new(), told: None }
    }

    /// How much there is.
    pub fn expect(&mut self, files: usize, bytes: u64) {
        self.now.files = files;
        self.now.bytes = bytes;
    }

    /// Another thing is done now, to this file.
    pub fn turn_to(&mut self, doing: Doing, file: &str) -> Result<()> {
        if self.now.doing != doing || self.now.file != file {
            self.now.doing = doing;
            file.clone_into(&mut self.now.file);
            self.recent.clear();
            self.told = None;
        }
        self.tell()
    }

    /// More bytes are there.
    pub fn add(&mut self, bytes: u64) -> Result<()> {
        self.now.bytes_done += bytes;
        self.recent.push_back((Instant::now(), bytes));
        self.tell()
    }

    /// Bytes turned out to be wrong.
    pub fn take_back(&mut self, bytes: u64) {
        self.now.bytes_done = self.now.bytes_done.saturating_sub(bytes);
    }

    /// A file is finished.
    pub fn finish_file(&mut self) -> Result<()> {
        self.now.files_done += 1;
        self.told = None;
        self.tell()
    }

    /// Waits, but not longer than until a stop is asked for.
    pub fn wait(&mut self, length: Duration) -> Result<()> {
        let end = Instant::now() + length;
        loop {
            self.tell()?;
            match end.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => std::thread::sleep(left.min(Duration::from_millis(20))),
                _ => return Ok(()),
            }
        }
    }

    fn tell(&mut self) -> Result<()> {
        self.context.check()?;
        let now = Instant::now();
        if self.told.is_some_and(|told| now.duration_since(told) < INTERVAL) {
            return Ok(());
        }
        self.told = Some(now);
        while self.recent.front().is_some_and(|(time, _)| now.duration_since(*time) > SPEED_SPAN) {
            self.recent.pop_front();
        }
        // The first entry's bytes came before its time, so they do not count for the span that begins there.
        let span = self.recent.front().map_or(0.0, |(time, _)| now.duration_since(*time).as_secs_f64());
        let bytes: u64 = self.recent.iter().skip(1).map(|(_, bytes)| bytes).sum();
        self.now.bytes_per_second = if span > 0.0 { bytes as f64 / span } else { 0.0 };
        (self.listener)(&self.now);
        let fraction = if self.now.bytes == 0 { 0.0 } else { self.now.bytes_done as f64 / self.now.bytes as f64 };
        self.context.progress(self.stage, fraction as f32)
    }
}
