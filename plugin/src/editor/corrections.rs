//! Thread: gui. Correcting the melody: which notes are selected, and what the buttons and keys do with them.

use super::{Window, theme};
use cantus_engine::analysis::edit::scale::Scale;
use cantus_engine::analysis::edit::{MelodyEdit, NoteId, Selection};
use cantus_engine::instance::view::View;
use cantus_engine::time::Seconds;
use egui::{Button, Key, Modifiers, Ui};
use nice_plug_egui::{Key as HostKey, KeyCapture};

/// Sixteenths, and as far towards them as sounds played rather than programmed.
const DIVISION: u8 = 4;
const STRENGTH: f32 = 1.0;
/// Keys that are ours while notes are selected, as the web names them.
const KEYS: [&str; 6] = ["ArrowUp", "ArrowDown", "Delete", "Backspace", "z", "Z"];

/// What a button or a key orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Semitones(i16),
    Octaves(i8),
    Delete,
    Quantise,
    SnapToKey,
    Undo,
    Redo,
}

/// A button: its text, what it orders, and what it says about itself.
type Entry = (&'static str, Step, &'static str);

/// For the selected notes.
const ON_NOTES: [Entry; 5] = [
    ("Octave up", Step::Octaves(1), "Shift + arrow up"),
    ("Octave down", Step::Octaves(-1), "Shift + arrow down"),
    ("+1", Step::Semitones(1), "A semitone up: arrow up"),
    ("-1", Step::Semitones(-1), "A semitone down: arrow down"),
    ("Delete", Step::Delete, "Delete key"),
];
/// For the selected notes, or for all when none is selected.
const ON_ALL: [Entry; 2] = [
    ("Quantise", Step::Quantise, "Starts on sixteenths: of the selected notes, or of all"),
    ("Snap to key", Step::SnapToKey, "Notes outside the key to the nearest of it: the selected ones, or all"),
];
const KEY_STEPS: [(Key, Modifiers, Step); 8] = [
    (Key::ArrowUp, Modifiers::SHIFT, Step::Octaves(1)),
    (Key::ArrowDown, Modifiers::SHIFT, Step::Octaves(-1)),
    (Key::ArrowUp, Modifiers::NONE, Step::Semitones(1)),
    (Key::ArrowDown, Modifiers::NONE, Step::Semitones(-1)),
    (Key::Delete, Modifiers::NONE, Step::Delete),
    (Key::Backspace, Modifiers::NONE, Step::Delete),
    (Key::Z, Modifiers::COMMAND.plus(Modifiers::SHIFT), Step::Redo),
    (Key::Z, Modifiers::COMMAND, Step::Undo),
];

impl Window {
    /// The buttons under the melody; nothing without a melody.
    pub(super) fn correction_bar(&mut self, ui: &mut Ui, view: &View) {
        if view.analysis.is_none() {
            return;
        }
        let mut ordered = None;
        let mut button = |ui: &mut Ui, (text, step, hint): Entry, possible: bool| {
            if ui.add_enabled(possible, Button::new(text).small()).on_hover_text(hint).clicked() {
                ordered = Some(step);
            }
        };
        ui.horizontal(|ui| {
            let any = !self.selected.is_empty();
            ON_NOTES.into_iter().for_each(|entry| button(ui, entry, any));
            ON_ALL.into_iter().for_each(|entry| button(ui, entry, !view.corrections.ids.is_empty()));
            ui.separator();
            button(ui, ("Undo", Step::Undo, "Takes the last correction back"), view.corrections.can_undo);
            button(ui, ("Redo", Step::Redo, "Makes it again"), view.corrections.can_redo);
            let words = match (self.selected.len(), view.corrections.count) {
                (0, 0) => "Click a note".to_owned(),
                (0, count) => format!("{count} corrected"),
                (1, _) => "1 selected".to_owned(),
                (notes, _) => format!("{notes} selected"),
            };
            ui.colored_label(theme::of(ui).faint, words);
        });
        if !ui.ctx().egui_wants_keyboard_input() && !self.selected.is_empty() {
            ordered = ordered.or_else(|| pressed(ui));
        }
        if let Some(step) = ordered {
            self.correct(step, view);
        }
    }

    fn correct(&mut self, step: Step, view: &View) {
        let notes = Selection::Notes(self.selected.clone());
        let notes_or_all = if self.selected.is_empty() { Selection::All } else { notes.clone() };
        let edit = match step {
            Step::Undo => return self.instance.undo_edit(),
            Step::Redo => return self.instance.redo_edit(),
            Step::Semitones(semitones) => MelodyEdit::Move { notes, semitones, by: Seconds(0.0) },
            Step::Octaves(octaves) => MelodyEdit::Octave { notes, octaves },
            Step::Delete => MelodyEdit::Delete { notes },
            Step::Quantise => MelodyEdit::Quantise { notes: notes_or_all, division: DIVISION, strength: STRENGTH },
            Step::SnapToKey => {
                let Some(analysis) = &view.analysis else { return };
                let key = analysis.key.key;
                MelodyEdit::SnapToKey { notes: notes_or_all, tonic: key.tonic, scale: Scale::of(key.mode) }
            }
        };
        self.instance.edit(edit);
    }

    /// The keys the window keeps from the host: all while somebody types, a few while notes are selected.
    pub(super) fn key_capture(&self, typing: bool) -> KeyCapture {
        if typing {
            KeyCapture::CaptureAll
        } else if self.selected.is_empty() {
            KeyCapture::IgnoreAll
        } else {
            KeyCapture::CaptureKeys(KEYS.iter().filter_map(|name| name.parse::<HostKey>().ok()).collect())
        }
    }
}

/// The order of the keys that were pressed. Those with modifiers come first, for a plain key matches with any.
fn pressed(ui: &Ui) -> Option<Step> {
    let hit = |(key, modifiers, _): &&(Key, Modifiers, Step)| ui.input_mut(|input| input.consume_key(*modifiers, *key));
    KEY_STEPS.iter().find(hit).map(|(.., step)| *step)
}

/// What a click on a note, or beside all of them, makes of the selection.
pub(super) fn click(selected: &mut Vec<NoteId>, hit: Option<NoteId>, adds: bool) {
    match hit {
        Some(id) if adds && selected.contains(&id) => selected.retain(|other| *other != id),
        Some(id) if adds => selected.push(id),
        Some(id) => *selected = vec![id],
        None if adds => {}
        None => selected.clear(),
    }
}
