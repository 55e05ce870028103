//! Thread: gui. Scrolling and zooming by wheel, bars and the middle button.

use super::colours::Colours;
use super::zoom::{Extent, Plane, Zoom};
use egui::{Id, PointerButton, Rect, Response, Sense, Ui, pos2};

/// Points a handle has at least, so that it can be taken.
const SMALLEST: f32 = 18.0;
/// Keys there are to scroll through.
const ALL_KEYS: f32 = 128.0;
/// Points beyond the edge that scroll a point a picture while something is dragged.
const PULL: f32 = 0.25;

/// The wheel over the picture: keys, with Shift time, with Ctrl the zoom around the pointer. The middle button drags.
pub fn wheel_and_drag(ui: &Ui, response: &Response, plane: &Plane, zoom: &mut Zoom, extent: &Extent) {
    let middle = response.dragged_by(PointerButton::Middle);
    if middle {
        let moved = response.drag_delta();
        zoom.scroll(-plane.seconds_of(moved.x), moved.y / plane.row(), extent);
    }
    let Some(at) = response.hover_pos() else { return };
    let (scrolled, factor, modifiers) =
        ui.input(|input| (input.smooth_scroll_delta(), input.zoom_delta(), input.modifiers));
    if factor != 1.0 {
        let fraction = (at - plane.rect.min) / plane.rect.size();
        if modifiers.alt || modifiers.shift {
            zoom.zoom_keys(factor, 1.0 - fraction.y, extent);
        } else {
            zoom.zoom_time(f64::from(factor), f64::from(fraction.x), extent);
        }
    } else if scrolled != egui::Vec2::ZERO {
        zoom.scroll(-plane.seconds_of(scrolled.x), scrolled.y / plane.row(), extent);
    }
}

/// What is dragged beyond an edge pulls the picture along. Says whether it did.
pub fn pull(at: egui::Pos2, plane: &Plane, zoom: &mut Zoom, extent: &Extent) -> bool {
    let beyond = |value: f32, low: f32, high: f32| (value - value.clamp(low, high)) * PULL;
    let x = beyond(at.x, plane.rect.left(), plane.rect.right());
    let y = beyond(at.y, plane.rect.top(), plane.rect.bottom());
    let before = *zoom;
    zoom.scroll(plane.seconds_of(x), -y / plane.row(), extent);
    *zoom != before
}

/// The bar of the time, under the picture.
pub fn time_bar(ui: &Ui, id: Id, area: Rect, zoom: &mut Zoom, extent: &Extent, colours: &Colours) {
    let shown = ((zoom.from / extent.seconds) as f32, (zoom.seconds / extent.seconds) as f32);
    let handle = handle(area.left(), area.width(), shown);
    let rect = Rect::from_x_y_ranges(handle.0..=handle.1, area.y_range());
    if let Some(moved) = bar(ui, id, area, rect, shown.1, colours) {
        let free = (area.width() - rect.width()).max(1.0);
        zoom.scroll(f64::from(moved.x / free) * (extent.seconds - zoom.seconds), 0.0, extent);
    }
}

/// The bar of the keys, beside the picture.
pub fn key_bar(ui: &Ui, id: Id, area: Rect, zoom: &mut Zoom, extent: &Extent, colours: &Colours) {
    let shown = (1.0 - (zoom.lowest + zoom.keys) / ALL_KEYS, zoom.keys / ALL_KEYS);
    let handle = handle(area.top(), area.height(), shown);
    let rect = Rect::from_min_max(pos2(area.left(), handle.0), pos2(area.right(), handle.1));
    if let Some(moved) = bar(ui, id, area, rect, shown.1, colours) {
        let free = (area.height() - rect.height()).max(1.0);
        zoom.scroll(0.0, -moved.y / free * (ALL_KEYS - zoom.keys), extent);
    }
}

/// Both ends of a handle on a bar.
fn handle(start: f32, length: f32, (from, share): (f32, f32)) -> (f32, f32) {
    let size = (share * length).max(SMALLEST).min(length);
    let free = 1.0 - share;
    let place = if free > 1e-6 { (from / free).clamp(0.0, 1.0) } else { 0.0 };
    let begin = start + place * (length - size);
    (begin, begin + size)
}

/// Draws a bar and says how far its handle was dragged. Nothing while everything is in sight.
fn bar(ui: &Ui, id: Id, area: Rect, handle: Rect, share: f32, colours: &Colours) -> Option<egui::Vec2> {
    if share >= 0.999 {
        return None;
    }
    let response = ui.interact(handle.expand(2.0), id, Sense::drag());
    let strong = if response.hovered() || response.dragged() { colours.faint } else { colours.bar };
    ui.painter().rect_filled(area, 3.0, colours.beat.gamma_multiply(0.5));
    ui.painter().rect_filled(handle.shrink(1.0), 3.0, strong);
    response.dragged().then(|| response.drag_delta())
}
