//! Thread: gui. The shapes of what can be heard, worked out once and drawn every frame.

use super::theme;
use cantus_engine::rendition::Rendition;
use egui::{Color32, Rect, Stroke, Ui, pos2};
use std::sync::{Arc, Weak};

/// Columns a shape is kept in; drawn narrower or wider, it is read between them.
const COLUMNS: usize = 512;

/// A shape: the peak of each column, 0 to 1.
type Shape = Arc<[f32]>;

/// Shapes of the renditions that were drawn lately.
#[derive(Default)]
pub struct Waveforms {
    known: Vec<(Weak<Rendition>, Shape)>,
}

impl Waveforms {
    /// The shape of a rendition's mix.
    pub fn of(&mut self, rendition: &Arc<Rendition>) -> Shape {
        let same = |known: &&(Weak<Rendition>, Shape)| known.0.as_ptr() == Arc::as_ptr(rendition);
        if let Some((_, shape)) = self.known.iter().find(same) {
            return shape.clone();
        }
        self.known.retain(|(rendition, _)| rendition.strong_count() > 0);
        let shape = shape(rendition.mix.channels.first().map_or(&[], Vec::as_slice));
        self.known.push((Arc::downgrade(rendition), shape.clone()));
        shape
    }
}

fn shape(samples: &[f32]) -> Shape {
    let column = |column: usize| {
        let from = samples.len() * column / COLUMNS;
        let to = (samples.len() * (column + 1) / COLUMNS).max(from + 1).min(samples.len());
        samples.get(from..to).unwrap_or_default().iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()))
    };
    (0..COLUMNS).map(column).collect()
}

/// Draws a shape, the part before the playhead in full colour, and the playhead where there is one, 0 to 1.
pub fn draw(ui: &Ui, rect: Rect, shape: &[f32], colour: Color32, playhead: Option<f32>) {
    let palette = theme::of(ui);
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 3.0, palette.background);
    let loudest = shape.iter().fold(0.05_f32, |loudest, peak| loudest.max(*peak));
    let columns = (rect.width() / 2.0) as usize;
    for column in 0..columns {
        let from = column * shape.len() / columns.max(1);
        let to = ((column + 1) * shape.len() / columns.max(1)).max(from + 1).min(shape.len());
        let peak = shape.get(from..to).unwrap_or_default().iter().fold(0.0_f32, |peak, one| peak.max(*one)) / loudest;
        let half = (peak * (rect.height() - 4.0) * 0.5).max(0.5);
        let x = rect.left() + column as f32 * 2.0 + 1.0;
        let line = [pos2(x, rect.center().y - half), pos2(x, rect.center().y + half)];
        painter.line_segment(line, Stroke::new(1.3, colour));
    }
    if let Some(place) = playhead.filter(|place| (0.0..=1.0).contains(place)) {
        let x = rect.left() + place * rect.width();
        painter.rect_filled(Rect::from_x_y_ranges(x - 0.75..=x + 0.75, rect.y_range()), 0.0, palette.playhead);
    }
}
