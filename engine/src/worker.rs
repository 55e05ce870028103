//! Thread: any. Worker: where neural engines run, here or in a process of their own.
//!
//! A model takes gigabytes and minutes, its library ends the process when memory runs out, and its thread pools never end. So the
//! inference thread of a plugin [supervises](supervisor) the `cantus` program, which [serves](server) one order after another over
//! two pipes ([`protocol`]). One worker of a user works at a time ([`turn`]). [`here`] does the same without a process.

pub mod here;
pub mod place;
pub mod protocol;
pub mod server;
pub mod supervisor;
pub mod turn;

use crate::audio::AudioBuffer;
use crate::error::Result;
use crate::generation::musicgen::{AudioRequest, Precision};
use crate::job_context::JobContext;
use here::Here;
use std::path::PathBuf;
use supervisor::{Settings, Supervisor};

/// What a neural engine is to make, and with which model.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The model's folder.
    pub folder: PathBuf,
    /// How its weights are held.
    pub precision: Precision,
    /// What to make.
    pub request: AudioRequest,
}

/// Where neural engines run.
pub enum Workshop {
    /// In this process. Simple to look into; a model that fails takes the program along.
    Here(Box<Here>),
    /// In a process of their own.
    Process(Box<Supervisor>),
}

impl Workshop {
    /// As the user set it: `CANTUS_IN_PROCESS=1` asks for this process, everything else for one of its own. Starts nothing.
    pub fn from_settings() -> Self {
        if std::env::var_os("CANTUS_IN_PROCESS").is_some_and(|value| value == "1") {
            Self::here()
        } else {
            Self::Process(Box::new(Supervisor::new(Settings::default())))
        }
    }

    /// This process, with as many threads as a worker would have.
    pub fn here() -> Self {
        Self::Here(Box::new(Here::with_threads(Settings::default().threads)))
    }

    /// Makes audio. `on_audio` gets each piece once, in order; when the result is an error, they are what was made until then.
    ///
    /// # Errors
    /// [`crate::Error::Model`] in this process and [`crate::Error::Worker`] from another, as sentences; [`crate::Error::Cancelled`].
    pub fn generate(
        &self,
        order: &Order,
        context: &JobContext,
        on_audio: &mut dyn FnMut(&AudioBuffer),
    ) -> Result<AudioBuffer> {
        match self {
            Self::Here(here) => here.generate(order, context, on_audio),
            Self::Process(supervisor) => supervisor.generate(order, context, on_audio),
        }
    }
}
