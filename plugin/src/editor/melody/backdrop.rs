//! Thread: gui. Behind the notes: the rows of the keys, and the chromagram in every octave.

use super::colours::Colours;
use super::pictures;
use super::zoom::Plane;
use cantus_engine::analysis::{Analysis, Chroma, chroma as extractor};
use cantus_engine::time::Seconds;
use egui::{Color32, ColorImage, Context, Mesh, Painter, Rect, Shape, TextureHandle, TextureOptions};

const CLASSES: usize = 12;
/// Rows of the texture a pitch class: what is between two classes is soft, the rest is not.
const ROWS: usize = 4;
/// The strongest class is this opaque, and what is weaker than the floor is not shown.
const STRONGEST: f32 = 0.3;
const FLOOR: f32 = 0.15;
/// The widest texture that every system takes.
const WIDEST: usize = 2048;

/// Whether a key is a black one.
pub fn is_black(key: u8) -> bool {
    matches!(key % 12, 1 | 3 | 6 | 8 | 10)
}

/// The rows of the black keys, and lines under every C.
pub fn rows(plane: &Plane, colours: &Colours) -> Vec<Shape> {
    let mut mesh = Mesh::default();
    for key in plane.keys() {
        let (top, bottom) = (plane.y(f32::from(key) + 0.5), plane.y(f32::from(key) - 0.5));
        let area = Rect::from_x_y_ranges(plane.rect.x_range(), top..=bottom);
        if is_black(key) {
            pictures::add_box(&mut mesh, area, colours.black_row);
        }
        if key.is_multiple_of(12) {
            pictures::add_box(&mut mesh, area.with_min_y(bottom - 1.0), colours.beat);
        }
    }
    vec![Shape::mesh(mesh)]
}

/// The chromagram as a texture, C at the bottom; `None` when there is none. Long ones lose detail, not their end.
pub fn texture(context: &Context, chroma: &Chroma, colours: &Colours) -> Option<TextureHandle> {
    let frames = chroma.frames.len();
    if frames == 0 {
        return None;
    }
    let width = frames.min(WIDEST);
    // Energies become colours through a table: there are many more energies than shades.
    let shades: Vec<Color32> = (0..=255_u16)
        .map(|level| {
            let energy = f32::from(level) / 255.0;
            let shown = if energy > FLOOR { energy } else { 0.0 };
            colours.note.gamma_multiply(shown * STRONGEST)
        })
        .collect();
    let mut pixels = vec![Color32::TRANSPARENT; width * CLASSES * ROWS];
    for column in 0..width {
        let (from, to) = (column * frames / width, ((column + 1) * frames / width).max(column * frames / width + 1));
        for class in 0..CLASSES {
            let energy = chroma.frames[from..to].iter().fold(0.0_f32, |most, frame| most.max(frame[class]));
            let shade = shades[(energy.clamp(0.0, 1.0) * 255.0) as usize];
            for row in 0..ROWS {
                pixels[((CLASSES - 1 - class) * ROWS + row) * width + column] = shade;
            }
        }
    }
    let image = ColorImage::new([width, CLASSES * ROWS], pixels);
    Some(context.load_texture("chromagram", image, TextureOptions::LINEAR))
}

/// Draws the chromagram into every octave in sight.
pub fn chroma(painter: &Painter, plane: &Plane, texture: &TextureHandle, analysis: &Analysis) {
    let hop = extractor::HOP as f64 / extractor::RATE.hz();
    let count = analysis.chroma.frames.len() as f64;
    // Frames are centred on multiples of the hop.
    let (left, right) = (plane.x(Seconds(-0.5 * hop)), plane.x(Seconds((count - 0.5) * hop)));
    // Only what is in sight, or the numbers become too large for a graphics processor when the zoom is close.
    let shown = plane.rect.x_range().intersection(egui::Rangef::new(left, right));
    if shown.span() <= 0.0 {
        return;
    }
    let at = |x: f32| (x - left) / (right - left);
    let (lowest, highest) = (plane.keys().start() / 12, plane.keys().end() / 12);
    for octave in lowest..=highest {
        let key = f32::from(octave) * 12.0;
        let area = Rect::from_x_y_ranges(shown, plane.y(key + 11.5)..=plane.y(key - 0.5));
        pictures::draw_texture(painter, texture, area, (at(shown.min), at(shown.max)));
    }
}
