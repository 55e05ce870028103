//! Thread: any. Corrections with undo and redo. Nothing is thrown away until something else is corrected instead.

use super::{Edits, MelodyEdit, impossible};
use crate::analysis::Analysis;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Corrections a take can have.
pub const MOST_EDITS: usize = 10_000;

/// What was corrected, and what was undone of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EditHistory {
    /// In force, oldest first.
    pub done: Edits,
    /// Undone, the one to redo next last.
    pub undone: Vec<MelodyEdit>,
}

impl EditHistory {
    /// Whether there is nothing to undo or redo.
    pub fn is_empty(&self) -> bool {
        self.done.0.is_empty() && self.undone.is_empty()
    }

    /// Adds a correction; what was undone before is forgotten.
    ///
    /// # Errors
    /// [`crate::Error::Edit`] when it is not possible, or one too many. Nothing is changed then.
    pub fn push(&mut self, edit: MelodyEdit, heard: &Analysis) -> Result<()> {
        if self.done.0.len() >= MOST_EDITS {
            return impossible(format!("a take can have {MOST_EDITS} corrections at most"));
        }
        self.done.0.push(edit);
        if let Err(error) = self.done.apply(heard) {
            self.done.0.pop();
            return Err(error);
        }
        self.undone.clear();
        Ok(())
    }

    /// Takes the last correction back. Says whether there was one.
    pub fn undo(&mut self) -> bool {
        let last = self.done.0.pop();
        let some = last.is_some();
        self.undone.extend(last);
        some
    }

    /// Makes the correction again that was undone last. Says whether there was one.
    pub fn redo(&mut self) -> bool {
        let next = self.undone.pop();
        let some = next.is_some();
        self.done.0.extend(next);
        some
    }

    /// Takes every correction back. Each can be redone.
    pub fn clear(&mut self) {
        while self.undo() {}
    }

    /// Drops what is not possible for a melody: from the first such correction on, and everything undone. Says how many.
    pub fn fit(&mut self, heard: &Analysis) -> usize {
        let before = self.done.0.len() + self.undone.len();
        // What is undone must be possible again, or redoing it would fail: all of it is tried in one go.
        let count = self.done.0.len();
        let mut all = std::mem::take(self);
        all.done.0.extend(all.undone.into_iter().rev());
        all.done.0.truncate(MOST_EDITS);
        let possible = all.done.possible(heard);
        all.done.0.truncate(possible);
        self.undone = all.done.0.split_off(count.min(possible));
        self.undone.reverse();
        self.done = all.done;
        before - possible
    }
}
