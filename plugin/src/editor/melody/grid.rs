//! Thread: gui. Bars and beats of the song: lines, numbers, and what is nearest to a moment.

use super::colours::Colours;
use super::pictures;
use super::zoom::Plane;
use cantus_engine::analysis::Analysis;
use cantus_engine::time::{Beats, Seconds, SongGrid};
use egui::{Align2, FontId, Mesh, Painter, Rect, Shape, pos2};

/// Points between two lines at least, and between two numbers.
const NARROWEST: f32 = 7.0;
const NARROWEST_NUMBER: f32 = 34.0;
/// More lines than this are no grid any more.
const MOST_LINES: usize = 4_000;
/// Rounding of song positions.
const ROUNDING: f64 = 1e-6;

/// A line of the grid.
struct Line {
    time: Seconds,
    /// Place in beats of the song.
    beat: f64,
    is_bar: bool,
}

/// The moment of a song position.
pub fn time_of(grid: &SongGrid, beat: f64) -> Seconds {
    grid.tempo.seconds_between(grid.start, Beats(beat))
}

/// The nearest line of a grid with `division` lines in a quarter note.
pub fn nearest(grid: &SongGrid, division: u8, time: Seconds) -> Seconds {
    let division = f64::from(division.max(1));
    time_of(grid, (grid.beat_at(time).0 * division).round() / division)
}

/// The line at or before a moment, and the one after that.
pub fn cell(grid: &SongGrid, division: u8, time: Seconds) -> (Seconds, Seconds) {
    let division = f64::from(division.max(1));
    let line = (grid.beat_at(time).0 * division + ROUNDING).floor();
    (time_of(grid, line / division), time_of(grid, (line + 1.0) / division))
}

/// Length of one step of the grid at a moment.
pub fn step(grid: &SongGrid, division: u8, time: Seconds) -> Seconds {
    let (from, to) = cell(grid, division, time);
    to - from
}

/// The beat of a bar a musician counts, in quarter notes: eighths in 6/8.
fn count(grid: &SongGrid) -> f64 {
    4.0 / f64::from(grid.metre.denominator.max(1))
}

/// Lines every `unit` beats that are in sight.
fn lines_every(unit: f64, plane: &Plane, grid: &SongGrid) -> Vec<Line> {
    let (from, to) = plane.span();
    let bar = grid.metre.bar().0;
    let (first, last) = (grid.beat_at(Seconds(from)).0 / unit, grid.beat_at(Seconds(to)).0 / unit);
    let first = (first - ROUNDING).ceil();
    let count = ((last - first).max(-1.0) + 1.0) as usize;
    let line = |index: usize| {
        let beat = (first + index as f64) * unit;
        let is_bar = (beat / bar - (beat / bar).round()).abs() < ROUNDING;
        Line { time: time_of(grid, beat), beat, is_bar }
    };
    (0..count.min(MOST_LINES)).map(line).collect()
}

/// Points that a number of beats is wide, where the picture begins.
fn width(beats: f64, plane: &Plane, grid: &SongGrid) -> f32 {
    let tempo = grid.tempo.tempo_at(grid.beat_at(Seconds(plane.zoom.from)));
    (Beats(beats).seconds(tempo).0 / plane.zoom.seconds) as f32 * plane.rect.width()
}

/// Bars between two bar lines that have room: 1, 2, 4, ….
fn bars_apart(plane: &Plane, grid: &SongGrid, narrowest: f32) -> f64 {
    let bar = width(grid.metre.bar().0, plane, grid).max(1e-3);
    let mut apart = 1.0;
    while bar * (apart as f32) < narrowest && apart < 1e6 {
        apart *= 2.0;
    }
    apart
}

/// Lines of bars, of beats, and of sixteenths where there is room.
pub fn lines(plane: &Plane, analysis: &Analysis, colours: &Colours) -> Vec<Shape> {
    let grid = &analysis.grid;
    let (bar, count) = (grid.metre.bar().0, count(grid));
    let mut mesh = Mesh::default();
    let mut draw = |unit: f64, colour| {
        for line in lines_every(unit, plane, grid) {
            let x = plane.x(line.time);
            let area = Rect::from_x_y_ranges((x - 0.5)..=(x + 0.5), plane.rect.y_range());
            pictures::add_box(&mut mesh, area, if line.is_bar { colours.bar } else { colour });
        }
    };
    if width(count / 4.0, plane, grid) > NARROWEST {
        draw(count / 4.0, colours.beat.gamma_multiply(0.55));
    }
    if width(count, plane, grid) > NARROWEST {
        draw(count, colours.beat);
    }
    draw(bar * bars_apart(plane, grid, NARROWEST), colours.bar);
    vec![Shape::mesh(mesh)]
}

/// The numbers of the bars, as the song counts them; with the beats where there is room.
pub fn ruler(painter: &Painter, area: Rect, plane: &Plane, analysis: &Analysis, colours: &Colours) {
    let grid = &analysis.grid;
    let (bar, count) = (grid.metre.bar().0, count(grid));
    let beats = width(count, plane, grid) > NARROWEST_NUMBER;
    let unit = if beats { count } else { bar * bars_apart(plane, grid, NARROWEST_NUMBER) };
    for line in lines_every(unit, plane, grid) {
        let number = (line.beat / bar + ROUNDING).floor();
        let text = if line.is_bar {
            format!("{}", number + 1.0)
        } else {
            format!("{}.{}", number + 1.0, ((line.beat - number * bar) / count).round() + 1.0)
        };
        let colour = if line.is_bar { colours.text } else { colours.faint };
        let size = if line.is_bar { 11.5 } else { 10.0 };
        let x = plane.x(line.time);
        painter.text(pos2(x + 3.0, area.center().y), Align2::LEFT_CENTER, text, FontId::proportional(size), colour);
        if line.is_bar {
            let tick = Rect::from_x_y_ranges((x - 0.5)..=(x + 0.5), area.y_range());
            painter.rect_filled(tick, 0.0, colours.bar);
        }
    }
}
