//! Thread: worker. Boxes, lines and letters on a bitmap. The only user of tiny-skia and font8x8.

use crate::error::{Error, Result};
use font8x8::legacy::BASIC_LEGACY;
use tiny_skia::{Color, Paint, PathBuilder, Pixmap, Rect, Stroke, Transform};

/// Side of a letter at scale 1, in pixels.
const LETTER: f32 = 8.0;

/// A colour: red, green, blue, opacity.
#[derive(Debug, Clone, Copy)]
pub struct Ink(pub u8, pub u8, pub u8, pub u8);

/// What all pictures share.
pub const BACKGROUND: Ink = Ink(0x12, 0x14, 0x1a, 255);
pub const PANEL: Ink = Ink(0x1a, 0x1d, 0x26, 255);
pub const TEXT: Ink = Ink(0xe8, 0xea, 0xf0, 255);
pub const FAINT_TEXT: Ink = Ink(0x9a, 0xa2, 0xb4, 255);

/// Edges in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Area {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

/// Which end of a text is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

pub struct Canvas {
    pixels: Pixmap,
}

impl Ink {
    fn color(self) -> Color {
        Color::from_rgba8(self.0, self.1, self.2, self.3)
    }

    fn paint(self, smooth: bool) -> Paint<'static> {
        let mut paint = Paint { anti_alias: smooth, ..Paint::default() };
        paint.set_color(self.color());
        paint
    }
}

impl Canvas {
    pub fn new(width: u32, height: u32, background: Ink) -> Result<Self> {
        let mut pixels =
            Pixmap::new(width, height).ok_or_else(|| Error::internal("writing files", "the picture is too large"))?;
        pixels.fill(background.color());
        Ok(Self { pixels })
    }

    pub fn rectangle(&mut self, edges: Area, ink: Ink) {
        if let Some(rect) = Rect::from_ltrb(edges.left, edges.top, edges.right, edges.bottom) {
            self.pixels.fill_rect(rect, &ink.paint(true), Transform::identity(), None);
        }
    }

    pub fn outline(&mut self, edges: Area, width: f32, ink: Ink) {
        if let Some(rect) = Rect::from_ltrb(edges.left, edges.top, edges.right, edges.bottom) {
            let stroke = Stroke { width, ..Stroke::default() };
            let path = PathBuilder::from_rect(rect);
            self.pixels.stroke_path(&path, &ink.paint(true), &stroke, Transform::identity(), None);
        }
    }

    /// A line through points; fewer than two are nothing.
    pub fn line(&mut self, points: &[(f32, f32)], width: f32, ink: Ink) {
        let [first, rest @ ..] = points else { return };
        let mut path = PathBuilder::new();
        path.move_to(first.0, first.1);
        rest.iter().for_each(|point| path.line_to(point.0, point.1));
        if let Some(path) = path.finish() {
            let stroke = Stroke { width, ..Stroke::default() };
            self.pixels.stroke_path(&path, &ink.paint(true), &stroke, Transform::identity(), None);
        }
    }

    /// Letters 8 × `scale` pixels high, from their top. What is not ASCII is drawn as "?".
    pub fn text(&mut self, words: &str, x: f32, y: f32, scale: u8, ink: Ink, align: Align) {
        let scale = f32::from(scale);
        let width = words.chars().count() as f32 * LETTER * scale;
        let mut left = (if align == Align::Right { x - width } else { x }).round();
        let paint = ink.paint(false);
        for letter in words.chars() {
            let glyph = BASIC_LEGACY.get(letter as usize).unwrap_or(&BASIC_LEGACY[usize::from(b'?')]);
            for (row, bits) in glyph.iter().enumerate() {
                for column in (0..8_u8).filter(|column| bits >> column & 1 == 1) {
                    let (at_x, at_y) = (left + f32::from(column) * scale, y.round() + row as f32 * scale);
                    if let Some(dot) = Rect::from_xywh(at_x, at_y, scale, scale) {
                        self.pixels.fill_rect(dot, &paint, Transform::identity(), None);
                    }
                }
            }
            left += LETTER * scale;
        }
    }

    /// Text that stays readable over anything: on a dark plate.
    pub fn shadowed_text(&mut self, words: &str, x: f32, y: f32, scale: u8, ink: Ink) {
        let size = LETTER * f32::from(scale);
        let (x, y) = (x.round(), y.round());
        let right = x + size * words.chars().count() as f32 + 1.0;
        self.rectangle(Area { left: x - 2.0, top: y - 2.0, right, bottom: y + size + 1.0 }, Ink(0x10, 0x12, 0x18, 170));
        self.text(words, x, y, scale, ink, Align::Left);
    }

    pub fn png(&self) -> Result<Vec<u8>> {
        self.pixels.encode_png().map_err(|error| Error::internal("writing files", error))
    }
}
