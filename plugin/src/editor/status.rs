//! Thread: gui. The line of truth: what goes on, what went wrong, what is lost, what is installed; and what was said before.

use super::icon::{self, Icon};
use super::{Sheet, Window, theme};
use cantus_engine::instance::view::{VariationStatus, View};
use egui::{Align, Button, Label, Layout, Rect, RichText, ScrollArea, Sense, Ui, vec2};

impl Window {
    /// What happened last, and the state of everything that can be in the way.
    pub(super) fn status_bar(&mut self, ui: &mut Ui, view: &View) {
        let palette = theme::of(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for (sheet, name, hint) in [
                (Sheet::Settings, "Settings", "Look, scale, folders"),
                (Sheet::Models, "Models", "Models of neural engines: what is installed, and fetching"),
                (Sheet::Messages, "Messages", "Everything that was said"),
            ] {
                if ui.add(Button::selectable(self.sheet == Some(sheet), name)).on_hover_text(hint).clicked() {
                    self.toggle_sheet(sheet);
                }
            }
            ui.separator();
            if let Some(ear) = &view.ear {
                if ear.overruns > 0 {
                    let words = format!("{} frames lost", ear.overruns);
                    let hint = "The computer was too busy to keep up with the input. Takes have a gap there: record them again, \
                        with a bigger buffer in the audio settings.";
                    warning(ui, &words).on_hover_text(hint);
                }
                if ear.non_finite > 0 {
                    warning(ui, "bad input").on_hover_text(
                        "The input had samples that are no numbers: a plugin before this one is broken. They were heard as silence.",
                    );
                }
                let hint = "So much of what came in is remembered: it can still be captured after the fact.";
                let words = format!("{:.0} s remembered", ear.history_seconds);
                ui.colored_label(palette.faint, words).on_hover_text(hint);
            } else {
                let hint = "The host has not switched the plugin on yet. Switch the track or the plugin on.";
                warning(ui, "not running").on_hover_text(hint);
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let (text, colour) = match (working(view), view.messages.last()) {
                    (Some(words), _) => (words, palette.accent),
                    (None, Some(message)) => (message.clone(), palette.text),
                    (None, None) => ("Ready.".to_owned(), palette.faint),
                };
                ui.add(Label::new(RichText::new(&text).color(colour)).truncate().sense(Sense::hover())).on_hover_text(text);
            });
        });
    }

    /// Everything that was said, the newest first.
    pub(super) fn messages(&mut self, ui: &mut Ui, view: &View) {
        let palette = theme::of(ui);
        if view.messages.is_empty() {
            ui.colored_label(
                palette.faint,
                "Nothing was said yet. What fails, and what to do about it, is listed here.",
            );
        }
        ScrollArea::vertical().id_salt("messages").auto_shrink(false).show(ui, |ui| {
            for (index, message) in view.messages.iter().rev().enumerate() {
                let colour = if index == 0 { palette.text } else { palette.faint };
                ui.horizontal(|ui| {
                    if icon::button(ui, Icon::Note, "Copy this sentence").clicked() {
                        ui.ctx().copy_text(message.clone());
                    }
                    ui.add(Label::new(RichText::new(message).color(colour)).wrap());
                });
            }
        });
    }
}

/// What is being worked at, in one line.
fn working(view: &View) -> Option<String> {
    if let Some(progress) = &view.analysing {
        return Some(format!("Listening to the melody: {:.0} %", progress.fraction * 100.0));
    }
    let pending: Vec<_> = view
        .variations
        .iter()
        .filter_map(|variation| match &variation.status {
            VariationStatus::Pending(progress) => Some((&variation.name, progress)),
            _ => None,
        })
        .collect();
    let (name, progress) = pending.first()?;
    let more = if pending.len() > 1 { format!(", {} more wait", pending.len() - 1) } else { String::new() };
    Some(format!("{name}: {}, {:.0} %{more}", progress.words(), progress.fraction * 100.0))
}

/// A sign and a word that ask for attention.
pub fn warning(ui: &mut Ui, words: &str) -> egui::Response {
    let colour = theme::of(ui).warning;
    let response = ui.add(Label::new(RichText::new(format!("     {words}")).color(colour)).sense(Sense::hover()));
    let sign = Rect::from_center_size(response.rect.left_center() + vec2(7.0, 0.0), vec2(11.0, 11.0));
    icon::draw(ui.painter(), Icon::Warning, sign, colour);
    response
}

/// The sign alone.
pub fn sign(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(vec2(13.0, 13.0), Sense::hover());
    icon::draw(ui.painter(), Icon::Warning, rect, theme::of(ui).warning);
}
