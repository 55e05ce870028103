//! Thread: gui. Drawn signs, and buttons with them. Drawn, because a font may lack the sign and show a box.

use super::theme::{self, Palette};
use egui::{Button, Color32, Painter, Pos2, Rect, Response, Shape, Stroke, StrokeKind, Ui, pos2, vec2};
use std::f32::consts::TAU;

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// A filled circle.
    Record,
    /// A square.
    Stop,
    /// A triangle.
    Play,
    /// A star, filled when it is on.
    Star(bool),
    /// A cross.
    Remove,
    /// A plus.
    Add,
    /// A die.
    Dice,
    /// A padlock, shut when it is on.
    Lock(bool),
    /// A loudspeaker, crossed out when it is on.
    Mute(bool),
    /// A clock turned back: what was heard just now.
    Recall,
    /// An arrow that turns back.
    Undo,
    /// A folder.
    Open,
    /// Dots to take hold of.
    Handle,
    /// A wavy line: a voice.
    Voice,
    /// A note.
    Note,
    /// A sign of warning.
    Warning,
}

/// A small square button; `label` is what a screen reader says, and the hint.
pub fn button(ui: &mut Ui, icon: Icon, label: &str) -> Response {
    let side = ui.spacing().interact_size.y;
    let response = ui.add(Button::new("").min_size(vec2(side, side)));
    let colour = if ui.is_enabled() { theme::of(ui).text } else { theme::of(ui).line };
    let middle = Rect::from_center_size(response.rect.center(), vec2(12.0, 12.0));
    draw(ui.painter(), icon, middle, colour);
    let enabled = ui.is_enabled();
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, enabled, label));
    response.on_hover_text(label).on_disabled_hover_text(label)
}

