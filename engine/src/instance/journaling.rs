//! Thread: any asks, worker writes. What a save and a killed host need is made when something changes, so that neither waits for it.

use super::recovered::Recovered;
use super::{Instance, Shared};
use crate::capture::spool;
use crate::error::Result;
use crate::jobs::lanes::{Job, Lane, Priority};
use crate::session::journal::{self, About, Journal};
use crate::session::outline::Outline;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Changes that follow each other quicker than this are written once.
const GATHER: Duration = Duration::from_millis(400);

/// How far saving is behind what happens.
#[derive(Default)]
pub(crate) struct Keeping {
    /// Counts changes of the project.
    changes: AtomicU64,
    /// The count that the project was saved at, or opened.
    saved: AtomicU64,
    /// A job that makes what a save needs is queued.
    queued: AtomicBool,
    journal: parking_lot::Mutex<Book>,
}

/// Where the journal is.
#[derive(Default)]
enum Book {
    /// Nobody wants one.
    #[default]
    None,
    /// Below this folder, once there is something to write.
    Wanted(PathBuf),
    Open(Journal),
    /// The instance has gone.
    Closed,
}

impl Instance {
    /// Keeps what is new in a journal below a folder, and offers what killed hosts left in there. The first call counts.
    pub fn keep_journal(&self, folder: Option<PathBuf>) {
        let Some(folder) = folder else { return };
        let mut book = self.shared.keeping.journal.lock();
        if !matches!(*book, Book::None) {
            return;
        }
        *book = Book::Wanted(folder.clone());
        drop(book);
        self.shared.offer("journals", move || {
            journal::recover(&folder).into_iter().map(|one| Recovered::Session(Box::new(one))).collect()
        });
    }

    /// What a project saves, with its large parts as they will be written. What nobody has made yet is made in the quickest way.
    ///
    /// # Errors
    /// [`crate::Error::Internal`], which would be a bug.
    pub fn outline(&self) -> Result<Outline> {
        // A change that comes meanwhile is not in it.
        let changes = self.shared.keeping.changes.load(Ordering::Acquire);
        let outline = self.shared.outline(true)?;
        self.shared.keeping.saved.store(changes, Ordering::Release);
        Ok(outline)
    }
}

impl Shared {
    /// The project changed. Thread: any but audio; whoever calls holds no lock.
    pub(super) fn changed(self: &Arc<Self>) {
        self.keeping.changes.fetch_add(1, Ordering::AcqRel);
        self.prepare_saving();
    }

    /// What there is now is what the project holds.
    pub(super) fn opened(self: &Arc<Self>) {
        let changes = self.keeping.changes.load(Ordering::Acquire);
        self.keeping.saved.store(changes, Ordering::Release);
        // A job that was queued before was abandoned with everything else.
        self.keeping.queued.store(false, Ordering::Release);
        self.prepare_saving();
    }

    /// Has made what the next save needs.
    pub(super) fn prepare_saving(self: &Arc<Self>) {
        if self.tools.get().is_none() || self.keeping.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let (weak, failed) = (Arc::downgrade(self), Arc::downgrade(self));
        let job = self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Normal,
            delay: GATHER,
            key: None,
            work: Box::new(move |_| {
                let Some(shared) = weak.upgrade() else { return Ok(()) };
                // What changes from now on is the next job's.
                shared.keeping.queued.store(false, Ordering::Release);
                shared.pack_what_is_saved();
                let outline = shared.outline(false)?;
                let pieces = outline.pieces()?;
                pieces.iter().for_each(crate::session::piece::Piece::prepare);
                shared.stage_ahead();
                shared.write_journal(&outline, &pieces)
            }),
            done: Box::new(move |result| {
                let Some(shared) = failed.upgrade() else { return };
                shared.keeping.queued.store(false, Ordering::Release);
                if let Err(error) = result
                    && error != crate::Error::Cancelled
                {
                    shared.say(format!("{error} What is new is safe only once the project is saved."));
                }
            }),
        });
        if job.is_none() {
            self.keeping.queued.store(false, Ordering::Release);
        }
    }

    fn write_journal(&self, outline: &Outline, pieces: &[crate::session::piece::Piece]) -> Result<()> {
        let about = about(outline);
        let unsaved = self.keeping.changes.load(Ordering::Acquire) != self.keeping.saved.load(Ordering::Acquire);
        let mut book = self.keeping.journal.lock();
        if let Book::Wanted(folder) = &*book {
            // What was only opened is in its project.
            if !unsaved || about == About::default() {
                return Ok(());
            }
            *book = Book::Open(Journal::begin(folder)?);
        }
        match &*book {
            Book::Open(journal) => journal.write(pieces, about),
            _ => Ok(()),
        }
    }

    /// The instance goes in peace: what its project holds needs no journal. Thread: gui.
    pub(super) fn close_journal(&self) {
        let unsaved = self.keeping.changes.load(Ordering::Acquire) != self.keeping.saved.load(Ordering::Acquire);
        let book = std::mem::replace(&mut *self.keeping.journal.lock(), Book::Closed);
        if unsaved {
            // Offered on return: whoever closes without saving may have meant it, but a host may also have failed to save.
            return;
        }
        if let Book::Open(journal) = book {
            journal.remove();
        }
        for recovered in self.state.lock().restored.drain(..) {
            match recovered {
                // What cannot be removed is offered next time, which is the lesser evil.
                Recovered::Take(take) => drop(spool::discard(&take)),
                Recovered::Session(session) => drop(session.discard()),
            }
        }
    }
}

fn about(outline: &Outline) -> About {
    let takes = outline.regions.iter().filter_map(|region| region.take.as_ref());
    let bars = takes.map(|(facts, _)| facts.length.0 / facts.grid.metre.bar().0.max(0.25)).sum();
    About { bars, variations: outline.regions.iter().map(|region| region.variations.len()).sum() }
}
