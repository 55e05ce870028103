//! Thread: worker, collector. What happens when something arrives: a take, an analysis, a rendition, a session.

use super::state::{Connection, CurrentTake, State, Variation, VariationStage};
use super::{Notice, Shared};
use crate::capture::collector::CaptureEvent;
use crate::capture::spool;
use crate::capture::take::Take;
use crate::capture::transport::TransportStamp;
use crate::error::{Error, Result};
use crate::jobs::cache::InputHash;
use crate::jobs::lanes::{Done, Job, JobHandle, Lane, Priority};
use crate::jobs::pipeline::{self, Melody};
use crate::playback::clip::Clip;
use crate::playback::handoff::ClipSender;
use crate::playback::player::PlayerTelemetry;
use crate::rendition::Rendition;
use crate::session::Session;
use crate::session::packed::PackedAudio;
use crate::time::{SampleRate, Seconds, SongGrid, TempoMap};
use crate::trace::trace;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A tempo must stand still this long before anything is rendered for it.
const TEMPO_DEBOUNCE: Duration = Duration::from_millis(250);

impl Shared {
    /// A number that names one kind of job of this instance.
    pub(super) fn key(&self, kind: &str) -> u64 {
        xxhash_rust::xxh3::xxh3_64_with_seed(kind.as_bytes(), self.id)
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
        let state = self.state.lock();
        if let Some(job) = &state.analysis_job {
            job.cancel();
        }
        for variation in &state.variations {
            if let VariationStage::Pending(job) = &variation.stage {
                job.cancel();
            }
        }
    }

    /// Stops everything that runs for this instance.
    pub(super) fn cancel_everything(&self) {
        self.cancel_orders();
        self.jobs.lock().iter().for_each(JobHandle::abandon);
    }

    /// Connects a new activation of the audio thread, and sends it what plays.
    pub(super) fn connect(self: &Arc<Self>, sender: ClipSender, telemetry: Arc<PlayerTelemetry>, rate: SampleRate) {
        let mut state = self.state.lock();
        state.connection = Some(Connection { sender, telemetry, rate });
        let unheard = state.unheard_take();
        drop(state);
        self.refresh_active();
        if let Some(take) = unheard {
            self.analyse(take);
        }
    }

