//! Thread: gui. Colours and spacing. The accent pairs are distinguishable with colour-blind eyes: blue, orange, and shapes besides.

use egui::{Color32, Context, CornerRadius, FontId, Stroke, TextStyle, Visuals};

pub const BACKGROUND: Color32 = Color32::from_rgb(18, 20, 26);
pub const PANEL: Color32 = Color32::from_rgb(27, 30, 38);
pub const RAISED: Color32 = Color32::from_rgb(40, 44, 55);
pub const LINE: Color32 = Color32::from_rgb(62, 68, 84);
pub const TEXT: Color32 = Color32::from_rgb(226, 229, 236);
pub const FAINT: Color32 = Color32::from_rgb(140, 147, 163);
pub const NOTE: Color32 = Color32::from_rgb(86, 156, 255);
pub const PITCH: Color32 = Color32::from_rgb(255, 190, 92);
pub const RECORD: Color32 = Color32::from_rgb(240, 92, 84);
pub const WARNING: Color32 = Color32::from_rgb(255, 190, 92);
pub const PLAYHEAD: Color32 = Color32::from_rgb(240, 240, 240);

/// Puts the theme on.
pub fn apply(context: &Context) {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = PANEL;
    visuals.window_fill = PANEL;
    visuals.override_text_color = Some(TEXT);
    visuals.extreme_bg_color = BACKGROUND;
    visuals.selection.bg_fill = NOTE.gamma_multiply(0.5);
    visuals.selection.stroke = Stroke::new(1.0, NOTE);
    for widget in [
        &mut visuals.widgets.inactive,
        &mut visuals.widgets.hovered,
        &mut visuals.widgets.active,
        &mut visuals.widgets.open,
    ] {
        widget.corner_radius = CornerRadius::same(5);
    }
    visuals.widgets.inactive.weak_bg_fill = RAISED;
    visuals.widgets.inactive.bg_fill = RAISED;
    context.set_visuals(visuals);
    context.all_styles_mut(|style| {
        style.spacing.item_spacing = egui::vec2(8.0, 7.0);
        style.spacing.button_padding = egui::vec2(10.0, 5.0);
        style.text_styles.insert(TextStyle::Heading, FontId::proportional(15.0));
        style.text_styles.insert(TextStyle::Body, FontId::proportional(13.5));
        style.text_styles.insert(TextStyle::Button, FontId::proportional(13.5));
        style.text_styles.insert(TextStyle::Small, FontId::proportional(11.0));
    });
}
