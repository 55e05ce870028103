//! Thread: gui. The mouse on the melody. A gesture is one correction, made when the button is let go; until then it is only drawn.

use super::edits::{self, Quantising};
use super::grid;
use super::scene::{Edge, Hit, Scene};
use cantus_engine::analysis::edit::{MelodyEdit, NoteId, Selection};
use cantus_engine::time::Seconds;
use egui::{CursorIcon, Modifiers, Pos2, Rect};

/// Points a note has to be dragged sideways before it moves in time: notes that are moved in pitch keep their place.
const STICKY: f32 = 7.0;

/// What the mouse does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tool {
    /// Selects, moves and stretches.
    #[default]
    Select,
    /// Draws notes where there are none.
    Draw,
    /// Splits notes.
    Split,
}

/// What is being dragged. Places are of the melody, not of the screen, so that scrolling does not move them.
#[derive(Debug, Clone, PartialEq)]
pub enum Gesture {
    /// The selected notes, taken at a place of one of them.
    Move { taken: NoteId, time: Seconds, key: f32, x: f32, loose: bool },
    /// An end of a note, taken so many seconds beside it.
    Stretch { note: NoteId, edge: Edge, beside: Seconds },
    /// A box around what is to be selected besides what was.
    Band { time: Seconds, key: f32, kept: Vec<NoteId> },
    /// A new note.
    Draw { time: Seconds, key: u8 },
}

/// Begins what a press at `at` means. May change the selection: what is dragged is selected.
pub fn begin(
    scene: &mut Scene,
    selected: &mut Vec<NoteId>,
    tool: Tool,
    at: Pos2,
    modifiers: Modifiers,
) -> Option<Gesture> {
    if tool == Tool::Split {
        return None;
    }
    let (time, key) = (scene.plane.time(at.x), scene.plane.key(at.y));
    let adds = modifiers.shift || modifiers.command;
    match scene.hit(at) {
        Hit::Edge(index, edge) => {
            select(scene, selected, index, adds);
            let note = &scene.notes()[index];
            let end = if edge == Edge::Start { note.onset } else { note.offset };
            Some(Gesture::Stretch { note: scene.ids[index], edge, beside: time - end })
        }
        Hit::Note(index) => {
            select(scene, selected, index, adds);
            Some(Gesture::Move { taken: scene.ids[index], time, key, x: at.x, loose: false })
        }
        Hit::Nothing if tool == Tool::Draw => Some(Gesture::Draw { time, key: key.clamp(0.0, 127.0) as u8 }),
        Hit::Nothing => {
            let kept = if adds { selected.clone() } else { Vec::new() };
            Some(Gesture::Band { time, key, kept })
        }
    }
}

/// A note that is taken is selected: alone, unless it already was among others or is added to them.
fn select(scene: &mut Scene, selected: &mut Vec<NoteId>, index: usize, adds: bool) {
    let id = scene.ids[index];
    if scene.selected[index] {
        // The note that was taken last is the one keys are about.
        selected.retain(|other| *other != id);
    } else if !adds {
        selected.clear();
        scene.selected.fill(false);
    }
    selected.push(id);
    scene.selected[index] = true;
}

/// What a click on a note, or beside all of them, makes of the selection.
pub fn click(selected: &mut Vec<NoteId>, hit: Option<NoteId>, adds: bool) {
    match hit {
        Some(id) if adds && selected.contains(&id) => selected.retain(|other| *other != id),
        Some(id) if adds => selected.push(id),
        Some(id) => *selected = vec![id],
        None if adds => {}
        None => selected.clear(),
    }
}

/// What a double click orders: a note is split where it is, an empty place gets one as long as a step of the grid.
pub fn double_click(scene: &Scene, at: Pos2, quantising: Quantising) -> Option<MelodyEdit> {
    let (time, key) = (scene.plane.time(at.x), scene.plane.key(at.y));
    match scene.hit(at).note() {
        Some(index) => Some(MelodyEdit::Split { note: scene.ids[index], at: time }),
        None => {
            let cell = grid::cell(&scene.analysis.grid, quantising.division, time);
            edits::new_note(scene, time, cell, key.clamp(0.0, 127.0) as u8)
        }
    }
}

