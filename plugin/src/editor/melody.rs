//! Thread: gui. The melody: a piano roll over the chromagram on the song's bars, to see what was heard and to correct it.
//!
//! [`Roll`] outlives the window: zoom, scroll, selection and tools are there when it opens again. A gesture of the mouse or a key
//! becomes a [`MelodyEdit`] for the instance; while a gesture lasts, what it would do is only drawn.

mod backdrop;
mod colours;
mod edits;
mod gestures;
mod grid;
mod keys;
mod notes;
mod piano;
mod pictures;
mod pitch;
mod playhead;
mod scene;
mod scrolling;
mod steps;
mod strip;
mod tools;
pub mod zoom;

use cantus_engine::analysis::Analysis;
use cantus_engine::analysis::edit::{MelodyEdit, NoteId};
use cantus_engine::capture::take::Take;
use cantus_engine::instance::Instance;
use cantus_engine::instance::region::RegionId;
use cantus_engine::instance::view::View;
use colours::Colours;
use edits::{Quantising, Step};
use egui::{
    Align, Align2, EventFilter, FontId, Frame as Area, Id, Layout, Margin, Panel, PointerButton, Pos2, Rect, Response,
    Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2,
};
use gestures::{Gesture, Tool};
use nice_plug_egui::KeyCapture;
use playhead::Playheads;
use scene::Scene;
use std::sync::Arc;
use steps::Moment;
use zoom::{Extent, Plane, Zoom};

/// Sizes in points; egui's zoom scales them.
const RULER: f32 = 18.0;
const PIANO: f32 = 40.0;
const STRIP: f32 = 24.0;
const BAR: f32 = 9.0;
/// Less room than this shows no picture.
const LEAST: f32 = 40.0;
/// Kept clear between the parts of the picture.
const GAP: f32 = 2.0;

/// The melody's part of the window.
#[derive(Default)]
pub struct Roll {
    zoom: Option<Zoom>,
    /// The take that the zoom and the selection are about: its region, its number and its frames.
    take: Option<TakeName>,
    /// How other takes were looked at: regions come and go, and each is found as it was left.
    left: Vec<(TakeName, Zoom)>,
    /// The selected notes; the last is the one that keys are about.
    selected: Vec<NoteId>,
    /// The melody the selection was last compared with.
    known: Option<Arc<[NoteId]>>,
    gesture: Option<Gesture>,
    /// Where the pointer was last: it may leave the window with a note.
    pointer: Pos2,
    /// Where the menu was opened.
    menu_at: Pos2,
    /// Where the keyboard was last, in seconds: Tab goes on from there when nothing is selected.
    cursor: f64,
    tool: Tool,
    quantising: Quantising,
    follow: bool,
    /// The keys go to the picture.
    focused: bool,
    /// The keys that are kept from the host.
    kept: KeyList,
    plane: Option<Plane>,
}

/// The region of a take, its number and its frames.
type TakeName = (RegionId, u64, i64);

/// Takes whose zoom is remembered.
const REMEMBERED: usize = 32;

/// Keys as the host adapter names them.
type KeyList = Vec<nice_plug_egui::Key>;

/// Where everything lies.
struct Places {
    ruler: Rect,
    piano: Rect,
    plot: Rect,
    strip: Rect,
    time_bar: Rect,
    key_bar: Rect,
}

impl Places {
    fn of(rect: Rect) -> Self {
        let plot = Rect::from_min_max(
            pos2(rect.left() + PIANO + GAP, rect.top() + RULER),
            pos2(rect.right() - BAR - GAP, rect.bottom() - STRIP - BAR - 2.0 * GAP),
        );
        let strip_top = plot.bottom() + GAP;
        let bar_top = strip_top + STRIP + GAP;
        Self {
            ruler: Rect::from_x_y_ranges(plot.x_range(), rect.top()..=plot.top()),
            piano: Rect::from_x_y_ranges(rect.left()..=rect.left() + PIANO, plot.y_range()),
            plot,
            strip: Rect::from_x_y_ranges(plot.x_range(), strip_top..=strip_top + STRIP),
            time_bar: Rect::from_x_y_ranges(plot.x_range(), bar_top..=bar_top + BAR),
            key_bar: Rect::from_x_y_ranges(plot.right() + GAP..=rect.right(), plot.y_range()),
        }
    }
}

