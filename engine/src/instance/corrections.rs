//! Thread: gui, worker. Correcting the melody: each order takes effect at once, for only the tail of the analysis runs again.

use super::region::Region;
use super::view::CorrectionsView;
use super::{Instance, Notice};
use crate::analysis::edit::{EditHistory, MelodyEdit};
use crate::error::Result;
use crate::jobs::pipeline::{self, Melody};
use crate::trace::trace;
use serde_json::json;

impl Instance {
    /// Corrects the melody. What is not possible is said in the window, and changes nothing. Variations that are there stay as they
    /// are; new ones play the corrected melody.
    pub fn edit(&self, edit: MelodyEdit) {
        self.correct(|history, melody| history.push(edit, &melody.analysis).map(|()| true));
    }

    /// Takes the last correction back.
    pub fn undo_edit(&self) {
        self.correct(|history, _| Ok(history.undo()));
    }

    /// Makes the correction again that was taken back last.
    pub fn redo_edit(&self) {
        self.correct(|history, _| Ok(history.redo()));
    }

    /// Takes every correction back, each of which can be made again.
    pub fn clear_edits(&self) {
        self.correct(|history, _| {
            let any = !history.done.0.is_empty();
            history.clear();
            Ok(any)
        });
    }

    /// Changes the history and what follows from it; `change` says whether it did anything.
    fn correct(&self, change: impl FnOnce(&mut EditHistory, &Melody) -> Result<bool>) {
        let mut state = self.shared.state.lock();
        let region = state.chosen_mut();
        let Some(heard) = &region.melody else { return };
        let result = change(&mut region.edits, heard).and_then(|changed| {
            if changed {
                region.apply_corrections()?;
            }
            Ok(changed)
        });
        let (count, notes) = (region.edits.done.0.len(), region.corrected.as_ref().map_or(0, |now| now.ids.len()));
        drop(state);
        match result {
            Ok(false) => {}
            Ok(true) => {
                trace(|| json!({ "event": "corrected", "corrections": count, "notes": notes }));
                (self.shared.notice)(Notice::Dirty);
            }
            Err(error) => self.shared.say(error.to_string()),
        }
    }
}

impl Region {
    /// A melody was heard: whatever was corrected about it applies. Gives what the user should know.
    pub(super) fn hear(&mut self, melody: Melody) -> Vec<String> {
        let lost = self.edits.fit(&melody.analysis);
        self.melody = Some(melody);
        let dropped =
            (lost > 0).then(|| format!("{lost} corrections of the melody no longer fit it and were dropped."));
        let failed = self.apply_corrections().err().map(|error| error.to_string());
        dropped.into_iter().chain(failed).collect()
    }

    /// There is another take.
    pub(super) fn forget_melody(&mut self) {
        self.melody = None;
        self.corrected = None;
        self.edits = EditHistory::default();
    }

    fn apply_corrections(&mut self) -> Result<()> {
        self.corrected = self.melody.as_ref().map(|heard| pipeline::corrected(heard, &self.edits.done)).transpose()?;
        Ok(())
    }

    pub(super) fn corrections(&self) -> CorrectionsView {
        let Some(corrected) = &self.corrected else { return CorrectionsView::default() };
        CorrectionsView {
            ids: corrected.ids.clone(),
            changed: corrected.changed.clone(),
            count: self.edits.done.0.len(),
            can_undo: !self.edits.done.0.is_empty(),
            can_redo: !self.edits.undone.is_empty(),
        }
    }
}
