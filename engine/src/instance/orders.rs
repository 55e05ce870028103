//! Thread: gui, worker. What a user can order. Every order returns at once; what follows happens on workers.

use super::state::{CurrentTake, Variation, VariationStage};
use super::{Instance, Notice};
use crate::capture::collector::CaptureMode;
use crate::capture::file::read_take;
use crate::capture::spool;
use crate::capture::transport::TransportStamp;
use crate::error::{Error, Result};
use crate::export;
use crate::generation::band::ARRANGER_VERSION;
use crate::generation::{EngineKind, Recipe};
use crate::jobs::lanes::{Job, Lane, Priority};
use crate::session::packed::PackedAudio;
use crate::session::{SavedTake, SavedVariation, Session, TakeFacts};
use crate::time::{Bpm, Metre, Seconds};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
}

impl Instance {
    /// Waits for a melody to capture.
    pub fn arm(&self, mode: CaptureMode) {
        self.with_ear(|ear| ear.arm(mode));
    }

    /// As [`Self::arm`], from the record frame on that [`crate::capture::recorder::Recorder::position`] told.
    pub fn arm_at(&self, mode: CaptureMode, at: u64) {
        self.with_ear(|ear| ear.arm_at(mode, at));
    }

    /// As [`Self::stop_capture`], at a record frame.
    pub fn stop_capture_at(&self, at: u64) {
        self.with_ear(|ear| ear.stop_at(at));
    }

    /// Ends a free capture and keeps it.
    pub fn stop_capture(&self) {
        self.with_ear(crate::capture::collector::Ear::stop);
    }

    /// Ends a capture and forgets it.
    pub fn cancel_capture(&self) {
        self.with_ear(crate::capture::collector::Ear::cancel);
    }

    /// Shifts live captures earlier by the delay the singer heard.
    pub fn set_input_offset(&self, offset: Seconds) {
        self.with_ear(|ear| ear.set_input_offset(offset));
    }

