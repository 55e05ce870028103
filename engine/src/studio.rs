//! Thread: any. Studio: the workers, the collector and the library that all instances in a process share.
//!
//! The first instance that is activated opens it, the last one that goes closes it and joins its threads, because a thread that outlives
//! an unloaded plugin takes the host down.

use crate::capture::collector::Collector;
use crate::error::Result;
use crate::generation::style::library::{StyleLibrary, StyleShelf};
use crate::jobs::cache::Cache;
use crate::jobs::lanes::Lanes;
use crate::worker::Workshop;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

/// What all instances share.
pub struct Studio {
    /// The workers. Declared first, so that they stop before what they use goes.
    pub lanes: Lanes,
    /// The thread that drains the rings.
    pub collector: Collector,
    /// The styles, the user's own among them as they are at the moment.
    pub shelf: Arc<StyleShelf>,
    /// Results that can be reused.
    pub cache: Arc<Cache>,
    /// Where neural engines run. Nothing is started before somebody asks for music.
    pub workshop: Arc<Workshop>,
}

static SHARED: Mutex<Weak<Studio>> = Mutex::new(Weak::new());

impl Studio {
    /// The process's studio, opened when nobody had it open.
    ///
    /// # Errors
    /// When the system gives no threads or a built-in style is broken.
    pub fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock();
        if let Some(open) = shared.upgrade() {
            return Ok(open);
        }
        let studio = Arc::new(Self {
            lanes: Lanes::start()?,
            collector: Collector::start()?,
            shelf: Arc::new(StyleShelf::open(StyleLibrary::user_folder())?),
            cache: Arc::default(),
            workshop: Arc::new(Workshop::from_settings()),
        });
        *shared = Arc::downgrade(&studio);
        Ok(studio)
    }
}
