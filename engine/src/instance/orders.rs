//! Thread: gui, worker. What a user can order. Every order returns at once; what follows happens on workers.

use super::state::{Variation, VariationStage};
use super::{Instance, Notice};
use crate::capture::collector::CaptureMode;
use crate::error::Result;
use crate::generation::{EngineKind, Timing};
use crate::session::Session;
use crate::time::{Bpm, Metre, Seconds};
use std::path::PathBuf;

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// A style's name or a free prompt.
    pub prompt: String,
    /// Seed of the first variation; the others count up.
    pub seed: u64,
    /// How many, 1 to 8.
    pub variations: u32,
    /// 0 as sung, 1 paraphrased.
    pub freedom: f32,
    /// When the notes of the melody are played.
    pub timing: Timing,
}

impl Instance {
    /// Waits for a melody to capture, for the chosen region.
    pub fn arm(&self, mode: CaptureMode) {
        self.with_ear(|ear| ear.arm(mode));
    }

    /// Ends a capture and forgets it.
    pub fn cancel_capture(&self) {
        self.with_ear(crate::capture::collector::Ear::cancel);
    }

    /// Shifts live captures earlier by the delay the singer heard.
    pub fn set_input_offset(&self, offset: Seconds) {
        self.with_ear(|ear| ear.set_input_offset(offset));
    }

    pub(super) fn with_ear(&self, order: impl FnOnce(&crate::capture::collector::Ear)) {
        if let Some(ear) = self.ear.lock().as_ref() {
            order(ear);
        }
    }

    /// Shows a sentence in the window.
    pub fn tell(&self, message: String) {
        self.shared.say(message);
    }

    /// Sets the free prompt that is saved with the project.
    pub fn set_prompt(&self, prompt: String) {
        let mut state = self.shared.state.lock();
        if state.prompt != prompt {
            state.prompt = prompt;
            drop(state);
            (self.shared.notice)(Notice::Dirty);
        }
    }

    /// The free prompt.
    pub fn prompt(&self) -> String {
        self.shared.state.lock().prompt.clone()
    }

    /// Chooses who makes new variations. Saved with the project.
    pub fn set_engine(&self, engine: EngineKind) {
        let mut state = self.shared.state.lock();
        if state.engine != engine {
            state.engine = engine;
            drop(state);
            (self.shared.notice)(Notice::Dirty);
        }
    }

    /// Opens a sound file as the take, at a tempo when it is known.
    pub fn open_file(&self, path: PathBuf, tempo: Option<Bpm>, metre: Metre) {
        self.open(path, tempo, metre, |take| take);
    }

    /// Makes variations of the chosen region's take. What is missing is said in the window.
    pub fn generate(&self, wish: &Wish) {
        // A loop that is still captured shall not replace the take that variations are made of.
        self.with_ear(crate::capture::collector::Ear::keep);
        self.shared.generate(wish);
    }

    /// Stops everything that is being made. Of neural music that has come a bar or further, that much is kept.
    pub fn cancel_jobs(&self) {
        self.shared.cancel_orders();
    }

    /// Stops one variation that is being made; of neural music, whole bars that are there are kept.
    pub fn stop(&self, id: u64) {
        if let Some(VariationStage::Pending(job)) = self.shared.state.lock().variation(id).map(|one| &one.stage) {
            job.cancel();
        }
    }

    /// Plays another variation in its region; `None` plays none in the chosen one.
    pub fn select(&self, id: Option<u64>) {
        let mut state = self.shared.state.lock();
        let region = match id {
            Some(id) => state.region_of(id).map(|region| region.id),
            None => Some(state.chosen().id),
        };
        drop(state);
        if let Some(region) = region {
            self.shared.select(region, id);
        }
    }

    /// Keeps or un-keeps a variation.
    pub fn star(&self, id: u64, starred: bool) {
        self.change(id, |variation| variation.starred = starred);
    }

    /// Renames a variation.
    pub fn rename(&self, id: u64, name: String) {
        self.change(id, |variation| variation.name = name);
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Variation)) {
        if let Some(variation) = self.shared.state.lock().variation(id) {
            change(variation);
        }
        (self.shared.notice)(Notice::Dirty);
    }

    /// Removes a variation, or stops and removes one that is being made. See [`Instance::undo_delete`].
    pub fn delete(&self, id: u64) {
        let mut state = self.shared.state.lock();
        if let Some(VariationStage::Pending(job)) = state.variation(id).map(|variation| &variation.stage) {
            job.abandon();
        }
        let Some(region) = state.region_of(id) else { return };
        let Some(place) = region.variations.iter().position(|variation| variation.id == id) else { return };
        let variation = region.variations.remove(place);
        let (of, was_active) = (region.id, region.active == Some(id));
        let silenced = was_active.then_some(of);
        state.remember_deleted(of, place, variation);
        drop(state);
        if let Some(region) = silenced {
            self.shared.select(region, None);
        }
        (self.shared.notice)(Notice::Dirty);
    }

    /// Writes a variation's mix, stems and MIDI into a folder of its own below a folder.
    pub fn export(&self, id: u64, folder: PathBuf) {
        self.shared.export(id, folder);
    }

    /// What a project saves, as plain data: what opening it would give.
    ///
    /// # Errors
    /// As [`Self::outline`] and [`Session::decode`], either of which would be a bug.
    pub fn session(&self) -> Result<Session> {
        self.shared.pack_what_is_saved();
        Session::decode(&self.shared.outline(false)?.encode()?)
    }

    /// Keeps the sound of active and starred variations in the project, or only their notes: then it is played again when the project is
    /// opened, by the Cantus of that day. Music that was made as audio is kept either way. Saved with the project.
    pub fn set_embed_sound(&self, embed: bool) {
        let mut state = self.shared.state.lock();
        let changed = state.without_sound == embed;
        state.without_sound = !embed;
        drop(state);
        if changed {
            (self.shared.notice)(Notice::Dirty);
        }
    }

    /// Replaces everything by a saved session, which was read whole before.
    ///
    /// # Errors
    /// [`Error::Session`] when a recording in it cannot be unpacked; nothing is changed then.
    pub fn restore(&self, session: Session) -> Result<()> {
        self.shared.restore(session)
    }
}
