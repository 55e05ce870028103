//! Thread: gui. Buttons and the menu of the melody. Everything the mouse and the keys can do is here, too, with its key named.

use super::Roll;
use super::colours::Colours;
use super::edits::Step;
use super::gestures::Tool;
use cantus_engine::instance::view::View;
use egui::{Button, ComboBox, DragValue, Ui};

/// Text, what it orders, and what it says about itself.
type Entry = (&'static str, Step, &'static str);

const ON_NOTES: [Entry; 5] = [
    ("Octave up", Step::Octaves(1), "Shift + arrow up"),
    ("Octave down", Step::Octaves(-1), "Shift + arrow down"),
    ("Split", Step::Split, "S: where the song is, or in the middle. A double click splits at the pointer"),
    ("Join", Step::Join, "J: with the next note, or all selected neighbours"),
    ("Delete", Step::Delete, "Delete key"),
];
const ON_ALL: [Entry; 2] = [
    ("Quantise", Step::Quantise, "Q: starts onto the grid, those of the selected notes or of all"),
    ("Snap to key", Step::SnapToKey, "K: notes outside the key to the nearest of it, the selected ones or all"),
];
const IN_MENU: [Entry; 6] = [
    ("Semitone up", Step::Semitones(1), "Arrow up"),
    ("Semitone down", Step::Semitones(-1), "Arrow down"),
    ("Earlier", Step::Nudge(-1), "Arrow left"),
    ("Later", Step::Nudge(1), "Arrow right"),
    ("Longer", Step::Lengthen(1), "Ctrl + arrow right"),
    ("Shorter", Step::Lengthen(-1), "Ctrl + arrow left"),
];
const HERE: Entry =
    ("Split or draw here", Step::Here, "Splits the note under the pointer, or draws one there: double click");
const TOOLS: [(&str, Tool, &str); 3] = [
    ("Select", Tool::Select, "Click, drag a box, drag notes and their ends. Double click: draw or split"),
    ("Draw", Tool::Draw, "Drag over an empty place to draw a note"),
    ("Split", Tool::Split, "Click on a note to split it there"),
];
/// Lines in a quarter note, and the notes a musician calls them by.
const DIVISIONS: [(u8, &str); 6] = [(1, "1/4"), (2, "1/8"), (3, "1/8 T"), (4, "1/16"), (6, "1/16 T"), (8, "1/32")];
const ZOOMS: [Entry; 3] = [
    ("-", Step::ZoomOut, "Shows more: key -, or Ctrl + wheel"),
    ("+", Step::ZoomIn, "Shows less, closer: key +, or Ctrl + wheel. With Shift or Alt, keys instead of time"),
    ("Fit", Step::Fit, "Shows everything: key 0, or a double click on the bar numbers"),
];

impl Roll {
    /// Tools, the grid and the buttons under the picture; says what was ordered.
    pub(super) fn bar(&mut self, ui: &mut Ui, view: &View, colours: &Colours) -> Option<Step> {
        let mut ordered = None;
        let mut button = |ui: &mut Ui, (text, step, hint): Entry, possible: bool| {
            if ui.add_enabled(possible, Button::new(text).small()).on_hover_text(hint).clicked() {
                ordered = Some(step);
            }
        };
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 5.0;
            ui.spacing_mut().interact_size.y = 20.0;
            ui.spacing_mut().button_padding.y = 2.0;
            for (text, tool, hint) in TOOLS {
                if ui.add(Button::selectable(self.tool == tool, text).small()).on_hover_text(hint).clicked() {
                    self.tool = tool;
                }
            }
            ui.separator();
            button(ui, ("Undo", Step::Undo, "Takes the last correction back: Ctrl + Z"), view.corrections.can_undo);
            button(ui, ("Redo", Step::Redo, "Makes it again: Ctrl + Shift + Z"), view.corrections.can_redo);
            ui.separator();
            let any = !self.selected.is_empty();
            ON_NOTES.into_iter().for_each(|entry| button(ui, entry, any));
            ui.separator();
            ON_ALL.into_iter().for_each(|entry| button(ui, entry, !view.corrections.ids.is_empty()));
            let mut strength = self.quantising.strength * 100.0;
            let drag = DragValue::new(&mut strength).range(0.0..=100.0).max_decimals(0).suffix(" %");
            if ui.add(drag).on_hover_text("How far quantising moves the starts").changed() {
                self.quantising.strength = strength / 100.0;
            }
            let name = DIVISIONS.iter().find(|(division, _)| *division == self.quantising.division);
            ComboBox::from_id_salt("division").width(58.0).selected_text(name.map_or("", |(_, name)| name)).show_ui(
                ui,
                |ui| {
                    for (division, name) in DIVISIONS {
                        ui.selectable_value(&mut self.quantising.division, division, name);
                    }
                },
            );
            let magnet = ui.checkbox(&mut self.quantising.magnet, "Magnet");
            magnet.on_hover_text("What is dragged sticks to the grid. Alt while dragging turns it round");
            ui.separator();
            let words = match (self.selected.len(), view.corrections.count) {
                (0, 0) => "Click a note".to_owned(),
                (0, count) => format!("{count} corrected"),
                (1, _) => "1 selected".to_owned(),
                (notes, _) => format!("{notes} selected"),
            };
            ui.colored_label(colours.faint, words);
        });
        ordered
    }

    /// The buttons of the zoom.
    pub(super) fn zoom_buttons(&mut self, ui: &mut Ui) -> Option<Step> {
        let mut ordered = None;
        ui.checkbox(&mut self.follow, "Follow").on_hover_text("Turns the page while the song plays");
        for (text, step, hint) in ZOOMS.into_iter().rev() {
            if ui.add(Button::new(text).small()).on_hover_text(hint).clicked() {
                ordered = Some(step);
            }
        }
        ordered
    }

    /// The menu of a right click; says what was ordered.
    pub(super) fn menu(&self, ui: &mut Ui, view: &View) -> Option<Step> {
        let mut ordered = None;
        let any = !self.selected.is_empty();
        let groups: [(&[Entry], bool); 5] = [
            (&IN_MENU, any),
            (&ON_NOTES, any),
            (&ON_ALL, !view.corrections.ids.is_empty()),
            (&[HERE], true),
            (&[("Select all", Step::SelectAll, "Ctrl + A")], !view.corrections.ids.is_empty()),
        ];
        for (index, (entries, possible)) in groups.into_iter().enumerate() {
            if index > 0 {
                ui.separator();
            }
            for (text, step, hint) in entries {
                if ui.add_enabled(possible, Button::new(*text)).on_hover_text(*hint).clicked() {
                    ordered = Some(*step);
                    ui.close();
                }
            }
        }
        ordered
    }
}
