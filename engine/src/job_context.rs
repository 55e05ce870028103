//! Thread: worker. What a stage may know of the job it runs in: whether to stop, and whom to tell how far it is.
//!
//! Stages get this instead of the job system, so that none of them depends on it.

use crate::error::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set once, from anywhere, to ask a job to stop.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Asks the job to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether a stop was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
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
    /// Harmony and parts, or a neural engine's tokens.
    Arrangement,
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
}

/// Cancel and progress for one job.
#[derive(Clone)]
pub struct JobContext {
    cancel: CancelToken,
    report: Arc<dyn Fn(Progress) + Send + Sync>,
}

impl JobContext {
    /// A context that reports to a function.
    pub fn new(cancel: CancelToken, report: Arc<dyn Fn(Progress) + Send + Sync>) -> Self {
        Self { cancel, report }
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
        Self::new(self.cancel.clone(), Arc::new(both))
    }

    /// Tells how far the job is.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when a stop was asked for: stages call this at least every 50 ms of work and return the error.
    pub fn progress(&self, stage: Stage, fraction: f32) -> Result<()> {
        self.check()?;
        (self.report)(Progress { stage, fraction: fraction.clamp(0.0, 1.0) });
        Ok(())
    }

    /// # Errors
    /// [`Error::Cancelled`] when a stop was asked for.
    pub fn check(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
}
