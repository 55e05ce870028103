//! Thread: worker. What a stage may know of the job it runs in: whether to stop, and whom to tell how far it is.
//!
//! Stages get this instead of the job system, so that none of them depends on it.

use crate::error::{Error, Result};
use crate::time::Seconds;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Set once, from anywhere, to ask a job to stop. A stop that was asked for can become more urgent, never less.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<Cancel>);

#[derive(Debug, Default)]
struct Cancel {
    /// 0 go on, [`STOP`] or [`ABANDON`].
    level: AtomicU8,
    /// How often somebody looked.
    looks: AtomicU64,
}

/// Make nothing more; what there is may be finished and kept.
const STOP: u8 = 1;
/// Nobody wants the result any more.
const ABANDON: u8 = 2;

impl CancelToken {
    /// Asks the job to stop. A job that has something worth keeping by then may finish it; see [`JobContext::salvage`].
    pub fn cancel(&self) {
        self.0.level.fetch_max(STOP, Ordering::AcqRel);
    }

    /// Asks the job to stop at once: whatever it made is not wanted.
    pub fn abandon(&self) {
        self.0.level.fetch_max(ABANDON, Ordering::AcqRel);
    }

    /// Whether a stop was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.reached(STOP)
    }

    /// How often the job looked whether to stop: a job that never looks hangs.
    pub fn looks(&self) -> u64 {
        self.0.looks.load(Ordering::Relaxed)
    }

    fn reached(&self, level: u8) -> bool {
        self.0.looks.fetch_add(1, Ordering::Relaxed);
        self.0.level.load(Ordering::Acquire) >= level
    }
}

/// The stages of a job, in order, as the progress bar names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Waiting in a lane.
    Queued,
    /// Pitch, notes, chroma, key.
    Analysis,
    /// Harmony and parts.
    Arrangement,
    /// Waiting until another Cantus of this user has finished its neural work.
    Turn,
    /// A neural engine's weights.
    Loading,
    /// A neural engine makes audio.
    Generation,
    /// Finding the beat of what was made, and fitting it to the song.
    Alignment,
    /// Score to audio.
    Render,
    /// Balance, loudness, limiting.
    Mix,
    /// Writing files.
    Export,
    /// A model comes from the network.
    Fetch,
    /// A model's files are read through.
    Verify,
}

impl Stage {
    /// As a gerund for messages: "analysing the melody".
    pub fn doing(self) -> &'static str {
        match self {
            Self::Queued => "waiting",
            Self::Analysis => "analysing the melody",
            Self::Arrangement => "arranging",
            Self::Turn => "waiting for another Cantus to finish its music",
            Self::Loading => "loading the model",
            Self::Generation => "making music",
            Self::Alignment => "fitting the music to the beat",
            Self::Render => "playing the parts",
            Self::Mix => "mixing",
            Self::Export => "writing files",
            Self::Fetch => "fetching the model",
            Self::Verify => "checking the model",
        }
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Progress {
    /// The stage it is in.
    pub stage: Stage,
    /// 0 to 1 within the stage.
    pub fraction: f32,
    /// How much audio a neural engine has made, while it makes some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Seconds>,
}

impl Progress {
    /// A stage and how far it is, 0 to 1.
    pub fn new(stage: Stage, fraction: f32) -> Self {
        Self { stage, fraction: fraction.clamp(0.0, 1.0), made: None }
    }

    /// In words: "making music, 4.2 s".
    pub fn words(&self) -> String {
        match self.made {
            Some(made) => format!("{}, {:.1} s", self.stage.doing(), made.0),
            None => self.stage.doing().to_owned(),
        }
    }
}

/// Cancel and progress for one job.
#[derive(Clone)]
pub struct JobContext {
    cancel: CancelToken,
    /// The level at which this part of the job stops.
    stops_at: u8,
    report: Arc<dyn Fn(Progress) + Send + Sync>,
}

impl JobContext {
    /// A context that reports to a function.
    pub fn new(cancel: CancelToken, report: Arc<dyn Fn(Progress) + Send + Sync>) -> Self {
        Self { cancel, stops_at: STOP, report }
    }

    /// A context nobody listens to and nobody cancels: for tests and one-off calls.
    pub fn detached() -> Self {
        Self::new(CancelToken::default(), Arc::new(|_| ()))
    }

    /// The same job with one more listener.
    pub fn observed(&self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        let report = self.report.clone();
        let both = move |progress| {
            report(progress);
            listener(progress);
        };
        Self { cancel: self.cancel.clone(), stops_at: self.stops_at, report: Arc::new(both) }
    }

    /// The same job, its reports in other words.
    pub fn mapped(&self, words: impl Fn(Progress) -> Progress + Send + Sync + 'static) -> Self {
        let report = self.report.clone();
        Self { report: Arc::new(move |progress| report(words(progress))), ..self.clone() }
    }

    /// The context in which a cancelled job may finish what it has made so far; `None` when nobody wants it any more.
    pub fn salvage(&self) -> Option<Self> {
        (!self.cancel.reached(ABANDON)).then(|| Self { stops_at: ABANDON, ..self.clone() })
    }

    /// Passes on what another process told of this job. Does not look whether to stop.
    pub fn tell(&self, progress: Progress) {
        (self.report)(progress);
    }

    /// Tells how far the job is.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when a stop was asked for: stages call this at least every 50 ms of work and return the error.
    pub fn progress(&self, stage: Stage, fraction: f32) -> Result<()> {
        self.check()?;
        (self.report)(Progress::new(stage, fraction));
        Ok(())
    }

    /// # Errors
    /// [`Error::Cancelled`] when a stop was asked for.
    pub fn check(&self) -> Result<()> {
        if self.cancel.reached(self.stops_at) { Err(Error::Cancelled) } else { Ok(()) }
    }
}