impl Roll {
    /// The picture with its buttons, or what to do next when there is none. Corrections go to the instance.
    pub fn show(&mut self, ui: &mut Ui, view: &View, instance: &Instance) {
        let colours = Colours::of(ui);
        self.keep_to(view);
        self.kept.clear();
        let Some(analysis) = &view.analysis else {
            (self.focused, self.gesture, self.plane) = (false, None, None);
            empty(ui, view, &colours);
            return;
        };
        let seconds = view.take.as_ref().map_or(0.0, |take| take.audio.length().seconds(take.audio.rate).0);
        let extent = Extent::of(analysis, seconds);
        let mut steps = Vec::new();
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                steps.extend(self.zoom_buttons(ui));
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| facts(ui, analysis, &colours));
            });
        });
        doubts(ui, analysis, &colours);
        let bar = Panel::bottom("corrections").frame(Area::new().inner_margin(Margin::symmetric(0, 4)));
        bar.show_separator_line(false).show(ui, |ui| steps.extend(self.bar(ui, view, &colours)));
        let by_button = !steps.is_empty();

        let rect = ui.available_rect_before_wrap();
        if rect.width() < LEAST + PIANO || rect.height() < LEAST + RULER + STRIP + BAR {
            return;
        }
        let places = Places::of(rect);
        ui.allocate_rect(rect, Sense::hover());
        let id = Id::unique("melody roll");
        let mut zoom = self.zoom.unwrap_or_else(|| Zoom::fit(&extent));
        zoom.keep_inside(&extent);
        scrolling::time_bar(ui, id.with("time"), places.time_bar, &mut zoom, &extent, &colours);
        scrolling::key_bar(ui, id.with("keys"), places.key_bar, &mut zoom, &extent, &colours);
        let ruler = ui.interact(places.ruler, id.with("ruler"), Sense::click());
        if ruler.on_hover_text("Bars of the song. A double click shows everything").double_clicked() {
            zoom = Zoom::fit(&extent);
        }
        let response = ui.interact(places.plot, id, Sense::click_and_drag());
        let heads = Playheads::of(view, analysis);
        let plane = Plane { rect: places.plot, zoom };
        scrolling::wheel_and_drag(ui, &response, &plane, &mut zoom, &extent);
        if let Some(time) = heads.first().filter(|_| self.follow && self.gesture.is_none()) {
            zoom.follow(time.0, &extent);
        }
        if self.gesture.is_some() {
            // A pointer that rests beyond the edge goes on pulling.
            if scrolling::pull(self.pointer, &plane, &mut zoom, &extent) {
                ui.ctx().request_repaint();
            }
        }
        let plane = Plane { rect: places.plot, zoom };

        let mut scene = Scene::new(plane, analysis, view, &self.selected, colours);
        steps.extend(self.keyboard(ui, &response, by_button));
        let (edit, preview) = self.mouse(ui, &response, &mut scene);
        response.context_menu(|ui| steps.extend(self.menu(ui, view)));
        if edit.is_some() || !steps.is_empty() {
            ui.ctx().request_repaint();
        }
        self.commit(edit, view, instance);
        for step in steps {
            let moment = Moment { view, instance, playhead: heads.first(), response: &response };
            self.step(step, &scene, &moment, (&mut zoom, &extent));
        }
        let plane = Plane { rect: places.plot, zoom };
        (self.zoom, self.plane) = (Some(zoom), Some(plane));
        let scene = Scene::new(plane, analysis, view, &self.selected, colours);
        self.draw(ui, &places, &scene, (heads, preview.as_ref()), view.take.as_ref());
        self.explain(ui, &scene, &response);
    }

    /// The keys the window keeps from the host: all while somebody types, a few while the melody has the keyboard.
    pub fn key_capture(&self, typing: bool) -> KeyCapture {
        match (typing, self.kept.is_empty()) {
            (true, _) => KeyCapture::CaptureAll,
            (false, true) => KeyCapture::IgnoreAll,
            (false, false) => KeyCapture::CaptureKeys(self.kept.clone()),
        }
    }

    /// The selected notes; the last is the one that keys are about.
    pub fn selected(&self) -> &[NoteId] {
        &self.selected
    }

    /// What is shown where; `None` without a melody.
    pub fn plane(&self) -> Option<Plane> {
        self.plane
    }

    /// Forgets what is not there any more.
    fn keep_to(&mut self, view: &View) {
        let take = view.take.as_ref().map(|take| (view.region, take.id, take.audio.length().0));
        if take != self.take {
            if let Some(left) = self.take.zip(self.zoom) {
                self.left.retain(|(name, _)| *name != left.0);
                self.left.insert(0, left);
                self.left.truncate(REMEMBERED);
            }
            let before = self.left.iter().find(|(name, _)| Some(*name) == take).map(|(_, zoom)| *zoom);
            (self.take, self.zoom, self.gesture) = (take, before, None);
            self.selected.clear();
        }
        let ids = &view.corrections.ids;
        if !self.known.as_ref().is_some_and(|known| Arc::ptr_eq(known, ids)) {
            let mut there = ids.to_vec();
            there.sort_unstable();
            self.selected.retain(|id| there.binary_search(id).is_ok());
            self.known = Some(ids.clone());
        }
    }

    /// Keys, while the picture had the keyboard already: the key that brought it here is none of them.
    fn keyboard(&mut self, ui: &Ui, response: &Response, by_button: bool) -> Vec<Step> {
        let pressed = ui.input(|input| input.pointer.any_pressed());
        if (response.contains_pointer() && pressed) || (by_button && self.focused) {
            response.request_focus();
        }
        let had = std::mem::replace(&mut self.focused, response.has_focus());
        if !self.focused {
            return Vec::new();
        }
        let filter = EventFilter { tab: true, horizontal_arrows: true, vertical_arrows: true, escape: true };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        self.kept = keys::kept(ui.input(|input| input.modifiers));
        if had { keys::pressed(ui) } else { Vec::new() }
    }

    /// The mouse: the correction that was finished, and the one to draw.
    fn mouse(&mut self, ui: &Ui, response: &Response, scene: &mut Scene) -> (Option<MelodyEdit>, Option<MelodyEdit>) {
        const LEFT: PointerButton = PointerButton::Primary;
        let (now, origin, modifiers) =
            ui.input(|input| (input.pointer.latest_pos(), input.pointer.press_origin(), input.modifiers));
        self.pointer = now.unwrap_or(self.pointer);
        let at = self.pointer;
        let adds = modifiers.shift || modifiers.command;
        let hit = scene.hit(at);
        if response.hovered() || self.gesture.is_some() {
            ui.ctx().set_cursor_icon(gestures::cursor(self.tool, hit, self.gesture.as_ref()));
        }
        if response.double_clicked_by(LEFT) && self.tool != Tool::Split {
            return (gestures::double_click(scene, at, self.quantising), None);
        }
        if response.clicked_by(LEFT) {
            let id = hit.note().map(|index| scene.ids[index]);
            if self.tool == Tool::Split {
                let split = |note| MelodyEdit::Split { note, at: scene.plane.time(at.x) };
                return (id.map(split), None);
            }
            gestures::click(&mut self.selected, id, adds);
            self.cursor = scene.plane.time(at.x).0;
        }
        if response.secondary_clicked() {
            self.menu_at = at;
            if let Some(index) = hit.note().filter(|index| !scene.selected[*index]) {
                self.selected = vec![scene.ids[index]];
            }
        }
        if response.drag_started_by(LEFT) {
            let begun = gestures::begin(scene, &mut self.selected, self.tool, origin.unwrap_or(at), modifiers);
            self.gesture = begun;
        }
        let Some(gesture) = &mut self.gesture else { return (None, None) };
        let edit = gesture.edit(scene, at, modifiers, self.quantising);
        if let Some(selected) = gesture.banded(scene, at) {
            self.selected = selected;
        }
        if response.dragged_by(LEFT) {
            return (None, edit);
        }
        self.gesture = None;
        // Egui ends a drag on Escape, too, and then nothing is corrected.
        if !ui.input(|input| input.pointer.primary_released()) {
            return (None, None);
        }
        // Let go: the picture shows the result from the next frame on, so this one still shows the preview.
        (edit.clone(), edit)
    }

    /// Draws everything.
    fn draw(
        &self,
        ui: &mut Ui,
        places: &Places,
        scene: &Scene,
        (heads, preview): (Playheads, Option<&MelodyEdit>),
        take: Option<&Arc<Take>>,
    ) {
        let (plane, colours, analysis) = (&scene.plane, &scene.colours, scene.analysis);
        ui.painter().rect_filled(places.plot, 0.0, colours.background);
        let content = (analysis, take);
        pictures::of(ui.ctx()).lock().draw(ui, plane, places.strip, content, colours);
        let painter = ui.painter_at(places.plot);
        let cursor = self.selected.last().filter(|_| self.focused).and_then(|id| scene.index_of(*id));
        notes::names(&painter, scene);
        notes::selection(&painter, scene, cursor);
        if let Some(edit) = preview {
            notes::preview(&painter, scene, edit);
        }
        if let Some(band) = self.gesture.as_ref().and_then(|gesture| gesture.band(scene, self.pointer)) {
            painter.rect_filled(band, 0.0, colours.note.gamma_multiply(0.15));
            painter.rect_stroke(band, 0.0, Stroke::new(1.0, colours.selection), StrokeKind::Inside);
        }
        grid::ruler(&ui.painter_at(places.ruler), places.ruler, plane, analysis, colours);
        let marked: Vec<u8> = cursor
            .or(scene.selected.iter().position(|on| *on))
            .map(|index| scene.notes()[index].key)
            .into_iter()
            .collect();
        piano::draw(&ui.painter_at(places.piano), places.piano, plane, analysis, colours, &marked);
        let whole = places.ruler.union(places.plot).union(places.strip);
        heads.draw(&ui.painter_at(whole), whole, plane, colours);
        if self.focused {
            let ring = Stroke::new(1.5, colours.focus);
            ui.painter().rect_stroke(places.plot, 0.0, ring, StrokeKind::Inside);
        }
    }

    /// What is said about the note under the pointer, and about all of them to those who do not see them.
    fn explain(&self, ui: &Ui, scene: &Scene, response: &Response) {
        let hit = response.hover_pos().and_then(|at| scene.hit(at).note());
        if let Some(index) = hit.filter(|_| self.gesture.is_none() && !response.context_menu_opened()) {
            response.clone().on_hover_ui_at_pointer(|ui| {
                notes::facts(scene, index).into_iter().for_each(|line| {
                    ui.label(line);
                });
            });
        }
        let here = self.selected.last().and_then(|id| scene.index_of(*id));
        response.widget_info(|| {
            let here = here.map_or_else(String::new, |index| notes::facts(scene, index).join("; "));
            let count = scene.notes().len();
            let label = format!("Melody, {count} notes, {} selected. {here}", self.selected.len());
            WidgetInfo::labeled(Role::ListBox, true, label)
        });
        // Nodes are only made where somebody reads them.
        if ui.ctx().has_accesskit_node(response.id) {
            notes::describe(ui, scene, response.id);
        }
    }

    /// Gives a finished correction to the instance. A note that was drawn is selected.
    fn commit(&mut self, edit: Option<MelodyEdit>, view: &View, instance: &Instance) {
        let Some(edit) = edit else { return };
        if matches!(edit, MelodyEdit::Add { .. }) {
            self.selected = vec![NoteId::made(view.corrections.count)];
            // The name is new: it must not be dropped before the melody has it.
            self.known = Some(view.corrections.ids.clone());
        }
        instance.edit(edit);
    }

    /// Where the keyboard is, in seconds.
    fn cursor(&self, scene: &Scene) -> f64 {
        let last = self.selected.last().and_then(|id| scene.index_of(*id));
        last.map_or(self.cursor, |index| scene.notes()[index].onset.0)
    }
}

