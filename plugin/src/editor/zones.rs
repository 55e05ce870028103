//! Thread: gui. Where things stand: four zones in the order of the flow, and the line of truth under them.

use super::preferences::Preferences;
use super::theme;
use egui::{Align, CursorIcon, Layout, Rect, Sense, Stroke, Ui, UiBuilder, vec2};

/// Room inside a zone.
const MARGIN: f32 = 12.0;
const STRIP_HEIGHT: f32 = 92.0;
const STATUS_HEIGHT: f32 = 32.0;
/// The column of the style, in a wide window and in a narrow one.
const COLUMN: (f32, f32) = (338.0, 280.0);
/// A window narrower than this is a narrow one.
const NARROW: f32 = 900.0;
/// What the melody and the list keep at least.
const LEAST_MELODY: f32 = 340.0;
const LEAST_LIST: f32 = 96.0;

/// The places of the zones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Zones {
    /// At the top.
    pub capture: Rect,
    /// Left.
    pub melody: Rect,
    /// Right.
    pub style: Rect,
    /// Under the melody.
    pub variations: Rect,
    /// At the bottom.
    pub status: Rect,
}

impl Zones {
    /// Divides a window. `extra` is what the capture strip needs beyond its usual height.
    pub fn of(window: Rect, list_height: f32, extra: f32) -> Self {
        let (capture, rest) = window.split_top_bottom_at_y(window.top() + STRIP_HEIGHT + extra);
        let (middle, status) = rest.split_top_bottom_at_y((rest.bottom() - STATUS_HEIGHT).max(rest.top()));
        let column = if window.width() < NARROW { COLUMN.1 } else { COLUMN.0 };
        let (left, style) = middle.split_left_right_at_x(middle.right() - column);
        let most = (left.height() - LEAST_MELODY).max(LEAST_LIST);
        let (melody, variations) = left.split_top_bottom_at_y(left.bottom() - list_height.clamp(LEAST_LIST, most));
        Self { capture, melody, style, variations, status }
    }

    /// The left side as one, for what takes the place of melody and variations.
    pub fn left(&self) -> Rect {
        self.melody.union(self.variations)
    }
}

/// Draws one zone.
pub fn zone<R>(ui: &mut Ui, name: &str, rect: Rect, fill: egui::Color32, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.painter().rect_filled(rect, 0.0, fill);
    let inner = rect.shrink2(vec2(MARGIN, (rect.height() / 8.0).min(MARGIN * 0.8)));
    let builder = UiBuilder::new().id_salt(name).max_rect(inner).layout(Layout::top_down(Align::Min));
    let mut zone = ui.new_child(builder);
    // A neighbour's space is the neighbour's.
    zone.set_clip_rect(rect.shrink(1.0).intersect(ui.clip_rect()));
    add(&mut zone)
}

/// The line between melody and variations, to be dragged.
pub fn divider(ui: &mut Ui, zones: &Zones, preferences: &mut Preferences) {
    let line = Rect::from_x_y_ranges(zones.variations.x_range(), zones.variations.top()..=zones.variations.top());
    let id = ui.scope_id().with("divider");
    let response = ui.interact(line.expand2(vec2(0.0, 4.0)), id, Sense::drag());
    let palette = theme::of(ui);
    let held = response.hovered() || response.dragged();
    let stroke = Stroke::new(if held { 2.0 } else { 1.0 }, if held { palette.accent } else { palette.line });
    ui.painter().line_segment([line.left_top(), line.right_top()], stroke);
    if held {
        ui.ctx().set_cursor_icon(CursorIcon::ResizeVertical);
    }
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged()) {
        let most = (zones.left().height() - LEAST_MELODY).max(LEAST_LIST);
        preferences.list_height = (zones.variations.bottom() - pointer.y).clamp(LEAST_LIST, most);
    }
    ui.painter().line_segment([zones.style.left_top(), zones.style.left_bottom()], Stroke::new(1.0, palette.line));
    ui.painter().line_segment([zones.status.left_top(), zones.status.right_top()], Stroke::new(1.0, palette.line));
}
