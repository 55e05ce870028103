//! Thread: worker, collector. What happens when something arrives: a take, an analysis, a rendition, a session.

use super::region::{Region, RegionId};
use super::state::{CurrentTake, VariationStage};
use super::{Notice, Shared};
use crate::capture::collector::CaptureEvent;
use crate::capture::take::Take;
use crate::error::Error;
use crate::jobs::lanes::{Done, Job, JobHandle, Lane, Priority};
use crate::jobs::pipeline::{self, Melody};
use crate::rendition::Rendition;
use crate::trace::trace;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

impl Shared {
    /// A number that names one kind of job of this instance.
    pub(super) fn key(&self, kind: &str) -> u64 {
        xxhash_rust::xxh3::xxh3_64_with_seed(kind.as_bytes(), self.id)
    }

    /// A number that names one kind of job of one region.
    pub(super) fn key_of(&self, kind: &str, region: RegionId) -> u64 {
        self.key(&format!("{kind} {}", region.0))
    }

    pub(super) fn submit(&self, job: Job) -> Option<JobHandle> {
        let handle = self.tools.get()?.lanes.submit(job);
        let mut jobs = self.jobs.lock();
        jobs.retain(|job| !job.is_over());
        jobs.push(handle.clone());
        Some(handle)
    }

    pub(super) fn say(&self, message: String) {
        trace(|| json!({ "event": "message", "message": message }));
        self.state.lock().say(message);
        (self.notice)(Notice::Repaint);
    }

    /// A `done` that shows failures in the window. A cancelled job says nothing: whoever cancelled it knows.
    pub(super) fn report_failure(self: &Arc<Self>) -> Done {
        let weak = Arc::downgrade(self);
        Box::new(move |result| {
            if let (Some(shared), Err(error)) = (weak.upgrade(), result)
                && error != Error::Cancelled
            {
                shared.say(error.to_string());
            }
        })
    }

    /// Stops what the user waits for. Renderings that playback needs go on.
    pub(super) fn cancel_orders(&self) {
        self.state.lock().regions().iter().for_each(Region::cancel_orders);
    }

    /// Stops everything that runs for this instance.
    pub(super) fn cancel_everything(&self) {
        self.cancel_orders();
        self.jobs.lock().iter().for_each(JobHandle::abandon);
    }

    /// Sends the audio thread what every region plays, and listens to takes that nobody has listened to.
    pub(super) fn catch_up(self: &Arc<Self>) {
        self.catch_up_but(&[]);
    }

    /// The same, where some regions play already what they should.
    pub(super) fn catch_up_but(self: &Arc<Self>, settled: &[RegionId]) {
        let state = self.state.lock();
        state.tell_standing();
        let unheard: Vec<_> =
            state.regions().iter().filter_map(|region| Some((region.id, region.unheard_take()?))).collect();
        let regions = state.regions().iter().map(|region| region.id).filter(|id| !settled.contains(id));
        let regions: Vec<_> = regions.collect();
        drop(state);
        regions.into_iter().for_each(|region| self.refresh_active(region));
        for (region, take) in unheard {
            self.analyse(region, take);
        }
    }

    /// Thread: collector. Must be quick.
    pub(super) fn captured(self: &Arc<Self>, event: CaptureEvent) {
        match event {
            CaptureEvent::TakeFinished(take) => {
                let region = self.state.lock().capturing;
                self.take_arrived(region, take);
            }
            CaptureEvent::Armed => {
                let mut state = self.state.lock();
                state.capturing = Some(state.chosen().id);
            }
            CaptureEvent::Recalled(take) => self.recalled(take),
            CaptureEvent::TailArrived(tail) => self.tail_arrived(tail),
            CaptureEvent::OffsetMeasured(measured) => self.offset_measured(measured),
            CaptureEvent::Cancelled | CaptureEvent::Ended => (self.notice)(Notice::Repaint),
            CaptureEvent::Problem(message) => self.say(message),
            CaptureEvent::Signal(signal) => self.signalled(signal),
        }
    }

    /// A take from wherever, for a region or for the chosen one: remember it, listen to it.
    pub(super) fn take_arrived(self: &Arc<Self>, region: Option<RegionId>, mut take: Take) {
        let mut state = self.state.lock();
        take.id = state.heard_as(take.id);
        trace(|| {
            json!({ "event": "take", "beats": take.length.0, "seconds": take.audio.length().seconds(take.audio.rate).0,
                    "start_beats": take.grid.start.0, "lost_frames": take.lost_frames })
        });
        let take = Arc::new(take);
        // A region that was removed meanwhile must not swallow what was sung.
        let chosen = state.chosen().id;
        let id = region.and_then(|id| state.region(id)).map_or(chosen, |region| region.id);
        if let Some(region) = state.region(id) {
            region.take = Some(CurrentTake { take: take.clone(), packed: None });
            region.forget_melody();
        }
        state.say(format!("Captured {:.1} bars.", take.length.0 / take.grid.metre.bar().0.max(0.25)));
        drop(state);
        (self.notice)(Notice::Dirty);
        self.analyse(id, take);
    }

