//! Thread: gui, collector, worker. Making variations, choosing among them, and what the audio thread noticed.

use super::orders::Wish;
use super::region::{Region, RegionId};
use super::state::{Variation, VariationStage};
use super::{Notice, Shared};
use crate::analysis::edit::Edits;
use crate::capture::signal::Signal;
use crate::capture::take::Take;
use crate::error::{Error, Result};
use crate::generation::band::ARRANGER_VERSION;
use crate::generation::choice::MUSICGEN_VERSION;
use crate::generation::prompt;
use crate::generation::{EngineKind, Recipe, Timing};
use crate::jobs::lanes::{Job, JobHandle, Lane, Priority};
use crate::jobs::pipeline::{self, Melody, Wanted};
use crate::playback::standing::Awaited;
use crate::rendition::Rendition;
use crate::session::packed::PackedAudio;
use crate::time::SampleRate;
use crate::trace::trace;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// What is said after an offline bounce.
const WAITED_IN_VAIN: &str =
    "The bounce went on without a rendition that took too long. Wait until it is ready, and bounce again.";

/// What variations are made from, as it was when they were ordered.
#[derive(Clone)]
struct Source {
    take: Arc<Take>,
    /// What was heard of it, if somebody has listened: the corrections belong to that, and nothing is heard twice.
    heard: Option<Melody>,
    edits: Arc<Edits>,
}

impl Shared {
    /// Carries out what the audio thread noticed. Thread: collector.
    pub(super) fn signalled(self: &Arc<Self>, signal: Signal) {
        match signal {
            Signal::Generate { style, seed, variations, freedom, tightness } => {
                let typed = self.state.lock().prompt.clone();
                let named = || {
                    let library = self.tools.get().map(|tools| tools.shelf.library());
                    library.and_then(|library| library.list().get(style).map(|style| style.name.clone()))
                };
                let prompt = if typed.trim().is_empty() { named().unwrap_or_default() } else { typed };
                let timing = Timing::of_strength(tightness);
                self.generate(&Wish { prompt, seed, variations, freedom, timing });
            }
            Signal::Cancel => self.cancel_orders(),
            Signal::Select(number) => self.select_number(number),
            Signal::ChooseRegion(number) => self.choose_region_number(number),
            Signal::FollowTempo { stamp, anywhere } => self.follow_tempo(&stamp, anywhere),
            Signal::WaitedInVain => self.say(WAITED_IN_VAIN.to_owned()),
            // Captures are the collector's own.
            Signal::StartCapture { .. }
            | Signal::StopCapture { .. }
            | Signal::InputOffset(_)
            | Signal::Recall { .. }
            | Signal::AutoArm(_)
            | Signal::CountIn(_) => {}
        }
    }

    pub(super) fn generate(self: &Arc<Self>, wish: &Wish) {
        let (region, engine, direction, song) = {
            let state = self.state.lock();
            (state.chosen().id, state.engine.clone(), state.direction.clone(), state.song.context.clone())
        };
        let engine_version = match engine {
            EngineKind::Band => ARRANGER_VERSION,
            EngineKind::MusicGen(_) => MUSICGEN_VERSION,
        };
        let recipe = |index: u32| Recipe {
            engine: engine.clone(),
            prompt: wish.prompt.clone(),
            seed: wish.seed.wrapping_add(u64::from(index)),
            freedom: wish.freedom.clamp(0.0, 1.0),
            timing: wish.timing,
            direction: direction.clone(),
            song: song.clone(),
            engine_version,
        };
        self.make(region, (0..wish.variations.clamp(1, 8)).map(recipe).collect());
    }

    /// Has a variation of a region's take made of every recipe. What is missing is said in the window.
    pub(super) fn make(self: &Arc<Self>, region: RegionId, recipes: Vec<Recipe>) {
        let mut labelled = Vec::with_capacity(recipes.len());
        for recipe in recipes {
            match self.label(&recipe.prompt, &recipe.engine) {
                Ok(label) => labelled.push((label, recipe)),
                Err(error) => return self.say(error.to_string()),
            }
        }
        let mut state = self.state.lock();
        let Some(region) = state.region(region) else { return };
        let take = region.take.as_ref().map(|current| current.take.clone());
        let (id, heard, edits) = (region.id, region.melody.clone(), Arc::new(region.edits.done.clone()));
        let rate = state.connection.as_ref().map(|connection| connection.rate);
        let (Some(take), Some(rate)) = (take, rate) else {
            state.say("Nothing captured yet: record a melody first, then generate.".to_owned());
            drop(state);
            return (self.notice)(Notice::Repaint);
        };
        let source = Source { take, heard, edits };
        for (label, recipe) in labelled {
            let variation = state.fresh_id();
            let number = state.region(id).map_or(1, |region| region.next_number(&label));
            let name = format!("{label} {number}");
            // Submitted under the lock, so that the result finds its variation.
            let awaited = match recipe.engine {
                EngineKind::Band => state.awaited(),
                // Nobody would wait that long.
                EngineKind::MusicGen(_) => None,
            };
            let made = self.make_variation(variation, name.clone(), source.clone(), recipe.clone(), rate, awaited);
            let (Some(job), Some(region)) = (made, state.region(id)) else { break };
            let stage = VariationStage::Pending(job);
            region.variations.push(Variation {
                id: variation,
                name,
                recipe,
                starred: false,
                stage,
                original: None,
                packed: None,
                same_mix: None,
            });
        }
        drop(state);
        (self.notice)(Notice::Repaint);
    }

