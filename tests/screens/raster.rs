//! Thread: any. What egui wants painted, as pixels: textured triangles, blended as its own OpenGL painter blends them.
//!
//! It needs no graphics processor and no display, and gives the same bytes everywhere.

use egui::epaint::{ClippedPrimitive, ImageData, ImageDelta, Primitive, Vertex};
use egui::{Color32, TextureId, TexturesDelta};
use std::collections::BTreeMap;
use tiny_skia::Pixmap;

/// A picture of opaque pixels.
#[derive(Clone)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row by row.
    pub pixels: Vec<Color32>,
}

/// The textures that egui has handed over so far.
#[derive(Default)]
pub struct Textures(BTreeMap<u64, Picture>);

impl Textures {
    /// Takes over what is new.
    pub fn update(&mut self, delta: &mut TexturesDelta) {
        for (id, changes) in &delta.set {
            for change in changes {
                self.set(key(*id), change);
            }
        }
        // egui insists on being told that nothing was overlooked.
        delta.clear();
    }

    fn set(&mut self, id: u64, change: &ImageDelta) {
        let ImageData::Color(image) = &change.image;
        let [width, height] = image.size;
        match (change.pos, self.0.get_mut(&id)) {
            (Some([left, top]), Some(texture)) => {
                for row in 0..height {
                    let from = (top + row) * texture.width + left;
                    texture.pixels[from..from + width].copy_from_slice(&image.pixels[row * width..(row + 1) * width]);
                }
            }
            _ => {
                self.0.insert(id, Picture { width, height, pixels: image.pixels.clone() });
            }
        }
    }
}

fn key(id: TextureId) -> u64 {
    match id {
        TextureId::Managed(number) => number,
        TextureId::User(number) => number | 1 << 63,
    }
}

impl Picture {
    /// One colour.
    pub fn filled(width: usize, height: usize, colour: Color32) -> Self {
        Self { width, height, pixels: vec![colour; width * height] }
    }

    /// Paints what was tessellated at a scale.
    pub fn paint(&mut self, primitives: &[ClippedPrimitive], textures: &Textures, pixels_per_point: f32) {
        for ClippedPrimitive { clip_rect, primitive } in primitives {
            let Primitive::Mesh(mesh) = primitive else { continue };
            let Some(texture) = textures.0.get(&key(mesh.texture_id)) else { continue };
            let edge = |value: f32, most: usize| (value * pixels_per_point).round().clamp(0.0, most as f32) as usize;
            let clip = Clip {
                left: edge(clip_rect.min.x, self.width),
                right: edge(clip_rect.max.x, self.width),
                top: edge(clip_rect.min.y, self.height),
                bottom: edge(clip_rect.max.y, self.height),
            };
            for corners in mesh.indices.chunks_exact(3) {
                let corner = |place: usize| Corner::of(&mesh.vertices[corners[place] as usize], pixels_per_point);
                self.triangle([corner(0), corner(1), corner(2)], texture, clip);
            }
        }
    }

    fn triangle(&mut self, mut corners: [Corner; 3], texture: &Picture, clip: Clip) {
        let [a, b, c] = &corners;
        let area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
        if area == 0.0 || !area.is_finite() {
            return;
        }
        if area < 0.0 {
            corners.swap(1, 2);
        }
        let area = area.abs();
        let [a, b, c] = &corners;
        let flat = a.colour == b.colour && b.colour == c.colour && a.uv == b.uv && b.uv == c.uv;
        let flat = flat.then(|| multiply(a.colour, texture.sample(a.uv)));
        let lowest = a.y.min(b.y).min(c.y);
        let highest = a.y.max(b.y).max(c.y);
        let first = ((lowest - 0.5).ceil().max(0.0) as usize).max(clip.top);
        let last = ((highest + 0.5).ceil().max(0.0) as usize).min(clip.bottom);
        for row in first..last {
            let y = row as f32 + 0.5;
            let Some((from, to)) = span(&corners, y) else { continue };
            let from = ((from - 0.5).ceil().max(0.0) as usize).max(clip.left);
            // A pixel whose middle lies on the right edge belongs to the next triangle.
            let to = ((to - 0.5).ceil().max(0.0) as usize).min(clip.right);
            for column in from..to {
                let at = row * self.width + column;
                let colour = flat.unwrap_or_else(|| {
                    let x = column as f32 + 0.5;
                    let weight_b = ((x - a.x) * (c.y - a.y) - (y - a.y) * (c.x - a.x)) / area;
                    let weight_c = ((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)) / area;
                    let weights = [1.0 - weight_b - weight_c, weight_b, weight_c];
                    blend_corners(&corners, weights, texture)
                });
                self.pixels[at] = over(colour, self.pixels[at]);
            }
        }
    }

