//! Thread: gui. What a user tells the band: its direction, the song, and what becomes of single parts of a variation.

use super::{Instance, Notice};
use crate::analysis::Key;
use crate::generation::direction::{Direction, PartChoice};
use crate::generation::score::{Preset, Role};
use crate::generation::song::SongContext;
use crate::generation::{EngineKind, Recipe};

/// What is to be other about one part of a variation; everything else stays, to the note.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PartChange {
    /// Played anew, by a seed.
    Reroll(u64),
    /// On another instrument; `None` is the style's own.
    Swap(Option<Preset>),
    /// Left out, or not.
    Mute(bool),
}

impl Instance {
    /// Changes what the band is told about new variations. Saved with the project.
    pub fn direct(&self, change: impl FnOnce(&mut Direction)) {
        let mut state = self.shared.state.lock();
        let before = state.direction.clone();
        change(&mut state.direction);
        let changed = state.direction != before;
        drop(state);
        if changed {
            (self.shared.notice)(Notice::Dirty);
        }
    }

    /// Sets the song's key; `None` takes the melody's. Saved with the project.
    pub fn set_song_key(&self, key: Option<Key>) {
        self.change_song(|song, _| song.key = key);
    }

    /// Sets the song's chords, with the text they were typed as. Saved with the project.
    pub fn set_song_chords(&self, context: SongContext, typed: String) {
        self.change_song(|song, text| {
            *song = SongContext { key: song.key, ..context };
            *text = typed;
        });
    }

    fn change_song(&self, change: impl FnOnce(&mut SongContext, &mut String)) {
        let mut state = self.shared.state.lock();
        let before = state.song.clone();
        let song = &mut state.song;
        change(&mut song.context, &mut song.typed);
        let changed = state.song != before;
        drop(state);
        if changed {
            (self.shared.notice)(Notice::Dirty);
        }
    }

    /// Holds a part as a variation plays it, for all new variations; or lets it go again.
    pub fn lock_part(&self, variation: u64, role: Role, locked: bool) {
        let mut state = self.shared.state.lock();
        let Some(recipe) = state.variation(variation).map(|variation| variation.recipe.clone()) else { return };
        drop(state);
        self.direct(|direction| {
            if locked {
                *direction.part_mut(role) = choice_of(&recipe, role);
                direction.harmony_seed = Some(harmony_seed(&recipe));
            } else {
                direction.part_mut(role).seed = None;
            }
            direction.parts.retain(|part| *part != PartChoice::free(part.role));
            if direction.parts.iter().all(|part| part.seed.is_none()) {
                direction.harmony_seed = None;
            }
        });
    }

    /// Makes a variation that differs from another one in one part. What MusicGen made has no parts.
    pub fn change_part(&self, variation: u64, role: Role, change: PartChange) {
        let mut state = self.shared.state.lock();
        let recipe = state.variation(variation).map(|variation| variation.recipe.clone());
        let Some((recipe, region)) = recipe.zip(state.region_of(variation).map(|region| region.id)) else { return };
        drop(state);
        if recipe.engine != EngineKind::Band {
            return self.tell("This music was made as one piece: it has no parts to change.".to_owned());
        }
        self.shared.make(region, vec![changed(&recipe, role, change)]);
    }
}

/// A recipe that plays everything as another one does, but for one part.
fn changed(recipe: &Recipe, role: Role, change: PartChange) -> Recipe {
    let mut changed = recipe.clone();
    for other in Role::ALL {
        *changed.direction.part_mut(other) = choice_of(recipe, other);
    }
    changed.direction.harmony_seed = Some(harmony_seed(recipe));
    let part = changed.direction.part_mut(role);
    match change {
        PartChange::Reroll(seed) => part.seed = Some(seed),
        PartChange::Swap(preset) => part.preset = preset,
        PartChange::Mute(muted) => part.muted = muted,
    }
    changed
}

/// What a recipe plays a part by.
fn choice_of(recipe: &Recipe, role: Role) -> PartChoice {
    let seed = Some(recipe.direction.seed_of(role, recipe.seed));
    let settled = recipe.direction.part(role).cloned().unwrap_or_else(|| PartChoice::free(role));
    PartChoice { seed, ..settled }
}

fn harmony_seed(recipe: &Recipe) -> u64 {
    recipe.direction.harmony_seed.unwrap_or(recipe.seed)
}