    fn with_ear(&self, order: impl FnOnce(&crate::capture::collector::Ear)) {
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

    /// Opens a sound file as the take, at a tempo when it is known.
    pub fn open_file(&self, path: PathBuf, tempo: Option<Bpm>, metre: Metre) {
        let shared = self.shared.clone();
        let weak = Arc::downgrade(&self.shared);
        self.shared.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Urgent,
            delay: Duration::ZERO,
            key: Some(shared.key("open")),
            work: Box::new(move |context| {
                let take = read_take(&path, tempo, metre)?;
                context.check()?;
                if let Some(shared) = weak.upgrade() {
                    shared.take_arrived(take);
                }
                Ok(())
            }),
            done: shared.report_failure(),
        });
    }

    /// Makes variations of the current take. What is missing is said in the window.
    pub fn generate(&self, wish: &Wish) {
        let mut state = self.shared.state.lock();
        let Some(take) = state.take.as_ref().map(|current| current.take.clone()) else {
            state.say("Nothing captured yet: record a melody first, then generate.".to_owned());
            drop(state);
            (self.shared.notice)(Notice::Repaint);
            return;
        };
        let Some(rate) = state.connection.as_ref().map(|connection| connection.rate) else { return };
        let label = self.shared.style_label(&wish.prompt);
        for index in 0..wish.variations.clamp(1, 8) {
            let id = state.fresh_id();
            let number = state.variations.iter().filter(|other| other.name.starts_with(&label)).count() + 1;
            let recipe = Recipe {
                engine: EngineKind::Band,
                prompt: wish.prompt.clone(),
                seed: wish.seed.wrapping_add(u64::from(index)),
                freedom: wish.freedom.clamp(0.0, 1.0),
                engine_version: ARRANGER_VERSION,
            };
            let name = format!("{label} {number}");
            let job = self.shared.make_variation(id, name.clone(), take.clone(), recipe.clone(), rate);
            let stage = VariationStage::Pending(job);
            state.variations.push(Variation { id, name, recipe, starred: false, stage, packed: None, analysis: None });
        }
        drop(state);
        (self.shared.notice)(Notice::Repaint);
    }

    /// Stops everything that is being made.
    pub fn cancel_jobs(&self) {
        self.shared.cancel_all();
    }

    /// Plays another variation; `None` plays none.
    pub fn select(&self, id: Option<u64>) {
        self.shared.select(id);
    }

    /// Plays the variation of a number, from 1, oldest first; 0 is the newest.
    pub fn select_number(&self, number: usize) {
        let state = self.shared.state.lock();
        let ready = || state.variations.iter().filter(|variation| variation.score().is_some());
        let chosen = if number == 0 { ready().next_back() } else { ready().nth(number - 1) };
        let id = chosen.map(|variation| variation.id);
        let same = id == state.active;
        drop(state);
        if id.is_some() && !same {
            self.shared.select(id);
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

    /// Removes a variation, or stops and removes one that is being made.
    pub fn delete(&self, id: u64) {
        let mut state = self.shared.state.lock();
        if let Some(VariationStage::Pending(job)) = state.variation(id).map(|variation| &variation.stage) {
            job.cancel();
        }
        state.variations.retain(|variation| variation.id != id);
        let was_active = state.active == Some(id);
        drop(state);
        if was_active {
            self.shared.select(None);
        }
        (self.shared.notice)(Notice::Dirty);
    }

    /// Tells that the host's tempo is not the one the active variation was rendered for.
    pub fn tempo_changed(&self, stamp: &TransportStamp) {
        self.shared.follow_tempo(stamp);
    }

    /// Writes a variation's mix, stems and MIDI below a folder.
    pub fn export(&self, id: u64, folder: PathBuf) {
        let Some(rendition) = self.shared.state.lock().variation(id).and_then(|variation| variation.rendition()) else {
            return;
        };
        let shared = self.shared.clone();
        let weak = Arc::downgrade(&self.shared);
        self.shared.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Urgent,
            delay: Duration::ZERO,
            key: None,
            work: Box::new(move |_| {
                let key = weak.upgrade().and_then(|shared| shared.key_of_melody());
                let folder = folder.join(export::names::folder_name(&rendition, key));
                export::write_rendition(&folder, &rendition)?;
                if let Some(shared) = weak.upgrade() {
                    let mut state = shared.state.lock();
                    state.say(format!("Exported to {}", folder.display()));
                    state.exported = Some(folder);
                    drop(state);
                    (shared.notice)(Notice::Repaint);
                }
                Ok(())
            }),
            done: shared.report_failure(),
        });
    }

    /// Uses a take that a crashed host left behind.
    pub fn restore_recovered(&self, index: usize) {
        let mut state = self.shared.state.lock();
        if index < state.recovered.len() {
            let recovered = state.recovered.remove(index);
            drop(state);
            let take = recovered.take.clone();
            if let Err(error) = spool::discard(&recovered) {
                self.shared.say(error.to_string());
            }
            self.shared.take_arrived(take);
        }
    }

    /// Forgets a take that a crashed host left behind.
    pub fn discard_recovered(&self, index: usize) {
        let mut state = self.shared.state.lock();
        if index < state.recovered.len() {
            let recovered = state.recovered.remove(index);
            drop(state);
            if let Err(error) = spool::discard(&recovered) {
                self.shared.say(error.to_string());
            }
        }
    }

    /// What a project saves. Audio was packed when it was made, so this is a copy; what is not packed yet is packed now.
    pub fn session(&self) -> Session {
        let mut state = self.shared.state.lock();
        let active = state.active;
        if let Some(CurrentTake { take, packed: packed @ None }) = &mut state.take {
            *packed = Some(PackedAudio::pack(&take.audio));
        }
        for variation in &mut state.variations {
            if variation.packed.is_none() && (Some(variation.id) == active || variation.starred) {
                variation.packed = variation.rendition().map(|rendition| PackedAudio::pack(&rendition.mix));
            }
        }
        let take = state.take.as_ref().and_then(|current| {
            let take = &current.take;
            let facts = TakeFacts {
                id: take.id,
                source: take.source,
                notes: take.notes.clone(),
                grid: take.grid.clone(),
                on_grid: take.on_grid,
                length: take.length,
                lost_frames: take.lost_frames,
            };
            Some(SavedTake { facts, audio: current.packed.clone()? })
        });
        let keep = |variation: &Variation| Some(variation.id) == active || variation.starred;
        Session {
            prompt: state.prompt.clone(),
            take,
            analysis: state.melody.as_ref().map(|melody| (*melody.analysis).clone()),
            variations: state
                .variations
                .iter()
                .filter_map(|variation| {
                    let mix = variation.packed.clone().filter(|_| keep(variation));
                    Some(SavedVariation { facts: variation.facts()?, mix })
                })
                .collect(),
            active,
            unknown: state.unknown.clone(),
        }
    }

    /// Replaces everything by a saved session, which was read whole before.
    ///
    /// # Errors
    /// [`Error::Session`] when a recording in it cannot be unpacked; nothing is changed then.
    pub fn restore(&self, session: Session) -> Result<()> {
        self.shared.restore(session).inspect_err(|error: &Error| self.shared.say(error.to_string()))
    }
}
