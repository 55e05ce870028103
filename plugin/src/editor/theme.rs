//! Thread: gui. The two palettes, dark and light, and how they are put on. Every colour of the window comes from here.
//!
//! The pairs that tell things apart are blue against orange, which all eyes tell apart, and never without a shape or a word besides.

use egui::style::WidgetVisuals;
use egui::{
    Color32, Context, CornerRadius, FontId, Painter, Response, Shadow, Stroke, StrokeKind, TextStyle, Theme, Ui,
    Visuals,
};

/// What every part of the window is painted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Behind pictures, lists and text fields.
    pub background: Color32,
    /// Behind controls.
    pub panel: Color32,
    /// Buttons and cards.
    pub raised: Color32,
    /// A button under the pointer.
    pub hovered: Color32,
    /// Borders and bar lines.
    pub line: Color32,
    /// What is read first.
    pub text: Color32,
    /// What is read second: hints, facts, labels.
    pub faint: Color32,
    /// The one colour of what can be done next, and of progress; also as text.
    pub accent: Color32,
    /// Behind text on a filled accent, and what is chosen.
    pub accent_fill: Color32,
    /// Text on `accent_fill`.
    pub on_accent: Color32,
    /// Notes and waveforms.
    pub note: Color32,
    /// The sung pitch, stars, and marks of what was corrected.
    pub pitch: Color32,
    /// Recording, as a sign.
    pub record: Color32,
    /// Behind text while it records.
    pub record_fill: Color32,
    /// What needs attention, as text.
    pub warning: Color32,
    /// Behind text while it waits.
    pub warning_fill: Color32,
    /// Where the song is.
    pub playhead: Color32,
    /// Around what is selected, and text upon notes.
    pub selected: Color32,
    /// Around what the keyboard is at.
    pub focus: Color32,
    /// The keys of a piano, and their names.
    pub white_key: Color32,
    pub black_key: Color32,
    pub key_name: Color32,
}

/// Light on dark.
pub const DARK: Palette = Palette {
    background: Color32::from_rgb(16, 18, 24),
    panel: Color32::from_rgb(25, 28, 36),
    raised: Color32::from_rgb(39, 43, 54),
    hovered: Color32::from_rgb(52, 57, 71),
    line: Color32::from_rgb(66, 72, 89),
    text: Color32::from_rgb(230, 233, 240),
    faint: Color32::from_rgb(158, 165, 181),
    accent: Color32::from_rgb(110, 172, 255),
    accent_fill: Color32::from_rgb(35, 88, 165),
    on_accent: Color32::from_rgb(255, 255, 255),
    note: Color32::from_rgb(86, 156, 255),
    pitch: Color32::from_rgb(255, 190, 92),
    record: Color32::from_rgb(244, 106, 88),
    record_fill: Color32::from_rgb(150, 44, 34),
    warning: Color32::from_rgb(255, 190, 92),
    warning_fill: Color32::from_rgb(112, 74, 14),
    playhead: Color32::from_rgb(244, 244, 244),
    selected: Color32::from_rgb(255, 255, 255),
    focus: Color32::from_rgb(255, 214, 120),
    white_key: Color32::from_rgb(214, 217, 224),
    black_key: Color32::from_rgb(46, 50, 60),
    key_name: Color32::from_rgb(40, 44, 54),
};

/// Dark on light.
pub const LIGHT: Palette = Palette {
    background: Color32::from_rgb(252, 252, 253),
    panel: Color32::from_rgb(239, 241, 245),
    raised: Color32::from_rgb(223, 227, 234),
    hovered: Color32::from_rgb(208, 214, 224),
    line: Color32::from_rgb(182, 189, 202),
    text: Color32::from_rgb(26, 30, 39),
    faint: Color32::from_rgb(82, 89, 104),
    accent: Color32::from_rgb(20, 84, 168),
    accent_fill: Color32::from_rgb(36, 98, 184),
    on_accent: Color32::from_rgb(255, 255, 255),
    note: Color32::from_rgb(58, 124, 216),
    pitch: Color32::from_rgb(186, 98, 0),
    record: Color32::from_rgb(196, 52, 36),
    record_fill: Color32::from_rgb(176, 48, 34),
    warning: Color32::from_rgb(128, 66, 0),
    warning_fill: Color32::from_rgb(134, 82, 0),
    playhead: Color32::from_rgb(30, 30, 34),
    selected: Color32::from_rgb(16, 18, 24),
    focus: Color32::from_rgb(168, 82, 0),
    white_key: Color32::from_rgb(255, 255, 255),
    black_key: Color32::from_rgb(70, 75, 88),
    key_name: Color32::from_rgb(40, 44, 54),
};

