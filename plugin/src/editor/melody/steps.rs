//! Thread: gui. What buttons, keys and the menu order is carried out: corrections, undo, selection, zoom.

use super::Roll;
use super::edits::{self, Step};
use super::gestures;
use super::scene::Scene;
use super::zoom::{Extent, Zoom};
use cantus_engine::instance::Instance;
use cantus_engine::instance::view::View;
use cantus_engine::time::Seconds;
use egui::Response;

/// What one press of + or - does to the zoom.
const ZOOM_STEP: f64 = 1.4;

/// What a step may need to know.
pub struct Moment<'a> {
    pub view: &'a View,
    pub instance: &'a Instance,
    pub playhead: Option<Seconds>,
    pub response: &'a Response,
}

impl Roll {
    pub(super) fn step(&mut self, step: Step, scene: &Scene, moment: &Moment, (zoom, extent): (&mut Zoom, &Extent)) {
        let Moment { view, instance, playhead, response } = *moment;
        let middle = ((self.cursor(scene) - zoom.from) / zoom.seconds).clamp(0.0, 1.0);
        match step {
            Step::Undo => instance.undo_edit(),
            Step::Redo => instance.redo_edit(),
            Step::SelectAll => self.selected = view.corrections.ids.to_vec(),
            Step::Next | Step::Previous => self.select_neighbour(step == Step::Next, scene, (zoom, extent)),
            Step::Leave if self.gesture.take().is_some() => {}
            Step::Leave if !self.selected.is_empty() => {
                self.cursor = self.cursor(scene);
                self.selected.clear();
            }
            Step::Leave => response.surrender_focus(),
            Step::ZoomIn => zoom.zoom_time(ZOOM_STEP, middle, extent),
            Step::ZoomOut => zoom.zoom_time(1.0 / ZOOM_STEP, middle, extent),
            Step::Fit => *zoom = Zoom::fit(extent),
            Step::Here => self.commit(gestures::double_click(scene, self.menu_at, self.quantising), view, instance),
            _ => {
                self.cursor = self.cursor(scene);
                for edit in edits::corrections(step, scene, &self.selected, self.quantising, playhead) {
                    instance.edit(edit);
                }
            }
        }
    }

    /// Selects the note after or before the one that keys are about, and brings it into sight. After the last comes the first.
    fn select_neighbour(&mut self, next: bool, scene: &Scene, (zoom, extent): (&mut Zoom, &Extent)) {
        let (notes, count) = (scene.notes(), scene.notes().len());
        if count == 0 {
            return;
        }
        let here = self.selected.last().and_then(|id| scene.index_of(*id));
        let index = match (here, next) {
            (Some(index), true) => (index + 1) % count,
            (Some(index), false) => (index + count - 1) % count,
            (None, true) => notes.partition_point(|note| note.onset.0 < self.cursor) % count,
            (None, false) => (notes.partition_point(|note| note.onset.0 < self.cursor) + count - 1) % count,
        };
        let note = &notes[index];
        self.selected = vec![scene.ids[index]];
        zoom.reveal((note.onset.0, note.offset.0), note.key, extent);
    }
}
