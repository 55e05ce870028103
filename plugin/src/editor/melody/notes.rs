//! Thread: gui. The notes: bodies, names, what is selected, what they will be after a gesture, and what they say about themselves.

use super::colours::Colours;
use super::pictures;
use super::scene::{Scene, visible};
use super::zoom::Plane;
use cantus_engine::analysis::edit::MelodyEdit;
use cantus_engine::analysis::edit::Selection;
use cantus_engine::analysis::{Analysis, Note};
use cantus_engine::time::Seconds;
use egui::{Align2, FontId, Mesh, Painter, Rect, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

/// Notes that are less certain than this are marked.
pub const DOUBTFUL: f32 = 0.5;
/// Points a name needs, and the least height of a row that has names.
const NAME_WIDTH: f32 = 24.0;
const LOWEST_NAMED: f32 = 5.5;
/// Narrower boxes have no rounded corners.
const ROUNDED_FROM: f32 = 7.0;
/// How opaque a note is that is certain by nothing, and how much of the rest is its certainty.
const FAINTEST: f32 = 0.35;

/// The notes in sight, as they are. The less certain, the more translucent; a broken frame marks what is doubtful.
pub fn bodies(plane: &Plane, analysis: &Analysis, colours: &Colours) -> Vec<Shape> {
    let mut shapes = Vec::new();
    let others = analysis.harmony.iter().filter(|note| is_near(note, plane));
    for note in others {
        let body = plane.body(note.onset, note.offset, note.key);
        shapes.push(Shape::rect_stroke(body, 2.0, Stroke::new(1.0, colours.faint), StrokeKind::Inside));
    }
    for note in &analysis.notes[visible(&analysis.notes, plane)] {
        let body = plane.body(note.onset, note.offset, note.key);
        let opaque = FAINTEST + (1.0 - FAINTEST) * note.confidence.clamp(0.0, 1.0);
        shapes.push(Shape::rect_filled(body, rounding(body), colours.note.gamma_multiply(opaque)));
        if note.confidence < DOUBTFUL {
            let corners = [body.left_top(), body.right_top(), body.right_bottom(), body.left_bottom(), body.left_top()];
            shapes.extend(Shape::dashed_line(&corners, Stroke::new(1.3, colours.warning), 4.0, 3.0));
        }
    }
    shapes
}

fn is_near(note: &Note, plane: &Plane) -> bool {
    let (from, to) = plane.span();
    note.offset.0 >= from && note.onset.0 <= to
}

fn rounding(body: Rect) -> f32 {
    if body.width() > ROUNDED_FROM { 3.0 } else { 0.0 }
}

/// Names above the notes, so that the pitch does not cross them out, and dots on what was corrected.
pub fn names(painter: &Painter, scene: &Scene) {
    let mut free_from = f32::NEG_INFINITY;
    for index in scene.visible() {
        let body = scene.body(index);
        if scene.changed.get(index).copied().unwrap_or_default() {
            painter.circle_filled(body.left_center() + vec2(5.0, 0.0), 2.5, scene.colours.pitch);
        }
        let at = body.left_top() - vec2(0.0, 1.0);
        let in_sight = scene.plane.rect.expand(4.0).contains(at);
        if in_sight && at.x >= free_from && scene.plane.row() > LOWEST_NAMED {
            let doubt = scene.notes()[index].confidence < DOUBTFUL;
            let name = scene.analysis.name_of(index).unwrap_or_default();
            let (name, colour) =
                if doubt { (format!("{name} ?"), scene.colours.warning) } else { (name, scene.colours.text) };
            painter.text(at, Align2::LEFT_BOTTOM, name, FontId::proportional(10.5), colour);
            free_from = at.x + NAME_WIDTH;
        }
    }
}

/// Frames around the selected notes; the one that keys are about has a second frame.
pub fn selection(painter: &Painter, scene: &Scene, cursor: Option<usize>) {
    for index in scene.visible().filter(|index| scene.selected[*index]) {
        let body = scene.body(index).expand(1.0);
        let corners = rounding(body) * 1.3;
        painter.rect_stroke(body, corners, Stroke::new(1.8, scene.colours.selection), StrokeKind::Outside);
        if cursor == Some(index) {
            let focus = Stroke::new(1.6, scene.colours.focus);
            painter.rect_stroke(body.expand(3.0), corners + 2.0, focus, StrokeKind::Outside);
        }
    }
}

/// What a correction would make of the notes, before it is made: the old place fades, the new one is outlined and named.
pub fn preview(painter: &Painter, scene: &Scene, edit: &MelodyEdit) {
    match edit {
        MelodyEdit::Move { notes: Selection::Notes(_), semitones, by } => {
            let mut faded = Mesh::default();
            for index in scene.visible().filter(|index| scene.selected[*index]) {
                pictures::add_box(&mut faded, scene.body(index), scene.colours.background.gamma_multiply(0.6));
            }
            painter.add(Shape::mesh(faded));
            let mut free_from = f32::NEG_INFINITY;
            let (from, to) = scene.plane.span();
            for (note, _) in scene.notes().iter().zip(&scene.selected).filter(|(_, selected)| **selected) {
                let (onset, offset) = (note.onset + *by, note.offset + *by);
                if offset.0 >= from && onset.0 <= to {
                    let key = (i16::from(note.key) + semitones).clamp(0, 127) as u8;
                    free_from = ghost(painter, scene, (onset, offset, key), free_from);
                }
            }
        }
        MelodyEdit::Stretch { note, onset, offset } => {
            if let Some(index) = scene.index_of(*note) {
                fade(painter, scene, index);
                ghost(painter, scene, (*onset, *offset, scene.notes()[index].key), f32::NEG_INFINITY);
            }
        }
        MelodyEdit::Add { onset, offset, key, .. } => {
            ghost(painter, scene, (*onset, *offset, *key), f32::NEG_INFINITY);
        }
        _ => {}
    }
}

fn fade(painter: &Painter, scene: &Scene, index: usize) {
    painter.rect_filled(scene.body(index), 0.0, scene.colours.background.gamma_multiply(0.6));
}

/// A note as it will be. Its name is drawn where there is room: from `free_from` on, and from the result on for the next.
fn ghost(painter: &Painter, scene: &Scene, (onset, offset, key): (Seconds, Seconds, u8), free_from: f32) -> f32 {
    let body = scene.plane.body(onset, offset, key);
    painter.rect_filled(body, rounding(body), scene.colours.note);
    if body.width() > ROUNDED_FROM {
        painter.rect_stroke(body, rounding(body), Stroke::new(1.5, scene.colours.selection), StrokeKind::Outside);
    }
    if body.left() < free_from {
        return free_from;
    }
    let name = scene.analysis.key.key.spell(key);
    let at = body.left_top() - vec2(0.0, 1.0);
    painter.text(at, Align2::LEFT_BOTTOM, name, FontId::proportional(10.5), scene.colours.text);
    body.left() + NAME_WIDTH
}

/// What there is to know about a note, a line each.
pub fn facts(scene: &Scene, index: usize) -> Vec<String> {
    let (analysis, note) = (scene.analysis, &scene.notes()[index]);
    let cents = (note.sung.0 - analysis.tuning_cents / 100.0 - f32::from(note.key)) * 100.0;
    let beats = (analysis.beat_at(note.offset) - analysis.beat_at(note.onset)).0;
    let mut lines = vec![
        format!("{}, sung {cents:+.0} cents beside it", analysis.name_of(index).unwrap_or_default()),
        format!("{:.2} s, {beats:.2} beats, from {:.2} s", (note.offset - note.onset).0, note.onset.0),
        format!("{:.0} % sure, loudness {:.0} %", note.confidence * 100.0, note.loudness * 100.0),
    ];
    if note.confidence < DOUBTFUL {
        lines.push("Doubtful: listen whether this is a note, and this one.".to_owned());
    }
    if !analysis.key.outside(std::slice::from_ref(note)).is_empty() && analysis.key.segments.is_empty() {
        lines.push(format!("Outside {}.", analysis.key.key.name()));
    }
    if scene.changed.get(index).copied().unwrap_or_default() {
        lines.push("Corrected by you.".to_owned());
    }
    lines
}

/// The notes for those who do not see them: a node for each in sight, where somebody reads them.
pub fn describe(ui: &Ui, scene: &Scene, roll: egui::Id) {
    for index in scene.visible() {
        let body = scene.body(index).intersect(scene.plane.rect);
        if body.is_positive() {
            let response = ui.interact(body, roll.with(("note", scene.ids[index].0)), Sense::hover());
            let label = facts(scene, index).join("; ");
            response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, scene.selected[index], &label));
        }
    }
}