    /// The name that variations of a prompt get.
    ///
    /// # Errors
    /// What keeps the engine from making any: Band does not know the style, MusicGen has no model.
    fn label(&self, words: &str, engine: &EngineKind) -> Result<String> {
        if let EngineKind::MusicGen(choice) = engine {
            return choice.folder().map(|_| "MusicGen".to_owned());
        }
        let resolved = self.tools.get().map(|tools| prompt::resolve(words, &tools.shelf.library())).transpose()?;
        Ok(resolved.map_or_else(String::new, |resolved| resolved.label()))
    }

    fn make_variation(
        self: &Arc<Self>,
        id: u64,
        name: String,
        source: Source,
        recipe: Recipe,
        rate: SampleRate,
        awaited: Option<Awaited>,
    ) -> Option<JobHandle> {
        let tools = self.tools.get()?.clone();
        let weak = Arc::downgrade(self);
        let finished = Arc::downgrade(self);
        self.submit(Job {
            lane: match recipe.engine {
                EngineKind::Band => Lane::Fast,
                EngineKind::MusicGen(_) => Lane::Slow,
            },
            priority: Priority::Normal,
            delay: Duration::ZERO,
            key: None,
            work: Box::new(move |context| {
                let _until_sent = awaited;
                let context = &context.observed(move |progress| {
                    trace(|| json!({ "event": "progress", "variation": id, "stage": progress.stage, "fraction": progress.fraction,
                                   "made": progress.made }));
                });
                let heard = match source.heard {
                    Some(heard) => heard,
                    None => {
                        let heard = pipeline::listen(&source.take, &tools.cache, context)?;
                        if let Some(shared) = weak.upgrade() {
                            shared.melody_arrived(&source.take, heard.clone());
                        }
                        heard
                    }
                };
                let melody = pipeline::corrected(&heard, &source.edits)?.melody;
                let library = tools.shelf.library();
                let rendition = match &recipe.engine {
                    EngineKind::Band => {
                        pipeline::rendition(&melody, &recipe, &name, rate, (&library, &tools.cache), context)?
                    }
                    EngineKind::MusicGen(choice) => {
                        let wanted = Wanted { take: &source.take, melody: &melody, recipe: &recipe, choice, name: &name, rate };
                        pipeline::neural_rendition(&wanted, &tools.workshop, (&library, &tools.cache), context)?
                    }
                };
                if let Some(shared) = weak.upgrade() {
                    shared.rendition_arrived(id, rendition);
                }
                Ok(())
            }),
            done: Box::new(move |result| {
                let (Some(shared), Err(error)) = (finished.upgrade(), result) else { return };
                shared.variation_failed(id, &error);
            }),
        })
    }

    fn variation_failed(&self, id: u64, error: &Error) {
        let mut state = self.state.lock();
        let pending =
            |variation: &Variation| variation.id == id && matches!(variation.stage, VariationStage::Pending(_));
        if *error == Error::Cancelled {
            if let Some(region) = state.region_of(id) {
                region.variations.retain(|variation| !pending(variation));
            }
        } else if let Some(variation) = state.variation(id) {
            variation.stage = VariationStage::Failed(error.to_string());
        }
        drop(state);
        trace(|| json!({ "event": "failed", "variation": id, "message": error.to_string() }));
        (self.notice)(Notice::Repaint);
    }

    /// Plays the variation of a number in the chosen region, from 1, oldest first; 0 leaves it as it is.
    fn select_number(self: &Arc<Self>, number: usize) {
        let Some(index) = number.checked_sub(1) else { return };
        let state = self.state.lock();
        let region = state.chosen();
        let playable = |variation: &&Variation| variation.grid().is_some();
        let id = region.variations.iter().filter(playable).nth(index).map(|one| one.id);
        let (region, same) = (region.id, id == region.active);
        drop(state);
        if id.is_some() && !same {
            self.select(region, id);
        }
    }

    /// Packs what a save will need and nobody has packed yet. The lock is not held meanwhile: collector and workers need it.
    pub(super) fn pack_what_is_saved(&self) {
        let state = self.state.lock();
        let takes = state.regions().iter().filter_map(|region| region.take.as_ref());
        let takes: Vec<Arc<Take>> =
            takes.filter(|current| current.packed.is_none()).map(|current| current.take.clone()).collect();
        let embed = !state.without_sound;
        let unpacked = |region: &Region| -> Vec<(u64, Arc<Rendition>)> {
            let wanted = |one: &&Variation| one.packed.is_none() && region.keeps_sound_of(one, embed);
            region.variations.iter().filter(wanted).filter_map(|one| Some((one.id, one.kept()?))).collect()
        };
        let mixes: Vec<(u64, Arc<Rendition>)> = state.regions().iter().flat_map(unpacked).collect();
        drop(state);
        for take in takes {
            let packed = PackedAudio::pack(&take.whole_audio());
            self.state.lock().keep_packed_take(&take, packed);
        }
        for (id, rendition) in mixes {
            let packed = PackedAudio::pack(&rendition.mix);
            self.state.lock().keep_packed_mix(id, &rendition, packed);
        }
    }
}