    pub(super) fn offer_recovered(self: &Arc<Self>, dir: Option<PathBuf>) {
        let weak = Arc::downgrade(self);
        let Some(dir) = dir else { return };
        self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Idle,
            delay: Duration::ZERO,
            key: Some(self.key("recover")),
            work: Box::new(move |_| {
                let found = spool::recover(&dir);
                if let Some(shared) = weak.upgrade().filter(|_| !found.is_empty()) {
                    shared.state.lock().recovered = found;
                    (shared.notice)(Notice::Repaint);
                }
                Ok(())
            }),
            done: Box::new(|_| ()),
        });
    }

    /// Thread: collector. Must be quick.
    pub(super) fn captured(self: &Arc<Self>, event: CaptureEvent) {
        match event {
            CaptureEvent::TakeFinished(take) => self.take_arrived(take),
            CaptureEvent::Cancelled | CaptureEvent::Ended => (self.notice)(Notice::Repaint),
            CaptureEvent::TailArrived(_) | CaptureEvent::OffsetMeasured(_) => {}
            CaptureEvent::Problem(message) => self.say(message),
            CaptureEvent::Signal(signal) => self.signalled(signal),
        }
    }

    /// A take from wherever: remember it, listen to it.
    pub(super) fn take_arrived(self: &Arc<Self>, mut take: Take) {
        let mut state = self.state.lock();
        take.id = state.fresh_id();
        trace(|| {
            json!({ "event": "take", "beats": take.length.0, "seconds": take.audio.length().seconds(take.audio.rate).0,
                    "start_beats": take.grid.start.0, "lost_frames": take.lost_frames })
        });
        let take = Arc::new(take);
        state.take = Some(CurrentTake { take: take.clone(), packed: None });
        state.forget_melody();
        state.say(format!("Captured {:.1} bars.", take.length.0 / take.grid.metre.bar().0.max(0.25)));
        drop(state);
        (self.notice)(Notice::Dirty);
        self.analyse(take);
    }

    fn analyse(self: &Arc<Self>, take: Arc<Take>) {
        let Some(tools) = self.tools.get().cloned() else { return };
        let weak = Arc::downgrade(self);
        let finished = Arc::downgrade(self);
        let job = self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Urgent,
            delay: Duration::ZERO,
            key: Some(self.key("analysis")),
            work: Box::new(move |context| {
                let melody = pipeline::listen(&take, &tools.cache, context)?;
                if let Some(shared) = weak.upgrade() {
                    shared.melody_arrived(&take, melody);
                }
                let packed = PackedAudio::pack(&take.whole_audio());
                if let Some(shared) = weak.upgrade() {
                    shared.state.lock().keep_packed_take(&take, packed);
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
        self.state.lock().analysis_job = job;
    }

    pub(super) fn melody_arrived(&self, take: &Arc<Take>, melody: Melody) {
        let mut state = self.state.lock();
        let current = state.take.as_ref().is_some_and(|current| Arc::ptr_eq(&current.take, take));
        if !current || state.melody.as_ref().is_some_and(|known| known.input == melody.input) {
            return;
        }
        trace(|| {
            let analysis = &melody.analysis;
            json!({ "event": "analysis", "notes": analysis.notes.len(), "key": analysis.key.key.name(),
                    "tuning_cents": analysis.tuning_cents, "confidence": analysis.confidence, "doubts": analysis.doubts,
                    "ms": melody.analysis_ms })
        });
        state.hear(melody);
        drop(state);
        (self.notice)(Notice::Dirty);
    }

    pub(super) fn rendition_arrived(self: &Arc<Self>, id: u64, rendition: Arc<Rendition>) {
        let mut state = self.state.lock();
        let active = state.active;
        let number = state.variations.iter().position(|variation| variation.id == id).map(|index| index + 1);
        let Some(variation) = state.variation(id) else { return };
        let first_time = matches!(variation.stage, VariationStage::Pending(_));
        let before = variation.kept();
        variation.stage = VariationStage::Ready(rendition.clone());
        if first_time && rendition.made.is_some() {
            // Music that was stopped early is called so.
            variation.name.clone_from(&rendition.name);
            variation.original = Some(rendition.clone());
        }
        // Stems that came later change nothing of what is saved.
        let kept = variation.kept();
        if !before.zip(kept.clone()).is_some_and(|(before, kept)| before.mix == kept.mix) {
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
            self.select(Some(id));
        } else if active == Some(id) {
            self.refresh_active();
        }
        // Rendering the same notes again is no change of the project.
        (self.notice)(if first_time { Notice::Dirty } else { Notice::Repaint });
        if let Some(kept) = kept {
            self.pack_later(id, kept);
        }
    }

    /// Packs a mix for saving when nobody waits for anything else.
    fn pack_later(self: &Arc<Self>, id: u64, rendition: Arc<Rendition>) {
        let weak = Arc::downgrade(self);
        self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Idle,
            delay: Duration::ZERO,
            key: None,
            work: Box::new(move |_| {
                let packed = PackedAudio::pack(&rendition.mix);
                if let Some(shared) = weak.upgrade() {
                    shared.state.lock().keep_packed_mix(id, &rendition, packed);
                }
                Ok(())
            }),
            done: Box::new(|_| ()),
        });
    }

    /// Makes a variation the one that plays.
    pub(super) fn select(self: &Arc<Self>, id: Option<u64>) {
        self.state.lock().active = id;
        self.refresh_active();
        (self.notice)(Notice::Dirty);
    }

    /// Sends the audio thread what should play, and has it rendered when it is not there for this rate.
    pub(super) fn refresh_active(self: &Arc<Self>) {
        let mut state = self.state.lock();
        let rendition = state.active_rendition();
        let active = state.active;
        let Some(connection) = &mut state.connection else { return };
        connection.sender.reclaim();
        let rate = connection.rate;
        let ready = rendition.as_ref().filter(|rendition| rendition.rate() == rate);
        let clip = ready.map(|rendition| Box::new(Clip::from_rendition(active.unwrap_or(0), rendition.clone())));
        let plays = clip.is_some();
        if active.is_none() || plays {
            connection.sender.send(clip);
        }
        drop(state);
        trace(|| json!({ "event": "playing", "variation": active, "ready": plays }));
        let complete = |rendition: Arc<Rendition>| rendition.made.is_some() || !rendition.stems.is_empty();
        let whole = plays && rendition.is_none_or(complete);
        if let Some(active) = active.filter(|_| !whole) {
            self.render_again(active, None, Duration::ZERO);
        }
    }

    /// Follows the host's tempo once it stands still.
    pub(super) fn follow_tempo(self: &Arc<Self>, stamp: &TransportStamp) {
        let Some(tempo) = stamp.tempo else { return };
        let mut state = self.state.lock();
        let Some(active) = state.active else { return };
        // The audio thread repeats itself as long as the tempi differ; one rendering under way is enough.
        if state.following.as_ref().is_some_and(|(id, at, job)| (*id, *at) == (active, tempo) && !job.is_over()) {
            return;
        }
        let grid = state.variation(active).and_then(|variation| variation.grid().cloned());
        let Some(grid) = grid else { return };
        drop(state);
        let start_seconds = match (stamp.seconds, stamp.beats) {
            (Some(seconds), Some(beats)) => Seconds(seconds) + (grid.start - crate::time::Beats(beats)).seconds(tempo),
            _ => grid.start.seconds(tempo),
        };
        let grid = SongGrid { start_seconds, tempo: TempoMap::constant(tempo), ..grid };
        let job = self.render_again(active, Some(grid), TEMPO_DEBOUNCE);
        self.state.lock().following = job.map(|job| (active, tempo, job));
    }

    /// Renders a variation's notes again for the current rate, on its own grid or on a new one.
    fn render_again(self: &Arc<Self>, id: u64, grid: Option<SongGrid>, delay: Duration) -> Option<JobHandle> {
        let tools = self.tools.get().cloned()?;
        let mut state = self.state.lock();
        let rate = state.connection.as_ref()?.rate;
        let variation = state.variation(id)?;
        let source = variation.source(rate)?;
        let grid = grid.or_else(|| variation.grid().cloned());
        drop(state);
        let weak = Arc::downgrade(self);
        self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Urgent,
            delay,
            key: Some(self.key("again")),
            work: Box::new(move |context| {
                let grid = grid.unwrap_or_else(|| source.grid.clone());
                let again = pipeline::again(&source, &grid, rate, &tools.cache, context)?;
                if let (Some(shared), Some(again)) = (weak.upgrade(), again.filter(|again| may_replace(&source, again)))
                {
                    shared.rendition_arrived(id, again);
                }
                Ok(())
            }),
            done: self.report_failure(),
        })
    }

    /// Replaces everything by a saved session.
    pub(super) fn restore(self: &Arc<Self>, session: Session) -> Result<()> {
        let mut fresh = State {
            prompt: session.prompt,
            engine: session.engine,
            direction: session.direction,
            song: session.song,
            active: session.active,
            unknown: session.unknown,
            ..State::default()
        };
        if let Some(saved) = session.take {
            let take = saved.facts.with_audio(saved.audio.unpack()?);
            let input = InputHash::of_take(&take);
            fresh.take = Some(CurrentTake { take: Arc::new(take), packed: Some(saved.audio) });
            fresh.edits = session.edits;
            if let Some(analysis) = session.analysis {
                fresh.hear(Melody { input, analysis: Arc::new(analysis), analysis_ms: 0.0 });
            }
        }
        for saved in session.variations {
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
            fresh.variations.push(Variation { id, name, recipe, starred, stage, original, packed: saved.mix });
        }
        self.cancel_everything();
        let mut state = self.state.lock();
        // Numbers go on, so that a result of before never meets a variation of now.
        fresh.next_id = state.next_id;
        let active = fresh.active.take();
        for variation in &mut fresh.variations {
            fresh.next_id += 1;
            if active == Some(variation.id) {
                fresh.active = Some(fresh.next_id);
            }
            variation.id = fresh.next_id;
        }
        fresh.connection = state.connection.take();
        fresh.recovered = std::mem::take(&mut state.recovered);
        fresh.restored = std::mem::take(&mut state.restored);
        *state = fresh;
        if let Some(connection) = &mut state.connection {
            connection.sender.send(None);
        }
        let unheard = state.unheard_take();
        drop(state);
        if let Some(take) = unheard {
            self.analyse(take);
        }
        self.refresh_active();
        (self.notice)(Notice::Repaint);
        Ok(())
    }
}

/// A project must sound as it was saved, also after Cantus itself has changed: when only the stems were missing, they are taken over
/// only if they come with the very same mix.
fn may_replace(saved: &Rendition, again: &Rendition) -> bool {
    let only_stems_missing = saved.mix.frames() > 0 && saved.grid == again.grid && saved.rate() == again.rate();
    !only_stems_missing || saved.mix == again.mix
}
