//! Thread: gui. The variations: hear, compare, keep, export.

use super::icon::{self, Icon};
use super::{Window, theme};
use cantus_engine::export::names::exports_folder;
use cantus_engine::instance::view::{VariationStatus, VariationView, View};
use cantus_engine::rendition::{Fidelity, Rendition};
use egui::{Align, Button, Layout, ProgressBar, Rect, RichText, ScrollArea, Sense, Stroke, TextEdit, Ui, pos2, vec2};

const WAVEFORM_HEIGHT: f32 = 28.0;
const FACTS_WIDTH: f32 = 320.0;

impl Window {
    pub(super) fn variation_list(&mut self, ui: &mut Ui, view: &View) {
        ui.horizontal(|ui| {
            ui.heading("Variations");
            if view.variations.iter().any(|variation| matches!(variation.status, VariationStatus::Pending(_)))
                && ui.button("Cancel all").clicked()
            {
                self.instance.cancel_jobs();
            }
            if view.active.is_some() && ui.button("Original only").on_hover_text("Plays no rendition").clicked() {
                self.instance.select(None);
            }
            if let Some(folder) = &view.exported {
                ui.colored_label(theme::FAINT, format!("last export: {}", folder.display()));
            }
        });
        if view.variations.is_empty() {
            let text =
                if view.take.is_some() { "Choose a style and press Generate." } else { "Capture a melody first." };
            ui.colored_label(theme::FAINT, text);
        }
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            for variation in &view.variations {
                ui.push_id(variation.id, |ui| self.variation(ui, view, variation));
            }
        });
    }

    fn variation(&mut self, ui: &mut Ui, view: &View, variation: &VariationView) {
        ui.horizontal(|ui| {
            let active = view.active == Some(variation.id);
            if icon::button(ui, Icon::Remove, "Remove").clicked() {
                self.instance.delete(variation.id);
            }
            if icon::button(ui, Icon::Star(variation.starred), "Keep its sound in the project").clicked() {
                self.instance.star(variation.id, !variation.starred);
            }
            self.name(ui, variation);
            match &variation.status {
                VariationStatus::Pending(progress) => {
                    ui.add(ProgressBar::new(progress.fraction).desired_width(180.0).text(progress.words()));
                    if ui.button("Stop").on_hover_text("Neural music that is a bar or longer is kept").clicked() {
                        self.instance.stop(variation.id);
                    }
                }
                VariationStatus::Failed(message) => {
                    ui.colored_label(theme::WARNING, message);
                }
                VariationStatus::Silent => self.play_button(ui, view, variation.id),
                VariationStatus::Ready(rendition) => {
                    self.play_button(ui, view, variation.id);
                    let playhead = view.player.as_ref().filter(|_| active).map(|player| player.position(seat_of(view)));
                    waveform(ui, rendition, playhead);
                    facts(ui, rendition);
                    if ui.button("Export").on_hover_text("WAV mix, stems and MIDI").clicked() {
                        self.instance.export(variation.id, exports_folder());
                    }
                }
            }
        });
    }

    fn name(&mut self, ui: &mut Ui, variation: &VariationView) {
        match &mut self.renaming {
            Some((id, text)) if *id == variation.id => {
                let field = ui.add(TextEdit::singleline(text).desired_width(110.0));
                if field.lost_focus() {
                    let name = text.trim().to_owned();
                    let given_up = name.is_empty() || ui.input(|input| input.key_pressed(egui::Key::Escape));
                    if !given_up {
                        self.instance.rename(variation.id, name);
                    }
                    self.renaming = None;
                } else {
                    field.request_focus();
                }
            }
            _ => {
                let label = egui::Label::new(RichText::new(&variation.name).strong()).truncate().sense(Sense::click());
                let name = ui
                    .allocate_ui_with_layout(vec2(110.0, 26.0), Layout::left_to_right(Align::Center), |ui| {
                        ui.set_min_width(110.0);
                        ui.add(label)
                    })
                    .inner;
                if name.on_hover_text("Double-click to rename").double_clicked() {
                    self.renaming = Some((variation.id, variation.name.clone()));
                }
            }
        }
    }

    fn play_button(&self, ui: &mut Ui, view: &View, id: u64) {
        let active = view.active == Some(id);
        // Chosen is one thing, in the hands of the audio thread another.
        let arrived = view.player.as_ref().is_some_and(|player| player.clip(seat_of(view)) == Some(id));
        let text = match (active, arrived) {
            (true, true) => "plays",
            (true, false) => "coming",
            (false, _) => "play",
        };
        let button = Button::selectable(active, text).min_size(vec2(58.0, 26.0));
        if ui.add(button).on_hover_text("Play this one").clicked() {
            self.instance.select(Some(id));
        }
    }
}

