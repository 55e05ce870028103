//! Thread: gui. Where the song is, and where the rendition is that plays: on the time of the take.

use super::colours::Colours;
use super::grid::time_of;
use super::zoom::Plane;
use cantus_engine::analysis::Analysis;
use cantus_engine::instance::view::{VariationStatus, View};
use cantus_engine::time::{Frames, Seconds};
use egui::{Painter, Rect, Shape, Stroke, pos2};

/// Positions closer than this are one line.
const SAME: f64 = 0.05;

/// Positions on the take's time, which may lie before or after it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Playheads {
    /// Of the host's song, while it plays.
    pub song: Option<Seconds>,
    /// Of the rendition that sounds.
    pub rendition: Option<Seconds>,
}

impl Playheads {
    pub fn of(view: &View, analysis: &Analysis) -> Self {
        let grid = &analysis.grid;
        let stamp = view.ear.as_ref().map(|ear| &ear.stamp).filter(|stamp| stamp.playing);
        let song = stamp.and_then(|stamp| stamp.beats).map(|beats| time_of(grid, beats));
        Self { song, rendition: rendition(view, analysis) }
    }

    /// The one to follow, or to split at.
    pub fn first(self) -> Option<Seconds> {
        self.song.or(self.rendition)
    }

    /// Draws both: a line with a flag for the song, a broken line for a rendition that is elsewhere.
    pub fn draw(self, painter: &Painter, area: Rect, plane: &Plane, colours: &Colours) {
        if let Some(x) = self.song.map(|time| plane.x(time)).filter(|x| plane.rect.x_range().contains(*x)) {
            painter.vline(x, area.y_range(), Stroke::new(1.5, colours.playhead));
            let top = area.top();
            let flag = vec![pos2(x - 5.0, top), pos2(x + 5.0, top), pos2(x, top + 7.0)];
            painter.add(Shape::convex_polygon(flag, colours.playhead, Stroke::NONE));
        }
        let elsewhere = |time: &Seconds| self.song.is_none_or(|song| (song - *time).0.abs() > SAME);
        let rendition = self.rendition.filter(elsewhere).map(|time| plane.x(time));
        if let Some(x) = rendition.filter(|x| plane.rect.x_range().contains(*x)) {
            let line = [pos2(x, area.top()), pos2(x, area.bottom())];
            painter.extend(Shape::dashed_line(&line, Stroke::new(1.5, colours.playhead), 5.0, 4.0));
        }
    }
}

/// The place in the tune of what sounds.
fn rendition(view: &View, analysis: &Analysis) -> Option<Seconds> {
    let position = view.player.as_ref().map(|player| player.position(view.seat())).filter(|position| *position >= 0)?;
    let active = view.variations.iter().find(|variation| Some(variation.id) == view.active)?;
    let VariationStatus::Ready(rendition) = &active.status else { return None };
    let beat = rendition.grid.beat_at(Frames(position).seconds(view.rate?));
    Some(time_of(&analysis.grid, beat.0))
}
