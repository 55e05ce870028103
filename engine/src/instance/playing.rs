//! Thread: worker, collector. What plays: the audio thread is sent what every region is to play, at the host's rate and tempo.

use super::region::{Following, Region, RegionId};
use super::state::{Connection, State};
use super::{Instance, Notice, Shared};
use crate::capture::transport::TransportStamp;
use crate::job_context::Stage;
use crate::jobs::lanes::{Job, JobHandle, Lane, Priority};
use crate::jobs::pipeline;
use crate::playback::clip::Clip;
use crate::playback::standing::Awaited;
use crate::rendition::Rendition;
use crate::rendition::beside::beside;
use crate::time::{Beats, Seconds, SongGrid, TempoMap};
use crate::trace::trace;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A tempo must stand still this long before anything that is heard is rendered for it, and this long before the rest is.
const TEMPO_DEBOUNCE: Duration = Duration::from_millis(250);
const TEMPO_DEBOUNCE_FAR: Duration = Duration::from_millis(1_500);

/// How soon a rendering is wanted.
struct Wish {
    grid: Option<SongGrid>,
    delay: Duration,
    priority: Priority,
}

impl State {
    /// Lets an offline bounce wait for a rendition, for as long as the answer lives.
    pub(super) fn awaited(&self) -> Option<Awaited> {
        self.connection.as_ref().map(|connection| connection.standing.await_one())
    }

    /// Tells the audio thread which seat is whose.
    pub(super) fn tell_standing(&self) {
        if let Some(connection) = &self.connection {
            connection.standing.seat(self.chosen().seat, self.regions().iter().map(|region| region.seat));
            connection.standing.compare(self.comparing);
        }
    }
}

impl Instance {
    /// Lets the takes themselves be heard in place of their renditions, at the same loudness, or the renditions again. Not saved.
    pub fn compare(&self, on: bool) {
        let mut state = self.shared.state.lock();
        state.comparing = on;
        state.tell_standing();
        let regions: Vec<_> = state.regions().iter().map(|region| region.id).collect();
        drop(state);
        regions.into_iter().for_each(|region| self.shared.lay_beside(region));
        (self.shared.notice)(Notice::Repaint);
    }
}

impl Shared {
    /// Connects a new activation of the audio thread, and sends it what plays.
    pub(super) fn connect(self: &Arc<Self>, connection: Connection) {
        self.state.lock().connection = Some(connection);
        self.catch_up();
    }

    /// Makes a variation the one that plays in its region.
    pub(super) fn select(self: &Arc<Self>, region: RegionId, id: Option<u64>) {
        if let Some(region) = self.state.lock().region(region) {
            region.active = id;
        }
        self.refresh_active(region);
        (self.notice)(Notice::Dirty);
    }

    /// Sends the audio thread what a region should play, and has it rendered when it is not there for this rate.
    pub(super) fn refresh_active(self: &Arc<Self>, id: RegionId) {
        let mut state = self.state.lock();
        let Some(region) = state.region(id) else { return };
        let rendition = region.active_rendition();
        let (active, seat, muted) = (region.active, region.seat, region.muted);
        let beside = region.beside.clone();
        let playing = region.variations.iter().find(|variation| Some(variation.id) == active);
        let same_mix = playing.and_then(|variation| variation.same_mix.clone());
        let Some(connection) = &mut state.connection else { return };
        let sender = &mut connection.senders[seat];
        sender.reclaim();
        let rate = connection.rate;
        let ready = rendition.as_ref().filter(|rendition| rendition.rate() == rate);
        let clip = ready.map(|rendition| {
            let clip = Clip::from_rendition(active.unwrap_or(0), rendition.clone());
            let clip = match same_mix {
                Some(earlier) => clip.with_mix_of(earlier),
                None => clip,
            };
            Box::new(match beside.filter(|(of, _)| Arc::ptr_eq(of, rendition)) {
                Some((_, take)) => clip.beside(take),
                None => clip,
            })
        });
        let plays = clip.is_some();
        if active.is_none() || muted {
            sender.send(None);
        } else if plays {
            sender.send(clip);
        }
        drop(state);
        trace(|| json!({ "event": "playing", "variation": active, "ready": plays }));
        let whole = plays && rendition.is_none_or(|rendition| rendition.has_its_parts());
        self.lay_beside(id);
        if let Some(active) = active.filter(|_| !whole) {
            // What is heard comes first; its stems are wanted by whoever listens to them.
            let priority = if plays { Priority::Normal } else { Priority::Urgent };
            self.render_again(active, Wish { grid: None, delay: Duration::ZERO, priority });
        }
    }

