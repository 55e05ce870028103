//! Thread: gui. Files on their way in: dropped on the window, or chosen in a browser inside it.

use super::{Sheet, Window, theme};
use cantus_drag::{Browser, Recent, dropped, hovering, is_sound_or_midi};
use cantus_engine::capture::place::Place;
use cantus_engine::data_dir::data_dir;
use cantus_engine::export::names::exports_folder;
use cantus_engine::instance::view::View;
use egui::{Align2, FontId, Stroke, StrokeKind, Ui};
use std::path::PathBuf;

impl Window {
    /// The sheet in which a file is chosen.
    pub(super) fn open_view(&mut self, ui: &mut Ui, view: &View) {
        let browser = self.browser.get_or_insert_with(|| {
            let recent = data_dir().map(|folder| Recent::kept_in(folder.join("recent files.txt")));
            Browser::new(recent.unwrap_or_default()).with_place("Exports", exports_folder())
        });
        if let Some(file) = browser.show(ui) {
            self.browser = None;
            self.sheet = None;
            self.place_file(file, view);
        }
    }

    /// Opens the sheet of files.
    pub(super) fn open_files(&mut self) {
        self.browser = None;
        self.sheet = Some(Sheet::Open);
    }

    /// Takes what is dropped on the window, and shows that it would while it is held over it.
    pub(super) fn take_drops(&mut self, ui: &mut Ui, view: &View) {
        if let Some(files) = dropped(ui.ctx()) {
            match files.paths.into_iter().find(|path| is_sound_or_midi(path)) {
                Some(path) => self.place_file(path, view),
                None => self.instance.tell("This is neither a sound nor a MIDI file that Cantus can open.".to_owned()),
            }
        }
        let Some(held) = hovering(ui.ctx()) else { return };
        let palette = theme::of(ui);
        let (words, colour) = if held.welcome {
            ("Let go: it becomes the melody of this region, at the bar the song is in", palette.accent)
        } else {
            ("Cantus opens sound and MIDI files only", palette.warning)
        };
        let rect = ui.max_rect().shrink(6.0);
        let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Foreground, ui.scope_id().with("drop")));
        painter.rect_filled(rect, 8.0, palette.background.gamma_multiply(0.85));
        painter.rect_stroke(rect, 8.0, Stroke::new(3.0, colour), StrokeKind::Inside);
        painter.text(rect.center(), Align2::CENTER_CENTER, words, FontId::proportional(18.0), palette.text);
    }

    /// A file becomes the take of the chosen region, at the bar that the song is in.
    fn place_file(&self, path: PathBuf, view: &View) {
        let stamp = view.ear.as_ref().map(|ear| &ear.stamp);
        let metre = stamp.and_then(|stamp| stamp.metre).unwrap_or_default();
        // A recording has the song's tempo as far as anybody knows; MIDI files bring their own.
        self.instance.place_file_at(path, stamp.and_then(|stamp| stamp.tempo), metre, Place::PlayheadBar);
    }
}