    pub(super) fn analyse(self: &Arc<Self>, region: RegionId, take: Arc<Take>) {
        let Some(tools) = self.tools.get().cloned() else { return };
        let weak = Arc::downgrade(self);
        let finished = Arc::downgrade(self);
        let job = self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Urgent,
            delay: Duration::ZERO,
            key: Some(self.key_of("analysis", region)),
            work: Box::new(move |context| {
                let melody = pipeline::listen(&take, &tools.cache, context)?;
                if let Some(shared) = weak.upgrade() {
                    shared.melody_arrived(&take, melody);
                }
                Ok(())
            }),
            done: Box::new(move |result| {
                let Some(shared) = finished.upgrade() else { return };
                match result {
                    Err(Error::Cancelled) | Ok(()) => (shared.notice)(Notice::Repaint),
                    Err(error) => shared.say(error.to_string()),
                }
            }),
        });
        if let Some(region) = self.state.lock().region(region) {
            region.analysis_job = job;
        }
    }

    pub(super) fn melody_arrived(&self, take: &Arc<Take>, melody: Melody) {
        let mut state = self.state.lock();
        let holds = |region: &&mut Region| region.take.as_ref().is_some_and(|current| current.take.id == take.id);
        let Some(region) = state.regions_mut().iter_mut().find(holds) else { return };
        if region.melody.as_ref().is_some_and(|known| known.input == melody.input) {
            return;
        }
        trace(|| {
            let analysis = &melody.analysis;
            json!({ "event": "analysis", "notes": analysis.notes.len(), "key": analysis.key.key.name(),
                    "tuning_cents": analysis.tuning_cents, "confidence": analysis.confidence, "doubts": analysis.doubts,
                    "ms": melody.analysis_ms })
        });
        region.hear(melody).into_iter().for_each(|sentence| state.say(sentence));
        drop(state);
        (self.notice)(Notice::Dirty);
    }

    pub(super) fn rendition_arrived(self: &Arc<Self>, id: u64, rendition: Arc<Rendition>) {
        let mut state = self.state.lock();
        let Some(region) = state.region_of(id) else { return };
        let (place, active) = (region.id, region.active);
        let number = region.variations.iter().position(|variation| variation.id == id).map(|index| index + 1);
        let Some(variation) = state.variation(id) else { return };
        let first_time = matches!(variation.stage, VariationStage::Pending(_));
        let before = variation.kept();
        let heard = variation.rendition().filter(|heard| heard.grid == rendition.grid && heard.mix == rendition.mix);
        variation.same_mix = heard.as_ref().map(Arc::downgrade);
        variation.stage = VariationStage::Ready(rendition.clone());
        if first_time && rendition.made.is_some() {
            // Music that was stopped early is called so.
            variation.name.clone_from(&rendition.name);
            variation.original = Some(rendition.clone());
        }
        // Stems that came later change nothing of what is saved.
        let kept = variation.kept();
        let same = |(before, kept): (Arc<Rendition>, Arc<Rendition>)| {
            Arc::ptr_eq(&before, &kept) || variation.same_mix.is_some() || before.mix == kept.mix
        };
        if !before.zip(kept).is_some_and(same) {
            variation.packed = None;
        }
        trace(|| {
            json!({ "event": "rendition", "variation": number, "name": rendition.name, "first": first_time,
                    "made": rendition.made.as_ref().map(|made| (made.alignment, made.partial, made.remarks.clone())),
                    "fidelity": rendition.fidelity, "loudness": rendition.loudness, "timings": rendition.timings,
                    "style": rendition.score.as_ref().map(|score| score.style.clone()),
                    "tempo": rendition.grid.tempo.tempo_at(rendition.grid.start).0 })
        });
        if first_time {
            state.say(format!("{} is ready.", rendition.name));
        }
        drop(state);
        // The first variation of a session plays as soon as it is there; later ones wait to be chosen.
        if active.is_none() && first_time {
            self.select(place, Some(id));
        } else if active == Some(id) {
            self.refresh_active(place);
        }
        // Rendering the same notes again is no change of the project.
        (self.notice)(if first_time { Notice::Dirty } else { Notice::Repaint });
        self.prepare_saving();
    }
}