    /// The texture between its four nearest pixels.
    fn sample(&self, uv: [f32; 2]) -> [f32; 4] {
        let x = (uv[0] * self.width as f32 - 0.5).clamp(0.0, (self.width - 1) as f32);
        let y = (uv[1] * self.height as f32 - 0.5).clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (across, down) = (x - left as f32, y - top as f32);
        let pixel = |x: usize, y: usize| self.pixels[y * self.width + x].to_array().map(f32::from);
        let corners = [pixel(left, top), pixel(right, top), pixel(left, bottom), pixel(right, bottom)];
        std::array::from_fn(|channel| {
            let [a, b, c, d] = corners.map(|corner| corner[channel]);
            let upper = a + (b - a) * across;
            let lower = c + (d - c) * across;
            upper + (lower - upper) * down
        })
    }

    /// As a PNG file.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        let mut pixmap = Pixmap::new(self.width as u32, self.height as u32).ok_or("The picture is empty.")?;
        for (to, from) in pixmap.data_mut().chunks_exact_mut(4).zip(&self.pixels) {
            to.copy_from_slice(&from.to_array());
        }
        pixmap.encode_png().map_err(|error| error.to_string())
    }
}

#[derive(Clone, Copy)]
struct Clip {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

#[derive(Clone, Copy)]
struct Corner {
    x: f32,
    y: f32,
    uv: [f32; 2],
    colour: Color32,
}

impl Corner {
    fn of(vertex: &Vertex, scale: f32) -> Self {
        Self { x: vertex.pos.x * scale, y: vertex.pos.y * scale, uv: [vertex.uv.x, vertex.uv.y], colour: vertex.color }
    }
}

/// Where a row enters and leaves a triangle.
fn span(corners: &[Corner; 3], y: f32) -> Option<(f32, f32)> {
    let (mut from, mut to) = (f32::INFINITY, f32::NEG_INFINITY);
    for (a, b) in [(0, 1), (1, 2), (2, 0)].map(|(a, b)| (&corners[a], &corners[b])) {
        // Half-open, so that a row through a corner meets one edge there and not two.
        if (a.y <= y) != (b.y <= y) {
            let x = a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x);
            from = from.min(x);
            to = to.max(x);
        }
    }
    (from < to).then_some((from, to))
}

fn blend_corners(corners: &[Corner; 3], weights: [f32; 3], texture: &Picture) -> [f32; 4] {
    let mix =
        |of: fn(&Corner) -> f32| corners.iter().zip(weights).map(|(corner, weight)| of(corner) * weight).sum::<f32>();
    let texel = texture.sample([mix(|corner| corner.uv[0]), mix(|corner| corner.uv[1])]);
    let colour = [
        mix(|corner| f32::from(corner.colour.r())),
        mix(|corner| f32::from(corner.colour.g())),
        mix(|corner| f32::from(corner.colour.b())),
        mix(|corner| f32::from(corner.colour.a())),
    ];
    std::array::from_fn(|channel| colour[channel] * texel[channel] / 255.0)
}

fn multiply(colour: Color32, texel: [f32; 4]) -> [f32; 4] {
    let colour = colour.to_array();
    std::array::from_fn(|channel| f32::from(colour[channel]) * texel[channel] / 255.0)
}

/// A premultiplied colour upon an opaque one.
fn over(colour: [f32; 4], below: Color32) -> Color32 {
    let rest = 1.0 - colour[3] / 255.0;
    let channel = |above: f32, below: u8| (above + f32::from(below) * rest + 0.5).clamp(0.0, 255.0) as u8;
    Color32::from_rgb(channel(colour[0], below.r()), channel(colour[1], below.g()), channel(colour[2], below.b()))
}
