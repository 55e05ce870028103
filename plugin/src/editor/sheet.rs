//! Thread: gui. Sheets: what takes the place of melody and variations for a while. Settings are the smallest of them.

use super::icon::{self, Icon};
use super::preferences::SCALES;
use super::{Window, theme};
use cantus_engine::data_dir::data_dir;
use cantus_engine::export::names::exports_folder;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::instance::view::View;
use egui::{Align, Button, Grid, Layout, Ui};
use std::path::PathBuf;

/// What may lie over the left side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// Look and folders.
    Settings,
    /// Models of neural engines.
    Models,
    /// What was said.
    Messages,
    /// A file to open.
    Open,
}

impl Sheet {
    fn title(self) -> &'static str {
        match self {
            Self::Settings => "Settings",
            Self::Models => "Models",
            Self::Messages => "Messages",
            Self::Open => "Open a recording or MIDI file",
        }
    }
}

impl Window {
    /// Lays a sheet over the left side, or takes it away.
    pub fn toggle_sheet(&mut self, sheet: Sheet) {
        self.sheet = (self.sheet != Some(sheet)).then_some(sheet);
        match self.sheet {
            Some(Sheet::Models) => self.models.look(),
            // It is in a file, which is not read while drawing.
            Some(Sheet::Settings) => self.exports = exports_folder(),
            _ => {}
        }
    }

    pub(super) fn show_sheet(&mut self, ui: &mut Ui, view: &View, sheet: Sheet) {
        ui.horizontal(|ui| {
            ui.heading(sheet.title());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let escape = ui.input(|input| input.key_pressed(egui::Key::Escape)) && !ui.ctx().text_edit_focused();
                if icon::button(ui, Icon::Remove, "Back to the melody").clicked() || escape {
                    self.sheet = None;
                }
            });
        });
        ui.separator();
        match sheet {
            Sheet::Settings => self.settings(ui, view),
            Sheet::Models => self.model_view(ui, view),
            Sheet::Messages => self.messages(ui, view),
            Sheet::Open => self.open_view(ui, view),
        }
    }

    fn settings(&mut self, ui: &mut Ui, view: &View) {
        let palette = theme::of(ui);
        Grid::new("settings").num_columns(2).spacing([18.0, 10.0]).show(ui, |ui| {
            ui.colored_label(palette.faint, "Look");
            ui.horizontal(|ui| {
                for (dark, name) in [(true, "dark"), (false, "light")] {
                    if ui.add(Button::selectable(self.kept.now.dark == dark, name)).clicked() {
                        self.kept.now.dark = dark;
                    }
                }
            });
            ui.end_row();
            ui.colored_label(palette.faint, "Size of everything");
            ui.horizontal(|ui| {
                for scale in SCALES {
                    let button = Button::selectable(self.kept.now.scale == scale, format!("{scale} %"));
                    if ui.add(button).clicked() {
                        self.kept.now.scale = scale;
                    }
                }
            });
            ui.end_row();
            ui.colored_label(palette.faint, "Sound in the project");
            ui.horizontal(|ui| {
                let mut embed = view.embed_sound;
                let hint = "An old song sounds the same after Cantus was updated. Without it projects are small, and Band is played anew.";
                if ui.checkbox(&mut embed, "keep it").on_hover_text(hint).changed() {
                    self.instance.set_embed_sound(embed);
                }
                ui.colored_label(palette.faint, format!("{:.1} MB now", view.session_bytes as f64 / 1e6));
            });
            ui.end_row();
            for (name, hint, folder) in [
                ("Exported and dragged files", "Never deleted by Cantus", Some(self.exports.clone())),
                ("Your own styles", "Style files put here appear in the browser", StyleLibrary::user_folder()),
                ("Cantus' data", "Models, settings, takes that wait to be saved", data_dir()),
            ] {
                ui.colored_label(palette.faint, name).on_hover_text(hint);
                self.folder(ui, folder);
                ui.end_row();
            }
        });
        ui.add_space(8.0);
        for mistake in self.instance.styles().map(|(_, mistakes)| mistakes).unwrap_or_default() {
            super::status::warning(ui, &mistake.to_string());
        }
        if let Some(folder) = &view.exported {
            ui.colored_label(palette.faint, format!("Last export: {}", folder.display()));
        }
        let words =
            format!("Cantus {}. Look, size and favourites are kept for all projects.", env!("CARGO_PKG_VERSION"));
        ui.colored_label(palette.faint, words);
    }

    fn folder(&mut self, ui: &mut Ui, folder: Option<PathBuf>) {
        let Some(folder) = folder else {
            super::status::warning(ui, "the system names no such folder");
            return;
        };
        ui.horizontal(|ui| {
            let there = folder.is_dir();
            if ui.add_enabled(there, Button::new("Show")).clicked()
                && let Err(sentence) = cantus_drag::reveal(&folder)
            {
                self.instance.tell(sentence);
            }
            if ui.button("Copy path").clicked() {
                ui.ctx().copy_text(folder.display().to_string());
            }
            let text = folder.display().to_string();
            ui.add(egui::Label::new(&text).truncate()).on_hover_text(text);
        });
    }
}