    /// Lays the take beside the rendition that plays, when somebody compares them and it is not there yet.
    fn lay_beside(self: &Arc<Self>, id: RegionId) {
        let mut state = self.state.lock();
        if !state.comparing {
            return;
        }
        let rate = state.connection.as_ref().map(|connection| connection.rate);
        let Some(region) = state.region(id) else { return };
        let rendition = region.active_rendition().filter(|rendition| Some(rendition.rate()) == rate);
        let (Some(rendition), Some(take)) = (rendition, region.take.as_ref().map(|current| current.take.clone()))
        else {
            return;
        };
        if region.beside.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, &rendition)) {
            return;
        }
        drop(state);
        let weak = Arc::downgrade(self);
        self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Urgent,
            delay: Duration::ZERO,
            key: Some(self.key_of("beside", id)),
            work: Box::new(move |context| {
                let beside = beside(&take.audio, &take.grid, take.length, &rendition, context)?;
                let Some(shared) = weak.upgrade() else { return Ok(()) };
                if let Some(region) = shared.state.lock().region(id) {
                    region.beside = Some((rendition, Arc::new(beside)));
                }
                shared.refresh_active(id);
                Ok(())
            }),
            done: self.report_failure(),
        });
    }

    /// Follows the host's tempo in every region once it stands still: first where it is heard, later where it will be. `anywhere` says
    /// that the chosen region is heard wherever the song is.
    pub(super) fn follow_tempo(self: &Arc<Self>, stamp: &TransportStamp, anywhere: bool) {
        let state = self.state.lock();
        let chosen = state.chosen().id;
        let soon = |region: &Region| (anywhere && region.id == chosen) || is_near(region, stamp);
        let regions: Vec<_> = state.regions().iter().map(|region| (region.id, soon(region))).collect();
        drop(state);
        for (region, soon) in regions {
            self.follow_tempo_in(region, stamp, soon);
        }
    }

    fn follow_tempo_in(self: &Arc<Self>, region: RegionId, stamp: &TransportStamp, soon: bool) {
        let Some(tempo) = stamp.tempo else { return };
        let mut state = self.state.lock();
        let Some(region) = state.region(region) else { return };
        let Some(active) = region.active else { return };
        // The audio thread repeats itself as long as the tempi differ; one rendering under way is enough, unless it waits behind others
        // and has become urgent.
        if let Some(following) = region
            .following
            .as_ref()
            .filter(|following| (following.variation, following.tempo) == (active, tempo) && !following.job.is_over())
        {
            let waits = following.job.progress().stage == Stage::Queued;
            if following.soon || !soon || !waits {
                return;
            }
        }
        let id = region.id;
        let grid = state.variation(active).and_then(|variation| variation.grid().cloned());
        let Some(grid) = grid.filter(|grid| grid.tempo.single() != Some(tempo)) else { return };
        drop(state);
        let start_seconds = match (stamp.seconds, stamp.beats) {
            (Some(seconds), Some(beats)) => Seconds(seconds) + (grid.start - Beats(beats)).seconds(tempo),
            _ => grid.start.seconds(tempo),
        };
        let grid = Some(SongGrid { start_seconds, tempo: TempoMap::constant(tempo), ..grid });
        let job = self.render_again(
            active,
            match soon {
                true => Wish { grid, delay: TEMPO_DEBOUNCE, priority: Priority::Urgent },
                false => Wish { grid, delay: TEMPO_DEBOUNCE_FAR, priority: Priority::Idle },
            },
        );
        if let Some(region) = self.state.lock().region(id) {
            region.following = job.map(|job| Following { variation: active, tempo, soon, job });
        }
    }

    /// Renders a variation's notes again for the current rate, on its own grid or on a new one.
    fn render_again(self: &Arc<Self>, id: u64, wish: Wish) -> Option<JobHandle> {
        let tools = self.tools.get().cloned()?;
        let mut state = self.state.lock();
        let rate = state.connection.as_ref()?.rate;
        let variation = state.variation(id)?;
        let source = variation.source(rate)?;
        let grid = wish.grid.or_else(|| variation.grid().cloned());
        let region = state.region_of(id)?.id;
        let awaited = if wish.priority == Priority::Urgent { state.awaited() } else { None };
        drop(state);
        let weak = Arc::downgrade(self);
        self.submit(Job {
            lane: Lane::Fast,
            priority: wish.priority,
            delay: wish.delay,
            key: Some(self.key_of("again", region)),
            work: Box::new(move |context| {
                let _until_sent = awaited;
                let grid = grid.unwrap_or_else(|| source.grid.clone());
                let again = pipeline::again(&source, &grid, rate, &tools.cache, context)?;
                match (weak.upgrade(), again) {
                    (Some(shared), Some(again)) if may_replace(&source, &again) => shared.rendition_arrived(id, again),
                    (Some(shared), Some(_)) => shared.plays_as_saved(id),
                    _ => {}
                }
                Ok(())
            }),
            done: self.report_failure(),
        })
    }
}

/// Whether a region is heard where the song is, or within a bar.
fn is_near(region: &Region, stamp: &TransportStamp) -> bool {
    let grid = |variation: u64| region.variations.iter().find(|one| one.id == variation)?.grid();
    let (Some(beats), Some(grid)) = (stamp.song_beats().filter(|_| stamp.playing), region.active.and_then(grid)) else {
        return false;
    };
    let end = match region.active_rendition() {
        Some(rendition) => grid.beat_at(rendition.region.seconds(rendition.rate())),
        // Longer than most, so that it is rather early than late.
        None => Beats(grid.start.0 + 64.0),
    };
    (grid.start.0 - grid.metre.bar().0..end.0).contains(&beats)
}

/// A project must sound as it was saved, also after Cantus itself has changed: when only the stems were missing, they are taken over
/// only if they come with the very same mix.
fn may_replace(saved: &Rendition, again: &Rendition) -> bool {
    let only_stems_missing = saved.mix.frames() > 0 && saved.grid == again.grid && saved.rate() == again.rate();
    !only_stems_missing || saved.mix == again.mix
}
