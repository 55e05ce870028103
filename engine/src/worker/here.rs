//! Thread: worker. A neural engine in this very process: what the worker process does inside, and what a setting allows anywhere.

use super::Order;
use crate::audio::AudioBuffer;
use crate::data_dir::data_dir;
use crate::error::{Error, Result};
use crate::generation::musicgen::{DeviceChoice, LoadOptions, MusicGen, Precision};
use crate::job_context::{JobContext, Progress, Stage};
use crate::time::Seconds;
use parking_lot::Mutex;
use std::path::PathBuf;

/// Makes audio in this process. Keeps the last model it used.
#[derive(Default)]
pub struct Here {
    /// Threads that compute; as many as the environment allows when absent.
    threads: Option<usize>,
    loaded: Mutex<Option<Loaded>>,
}

struct Loaded {
    folder: PathBuf,
    precision: Precision,
    model: MusicGen,
}

impl Here {
    /// With a number of threads that compute.
    pub fn with_threads(threads: usize) -> Self {
        Self { threads: Some(threads), loaded: Mutex::default() }
    }

    /// Loads the model unless it is the one that was used last, and makes audio. `on_audio` gets each piece once.
    ///
    /// # Errors
    /// [`Error::Model`] and whatever the model says; [`Error::Cancelled`].
    pub fn generate(
        &self,
        order: &Order,
        context: &JobContext,
        on_audio: &mut dyn FnMut(&AudioBuffer),
    ) -> Result<AudioBuffer> {
        let mut loaded = self.loaded.lock();
        let fits = |loaded: &Loaded| loaded.folder == order.folder && loaded.precision == order.precision;
        if !loaded.as_ref().is_some_and(fits) {
            // The old one goes first: two in memory would be too many.
            *loaded = None;
            context.progress(Stage::Loading, 0.0)?;
            let loading = context.mapped(|progress| Progress { stage: Stage::Loading, ..progress });
            let options = LoadOptions {
                precision: order.precision,
                weights_cache: data_dir().map(|folder| folder.join("quantised")),
                threads: self.threads,
                device: DeviceChoice::from_environment()?,
            };
            let (model, _) = MusicGen::load_with(&order.folder, &options, &loading)?;
            *loaded = Some(Loaded { folder: order.folder.clone(), precision: order.precision, model });
        }
        let Some(Loaded { model, .. }) = loaded.as_ref() else {
            return Err(Error::internal("making music", "the model went away"));
        };
        let seconds = order.request.seconds;
        context.check()?;
        context.tell(made_of(0.0, seconds));
        let making = context.mapped(move |progress| made_of(progress.fraction, seconds));
        model.generate(&order.request, &making, on_audio)
    }
}

/// A share of what is wanted, as seconds of audio.
fn made_of(fraction: f32, wanted: Seconds) -> Progress {
    Progress { made: Some(Seconds(f64::from(fraction) * wanted.0)), ..Progress::new(Stage::Generation, fraction) }
}
