//! Thread: gui. The melody of one picture: its notes with their names, which of them are selected, and what lies under the pointer.

use super::colours::Colours;
use super::zoom::Plane;
use cantus_engine::analysis::edit::NoteId;
use cantus_engine::analysis::{Analysis, Note};
use cantus_engine::instance::view::View;
use egui::{Pos2, Rect};
use std::sync::Arc;

/// Points beside a note that still count as on it, and points at its ends that stretch it.
const REACH: f32 = 4.0;
const EDGE: f32 = 6.0;

/// What is drawn, and asked what is where.
pub struct Scene<'a> {
    pub plane: Plane,
    pub analysis: &'a Arc<Analysis>,
    /// The name of each note, and whether it was corrected.
    pub ids: &'a [NoteId],
    pub changed: &'a [bool],
    /// Whether each note is selected.
    pub selected: Vec<bool>,
    pub colours: Colours,
}

/// What a pointer is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A note, by its index.
    Note(usize),
    /// The start or the end of a note.
    Edge(usize, Edge),
    Nothing,
}

/// An end of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    Start,
    End,
}

impl Hit {
    /// The note, whatever part of it was hit.
    pub fn note(self) -> Option<usize> {
        match self {
            Hit::Note(index) | Hit::Edge(index, _) => Some(index),
            Hit::Nothing => None,
        }
    }
}

impl<'a> Scene<'a> {
    pub fn new(
        plane: Plane,
        analysis: &'a Arc<Analysis>,
        view: &'a View,
        selection: &[NoteId],
        colours: Colours,
    ) -> Self {
        let mut sorted = selection.to_vec();
        sorted.sort_unstable();
        let (ids, changed) = (&*view.corrections.ids, &*view.corrections.changed);
        let selected = ids.iter().map(|id| sorted.binary_search(id).is_ok()).collect();
        Self { plane, analysis, ids, changed, selected, colours }
    }

    pub fn notes(&self) -> &'a [Note] {
        &self.analysis.notes
    }

    pub fn index_of(&self, id: NoteId) -> Option<usize> {
        self.ids.iter().position(|other| *other == id)
    }

    /// Indices of the notes in sight.
    pub fn visible(&self) -> std::ops::Range<usize> {
        visible(self.notes(), &self.plane)
    }

    /// The box of a note.
    pub fn body(&self, index: usize) -> Rect {
        let note = &self.notes()[index];
        self.plane.body(note.onset, note.offset, note.key)
    }

    /// What lies under a point, or so near that it was meant. Notes that are right under it win over those beside it.
    pub fn hit(&self, at: Pos2) -> Hit {
        if !self.plane.rect.contains(at) {
            return Hit::Nothing;
        }
        let distance = |index: &usize| self.body(*index).distance_sq_to_pos(at);
        let near = self.visible().filter(|index| distance(index) <= REACH * REACH);
        let Some(index) = near.min_by(|a, b| distance(a).total_cmp(&distance(b))) else { return Hit::Nothing };
        let body = self.body(index);
        // Short notes keep a middle to be taken by.
        let edge = EDGE.min(body.width() / 4.0);
        if at.x < body.left() + edge {
            Hit::Edge(index, Edge::Start)
        } else if at.x > body.right() - edge {
            Hit::Edge(index, Edge::End)
        } else {
            Hit::Note(index)
        }
    }
}

/// Indices of the notes in sight; notes are in order and never overlap.
pub fn visible(notes: &[Note], plane: &Plane) -> std::ops::Range<usize> {
    let (from, to) = plane.span();
    let margin = plane.seconds_of(REACH);
    let first = notes.partition_point(|note| note.offset.0 < from - margin);
    first..notes.partition_point(|note| note.onset.0 <= to + margin).max(first)
}
