//! Thread: gui. The piano keys beside the picture, with their names.

use super::backdrop::is_black;
use super::colours::Colours;
use super::zoom::Plane;
use cantus_engine::analysis::Analysis;
use egui::{Align2, FontId, Painter, Rect, pos2};

/// Rows that are lower than this have names on every C only.
const LOWEST_NAMED: f32 = 10.0;

/// Draws the keys; those of `marked` stand out.
pub fn draw(painter: &Painter, area: Rect, plane: &Plane, analysis: &Analysis, colours: &Colours, marked: &[u8]) {
    painter.rect_filled(area, 0.0, colours.white_key);
    let row = plane.row();
    for key in plane.keys() {
        let (top, bottom) = (plane.y(f32::from(key) + 0.5), plane.y(f32::from(key) - 0.5));
        let face = Rect::from_min_max(pos2(area.left(), top), pos2(area.right(), bottom));
        if is_black(key) {
            let short = face.with_max_x(area.left() + area.width() * 0.62);
            painter.rect_filled(short, 1.0, colours.black_key);
        } else if matches!(key % 12, 0 | 5) {
            painter.rect_filled(face.with_min_y(bottom - 1.0), 0.0, colours.black_key.gamma_multiply(0.6));
        }
        if marked.contains(&key) {
            painter.rect_filled(face, 1.0, colours.note.gamma_multiply(0.75));
        }
        let is_c = key.is_multiple_of(12);
        if (is_c || row > LOWEST_NAMED) && (is_c || !is_black(key) || marked.contains(&key)) {
            let at = pos2(area.right() - 3.0, plane.y(f32::from(key)));
            let name = analysis.key.key.spell(key);
            let size = row.clamp(7.5, 10.0);
            painter.text(at, Align2::RIGHT_CENTER, name, FontId::proportional(size), colours.key_name);
        }
    }
}