impl Gesture {
    /// The correction it stands for with the pointer at `at`; `None` while it changes nothing. `Alt` turns the magnet round.
    pub fn edit(
        &mut self,
        scene: &Scene,
        at: Pos2,
        modifiers: Modifiers,
        quantising: Quantising,
    ) -> Option<MelodyEdit> {
        let time = scene.plane.time(at.x);
        let magnet = quantising.magnet != modifiers.alt;
        let rounded = |time: Seconds| {
            if magnet { grid::nearest(&scene.analysis.grid, quantising.division, time) } else { time }
        };
        match self {
            Gesture::Move { taken, time: from, key, x, loose } => {
                *loose |= (at.x - *x).abs() > STICKY;
                let semitones = semitones(scene, (scene.plane.key(at.y).floor() - key.floor()) as i16);
                let onset = scene.notes()[scene.index_of(*taken)?].onset;
                let by = if *loose { rounded(onset + time - *from) - onset } else { Seconds(0.0) };
                let by = if edits::is_free(scene, by) { by } else { edits::within(by, edits::room(scene)) };
                let moved = semitones != 0 || by.0 != 0.0;
                let chosen = scene.ids.iter().zip(&scene.selected).filter(|(_, on)| **on).map(|(id, _)| *id);
                moved.then(|| MelodyEdit::Move { notes: Selection::Notes(chosen.collect()), semitones, by })
            }
            Gesture::Stretch { note, edge, beside } => {
                let index = scene.index_of(*note)?;
                let now = &scene.notes()[index];
                let end = rounded(time - *beside).0;
                let shortest = edits::SHORTEST.min(edits::length(now));
                let (onset, offset) = match edge {
                    Edge::Start => (end.max(edits::before(scene, index)).min(now.offset.0 - shortest), now.offset.0),
                    Edge::End => (now.onset.0, end.min(edits::after(scene, index)).max(now.onset.0 + shortest)),
                };
                let changed = onset != now.onset.0 || offset != now.offset.0;
                let (onset, offset) = (Seconds(onset), Seconds(offset));
                changed.then_some(MelodyEdit::Stretch { note: *note, onset, offset })
            }
            Gesture::Draw { time: from, key } => {
                let (start, end) = if time.0 >= from.0 { (*from, time) } else { (time, *from) };
                edits::new_note(scene, *from, (rounded(start), rounded(end)), *key)
            }
            Gesture::Band { .. } => None,
        }
    }

    /// The box of a rubber band on the screen.
    pub fn band(&self, scene: &Scene, at: Pos2) -> Option<Rect> {
        let Gesture::Band { time, key, .. } = self else { return None };
        Some(Rect::from_two_pos(scene.plane.place(*time, key - 0.5), at))
    }

    /// What a rubber band selects.
    pub fn banded(&self, scene: &Scene, at: Pos2) -> Option<Vec<NoteId>> {
        let (Gesture::Band { kept, .. }, Some(band)) = (self, self.band(scene, at)) else { return None };
        let mut selected = kept.clone();
        let inside = (0..scene.ids.len()).filter(|index| band.intersects(scene.body(*index)));
        selected.extend(inside.map(|index| scene.ids[index]).filter(|id| !kept.contains(id)));
        Some(selected)
    }
}

/// Semitones that no selected note is moved out of the keyboard by.
fn semitones(scene: &Scene, wanted: i16) -> i16 {
    let chosen = scene.notes().iter().zip(&scene.selected).filter(|(_, selected)| **selected);
    let (lowest, highest) = chosen
        .fold((127_i16, 0_i16), |(low, high), (note, _)| (low.min(i16::from(note.key)), high.max(i16::from(note.key))));
    wanted.clamp(-lowest, (127 - highest).max(-lowest))
}

/// What the pointer looks like.
pub fn cursor(tool: Tool, hit: Hit, gesture: Option<&Gesture>) -> CursorIcon {
    match (gesture, tool, hit) {
        (Some(Gesture::Move { .. }), ..) => CursorIcon::Grabbing,
        (Some(Gesture::Stretch { .. }), ..) => CursorIcon::ResizeHorizontal,
        (Some(_), ..) => CursorIcon::Crosshair,
        (None, Tool::Split, Hit::Note(_) | Hit::Edge(..)) => CursorIcon::Text,
        (None, Tool::Split, Hit::Nothing) => CursorIcon::Default,
        (None, _, Hit::Edge(..)) => CursorIcon::ResizeHorizontal,
        (None, _, Hit::Note(_)) => CursorIcon::Grab,
        (None, Tool::Draw, Hit::Nothing) => CursorIcon::Crosshair,
        (None, Tool::Select, Hit::Nothing) => CursorIcon::Default,
    }
}
