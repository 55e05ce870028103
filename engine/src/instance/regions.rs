//! Thread: gui, collector. Orders about the places of the song: verse, chorus, and so on, each with its own take and renditions.

use super::region::RegionId;
use super::{Instance, Notice, Shared};
use crate::playback::player::MOST_REGIONS;
use std::sync::Arc;

impl Instance {
    /// Lets orders and the window speak of another region. A capture that is under way stays with its own.
    pub fn choose_region(&self, id: RegionId) {
        self.shared.choose_region(id);
    }

    /// Adds an empty region and chooses it. When there are as many as can be, that is said.
    pub fn add_region(&self) -> Option<RegionId> {
        let mut state = self.shared.state.lock();
        let added = state.add_region();
        state.tell_standing();
        if added.is_none() {
            state.say(format!("{MOST_REGIONS} regions are the most one Cantus can hold. Put another one on a track."));
        }
        drop(state);
        (self.shared.notice)(if added.is_some() { Notice::Dirty } else { Notice::Repaint });
        added
    }

    /// Removes a region with everything in it. The last one leaves an empty one behind.
    pub fn remove_region(&self, id: RegionId) {
        let mut state = self.shared.state.lock();
        let Some(removed) = state.remove_region(id) else { return };
        if let Some(connection) = &mut state.connection {
            connection.senders[removed.seat].send(None);
        }
        state.tell_standing();
        drop(state);
        removed.abandon_jobs();
        (self.shared.notice)(Notice::Dirty);
    }

    /// Renames a region.
    pub fn rename_region(&self, id: RegionId, name: String) {
        if let Some(region) = self.shared.state.lock().region(id) {
            region.name = name;
        }
        (self.shared.notice)(Notice::Dirty);
    }

    /// Silences a region, so that the track is heard as it is, or lets it sound again.
    pub fn mute_region(&self, id: RegionId, muted: bool) {
        let mut state = self.shared.state.lock();
        let Some(region) = state.region(id) else { return };
        let changed = region.muted != muted;
        region.muted = muted;
        drop(state);
        if changed {
            self.shared.refresh_active(id);
            (self.shared.notice)(Notice::Dirty);
        }
    }
}

impl Shared {
    pub(super) fn choose_region(self: &Arc<Self>, id: RegionId) {
        let mut state = self.state.lock();
        let changed = state.chosen().id != id && state.choose(id);
        state.tell_standing();
        drop(state);
        if changed {
            (self.notice)(Notice::Repaint);
        }
    }

    /// Chooses the region of a number, from 1; others leave it as it is.
    pub(super) fn choose_region_number(self: &Arc<Self>, number: usize) {
        let state = self.state.lock();
        let id = number.checked_sub(1).and_then(|place| state.regions().get(place)).map(|region| region.id);
        drop(state);
        if let Some(id) = id {
            self.choose_region(id);
        }
    }
}
