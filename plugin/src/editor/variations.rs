//! Thread: gui. The variations: hear, compare, keep, take away.

use super::browser::label;
use super::icon::{self, Icon};
use super::rename::{Renamed, rename_field};
use super::{Window, theme, waveform};
use cantus_engine::instance::view::{VariationStatus, VariationView, View};
use cantus_engine::rendition::{Fidelity, Rendition};
use egui::{
    Align, Button, CornerRadius, Frame, Label, Layout, Margin, ProgressBar, RichText, ScrollArea, Sense, Ui, vec2,
};
use std::sync::Arc;

const NAME_WIDTH: f32 = 118.0;
const PLAY_WIDTH: f32 = 64.0;
const ROW_HEIGHT: f32 = 26.0;
/// What the switches and levels need, and the width of a list in which they get a line of their own.
const LISTENING_WIDTH: f32 = 420.0;
const NARROW: f32 = 640.0;

impl Window {
    pub(super) fn variation_list(&mut self, ui: &mut Ui, view: &View) {
        self.variation_head(ui, view);
        ScrollArea::vertical().id_salt("variations").auto_shrink(false).show(ui, |ui| {
            if view.variations.is_empty() {
                let text = match (&view.take, &view.analysing) {
                    (None, None) => {
                        "Variations of your melody will stand here: hear them, compare them, keep the best."
                    }
                    (_, Some(_)) => "The melody is being listened to. You can choose a style meanwhile.",
                    (Some(_), None) => "Choose a style on the right and press Generate: variations will stand here.",
                };
                ui.add_space(10.0);
                ui.colored_label(theme::of(ui).faint, text);
            }
            for variation in &view.variations {
                ui.push_id(variation.id, |ui| self.variation(ui, view, variation));
            }
        });
    }

