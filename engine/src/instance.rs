//! Thread: gui, worker. Instance: one plugin on one track, as the shell and the window see it.
//!
//! The shell gets the two ends of the audio thread from [`Instance::activate`]; everything else is an order (arm, generate,
//! select, …) that returns at once, and a [`view::View`] that tells the truth about what is going on. Results arrive from
//! workers; [`Notice`]s say that something changed.

mod again;
mod as_saved;
pub mod band;
mod capturing;
mod corrections;
pub mod files;
mod journaling;
mod making;
pub mod orders;
mod outlining;
mod playing;
mod recovered;
pub mod region;
mod regions;
mod reopening;
mod results;
pub mod state;
pub mod view;

use crate::capture::collector::{CaptureEvent, Ear, EarSettings};
use crate::capture::recorder::Recorder;
use crate::capture::ring::ring;
use crate::capture::spool;
use crate::error::{Error, Result};
use crate::generation::style::library::{StyleLibrary, StyleShelf};
use crate::jobs::cache::Cache;
use crate::jobs::lanes::{JobHandle, LanesHandle};
use crate::playback::handoff::handoffs;
use crate::playback::player::Player;
use crate::playback::standing::Standing;
use crate::studio::Studio;
use crate::time::SampleRate;
use crate::worker::Workshop;
use parking_lot::Mutex;
use recovered::Recovered;
use state::{Connection, State};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// Seconds of audio that a ring holds: the collector would have to sleep this long before a sample is lost.
const RING_SECONDS: f64 = 4.0;

/// What the shell should know about at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The picture changed.
    Repaint,
    /// The project changed: the host should ask to save it.
    Dirty,
}

/// Hears notices, on any thread but the audio thread.
pub type OnNotice = Arc<dyn Fn(Notice) + Send + Sync>;

/// The two ends that the audio thread owns.
pub struct AudioEnds {
    /// Where it pushes what it hears.
    pub recorder: Recorder,
    /// What it plays.
    pub player: Player,
    /// What it must know of the instance.
    pub standing: Arc<Standing>,
}

/// One plugin instance. Dropping the last one closes the studio.
pub struct Instance {
    shared: Arc<Shared>,
    /// Declared in this order on purpose: the ear leaves the collector before the studio may close.
    ear: Mutex<Option<Ear>>,
    studio: OnceLock<Arc<Studio>>,
}

/// What workers may hold on to: never the studio itself, or the last worker would have to join itself.
pub(crate) struct Shared {
    /// Names this instance's jobs.
    id: u64,
    state: Mutex<State>,
    /// Everything that runs for this instance.
    jobs: Mutex<Vec<JobHandle>>,
    notice: OnNotice,
    tools: OnceLock<Tools>,
    /// How far saving is behind.
    keeping: journaling::Keeping,
    /// Parts of sessions that were made before.
    pieces: Mutex<outlining::Pieces>,
}

/// The parts of the studio that workers use.
#[derive(Clone)]
pub(crate) struct Tools {
    lanes: LanesHandle,
    shelf: Arc<StyleShelf>,
    cache: Arc<Cache>,
    workshop: Arc<Workshop>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Instance {
    /// A new instance. Starts nothing and touches no disk: hosts create instances only to look at them.
    pub fn new(notice: OnNotice) -> Self {
        let shared = Arc::new_cyclic(|weak: &Weak<Shared>| {
            let weak = weak.clone();
            Shared {
                id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
                state: Mutex::default(),
                jobs: Mutex::default(),
                notice: Arc::new(move |told| {
                    if let Some(shared) = weak.upgrade().filter(|_| told == Notice::Dirty) {
                        shared.changed();
                    }
                    notice(told);
                }),
                tools: OnceLock::new(),
                keeping: journaling::Keeping::default(),
                pieces: Mutex::default(),
            }
        });
        Self { shared, ear: Mutex::default(), studio: OnceLock::new() }
    }

    /// Prepares for audio: opens the studio if need be and gives the audio thread its ends. Called again whenever rate or
    /// channels change; what is playing is rendered again for the new rate, and follows through the ring.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn activate(&self, rate: SampleRate, channels: usize, max_block: usize) -> Result<AudioEnds> {
        let studio = self.studio()?;
        let (recorder, reader) = ring(rate, channels.clamp(1, 2), RING_SECONDS);
        let mut ear = self.ear.lock();
        if let Some(ear) = ear.as_ref() {
            ear.replace_reader(reader);
        } else {
            let weak = Arc::downgrade(&self.shared);
            let hear = Box::new(move |event: CaptureEvent| {
                if let Some(shared) = weak.upgrade() {
                    shared.captured(event);
                }
            });
            *ear = Some(studio.collector.add(reader, EarSettings::default(), hear));
            if let Some(folder) = spool::default_dir() {
                self.shared.offer("recover", move || {
                    spool::recover(&folder).into_iter().map(|take| Recovered::Take(Box::new(take))).collect()
                });
            }
        }
        drop(ear);
        let (senders, inboxes) = handoffs();
        let player = Player::new(inboxes, rate, max_block);
        let standing = Arc::new(Standing::default());
        self.shared.connect(Connection { senders, telemetry: player.telemetry(), rate, standing: standing.clone() });
        Ok(AudioEnds { recorder, player, standing })
    }

    fn studio(&self) -> Result<Arc<Studio>> {
        if let Some(studio) = self.studio.get() {
            return Ok(studio.clone());
        }
        let studio = Studio::shared()?;
        let tools = Tools {
            lanes: studio.lanes.handle(),
            shelf: studio.shelf.clone(),
            cache: studio.cache.clone(),
            workshop: studio.workshop.clone(),
        };
        // Both are set once; a second caller at the same moment got the same studio.
        let _ = self.shared.tools.set(tools);
        let _ = self.studio.set(studio.clone());
        Ok(studio)
    }

    /// The styles there are at this moment, the user's own among them, and what is wrong in the user's files. `None` before the
    /// first activation. Thread: gui; it may read files.
    pub fn styles(&self) -> Option<(Arc<StyleLibrary>, Vec<Error>)> {
        let shelf = &self.shared.tools.get()?.shelf;
        Some((shelf.library(), shelf.mistakes()))
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.shared.cancel_everything();
        // The project has had its chance to be saved.
        self.shared.close_journal();
    }
}
