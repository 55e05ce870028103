//! Thread: gui. The wish: a style or a prompt, who plays it, how many, how freely, and the seed.

use super::browser::label;
use super::icon::{self, Icon};
use super::{Window, theme};
use crate::params::{NoteTiming, library, style_name};
use crate::tasks::wish;
use cantus_engine::generation::EngineKind;
use cantus_engine::generation::prompt::resolve;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::instance::view::View;
use egui::{Align, Button, DragValue, Layout, RichText, ScrollArea, Slider, TextEdit, Ui, UiBuilder, vec2};

/// What stays at the foot of the column: count, seed and the button.
const FOOT: f32 = 76.0;
/// What the column needs below the cards before it begins to scroll.
const BELOW_CARDS: f32 = 300.0;
const FEWEST_CARDS: f32 = 126.0;

impl Window {
    pub(super) fn style_view(&mut self, ui: &mut Ui, view: &View) {
        let whole = ui.max_rect();
        let (upper, foot) = whole.split_top_bottom_at_y((whole.bottom() - FOOT).max(whole.top()));
        let cards = (upper.height() - BELOW_CARDS).max(FEWEST_CARDS);
        // The live shelf knows the user's own files; before the first activation there are the built-in ones.
        let live = self.instance.styles().map(|(library, _)| library);
        let library = live.as_deref().or_else(|| library());
        let mut column = ui.new_child(UiBuilder::new().max_rect(upper).layout(Layout::top_down(Align::Min)));
        column.set_clip_rect(upper.expand(3.0).intersect(ui.clip_rect()));
        ScrollArea::vertical().id_salt("style view").auto_shrink(false).show(&mut column, |ui| {
            self.engine_choice(ui, view);
            if let Some(library) = library {
                self.style_browser(ui, view, library, cards);
                self.prompt_field(ui, view, library);
            }
            self.choices(ui, view);
        });
        let mut foot = ui.new_child(UiBuilder::new().max_rect(foot).layout(Layout::top_down(Align::Min)));
        self.generate(&mut foot, view);
    }

    /// The style that the parameter names.
    pub(super) fn style_name(&self) -> Option<String> {
        style_name(self.params.style.value())
    }

    /// Takes a style. Those of the user's own have no place in the parameter: they are asked for by name.
    pub(super) fn choose_style(&mut self, name: &str) {
        let place = library().and_then(|library| library.list().iter().position(|style| style.name == name));
        match place.and_then(|place| i32::try_from(place).ok()) {
            Some(place) => {
                self.set(&self.params.style, place);
                self.prompt.clear();
            }
            None => name.clone_into(&mut self.prompt),
        }
        self.instance.set_prompt(self.prompt.clone());
    }

    fn prompt_field(&mut self, ui: &mut Ui, view: &View, library: &StyleLibrary) {
        ui.add_space(4.0);
        let field = TextEdit::multiline(&mut self.prompt)
            .hint_text("or in your own words: smooth jazz with a saxophone solo, no drums")
            .desired_rows(2)
            .desired_width(f32::INFINITY);
        let response = ui.add(field);
        label(&response, "The style in your own words");
        if response.changed() {
            self.instance.set_prompt(self.prompt.clone());
        }
        if view.engine == EngineKind::Band {
            self.understanding(ui, library);
        }
    }

    /// What the prompt was understood as, while it is typed.
    fn understanding(&self, ui: &mut Ui, library: &StyleLibrary) {
        if self.prompt.trim().is_empty() {
            return;
        }
        let palette = theme::of(ui);
        match resolve(&self.prompt, library) {
            Ok(resolved) => {
                ui.colored_label(palette.accent, format!("Understood: {}", resolved.understood.join(", ")));
                if !resolved.ignored.is_empty() {
                    ui.colored_label(palette.faint, format!("Ignored: {}", resolved.ignored.join(", ")));
                }
            }
            Err(error) => {
                ui.colored_label(palette.warning, error.to_string());
            }
        }
    }

    fn choices(&mut self, ui: &mut Ui, view: &View) {
        let band = view.engine == EngineKind::Band;
        ui.add_space(2.0);
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.colored_label(theme::of(ui).faint, "Timing")
                .on_hover_text("How far the notes are pulled from where you sang them to the grid");
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
        if band {
            self.freedom(ui);
            self.band_panel(ui, view);
        }
    }

    fn freedom(&self, ui: &mut Ui) {
        let mut freedom = self.params.freedom.value();
        ui.horizontal(|ui| {
            let hint = "Left: exactly your melody. Right: a player's paraphrase of it.";
            ui.colored_label(theme::of(ui).faint, "Freedom").on_hover_text(hint);
            ui.spacing_mut().slider_width = ui.available_width() - 60.0;
            let slider =
                Slider::new(&mut freedom, 0.0..=1.0).custom_formatter(|value, _| format!("{:.0} %", value * 100.0));
            if ui.add(slider).on_hover_text(hint).changed() {
                self.set(&self.params.freedom, freedom);
            }
        });
    }

    fn generate(&mut self, ui: &mut Ui, view: &View) {
        let palette = theme::of(ui);
        ui.horizontal(|ui| {
            let mut count = self.params.variations.value();
            ui.colored_label(palette.faint, "Variations");
            if ui.add(DragValue::new(&mut count).range(1..=8)).changed() {
                self.set(&self.params.variations, count);
            }
            let mut seed = self.params.seed.value();
            ui.colored_label(palette.faint, "Seed")
                .on_hover_text("The same seed and the same wish give the same music");
            let free = !self.seed_locked;
            if ui.add_enabled(free, DragValue::new(&mut seed).range(0..=9999)).changed() {
                self.set(&self.params.seed, seed);
            }
            let dice = ui.add_enabled_ui(free, |ui| icon::button(ui, Icon::Dice, "Another seed")).inner;
            if dice.clicked() {
                self.roll_seed();
            }
            let words = if self.seed_locked { "Let the seed go: each order takes a new one" } else { "Keep this seed" };
            if icon::button(ui, Icon::Lock(self.seed_locked), words).clicked() {
                self.seed_locked = !self.seed_locked;
            }
        });
        ui.add_space(2.0);
        let possible = view.take.is_some();
        let text = RichText::new("Generate").size(16.0).strong();
        let text = if possible { text.color(palette.on_accent) } else { text };
        let button = Button::new(text).fill(if possible { palette.accent_fill } else { palette.raised });
        let size = vec2(ui.available_width(), 36.0);
        let button = ui.add_enabled_ui(possible, |ui| ui.add_sized(size, button)).inner;
        if button.on_disabled_hover_text("Capture or open a melody first").clicked() {
            self.order(view);
        }
    }

    /// Orders variations of what is wished for.
    fn order(&mut self, view: &View) {
        self.instance.generate(&wish(&self.params, &self.instance));
        if view.prompt.trim().is_empty()
            && let Some(style) = self.style_name()
        {
            self.kept.now.used(&style);
        }
        if !self.seed_locked {
            let next = self.params.seed.value() + self.params.variations.value();
            self.set(&self.params.seed, next % 10_000);
        }
    }

    /// Any other seed will do; a fixed stride visits all of them before one comes again.
    fn roll_seed(&self) {
        self.set(&self.params.seed, (self.params.seed.value() + 3_571) % 10_000);
    }
}
