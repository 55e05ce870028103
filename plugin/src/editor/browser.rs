//! Thread: gui. The styles there are: by category, by a word, the ones with a star, the ones used last.

use super::icon::{self, Icon};
use super::theme;
use super::{Window, emblem};
use cantus_engine::generation::style::Style;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::instance::view::View;
use egui::{Button, Color32, Rect, Response, RichText, ScrollArea, Sense, StrokeKind, TextEdit, Ui, pos2, vec2};

/// Which styles are shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Shelf {
    /// Every one, by category.
    #[default]
    All,
    /// Those with a star.
    Favourites,
    /// Those used last.
    Recent,
    /// One category.
    Category(String),
}

const CARD_HEIGHT: f32 = 38.0;
const GAP: f32 = 6.0;

impl Window {
    /// Search, shelves and cards.
    pub(super) fn style_browser(&mut self, ui: &mut Ui, view: &View, library: &StyleLibrary, height: f32) {
        ui.horizontal(|ui| {
            ui.heading("Style");
            let field = TextEdit::singleline(&mut self.search).hint_text("Search styles");
            let width = ui.available_width() - 8.0;
            let response = ui.add(field.desired_width(width));
            label(&response, "Search styles by name or word");
        });
        let mut categories: Vec<&str> = library.list().iter().map(|style| style.category.as_str()).collect();
        categories.sort_unstable();
        categories.dedup();
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(2.0, 3.0);
            ui.spacing_mut().interact_size.y = 21.0;
            ui.spacing_mut().button_padding = vec2(4.5, 1.0);
            self.shelf_button(ui, Shelf::All, "All");
            self.shelf_button(ui, Shelf::Favourites, "Starred");
            self.shelf_button(ui, Shelf::Recent, "Recent");
            for category in categories {
                self.shelf_button(ui, Shelf::Category(category.to_owned()), category);
            }
        });
        let shown = self.shown(library);
        ScrollArea::vertical()
            .id_salt("styles")
            .max_height(height)
            .min_scrolled_height(height)
            .auto_shrink(false)
            .show(ui, |ui| {
                if shown.is_empty() {
                    ui.colored_label(theme::of(ui).faint, self.nothing_shown());
                }
                let width = (ui.available_width() - GAP - 8.0) / 2.0;
                for pair in shown.chunks(2) {
                    ui.horizontal(|ui| {
                        ui.spacing_mut().item_spacing.x = GAP;
                        for style in pair {
                            self.card(ui, view, style, width);
                        }
                    });
                }
            });
    }

    fn shelf_button(&mut self, ui: &mut Ui, shelf: Shelf, name: &str) {
        let text = RichText::new(name).size(11.5);
        if ui.add(Button::selectable(self.shelf == shelf, text)).clicked() {
            self.shelf = shelf;
        }
    }

    /// The styles of the shelf that fit the words in the search field.
    fn shown<'a>(&self, library: &'a StyleLibrary) -> Vec<&'a Style> {
        let preferences = &self.kept.now;
        let named = |names: &[String]| names.iter().filter_map(|name| library.get(name)).collect::<Vec<_>>();
        let mut styles = match &self.shelf {
            Shelf::All => library.list().iter().collect(),
            Shelf::Favourites => named(&preferences.favourites),
            Shelf::Recent => named(&preferences.recent),
            Shelf::Category(category) => library.list().iter().filter(|style| style.category == *category).collect(),
        };
        if matches!(self.shelf, Shelf::All) {
            styles.sort_by(|a, b| (&a.category, &a.name).cmp(&(&b.category, &b.name)));
        }
        let sought = self.search.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&sought);
        styles.retain(|style| {
            has(&style.name) || has(&style.about) || has(&style.category) || style.words.iter().any(|word| has(word))
        });
        styles
    }

    fn nothing_shown(&self) -> &'static str {
        match self.shelf {
            _ if !self.search.trim().is_empty() => {
                "No style is called that. Clear the search, or say it in the prompt."
            }
            Shelf::Favourites => "No style has a star yet. Point at a style and press its star.",
            Shelf::Recent => "Styles you generate with are listed here.",
            _ => "There is no style here.",
        }
    }

    fn card(&mut self, ui: &mut Ui, view: &View, style: &Style, width: f32) {
        let chosen = view.prompt.trim().is_empty() && self.style_name().as_deref() == Some(style.name.as_str());
        let (rect, response) = ui.allocate_exact_size(vec2(width, CARD_HEIGHT), Sense::click());
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &style.name));
        let star = self.card_star(ui, style, rect);
        if ui.is_rect_visible(rect) {
            let palette = theme::of(ui);
            let [red, green, blue] = style.colour;
            let own = Color32::from_rgb(red, green, blue);
            let painter = ui.painter();
            let fill = match (chosen, response.hovered()) {
                (true, _) => palette.accent_fill,
                (false, true) => palette.hovered,
                (false, false) => palette.raised,
            };
            painter.rect_filled(rect, 5.0, fill);
            let picture = Rect::from_min_size(rect.min, vec2(CARD_HEIGHT, CARD_HEIGHT)).shrink(4.0);
            emblem::draw(painter, picture, own, &style.name, &style.category);
            if chosen {
                painter.rect_stroke(rect, 5.0, egui::Stroke::new(1.5, palette.accent), StrokeKind::Inside);
            }
            let (ink, faint) =
                if chosen { (palette.on_accent, palette.on_accent) } else { (palette.text, palette.faint) };
            let left = picture.right() + 7.0;
            let room = rect.right() - left - if star.is_some() { 18.0 } else { 4.0 };
            line(ui, pos2(left, rect.top() + 3.0), room, &title(&style.name), 13.0, ink);
            if let Some((place, on)) = star {
                icon::draw(painter, Icon::Star(on), place, ink);
            }
            let about = style.about.strip_prefix(&format!("{}: ", title(&style.name))).unwrap_or(&style.about);
            line(ui, pos2(left, rect.top() + 20.0), room + if star.is_some() { 14.0 } else { 0.0 }, about, 10.5, faint);
        }
        theme::focus_ring(ui, &response);
        if response.clicked() {
            self.choose_style(&style.name);
        }
        let hint = format!("{}\n{}\n{:.0} to {:.0} BPM", title(&style.name), style.about, style.tempo.0, style.tempo.1);
        response.on_hover_text(hint);
    }

    /// The star of a card, and where it is drawn when there is one to be seen.
    fn card_star(&mut self, ui: &mut Ui, style: &Style, rect: Rect) -> Option<(Rect, bool)> {
        let is_favourite = self.kept.now.favourites.contains(&style.name);
        let place = Rect::from_center_size(pos2(rect.right() - 11.0, rect.top() + 11.0), vec2(18.0, 18.0));
        let response = ui.interact(place, ui.scope_id().with((&style.name, "star")), Sense::click());
        let words = if is_favourite { "Take the star away" } else { "Give it a star" };
        label(&response, words);
        let visible = is_favourite || response.has_focus() || ui.rect_contains_pointer(rect);
        theme::focus_ring(ui, &response);
        if response.on_hover_text(words).clicked() {
            self.kept.now.toggle_favourite(&style.name);
        }
        visible.then_some((place.shrink(3.5), is_favourite))
    }
}

/// A name with a capital.
pub fn title(name: &str) -> String {
    name.chars().take(1).flat_map(char::to_uppercase).chain(name.chars().skip(1)).collect()
}

/// Says what a field or sign is to those who do not see it.
pub fn label(response: &Response, words: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, words));
}

/// One line of text that ends in dots where the room does.
pub fn line(ui: &Ui, at: egui::Pos2, room: f32, text: &str, size: f32, colour: Color32) {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), egui::FontId::proportional(size), colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(8.0));
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(at, galley, colour);
}