/// What was understood, in a line.
fn facts(ui: &mut Ui, analysis: &Analysis, colours: &Colours) {
    let metre = analysis.metre();
    let facts = format!(
        "{}   ·   {:.1} BPM   ·   {}/{}   ·   {} notes, {:.0} % sure   ·   tuning {:+.0} cents",
        analysis.key.key.name(),
        analysis.tempo().0,
        metre.numerator,
        metre.denominator,
        analysis.notes.len(),
        analysis.confidence * 100.0,
        analysis.tuning_cents
    );
    ui.add(egui::Label::new(egui::RichText::new(facts).color(colours.text)).truncate());
}

/// What is uncertain, in a line; all of it under the pointer.
fn doubts(ui: &mut Ui, analysis: &Analysis, colours: &Colours) {
    if analysis.doubts.is_empty() {
        return;
    }
    let text = egui::RichText::new(analysis.doubts.join("  ")).size(12.0).color(colours.warning);
    ui.add(egui::Label::new(text).truncate()).on_hover_text(analysis.doubts.join("\n"));
}

/// What to do next while there is no melody.
fn empty(ui: &Ui, view: &View, colours: &Colours) {
    let text = match (&view.analysing, &view.take) {
        (Some(progress), _) => format!("Listening … {:.0} %", progress.fraction * 100.0),
        (None, Some(_)) => "No melody was understood in this recording.".to_owned(),
        (None, None) => "Set a loop around the bars you want to sing, press Capture, play, and hum.".to_owned(),
    };
    let rect = ui.available_rect_before_wrap();
    ui.painter_at(rect).text(rect.center(), Align2::CENTER_CENTER, text, FontId::proportional(17.0), colours.faint);
}