fn facts(ui: &mut Ui, rendition: &Rendition) {
    let fidelity = &rendition.fidelity;
    let percent = |share: f32| format!("{:.0} %", share * 100.0);
    let lead = |share: fn(&Fidelity) -> f32| {
        rendition.lead_fidelity().map_or_else(|| "n/a".to_owned(), |fidelity| percent(share(&fidelity)))
    };
    let melody = rendition.lead_fidelity().map_or(fidelity.mix_chroma, |fidelity| fidelity.lead_chroma);
    let text = format!(
        "melody {}   {:.1} LUFS   {:.1} s",
        percent(melody),
        rendition.loudness.integrated_lufs,
        rendition.region.seconds(rendition.rate()).0
    );
    let parts = rendition.score.as_ref().map_or_else(String::new, |score| {
        let parts: Vec<_> =
            score.tracks.iter().map(|track| format!("{}: {}", track.role.name(), track.instrument)).collect();
        let chords: Vec<_> = score.chords.iter().map(|chord| chord.symbol.as_str()).collect();
        format!("{}\n\n{}", parts.join("\n"), chords.join(" "))
    });
    let remarks = rendition.made.as_ref().map_or_else(String::new, |made| made.remarks.join("\n"));
    let hint = format!(
        "pitch classes: lead {}, mix {}\noctaves {}   onsets {}\n\n{parts}{remarks}",
        lead(|fidelity| fidelity.lead_chroma),
        percent(fidelity.mix_chroma),
        lead(|fidelity| fidelity.octave),
        lead(|fidelity| fidelity.onset),
    );
    ui.colored_label(theme::FAINT, text).on_hover_text(hint);
}

/// Peaks of the mix, with the playhead.
fn waveform(ui: &mut Ui, rendition: &Rendition, playhead_frame: Option<i64>) {
    // What is left of the row, but for the facts and the button behind it.
    let width = (ui.available_width() - FACTS_WIDTH).max(60.0);
    let (rect, _) = ui.allocate_exact_size(vec2(width, WAVEFORM_HEIGHT), Sense::hover());
    if !ui.is_rect_visible(rect) {
        return;
    }
    let painter = ui.painter();
    painter.rect_filled(rect, 3.0, theme::BACKGROUND);
    let Some(samples) = rendition.mix.channels.first().filter(|samples| !samples.is_empty()) else { return };
    let columns = rect.width() as usize;
    for column in 0..columns {
        let from = samples.len() * column / columns;
        let to = (samples.len() * (column + 1) / columns).max(from + 1).min(samples.len());
        // A few samples a column show the shape; every sample of every row would cost a core.
        let step = ((to - from) / 24).max(1);
        let peak = samples[from..to].iter().step_by(step).fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let half = (peak * rect.height() * 0.5).max(0.5);
        let x = rect.left() + column as f32 + 0.5;
        let line = [pos2(x, rect.center().y - half), pos2(x, rect.center().y + half)];
        painter.line_segment(line, Stroke::new(1.0, theme::NOTE));
    }
    if let Some(frame) = playhead_frame.filter(|&frame| frame >= 0) {
        let x = rect.left() + frame as f32 / samples.len() as f32 * rect.width();
        let line = Rect::from_x_y_ranges(x..=x + 1.5, rect.y_range());
        painter.rect_filled(line, 0.0, theme::PLAYHEAD);
    }
}

/// Where the player holds the chosen region.
fn seat_of(view: &View) -> usize {
    view.regions.iter().find(|region| region.id == view.region).map_or(0, |region| region.seat)
}
