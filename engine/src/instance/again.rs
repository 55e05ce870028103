//! Thread: gui. More of what is there, and back what was taken away: variations anew, variations alike, deletions undone.

use super::region::RegionId;
use super::state::{Variation, VariationStage};
use super::{Instance, Notice};
use crate::generation::direction::Moods;
use crate::generation::{EngineKind, Recipe};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Deletions that can be taken back.
const MOST_DELETED: usize = 8;
/// How far a mood of a variation that is alike lies from its model's, at most.
const NUDGE: f32 = 0.2;

/// A variation that was deleted, and where it was.
pub(crate) struct Deleted {
    region: RegionId,
    place: usize,
    variation: Variation,
}

impl Instance {
    /// Makes a variation by the recipe of another one, with a seed that none of the region's has yet.
    pub fn reroll(&self, id: u64) {
        let Some((region, recipe, seed)) = self.recipe_and_fresh_seed(id) else { return };
        self.shared.make(region, vec![Recipe { seed, ..recipe }]);
    }

    /// Makes a variation that is like another one: the same chords in the same style, other strokes, moods a little to the side.
    pub fn more_like(&self, id: u64) {
        let Some((region, recipe, seed)) = self.recipe_and_fresh_seed(id) else { return };
        let mut alike = Recipe { seed, ..recipe.clone() };
        if recipe.engine == EngineKind::Band {
            alike.direction.harmony_seed = Some(recipe.direction.harmony_seed.unwrap_or(recipe.seed));
            alike.direction.moods = nudged(recipe.direction.moods, seed);
        }
        self.shared.make(region, vec![alike]);
    }

    fn recipe_and_fresh_seed(&self, id: u64) -> Option<(RegionId, Recipe, u64)> {
        let mut state = self.shared.state.lock();
        let region = state.region_of(id)?;
        let recipe = region.variations.iter().find(|variation| variation.id == id)?.recipe.clone();
        let used = |seed: u64| region.variations.iter().any(|variation| variation.recipe.seed == seed);
        let mut seed = recipe.seed.wrapping_add(1);
        while used(seed) {
            seed = seed.wrapping_add(1);
        }
        Some((region.id, recipe, seed))
    }

    /// Takes the last deletion of a variation back. Those of regions that have gone come to the chosen one.
    pub fn undo_delete(&self) {
        let mut state = self.shared.state.lock();
        let Some(Deleted { region, place, variation }) = state.deleted.pop() else { return };
        let id = if state.region(region).is_some() { region } else { state.chosen().id };
        if let Some(region) = state.region(id) {
            let place = place.min(region.variations.len());
            region.variations.insert(place, variation);
        }
        drop(state);
        (self.shared.notice)(Notice::Dirty);
    }
}

impl super::state::State {
    /// Keeps a variation that was deleted, so that it can be taken back. One that was still being made is not worth it.
    pub(super) fn remember_deleted(&mut self, region: RegionId, place: usize, variation: Variation) {
        if matches!(variation.stage, VariationStage::Ready(_) | VariationStage::Silent(_)) {
            self.deleted.push(Deleted { region, place, variation });
            if self.deleted.len() > MOST_DELETED {
                self.deleted.remove(0);
            }
        }
    }

    /// The name of the variation that would come back.
    pub(super) fn last_deleted(&self) -> Option<String> {
        self.deleted.last().map(|deleted| deleted.variation.name.clone())
    }
}

/// Moods a little to the side of others, by a seed.
fn nudged(moods: Moods, seed: u64) -> Moods {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut near = |mood: f32| (mood + random.random_range(-NUDGE..=NUDGE)).clamp(-1.0, 1.0);
    Moods {
        energy: near(moods.energy),
        complexity: near(moods.complexity),
        brightness: near(moods.brightness),
        ..moods
    }
}
