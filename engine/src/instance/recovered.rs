//! Thread: gui, worker. What killed hosts left behind: takes that were growing, and whole sessions that were not saved.

use super::reopening::unpacked;
use super::{Instance, Notice, Shared};
use crate::capture::spool::{self, RecoveredTake};
use crate::error::Result;
use crate::jobs::lanes::{Job, Lane, Priority};
use crate::playback::player::MOST_REGIONS;
use crate::session::Session;
use crate::session::journal::RecoveredSession;
use std::sync::Arc;
use std::time::Duration;

/// Something that was left behind.
pub(crate) enum Recovered {
    Take(Box<RecoveredTake>),
    Session(Box<RecoveredSession>),
}

impl Recovered {
    /// For the window: "12.4 s, from bar 5", "12 minutes ago: 8 bars, 3 variations".
    pub fn describe(&self) -> String {
        match self {
            Self::Take(take) => take.describe(),
            Self::Session(session) => session.describe(),
        }
    }
}

impl Instance {
    /// Uses what a crashed host left behind: a take becomes the chosen region's; a session takes the place of an empty one, and its regions
    /// come beside those that are there.
    pub fn restore_recovered(&self, index: usize) {
        let mut state = self.shared.state.lock();
        if index >= state.recovered.len() {
            return;
        }
        match state.recovered.remove(index) {
            Recovered::Take(recovered) => {
                let take = recovered.take.clone();
                // Its file stays until this instance goes in peace: the project may not be saved yet.
                state.restored.push(Recovered::Take(recovered));
                drop(state);
                self.shared.take_arrived(None, take);
            }
            Recovered::Session(recovered) => {
                drop(state);
                let adopted = recovered.session().and_then(|session| self.shared.adopt(session));
                let mut state = self.shared.state.lock();
                let recovered = Recovered::Session(recovered);
                match adopted {
                    Ok(()) => {
                        state.restored.push(recovered);
                        drop(state);
                        (self.shared.notice)(Notice::Dirty);
                    }
                    Err(error) => {
                        // It stays on offer: another track, or another Cantus, may take it.
                        state.recovered.insert(index, recovered);
                        state.say(error.to_string());
                        drop(state);
                        (self.shared.notice)(Notice::Repaint);
                    }
                }
            }
        }
    }

    /// Forgets what a crashed host left behind.
    pub fn discard_recovered(&self, index: usize) {
        let mut state = self.shared.state.lock();
        if index < state.recovered.len() {
            let recovered = state.recovered.remove(index);
            drop(state);
            let discarded = match recovered {
                Recovered::Take(take) => spool::discard(&take),
                Recovered::Session(session) => session.discard(),
            };
            if let Err(error) = discarded {
                self.shared.say(error.to_string());
            }
        }
    }
}

impl Shared {
    /// Looks, when nobody waits for anything, for what killed hosts left behind, and offers it. `kind` names the place that is looked at.
    pub(super) fn offer(self: &Arc<Self>, kind: &str, look: impl FnOnce() -> Vec<Recovered> + Send + 'static) {
        let weak = Arc::downgrade(self);
        self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Idle,
            delay: Duration::ZERO,
            key: Some(self.key(kind)),
            work: Box::new(move |_| {
                let found = look();
                if let Some(shared) = weak.upgrade().filter(|_| !found.is_empty()) {
                    shared.state.lock().recovered.extend(found);
                    (shared.notice)(Notice::Repaint);
                }
                Ok(())
            }),
            done: Box::new(|_| ()),
        });
    }

    /// Takes a recovered session in.
    ///
    /// # Errors
    /// [`crate::Error::Session`] when a recording cannot be unpacked, [`crate::Error::OutOfRange`] when there is no room; nothing is changed then.
    fn adopt(self: &Arc<Self>, session: Session) -> Result<()> {
        let state = self.state.lock();
        let empty = state.regions().iter().all(|region| region.take.is_none() && region.variations.is_empty());
        drop(state);
        if empty {
            return self.restore(session);
        }
        let full = |region: &crate::session::SavedRegion| region.take.is_some() || !region.variations.is_empty();
        let regions: Vec<_> =
            session.regions.into_iter().filter(full).map(|region| unpacked(region, &[])).collect::<Result<_>>()?;
        let mut state = self.state.lock();
        let free = MOST_REGIONS - state.regions().len();
        if regions.len() > free {
            return Err(crate::Error::OutOfRange {
                what: "The number of recovered regions",
                got: regions.len().to_string(),
                expected: format!(
                    "{free} at most, which is the room left here. Put Cantus on another track and recover them there"
                ),
            });
        }
        for mut region in regions {
            let Some(id) = state.add_region() else { break };
            region.renumber(|_| state.fresh_id());
            if let Some(added) = state.region(id) {
                (region.id, region.seat) = (id, added.seat);
                *added = region;
            }
        }
        drop(state);
        self.catch_up();
        Ok(())
    }
}