    /// The heading, what concerns all of them, and how they are heard.
    fn variation_head(&mut self, ui: &mut Ui, view: &View) {
        ui.horizontal(|ui| {
            ui.heading("Variations");
            let pending = |variation: &VariationView| matches!(variation.status, VariationStatus::Pending(_));
            if view.variations.iter().any(pending) && ui.button("Cancel all").clicked() {
                self.instance.cancel_jobs();
            }
            self.compare_button(ui, view);
            self.undo_button(ui, view);
            if ui.available_width() > LISTENING_WIDTH {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| self.listening(ui));
            }
        });
        if ui.available_width() < NARROW {
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| self.listening(ui));
        }
    }

    fn variation(&mut self, ui: &mut Ui, view: &View, variation: &VariationView) {
        let palette = theme::of(ui);
        let active = view.active == Some(variation.id);
        let fill = if active { palette.raised } else { palette.panel };
        Frame::new().fill(fill).inner_margin(Margin::symmetric(6, 4)).corner_radius(CornerRadius::same(6)).show(
            ui,
            |ui| {
                ui.set_min_width(ui.available_width());
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = 6.0;
                    let words = if variation.starred {
                        "Starred: its sound is kept in the project"
                    } else {
                        "Star it: keep its sound in the project"
                    };
                    if icon::button(ui, Icon::Star(variation.starred), words).clicked() {
                        self.instance.star(variation.id, !variation.starred);
                    }
                    self.name(ui, variation);
                    match &variation.status {
                        VariationStatus::Pending(progress) => {
                            let text = format!("{}  {:.0} %", progress.words(), progress.fraction * 100.0);
                            let width = (ui.available_width() - 70.0).clamp(80.0, 420.0);
                            ui.add(
                                ProgressBar::new(progress.fraction)
                                    .desired_width(width)
                                    .text(text)
                                    .fill(palette.accent_fill),
                            );
                            if ui.button("Stop").on_hover_text("Neural music that is a bar or longer is kept").clicked()
                            {
                                self.instance.stop(variation.id);
                            }
                        }
                        VariationStatus::Failed(message) => {
                            self.failed(ui, variation, message);
                        }
                        VariationStatus::Silent => {
                            self.play_button(ui, view, variation.id);
                            ui.colored_label(palette.faint, "its notes are known; play it to have it made again");
                            self.delete_at_end(ui, variation);
                        }
                        VariationStatus::Ready(rendition) => {
                            self.play_button(ui, view, variation.id);
                            self.shape(ui, view, variation, rendition);
                            self.delete_at_end(ui, variation);
                        }
                    }
                });
                if let VariationStatus::Ready(rendition) = &variation.status {
                    ui.horizontal(|ui| {
                        ui.spacing_mut().item_spacing.x = 5.0;
                        ui.spacing_mut().interact_size.y = 20.0;
                        ui.spacing_mut().button_padding = vec2(6.0, 1.0);
                        facts(ui, rendition);
                        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                            ui.spacing_mut().item_spacing.x = 5.0;
                            self.take_away(ui, view, variation, rendition);
                            self.again(ui, variation);
                        });
                    });
                    if active {
                        self.stem_row(ui, view, variation.id, rendition);
                    }
                }
            },
        );
    }

    fn failed(&mut self, ui: &mut Ui, variation: &VariationView, message: &str) {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            self.delete_button(ui, variation);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                super::status::sign(ui);
                let text = RichText::new(message).color(theme::of(ui).warning);
                ui.add(Label::new(text).truncate()).on_hover_text(message);
            });
        });
    }

    fn delete_at_end(&mut self, ui: &mut Ui, variation: &VariationView) {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| self.delete_button(ui, variation));
    }

    fn delete_button(&mut self, ui: &mut Ui, variation: &VariationView) {
        if icon::button(ui, Icon::Remove, "Delete; it can be taken back").clicked() {
            self.instance.delete(variation.id);
        }
    }

    fn shape(&mut self, ui: &mut Ui, view: &View, variation: &VariationView, rendition: &Arc<Rendition>) {
        let palette = theme::of(ui);
        let width = (ui.available_width() - ROW_HEIGHT - 8.0).max(40.0);
        let (rect, response) = ui.allocate_exact_size(vec2(width, ROW_HEIGHT), Sense::click());
        label(&response, "Play this one");
        let playhead = self.playhead(view, variation.id, rendition);
        let shape = self.waveforms.of(rendition);
        let colour = if view.active == Some(variation.id) { palette.note } else { palette.faint };
        waveform::draw(ui, rect, &shape, colour, playhead);
        theme::focus_ring(ui, &response);
        if response.clicked() {
            self.instance.select(Some(variation.id));
        }
    }

    fn name(&mut self, ui: &mut Ui, variation: &VariationView) {
        match &mut self.renaming {
            Some((id, text)) if *id == variation.id => match rename_field(ui, text, NAME_WIDTH - 8.0) {
                Renamed::Typing => {}
                Renamed::GivenUp => self.renaming = None,
                Renamed::To(name) => {
                    self.instance.rename(variation.id, name);
                    self.renaming = None;
                }
            },
            _ => {
                let text = RichText::new(&variation.name).strong();
                let (_, rect) = ui.allocate_space(vec2(NAME_WIDTH, ROW_HEIGHT));
                let label = Label::new(text).truncate().halign(Align::Min).sense(Sense::click());
                let mut place =
                    ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center)));
                let name = place.add(label).on_hover_text("Double-click, or Enter, to rename");
                theme::focus_ring(ui, &name);
                let by_key = name.has_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
                if name.double_clicked() || by_key {
                    self.renaming = Some((variation.id, variation.name.clone()));
                }
            }
        }
    }

    fn play_button(&self, ui: &mut Ui, view: &View, id: u64) {
        let active = view.active == Some(id);
        // Chosen is one thing, in the hands of the audio thread another.
        let text = match (active, active && self.has_arrived(view, id)) {
            (true, true) => "playing",
            (true, false) => "coming",
            (false, _) => "play",
        };
        let button = Button::selectable(active, text).min_size(vec2(PLAY_WIDTH, ROW_HEIGHT));
        let hint = if active { "This one is heard where the melody lies in the song" } else { "Hear this one" };
        if ui.add(button).on_hover_text(hint).clicked() {
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
    let seconds = rendition.region.seconds(rendition.rate()).0;
    let text = format!("melody {}  ·  {seconds:.1} s", percent(melody));
    let parts = rendition.score.as_ref().map_or_else(String::new, |score| {
        let parts: Vec<_> =
            score.tracks.iter().map(|track| format!("{}: {}", track.role.name(), track.instrument)).collect();
        let chords: Vec<_> = score.chords.iter().map(|chord| chord.symbol.as_str()).collect();
        format!("{}\n\n{}\n\n", parts.join("\n"), chords.join(" "))
    });
    let remarks = rendition.made.as_ref().map_or_else(String::new, |made| made.remarks.join("\n"));
    let hint = format!(
        "How well the melody is kept. Pitch classes: lead {}, mix {}; octaves {}; onsets {}\n{:.1} LUFS\n\n{parts}{remarks}",
        lead(|fidelity| fidelity.lead_chroma),
        percent(fidelity.mix_chroma),
        lead(|fidelity| fidelity.octave),
        lead(|fidelity| fidelity.onset),
        rendition.loudness.integrated_lufs,
    );
    let text = RichText::new(text).color(theme::of(ui).faint).size(12.0);
    ui.add(Label::new(text).sense(Sense::hover())).on_hover_text(hint.trim_end());
}