/// The palette that a part of the window is drawn with.
pub fn of(ui: &Ui) -> &'static Palette {
    of_mode(ui.visuals().dark_mode)
}

/// The palette that a painter's window is drawn with.
pub fn of_painter(painter: &Painter) -> &'static Palette {
    of_mode(painter.ctx().global_style().visuals.dark_mode)
}

/// The dark palette, or the light one.
pub fn of_mode(dark: bool) -> &'static Palette {
    if dark { &DARK } else { &LIGHT }
}

/// Marks what the keyboard is at, around something the window draws itself.
pub fn focus_ring(ui: &Ui, response: &Response) {
    if response.has_focus() {
        let ring = Stroke::new(2.0, of(ui).focus);
        ui.painter().rect_stroke(response.rect, 5.0, ring, StrokeKind::Outside);
    }
}

/// Puts the theme on: both palettes, and which of them.
pub fn apply(context: &Context, dark: bool) {
    context.set_visuals_of(Theme::Dark, visuals(true));
    context.set_visuals_of(Theme::Light, visuals(false));
    context.set_theme(if dark { Theme::Dark } else { Theme::Light });
    context.all_styles_mut(|style| {
        style.spacing.item_spacing = egui::vec2(8.0, 6.0);
        style.spacing.button_padding = egui::vec2(9.0, 4.0);
        style.spacing.interact_size.y = 24.0;
        style.spacing.scroll = egui::style::ScrollStyle::thin();
        style.interaction.selectable_labels = false;
        style.text_styles.insert(TextStyle::Heading, FontId::proportional(15.0));
        style.text_styles.insert(TextStyle::Body, FontId::proportional(13.5));
        style.text_styles.insert(TextStyle::Button, FontId::proportional(13.5));
        style.text_styles.insert(TextStyle::Monospace, FontId::monospace(12.5));
        style.text_styles.insert(TextStyle::Small, FontId::proportional(11.5));
    });
}

fn visuals(dark: bool) -> Visuals {
    let palette = of_mode(dark);
    let mut visuals = if dark { Visuals::dark() } else { Visuals::light() };
    visuals.panel_fill = palette.panel;
    visuals.window_fill = palette.panel;
    visuals.window_stroke = Stroke::new(1.0, palette.line);
    visuals.popup_shadow = Shadow { offset: [0, 3], blur: 10, spread: 0, color: Color32::from_black_alpha(80) };
    visuals.weak_text_color = Some(palette.faint);
    visuals.hyperlink_color = palette.accent;
    visuals.faint_bg_color = palette.raised;
    visuals.extreme_bg_color = palette.background;
    visuals.code_bg_color = palette.background;
    visuals.warn_fg_color = palette.warning;
    visuals.error_fg_color = palette.warning;
    visuals.selection.bg_fill = palette.accent_fill;
    visuals.selection.stroke = Stroke::new(1.0, palette.on_accent);
    let look = |fill: Color32, border: Stroke, ink: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: border,
        corner_radius: CornerRadius::same(5),
        fg_stroke: Stroke::new(1.2, ink),
        expansion: 0.0,
    };
    visuals.widgets.noninteractive = look(palette.panel, Stroke::new(1.0, palette.line), palette.text);
    visuals.widgets.inactive = look(palette.raised, Stroke::NONE, palette.text);
    visuals.widgets.hovered = look(palette.hovered, Stroke::new(1.0, palette.line), palette.text);
    // What the keyboard is at is drawn as active.
    visuals.widgets.active = look(palette.hovered, Stroke::new(2.0, palette.focus), palette.text);
    visuals.widgets.open = look(palette.hovered, Stroke::new(1.0, palette.line), palette.text);
    visuals
}
