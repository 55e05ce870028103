//! Thread: gui. A style's picture: its colour, the sign of its category, and a rhythm of its own.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, pos2, vec2};
use std::f32::consts::TAU;

/// Draws it into a square.
pub fn draw(painter: &Painter, rect: Rect, colour: Color32, name: &str, category: &str) {
    painter.rect_filled(rect, 4.0, colour);
    let light = luminance(colour) > 0.4;
    let ink = if light { Color32::from_black_alpha(190) } else { Color32::from_white_alpha(225) };
    let stroke = Stroke::new(1.3, ink);
    let upper = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - rect.height() * 0.3)).shrink(3.0);
    let at = |x: f32, y: f32| upper.lerp_inside(vec2(x, y));
    match category {
        // Strings.
        "Acoustic" => (0..4).for_each(|string| {
            let x = 0.2 + 0.2 * string as f32;
            painter.line_segment([at(x, 0.0), at(x, 1.0)], stroke);
        }),
        // A square wave.
        "Electronic" => {
            let corners =
                [(0.0, 0.8), (0.25, 0.8), (0.25, 0.2), (0.5, 0.2), (0.5, 0.8), (0.75, 0.8), (0.75, 0.2), (1.0, 0.2)];
            painter.line(corners.map(|(x, y)| at(x, y)).to_vec(), stroke);
        }
        // A low wave.
        "Groove" => painter_line(painter, stroke, |x| at(x, 0.5 + 0.4 * (x * TAU).sin())),
        // A cymbal.
        "Jazz" => {
            painter.add(Shape::ellipse_stroke(at(0.5, 0.4), vec2(upper.width() * 0.48, upper.height() * 0.2), stroke));
            painter.line_segment([at(0.5, 0.4), at(0.5, 1.0)], stroke);
        }
        // Two claves.
        "Latin" => {
            painter.line_segment([at(0.1, 0.9), at(0.9, 0.3)], Stroke::new(2.4, ink));
            painter.line_segment([at(0.1, 0.2), at(0.9, 0.7)], Stroke::new(2.4, ink));
        }
        // Arcs of an orchestra.
        "Orchestral" => [0.45, 0.8].into_iter().for_each(|reach| {
            painter_line(painter, stroke, |x| {
                let angle = TAU * (0.5 + 0.5 * x);
                let centre = at(0.5, 1.0);
                centre + vec2(angle.cos() * upper.width() * 0.6, angle.sin() * upper.height()) * reach
            });
        }),
        // A bolt.
        "Rock" => {
            painter.line([(0.65, 0.0), (0.3, 0.55), (0.65, 0.45), (0.35, 1.0)].map(|(x, y)| at(x, y)).to_vec(), stroke);
        }
        // A heart of two arcs.
        "Soul" => painter_line(painter, stroke, |x| {
            let turn = x * TAU;
            let (across, up) =
                (turn.sin().powi(3), 0.8 * turn.cos() - 0.33 * (2.0 * turn).cos() - 0.13 * (3.0 * turn).cos());
            at(0.5 + 0.42 * across, 0.45 - 0.48 * up)
        }),
        // A record.
        _ => {
            painter.circle_stroke(at(0.5, 0.5), upper.height() * 0.5, stroke);
            painter.circle_filled(at(0.5, 0.5), upper.height() * 0.14, ink);
        }
    }
    rhythm(painter, rect, ink, name);
}

/// Eight strokes below, drawn by the name, so that no two neighbours look alike.
fn rhythm(painter: &Painter, rect: Rect, ink: Color32, name: &str) {
    let mut bits = name.bytes().fold(0x9E37_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    bits ^= bits >> 7;
    let bottom = rect.bottom() - 3.0;
    for step in 0..8 {
        let strong = step == 0 || bits >> step & 1 == 1;
        let x = rect.left() + rect.width() * (0.14 + 0.103 * step as f32);
        let height = rect.height() * if strong { 0.2 } else { 0.07 };
        painter.line_segment([pos2(x, bottom), pos2(x, bottom - height)], Stroke::new(1.3, ink));
    }
}

fn painter_line(painter: &Painter, stroke: Stroke, point: impl Fn(f32) -> Pos2) {
    painter.line((0..=20).map(|step| point(step as f32 / 20.0)).collect(), stroke);
}

/// How bright a colour is to the eye, 0 to 1.
pub fn luminance(colour: Color32) -> f32 {
    let linear = |channel: u8| {
        let value = f32::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
}
