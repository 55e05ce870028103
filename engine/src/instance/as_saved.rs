//! Thread: gui, worker. A variation that a project keeps as an older Cantus played it: it stays so until somebody wants it otherwise.

use super::{Instance, Notice, Shared};
use crate::audio::AudioBuffer;
use crate::jobs::lanes::{Job, Lane, Priority};
use crate::jobs::pipeline;
use crate::rendition::Rendition;
use std::sync::Arc;
use std::time::Duration;

impl Instance {
    /// Plays the notes of a variation anew with this Cantus, whatever the project kept of its sound. Music that was made as audio stays.
    pub fn render_anew(&self, id: u64) {
        self.shared.render_anew(id);
    }
}

impl Shared {
    /// What would be played now is not what was saved: its stems would not add up to the mix. Thread: worker.
    pub(super) fn plays_as_saved(&self, id: u64) {
        let mut state = self.state.lock();
        let Some(name) = state.variation(id).map(|one| one.name.clone()) else { return };
        if state.as_saved.contains(&id) {
            return;
        }
        state.as_saved.push(id);
        state.say(format!(
            "{name} sounds as it was saved. This Cantus plays its notes a little differently, so it has no separate parts; render it anew to get them."
        ));
        drop(state);
        (self.notice)(Notice::Repaint);
    }

    fn render_anew(self: &Arc<Self>, id: u64) {
        let Some(tools) = self.tools.get().cloned() else { return };
        let mut state = self.state.lock();
        let Some(rate) = state.connection.as_ref().map(|connection| connection.rate) else { return };
        let Some(variation) = state.variation(id) else { return };
        let Some(source) = variation.source(rate).filter(|source| source.made.is_none()) else { return };
        let grid = variation.grid().cloned().unwrap_or_else(|| source.grid.clone());
        drop(state);
        let weak = Arc::downgrade(self);
        self.submit(Job {
            lane: Lane::Fast,
            priority: Priority::Urgent,
            delay: Duration::ZERO,
            key: Some(self.key(&format!("anew {id}"))),
            work: Box::new(move |context| {
                let notes = Rendition { mix: AudioBuffer::silent(rate, 2, 0), stems: Vec::new(), ..(*source).clone() };
                let again = pipeline::again(&notes, &grid, rate, &tools.cache, context)?;
                if let (Some(shared), Some(again)) = (weak.upgrade(), again) {
                    let mut state = shared.state.lock();
                    state.as_saved.retain(|other| *other != id);
                    state.forget_files(id);
                    drop(state);
                    shared.rendition_arrived(id, again);
                    (shared.notice)(Notice::Dirty);
                }
                Ok(())
            }),
            done: self.report_failure(),
        });
    }
}
