//! Thread: gui. Buttons with a drawn sign. Drawn, because a font may lack the sign and show a box.

use super::theme;
use egui::{Button, Color32, Painter, Rect, Response, Shape, Stroke, Ui, pos2, vec2};
use std::f32::consts::TAU;

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// A filled circle.
    Record,
    /// A square.
    Stop,
    /// A star, filled when it is on.
    Star(bool),
    /// A cross.
    Remove,
    /// A die.
    Dice,
}

/// A small square button; `label` is what a screen reader says, and the hint.
pub fn button(ui: &mut Ui, icon: Icon, label: &str) -> Response {
    let response = ui.add(Button::new("").min_size(vec2(26.0, 26.0)));
    draw(ui.painter(), icon, response.rect.shrink(7.0), theme::of(ui).text);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, label));
    response.on_hover_text(label)
}

/// Draws a sign into a square.
pub fn draw(painter: &Painter, icon: Icon, rect: Rect, colour: Color32) {
    let (centre, radius) = (rect.center(), rect.width().min(rect.height()) / 2.0);
    match icon {
        Icon::Record => {
            painter.circle_filled(centre, radius, theme::of_painter(painter).record);
        }
        Icon::Stop => {
            painter.rect_filled(Rect::from_center_size(centre, vec2(radius, radius) * 1.7), 1.0, colour);
        }
        Icon::Star(on) => {
            let point = |index: usize| {
                let angle = TAU * (index as f32 / 10.0 - 0.25);
                let reach = if index.is_multiple_of(2) { 1.1 } else { 0.48 };
                centre + vec2(angle.cos(), angle.sin()) * radius * reach
            };
            let outline: Vec<_> = (0..10).map(point).collect();
            if on {
                // A star is not convex: it is filled from its middle, triangle by triangle.
                for index in 0..10 {
                    let triangle = vec![centre, outline[index], outline[(index + 1) % 10]];
                    painter.add(Shape::convex_polygon(triangle, theme::of_painter(painter).pitch, Stroke::NONE));
                }
            }
            let stroke =
                Stroke::new(1.2, if on { theme::of_painter(painter).pitch } else { theme::of_painter(painter).faint });
            painter.add(Shape::closed_line(outline, stroke));
        }
        Icon::Remove => {
            let stroke = Stroke::new(1.6, theme::of_painter(painter).faint);
            for side in [1.0, -1.0] {
                let arm = vec2(radius, radius * side) * 0.8;
                painter.line_segment([centre - arm, centre + arm], stroke);
            }
        }
        Icon::Dice => {
            let face = Rect::from_center_size(centre, vec2(radius, radius) * 1.9);
            painter.rect_stroke(face, 2.0, Stroke::new(1.2, colour), egui::StrokeKind::Inside);
            for (x, y) in [(-0.45, -0.45), (0.45, -0.45), (0.0, 0.0), (-0.45, 0.45), (0.45, 0.45)] {
                painter.circle_filled(pos2(centre.x + x * radius, centre.y + y * radius), 1.2, colour);
            }
        }
    }
}
