//! Thread: gui. The wish: a style or a prompt, how many, how freely, and the seed.

use super::icon::{self, Icon};
use super::{Window, theme};
use crate::params::{NoteTiming, library, style_name};
use crate::tasks::wish;
use cantus_engine::generation::EngineKind;
use cantus_engine::generation::prompt::resolve;
use cantus_engine::instance::view::View;
use egui::{Button, Color32, DragValue, RichText, ScrollArea, Slider, TextEdit, Ui, vec2};
use nice_plug::prelude::Param;

impl Window {
    pub(super) fn style_view(&mut self, ui: &mut Ui, view: &View) {
        ScrollArea::vertical().id_salt("style view").show(ui, |ui| self.style_column(ui, view));
    }

    fn style_column(&mut self, ui: &mut Ui, view: &View) {
        self.engine_choice(ui, view);
        ui.heading("Style");
        ScrollArea::vertical().id_salt("styles").max_height(170.0).show(ui, |ui| self.style_shelf(ui));
        ui.add_space(4.0);
        ui.label("or say it in your own words");
        let field = TextEdit::multiline(&mut self.prompt)
            .hint_text("smooth jazz with a saxophone solo, no drums")
            .desired_rows(2)
            .desired_width(f32::INFINITY);
        if ui.add(field).changed() {
            self.instance.set_prompt(self.prompt.clone());
        }
        if view.engine == EngineKind::Band {
            self.understanding(ui);
        }
        ui.separator();
        ui.horizontal(|ui| {
            let mut count = self.params.variations.value();
            ui.label("Variations");
            if ui.add(DragValue::new(&mut count).range(1..=8)).changed() {
                self.set(&self.params.variations, count);
            }
            let mut seed = self.params.seed.value();
            ui.label("Seed");
            if ui.add(DragValue::new(&mut seed).range(0..=9999)).changed() {
                self.set(&self.params.seed, seed);
            }
            if icon::button(ui, Icon::Dice, "Another seed").clicked() {
                // Any other seed will do; a fixed stride visits all of them before one comes again.
                self.set(&self.params.seed, (self.params.seed.value() + 3_571) % 10_000);
            }
        });
        if view.engine == EngineKind::Band {
            self.freedom(ui);
            self.band_panel(ui, view);
        }
        ui.horizontal(|ui| {
            ui.label("Timing").on_hover_text("How far the notes are pulled from where you sang them to the grid");
            for (timing, text) in [
                (NoteTiming::AsSung, "as sung"),
                (NoteTiming::Tightened, "tightened"),
                (NoteTiming::OnGrid, "on the grid"),
            ] {
                if ui.add(Button::selectable(self.params.timing.value() == timing, text)).clicked() {
                    self.set(&self.params.timing, timing);
                }
            }
        });
        ui.add_space(4.0);
        let button =
            Button::new(RichText::new("Generate").size(16.0).strong()).fill(theme::of(ui).note.gamma_multiply(0.6));
        if ui.add_sized(vec2(ui.available_width(), 38.0), button).clicked() {
            self.instance.generate(&wish(&self.params, &self.instance));
        }
        ui.separator();
        ui.heading("Listen");
        self.toggle(ui, &self.params.play, "Play the rendition", "In sync with the song, where the melody was sung");
        self.toggle(ui, &self.params.replace, "Mute the track meanwhile", "Otherwise both are heard");
        self.toggle(
            ui,
            &self.params.audition,
            "Audition: loop freely",
            "Plays the region round and round, whatever the song does",
        );
        for (param, text) in [(&self.params.wet, "Rendition"), (&self.params.dry, "Track")] {
            let mut level = param.unmodulated_normalized_value();
            let text = format!("{text}  {param}");
            if ui.add(Slider::new(&mut level, 0.0..=1.0).show_value(false).text(text)).changed() {
                self.set(param, param.preview_plain(level));
            }
        }
        ui.separator();
        ui.label("Open a recording instead of capturing");
        let stamp = view.ear.map(|ear| ear.stamp);
        let tempo = stamp.and_then(|stamp| stamp.tempo);
        let metre = stamp.and_then(|stamp| stamp.metre).unwrap_or_default();
        self.open_by_path(ui, tempo, metre);
    }

    /// The styles by shelf.
    fn style_shelf(&mut self, ui: &mut Ui) {
        let Some(library) = library() else { return };
        let mut shelves: Vec<&str> = library.list().iter().map(|style| style.category.as_str()).collect();
        shelves.sort_unstable();
        shelves.dedup();
        for shelf in shelves {
            ui.colored_label(theme::of(ui).faint, shelf);
            ui.horizontal_wrapped(|ui| {
                for index in 0.. {
                    let Some(name) = style_name(index) else { break };
                    let Some(style) = library.get(&name).filter(|style| style.category == shelf) else { continue };
                    let chosen = self.prompt.trim().is_empty() && self.params.style.value() == index;
                    let [red, green, blue] = style.colour;
                    let text = RichText::new(&name)
                        .color(Color32::from_rgb(red, green, blue).lerp_to_gamma(theme::of(ui).text, 0.6));
                    let button = Button::selectable(chosen, text).min_size(vec2(70.0, 26.0));
                    if ui.add(button).on_hover_text(&style.about).clicked() {
                        self.set(&self.params.style, index);
                        self.prompt.clear();
                        self.instance.set_prompt(String::new());
                    }
                }
            });
        }
    }

    fn freedom(&self, ui: &mut Ui) {
        let mut freedom = self.params.freedom.value();
        let slider = Slider::new(&mut freedom, 0.0..=1.0).text("Freedom").show_value(false);
        if ui.add(slider).on_hover_text("Left: exactly your melody. Right: a player's paraphrase of it.").changed() {
            self.set(&self.params.freedom, freedom);
        }
    }

    /// What the prompt was understood as, while it is typed.
    fn understanding(&self, ui: &mut Ui) {
        let Some(library) = library() else { return };
        if self.prompt.trim().is_empty() {
            return;
        }
        match resolve(&self.prompt, library) {
            Ok(resolved) => {
                ui.colored_label(theme::of(ui).note, format!("Understood: {}", resolved.understood.join(", ")));
                if !resolved.ignored.is_empty() {
                    ui.colored_label(theme::of(ui).faint, format!("Ignored: {}", resolved.ignored.join(", ")));
                }
            }
            Err(error) => {
                ui.colored_label(theme::of(ui).warning, error.to_string());
            }
        }
    }
}
