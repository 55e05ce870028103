//! Thread: gui, worker. Region: one place of the song with its own take, melody and variations, such as verse and chorus.

use super::state::{CurrentTake, Variation, VariationStage};
use crate::analysis::edit::EditHistory;
use crate::audio::AudioBuffer;
use crate::capture::take::Take;
use crate::jobs::lanes::JobHandle;
use crate::jobs::pipeline::{Corrected, Melody};
use crate::playback::player::MOST_REGIONS;
use crate::rendition::Rendition;
use crate::time::Bpm;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Names a region in orders, for as long as the instance lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct RegionId(pub u64);

/// One place of the song.
#[derive(Default)]
pub(crate) struct Region {
    pub id: RegionId,
    pub name: String,
    /// Its place in the player, which no other region has.
    pub seat: usize,
    /// Silent, and the track is heard as it is.
    pub muted: bool,
    pub take: Option<CurrentTake>,
    /// What was heard.
    pub melody: Option<Melody>,
    /// What the user corrected about it.
    pub edits: EditHistory,
    /// The melody with the corrections.
    pub corrected: Option<Corrected>,
    pub analysis_job: Option<JobHandle>,
    pub variations: Vec<Variation>,
    pub active: Option<u64>,
    /// The rendering for another tempo that is under way.
    pub following: Option<Following>,
    /// The take itself beside the rendition that it belongs to, once somebody compared them.
    pub beside: Option<(Arc<Rendition>, Arc<AudioBuffer>)>,
}

/// A rendering for another tempo.
pub(crate) struct Following {
    pub variation: u64,
    pub tempo: Bpm,
    /// Somebody hears the region, or soon will.
    pub soon: bool,
    pub job: JobHandle,
}

impl Region {
    /// The take, while nobody has listened to it and nobody does.
    pub fn unheard_take(&self) -> Option<Arc<Take>> {
        let idle = self.melody.is_none() && self.analysis_job.as_ref().is_none_or(JobHandle::is_over);
        self.take.as_ref().filter(|_| idle).map(|current| current.take.clone())
    }

    /// Whether a project keeps the sound of a variation, when it is to `embed` sound at all. Notes can be played again; music that was made as
    /// audio cannot.
    pub fn keeps_sound_of(&self, variation: &Variation, embed: bool) -> bool {
        embed && (Some(variation.id) == self.active || variation.starred) || variation.original.is_some()
    }

    /// The rendition that plays.
    pub fn active_rendition(&self) -> Option<Arc<Rendition>> {
        let active = self.active?;
        self.variations.iter().find(|variation| variation.id == active).and_then(Variation::rendition)
    }

    /// The number after the largest that variations of a label have.
    pub fn next_number(&self, label: &str) -> u64 {
        let number = |variation: &Variation| variation.name.strip_prefix(label)?.trim().parse::<u64>().ok();
        self.variations.iter().filter_map(number).max().unwrap_or(0) + 1
    }

    /// Gives its variations other numbers. What was active stays so; of two that had one number, the first.
    pub fn renumber(&mut self, mut number: impl FnMut(&Variation) -> u64) {
        let active = self.active.take();
        for variation in &mut self.variations {
            let id = number(variation);
            if active == Some(variation.id) && self.active.is_none() {
                self.active = Some(id);
            }
            variation.id = id;
        }
    }

    /// Stops what the user waits for.
    pub fn cancel_orders(&self) {
        if let Some(job) = &self.analysis_job {
            job.cancel();
        }
        for variation in &self.variations {
            if let VariationStage::Pending(job) = &variation.stage {
                job.cancel();
            }
        }
    }

    /// Stops everything that is being made for it; nobody wants what is there of it.
    pub fn abandon_jobs(&self) {
        let renderings = self.following.iter().map(|following| &following.job);
        let pending = self.variations.iter().filter_map(|variation| match &variation.stage {
            VariationStage::Pending(job) => Some(job),
            _ => None,
        });
        self.analysis_job.iter().chain(renderings).chain(pending).for_each(JobHandle::abandon);
    }
}

/// The lowest seat that none of the regions has.
pub(super) fn free_seat(regions: &[Region]) -> Option<usize> {
    (0..MOST_REGIONS).find(|seat| regions.iter().all(|region| region.seat != *seat))
}
