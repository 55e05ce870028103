//! Thread: gui. Opening a saved session in place of what an instance holds.

use super::region::{Region, RegionId};
use super::state::{CurrentTake, State, Variation, VariationStage};
use super::{Notice, Shared};
use crate::error::Result;
use crate::jobs::cache::InputHash;
use crate::jobs::pipeline::Melody;
use crate::playback::player::MOST_REGIONS;
use crate::session::{SavedRegion, Session};
use std::sync::Arc;

impl Shared {
    /// Replaces everything by a saved session.
    ///
    /// # Errors
    /// [`crate::Error::Session`] when a recording in it cannot be unpacked; nothing is changed then.
    pub(super) fn restore(self: &Arc<Self>, session: Session) -> Result<()> {
        let regions: Vec<Region> =
            session.regions.into_iter().take(MOST_REGIONS).map(unpacked).collect::<Result<_>>()?;
        self.cancel_everything();
        let mut state = self.state.lock();
        let mut fresh = State {
            prompt: session.prompt,
            engine: session.engine,
            direction: session.direction,
            song: session.song,
            unknown: session.unknown,
            // Numbers go on, so that a result of before never meets a variation of now.
            next_id: state.next_id,
            connection: state.connection.take(),
            recovered: std::mem::take(&mut state.recovered),
            restored: std::mem::take(&mut state.restored),
            ..State::default()
        };
        let mut numbered = Vec::new();
        for (seat, mut region) in regions.into_iter().enumerate() {
            region.id = RegionId(fresh.fresh_id());
            region.seat = seat;
            let active = region.active.take();
            for variation in &mut region.variations {
                let id = fresh.fresh_id();
                if active == Some(variation.id) {
                    region.active = Some(id);
                }
                variation.id = id;
            }
            numbered.push(region);
        }
        fresh.replace_regions(numbered, session.chosen);
        *state = fresh;
        if let Some(connection) = &mut state.connection {
            connection.senders.iter_mut().for_each(|sender| sender.send(None));
        }
        drop(state);
        self.catch_up();
        (self.notice)(Notice::Repaint);
        Ok(())
    }
}

/// A region as it was saved, still with the numbers it was saved with.
fn unpacked(saved: SavedRegion) -> Result<Region> {
    let mut region = Region { name: saved.name, muted: saved.muted, active: saved.active, ..Region::default() };
    if let Some(saved_take) = saved.take {
        let take = saved_take.facts.with_audio(saved_take.audio.unpack()?);
        let input = InputHash::of_take(&take);
        region.take = Some(CurrentTake { take: Arc::new(take), packed: Some(saved_take.audio) });
        region.edits = saved.edits;
        if let Some(analysis) = saved.analysis {
            // What was read was fitted to this very analysis: nothing is lost now.
            region.hear(Melody { input, analysis: Arc::new(analysis), analysis_ms: 0.0 });
        }
    }
    for saved in saved.variations {
        let facts = saved.facts;
        let (id, name, recipe, starred) = (facts.id, facts.name.clone(), facts.recipe.clone(), facts.starred);
        let stage = match &saved.mix {
            Some(packed) => VariationStage::Ready(Arc::new(facts.with_mix(packed.unpack()?))),
            None => VariationStage::Silent(Box::new(facts)),
        };
        let original = match &stage {
            VariationStage::Ready(rendition) if rendition.made.is_some() => Some(rendition.clone()),
            _ => None,
        };
        region.variations.push(Variation { id, name, recipe, starred, stage, original, packed: saved.mix });
    }
    Ok(region)
}
