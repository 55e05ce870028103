//! Thread: gui. The sung pitch as a curve, with no more points than the screen can show.

use super::colours::Colours;
use super::zoom::Plane;
use cantus_engine::analysis::{Analysis, F0Frame};
use cantus_engine::time::Hz;
use egui::{Pos2, Shape, Stroke, pos2};

/// A jump of more semitones than this is no glide: the curve breaks there.
const LEAP: f32 = 7.0;
/// Seconds without pitch that break the curve.
const GAP: f64 = 0.03;

/// The curve in sight. Where several frames share a point of width, their lowest and their highest pitch stand for them, so that
/// vibrato keeps its width at every zoom.
pub fn curve(plane: &Plane, analysis: &Analysis, colours: &Colours) -> Vec<Shape> {
    let (from, to) = plane.span();
    let tuning = analysis.tuning_cents / 100.0;
    let first = analysis.f0.partition_point(|frame| frame.time.0 < from).saturating_sub(1);
    let last = analysis.f0.partition_point(|frame| frame.time.0 <= to);
    let mut shapes = Vec::new();
    let mut line = Line { points: Vec::new(), column: None };
    let mut before: Option<(&F0Frame, f32)> = None;
    for frame in analysis.f0.get(first..(last + 1).min(analysis.f0.len())).unwrap_or_default() {
        if !frame.voiced || !frame.hz.is_finite() || frame.hz <= 0.0 {
            continue;
        }
        let key = Hz(frame.hz).note().0 - tuning;
        if before.is_some_and(|(old, pitch)| (frame.time - old.time).0 > GAP || (key - pitch).abs() > LEAP) {
            line.end(&mut shapes, colours);
        }
        line.add(plane.place(frame.time, key));
        before = Some((frame, key));
    }
    line.end(&mut shapes, colours);
    shapes
}

/// A part of the curve without a break.
struct Line {
    points: Vec<Pos2>,
    /// The point of width that is being filled: its number, and the first, lowest, highest and last position in it.
    column: Option<(i32, [Pos2; 4])>,
}

impl Line {
    fn add(&mut self, at: Pos2) {
        let number = at.x.floor() as i32;
        match &mut self.column {
            Some((column, [_, low, high, last])) if *column == number => {
                *low = if at.y > low.y { at } else { *low };
                *high = if at.y < high.y { at } else { *high };
                *last = at;
            }
            _ => {
                self.finish_column();
                self.column = Some((number, [at; 4]));
            }
        }
    }

    fn finish_column(&mut self) {
        let Some((number, [first, low, high, last])) = self.column.take() else { return };
        if low.y - high.y < 1.0 {
            self.points.push(first);
            return;
        }
        // Up or down in the order that was sung.
        let (one, other) = if low.x <= high.x { (low, high) } else { (high, low) };
        let x = number as f32;
        self.points.extend([pos2(x, first.y), pos2(x + 0.25, one.y), pos2(x + 0.5, other.y), pos2(x + 0.75, last.y)]);
    }

    fn end(&mut self, shapes: &mut Vec<Shape>, colours: &Colours) {
        self.finish_column();
        let points = std::mem::take(&mut self.points);
        if points.len() > 1 {
            shapes.push(Shape::line(points, Stroke::new(1.6, colours.pitch)));
        }
    }
}