/// Draws a sign into a square.
pub fn draw(painter: &Painter, icon: Icon, rect: Rect, colour: Color32) {
    let palette = theme::of_painter(painter);
    let (centre, radius) = (rect.center(), rect.width().min(rect.height()) / 2.0);
    let at = |x: f32, y: f32| pos2(centre.x + x * radius, centre.y + y * radius);
    let stroke = Stroke::new(1.5, colour);
    match icon {
        Icon::Record => {
            painter.circle_filled(centre, radius, palette.record);
        }
        Icon::Stop => {
            painter.rect_filled(Rect::from_center_size(centre, vec2(radius, radius) * 1.7), 1.0, colour);
        }
        Icon::Play => {
            let corners = vec![at(-0.7, -0.95), at(0.95, 0.0), at(-0.7, 0.95)];
            painter.add(Shape::convex_polygon(corners, colour, Stroke::NONE));
        }
        Icon::Star(on) => star(painter, centre, radius, on, palette),
        Icon::Remove => {
            painter.line_segment([at(-0.75, -0.75), at(0.75, 0.75)], stroke);
            painter.line_segment([at(-0.75, 0.75), at(0.75, -0.75)], stroke);
        }
        Icon::Add => {
            painter.line_segment([at(-0.85, 0.0), at(0.85, 0.0)], stroke);
            painter.line_segment([at(0.0, -0.85), at(0.0, 0.85)], stroke);
        }
        Icon::Dice => {
            let face = Rect::from_center_size(centre, vec2(radius, radius) * 1.9);
            painter.rect_stroke(face, 2.0, Stroke::new(1.2, colour), StrokeKind::Inside);
            for (x, y) in [(-0.45, -0.45), (0.45, -0.45), (0.0, 0.0), (-0.45, 0.45), (0.45, 0.45)] {
                painter.circle_filled(at(x, y), 1.2, colour);
            }
        }
        Icon::Lock(shut) => {
            let body = Rect::from_min_max(at(-0.75, -0.1), at(0.75, 0.95));
            let lift = if shut { 0.0 } else { 0.75 };
            painter.line(arc(at(lift, -0.15), 0.5 * radius, 0.5, 1.0), stroke);
            if shut {
                painter.rect_filled(body, 1.5, colour);
            } else {
                painter.rect_stroke(body, 1.5, stroke, StrokeKind::Inside);
            }
        }
        Icon::Mute(muted) => {
            let horn =
                vec![at(-0.9, -0.35), at(-0.4, -0.35), at(0.15, -0.85), at(0.15, 0.85), at(-0.4, 0.35), at(-0.9, 0.35)];
            painter.add(Shape::closed_line(horn, stroke));
            if muted {
                painter.line_segment([at(-0.9, 0.95), at(0.9, -0.95)], Stroke::new(2.0, colour));
            } else {
                painter.line(arc(at(0.15, 0.0), 0.75 * radius, -0.14, 0.14), stroke);
            }
        }
        Icon::Recall => {
            painter.line(arc(centre, radius * 0.85, -0.62, 0.2), stroke);
            painter.line_segment([at(0.0, -0.45), centre], stroke);
            painter.line_segment([centre, at(0.4, 0.2)], stroke);
            arrow(painter, at(-0.85, 0.1), vec2(0.35, 1.0), radius, colour);
        }
        Icon::Undo => {
            painter.line(arc(at(0.0, 0.15), radius * 0.7, -0.5, 0.25), stroke);
            arrow(painter, at(-0.7, 0.3), vec2(-0.1, 1.0), radius, colour);
        }
        Icon::Open => {
            let outline =
                vec![at(-1.0, 0.8), at(-1.0, -0.7), at(-0.3, -0.7), at(-0.05, -0.4), at(1.0, -0.4), at(1.0, 0.8)];
            painter.add(Shape::closed_line(outline, stroke));
        }
        Icon::Handle => {
            for (x, y) in [(-0.4, -0.7), (0.4, -0.7), (-0.4, 0.0), (0.4, 0.0), (-0.4, 0.7), (0.4, 0.7)] {
                painter.circle_filled(at(x, y), 1.3, colour);
            }
        }
        Icon::Voice => {
            let wave = |step: i32| {
                let x = step as f32 / 12.0;
                at(x, (x * 6.0).sin() * 0.8 * (1.0 - x * x))
            };
            painter.line((-12..=12).map(wave).collect(), stroke);
        }
        Icon::Note => {
            painter.circle_filled(at(-0.35, 0.6), radius * 0.38, colour);
            painter.line_segment([at(0.0, 0.6), at(0.0, -0.9)], stroke);
            painter.line_segment([at(0.0, -0.9), at(0.65, -0.45)], stroke);
        }
        Icon::Warning => {
            let corners = vec![at(0.0, -0.95), at(1.0, 0.85), at(-1.0, 0.85)];
            painter.add(Shape::closed_line(corners, stroke));
            painter.line_segment([at(0.0, -0.3), at(0.0, 0.25)], stroke);
            painter.circle_filled(at(0.0, 0.55), 0.9, colour);
        }
    }
}

fn star(painter: &Painter, centre: Pos2, radius: f32, on: bool, palette: &Palette) {
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
            painter.add(Shape::convex_polygon(triangle, palette.pitch, Stroke::NONE));
        }
    }
    painter.add(Shape::closed_line(outline, Stroke::new(1.2, if on { palette.pitch } else { palette.faint })));
}

/// A part of a circle, in turns clockwise from the right.
fn arc(centre: Pos2, radius: f32, from: f32, to: f32) -> Vec<Pos2> {
    let point = |step: u8| {
        let angle = TAU * (from + (to - from) * f32::from(step) / 16.0);
        centre + vec2(angle.cos(), angle.sin()) * radius
    };
    (0..=16).map(point).collect()
}

/// The head of an arrow.
fn arrow(painter: &Painter, tip: Pos2, towards: egui::Vec2, radius: f32, colour: Color32) {
    let along = towards.normalized() * radius * 0.55;
    let across = along.rot90() * 0.8;
    let corners = vec![tip + along, tip - along * 0.3 + across, tip - along * 0.3 - across];
    painter.add(Shape::convex_polygon(corners, colour, Stroke::NONE));
}
