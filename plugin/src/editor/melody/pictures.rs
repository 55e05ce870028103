//! Thread: gui. What is drawn once and shown often: the chromagram as a texture, and the still layers as triangles. They live in the
//! egui context, so that they go with the window while the zoom and the selection stay.

use super::colours::Colours;
use super::zoom::Plane;
use super::{backdrop, grid, notes, pitch, strip};
use cantus_engine::analysis::Analysis;
use cantus_engine::capture::take::Take;
use egui::epaint::{Tessellator, Vertex};
use egui::{Color32, Context, Id, Mesh, Painter, Rect, Shape, TextureHandle, Ui, pos2};
use parking_lot::Mutex;
use std::sync::Arc;

/// Everything that is kept between two frames.
#[derive(Default)]
pub struct Pictures {
    analysis: Option<Arc<Analysis>>,
    take: Option<Arc<Take>>,
    chroma: Option<(TextureHandle, Color32)>,
    peaks: Vec<f32>,
    still: Option<Still>,
}

/// Layers that stay as they are until something is zoomed, scrolled or corrected.
struct Still {
    /// What they were drawn for.
    drawn_for: (Plane, Rect, Colours, u32),
    rows: Arc<Mesh>,
    grid: Arc<Mesh>,
    notes: Arc<Mesh>,
    pitch: Arc<Mesh>,
    strip: Arc<Mesh>,
}

/// The pictures of a window.
pub fn of(context: &Context) -> Arc<Mutex<Pictures>> {
    let id = Id::unique("melody pictures");
    context.data_mut(|data| data.get_temp_mut_or_default::<Arc<Mutex<Pictures>>>(id).clone())
}

impl Pictures {
    /// Draws what does not move: rows, chromagram, bar lines, notes and the sung pitch, and the take under them.
    pub fn draw(
        &mut self,
        ui: &Ui,
        plane: &Plane,
        strip: Rect,
        (analysis, take): (&Arc<Analysis>, Option<&Arc<Take>>),
        colours: &Colours,
    ) {
        self.keep(ui.ctx(), analysis, take, colours);
        let drawn_for = (*plane, strip, *colours, ui.ctx().pixels_per_point().to_bits());
        if self.still.as_ref().is_none_or(|still| still.drawn_for != drawn_for) {
            self.still = Some(Still {
                drawn_for,
                rows: layer(ui, backdrop::rows(plane, colours)),
                grid: layer(ui, grid::lines(plane, analysis, colours)),
                notes: layer(ui, notes::bodies(plane, analysis, colours)),
                pitch: layer(ui, pitch::curve(plane, analysis, colours)),
                strip: layer(ui, strip::bars(plane, strip, take, &self.peaks, colours)),
            });
        }
        let Some(still) = &self.still else { return };
        let painter = ui.painter_at(plane.rect);
        painter.add(still.rows.clone());
        if let Some((texture, _)) = &self.chroma {
            backdrop::chroma(&painter, plane, texture, analysis);
        }
        painter.add(still.grid.clone());
        painter.add(still.notes.clone());
        painter.add(still.pitch.clone());
        ui.painter_at(strip).add(still.strip.clone());
    }

    /// Throws away what belongs to another melody. Holding on to the melody keeps its address from being given away.
    fn keep(&mut self, context: &Context, analysis: &Arc<Analysis>, take: Option<&Arc<Take>>, colours: &Colours) {
        if !self.analysis.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, analysis)) {
            let same = self.analysis.as_ref().is_some_and(|kept| kept.chroma == analysis.chroma);
            if !same {
                self.chroma = None;
            }
            self.analysis = Some(analysis.clone());
            self.still = None;
        }
        if self.chroma.as_ref().is_none_or(|(_, colour)| *colour != colours.note) {
            self.chroma = backdrop::texture(context, &analysis.chroma, colours).map(|texture| (texture, colours.note));
        }
        let same_take = match (&self.take, take) {
            (Some(kept), Some(take)) => Arc::ptr_eq(kept, take),
            (None, None) => true,
            _ => false,
        };
        if !same_take {
            self.peaks = take.map_or_else(Vec::new, |take| strip::peaks(take));
            self.take = take.cloned();
            self.still = None;
        }
    }
}

/// Turns shapes into triangles, once.
pub fn layer(ui: &Ui, shapes: Vec<Shape>) -> Arc<Mesh> {
    let context = ui.ctx();
    let options = context.tessellation_options(|options| *options);
    let mut tessellator = Tessellator::new(context.pixels_per_point(), options, [1, 1], Vec::new());
    let mut mesh = Mesh::default();
    for shape in shapes {
        tessellator.tessellate_shape(shape, &mut mesh);
    }
    Arc::new(mesh)
}

/// A box of one colour, in triangles without softened edges: for what is many and straight.
pub fn add_box(mesh: &mut Mesh, area: Rect, colour: Color32) {
    let first = mesh.vertices.len() as u32;
    let uv = egui::epaint::WHITE_UV;
    for pos in [area.left_top(), area.right_top(), area.left_bottom(), area.right_bottom()] {
        mesh.vertices.push(Vertex { pos, uv, color: colour });
    }
    mesh.indices.extend([0, 1, 2, 2, 1, 3].map(|corner| first + corner));
}

/// Draws a part of a texture.
pub fn draw_texture(painter: &Painter, texture: &TextureHandle, area: Rect, (from, to): (f32, f32)) {
    let uv = Rect::from_min_max(pos2(from, 0.0), pos2(to, 1.0));
    painter.image(texture.id(), area, uv, Color32::WHITE);
}
