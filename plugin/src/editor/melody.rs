//! Thread: gui. The melody: notes over the chromagram on the bar grid, with the sung pitch and the playhead. A click selects a note.

use super::{corrections, theme};
use cantus_engine::analysis::edit::NoteId;
use cantus_engine::analysis::{Analysis, Note, chroma};
use cantus_engine::instance::view::{VariationStatus, View};
use cantus_engine::time::{Beats, Hz, Seconds};
use egui::{Align2, FontId, Painter, Pos2, Rect, Stroke, StrokeKind, Ui, pos2, vec2};

/// Keys shown above and below the melody.
const MARGIN_KEYS: f32 = 4.0;
const LABEL_WIDTH: f32 = 34.0;
const HEADER_HEIGHT: f32 = 40.0;
/// Points beside a note that still count as on it.
const REACH: f32 = 4.0;

/// The picture, or what to do next when there is none. Clicks change which notes are selected.
pub fn show(ui: &mut Ui, view: &View, selected: &mut Vec<NoteId>) {
    selected.retain(|id| view.corrections.ids.contains(id));
    let rect = ui.available_rect_before_wrap();
    let painter = ui.painter_at(rect);
    let response = ui.allocate_rect(rect, egui::Sense::click());
    match &view.analysis {
        Some(analysis) => {
            header(&painter, rect, analysis);
            let roll = Roll::new(rect.with_min_y(rect.top() + HEADER_HEIGHT), analysis, view);
            if let Some(at) = response.interact_pointer_pos().filter(|_| response.clicked()) {
                let adds = ui.input(|input| input.modifiers.shift || input.modifiers.command);
                let hit = roll.note_at(at, analysis).and_then(|index| view.corrections.ids.get(index).copied());
                corrections::click(selected, hit, adds);
            }
            roll.draw(&painter, analysis);
            roll.draw_corrections(&painter, view, selected);
            playhead(&painter, &roll, view);
        }
        None => {
            let text = match (&view.analysing, &view.take) {
                (Some(progress), _) => format!("Listening … {:.0} %", progress.fraction * 100.0),
                (None, Some(_)) => "No melody was understood in this recording.".to_owned(),
                (None, None) => "Set a loop around the bars you want to sing, press Capture, play, and hum.".to_owned(),
            };
            painter.text(rect.center(), Align2::CENTER_CENTER, text, FontId::proportional(17.0), theme::of(ui).faint);
        }
    }
}

fn header(painter: &Painter, rect: Rect, analysis: &Analysis) {
    let metre = analysis.metre();
    let facts = format!(
        "{}   ·   {:.1} BPM   ·   {}/{}   ·   {} notes, {:.0} % sure   ·   tuning {:+.0} cents",
        analysis.key.key.name(),
        analysis.tempo().0,
        metre.numerator,
        metre.denominator,
        analysis.notes.len(),
        analysis.confidence * 100.0,
        analysis.tuning_cents
    );
    painter.text(rect.left_top(), Align2::LEFT_TOP, facts, FontId::proportional(13.5), theme::of_painter(painter).text);
    let doubts = analysis.doubts.join("  ");
    painter.text(
        rect.left_top() + vec2(0.0, 19.0),
        Align2::LEFT_TOP,
        doubts,
        FontId::proportional(12.0),
        theme::of_painter(painter).warning,
    );
}

/// Maps time and pitch to the window.
struct Roll {
    rect: Rect,
    seconds: f64,
    lowest: f32,
    keys: f32,
}

impl Roll {
    fn new(area: Rect, analysis: &Analysis, view: &View) -> Self {
        let take_seconds = view.take.as_ref().map_or(0.0, |take| take.audio.length().seconds(take.audio.rate).0);
        let last = analysis.notes.last().map_or(1.0, |note| note.offset.0);
        let keys = analysis.notes.iter().map(|note| f32::from(note.key));
        let (lowest, highest) = keys.fold((127.0_f32, 0.0_f32), |(low, high), key| (low.min(key), high.max(key)));
        let (lowest, highest) = if lowest > highest { (57.0, 69.0) } else { (lowest, highest) };
        Self {
            rect: area.with_min_x(area.left() + LABEL_WIDTH),
            seconds: take_seconds.max(last).max(0.1),
            lowest: lowest - MARGIN_KEYS,
            keys: highest - lowest + 2.0 * MARGIN_KEYS + 1.0,
        }
    }

    fn x(&self, time: Seconds) -> f32 {
        self.rect.left() + (time.0 / self.seconds) as f32 * self.rect.width()
    }

    /// The middle of a key.
    fn y(&self, key: f32) -> f32 {
        self.rect.bottom() - (key - self.lowest + 0.5) / self.keys * self.rect.height()
    }

    fn row(&self) -> f32 {
        self.rect.height() / self.keys
    }

    /// The box of a note.
    fn body(&self, note: &Note) -> Rect {
        let half = (self.row() * 0.42).clamp(2.0, 9.0);
        let y = self.y(f32::from(note.key));
        Rect::from_x_y_ranges(self.x(note.onset)..=self.x(note.offset), (y - half)..=(y + half))
    }

    /// The note under a point, or so near that it was meant.
    fn note_at(&self, at: Pos2, analysis: &Analysis) -> Option<usize> {
        let near = |note: &Note| self.body(note).distance_to_pos(at);
        let notes = analysis.notes.iter().enumerate().map(|(index, note)| (index, near(note)));
        notes.filter(|(_, distance)| *distance <= REACH).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
    }

    /// A frame around what is selected, and a mark on what was corrected.
    fn draw_corrections(&self, painter: &Painter, view: &View, selected: &[NoteId]) {
        let notes = view.analysis.iter().flat_map(|analysis| &analysis.notes);
        let names = view.corrections.ids.iter().zip(view.corrections.changed.iter());
        for (note, (id, changed)) in notes.zip(names) {
            let body = self.body(note);
            if *changed {
                painter.circle_filled(body.left_center() + vec2(5.0, 0.0), 2.5, theme::of_painter(painter).pitch);
            }
            if selected.contains(id) {
                painter.rect_stroke(
                    body.expand(2.0),
                    4.0,
                    Stroke::new(2.0, theme::of_painter(painter).selected),
                    StrokeKind::Outside,
                );
            }
        }
    }

    fn draw(&self, painter: &Painter, analysis: &Analysis) {
        self.draw_chroma(painter, analysis);
        self.draw_grid(painter, analysis);
        self.draw_notes(painter, analysis);
        self.draw_pitch(painter, analysis);
        self.draw_names(painter, analysis);
    }

    fn draw_chroma(&self, painter: &Painter, analysis: &Analysis) {
        let hop = chroma::HOP as f64 / f64::from(chroma::RATE.0);
        for (index, frame) in analysis.chroma.frames.iter().enumerate() {
            // Frames are centred on multiples of the hop.
            let left = self.x(Seconds((index as f64 - 0.5) * hop)).max(self.rect.left());
            let right = self.x(Seconds((index as f64 + 0.5) * hop)).min(self.rect.right());
            let mut key = self.lowest.ceil();
            while key < self.lowest + self.keys {
                let energy = frame[(key as usize) % 12];
                if energy > 0.15 && right > left {
                    let cell = Rect::from_x_y_ranges(left..=right, self.y(key + 0.5)..=self.y(key - 0.5));
                    painter.rect_filled(cell, 0.0, theme::of_painter(painter).note.gamma_multiply(energy * 0.3));
                }
                key += 1.0;
            }
        }
    }

    fn draw_grid(&self, painter: &Painter, analysis: &Analysis) {
        let bar = analysis.metre().bar().0;
        let start = analysis.grid.start.0;
        let end = analysis.beat_at(Seconds(self.seconds)).0;
        let mut beat = start.ceil();
        while beat <= end {
            let x = self.x(analysis.grid.tempo.seconds_between(analysis.grid.start, Beats(beat)));
            let is_bar = (beat / bar).fract().abs() < 1e-6;
            let colour = if is_bar { theme::of_painter(painter).line } else { theme::of_painter(painter).raised };
            painter.line_segment([pos2(x, self.rect.top()), pos2(x, self.rect.bottom())], Stroke::new(1.0, colour));
            if is_bar {
                let label = format!("{:.0}", beat / bar + 1.0);
                painter.text(
                    pos2(x + 3.0, self.rect.top()),
                    Align2::LEFT_TOP,
                    label,
                    FontId::proportional(11.0),
                    theme::of_painter(painter).faint,
                );
            }
            beat += 1.0;
        }
        let mut key = self.lowest.ceil();
        while key < self.lowest + self.keys {
            let name = cantus_engine::analysis::note_name(key as u8);
            if self.row() > 9.0 || name.starts_with("C ") || (key as u8).is_multiple_of(12) {
                let at = pos2(self.rect.left() - 5.0, self.y(key));
                painter.text(
                    at,
                    Align2::RIGHT_CENTER,
                    name,
                    FontId::proportional(10.0),
                    theme::of_painter(painter).faint,
                );
            }
            key += 1.0;
        }
    }

    fn draw_notes(&self, painter: &Painter, analysis: &Analysis) {
        for note in &analysis.notes {
            let body = self.body(note);
            let colour = theme::of_painter(painter).note.gamma_multiply(0.45 + 0.5 * note.loudness);
            painter.rect_filled(body, 3.0, colour);
            if note.confidence < 0.5 {
                painter.rect_stroke(
                    body,
                    3.0,
                    Stroke::new(1.5, theme::of_painter(painter).warning),
                    StrokeKind::Inside,
                );
            }
        }
    }

    /// Above the notes, so that the pitch does not cross them out.
    fn draw_names(&self, painter: &Painter, analysis: &Analysis) {
        let mut free_from = f32::NEG_INFINITY;
        for (index, note) in analysis.notes.iter().enumerate() {
            let at = self.body(note).left_top() - vec2(0.0, 1.0);
            if at.x >= free_from {
                let name = analysis.name_of(index).unwrap_or_default();
                painter.text(
                    at,
                    Align2::LEFT_BOTTOM,
                    name,
                    FontId::proportional(10.5),
                    theme::of_painter(painter).selected,
                );
                free_from = at.x + 22.0;
            }
        }
    }

    fn draw_pitch(&self, painter: &Painter, analysis: &Analysis) {
        let tuning = analysis.tuning_cents / 100.0;
        let mut line: Vec<Pos2> = Vec::new();
        let flush = |line: &mut Vec<Pos2>| {
            if line.len() > 1 {
                painter.line(std::mem::take(line), Stroke::new(1.6, theme::of_painter(painter).pitch));
            }
            line.clear();
        };
        for frame in &analysis.f0 {
            if !frame.voiced {
                flush(&mut line);
                continue;
            }
            let at = pos2(self.x(frame.time), self.y(Hz(frame.hz).note().0 - tuning));
            // A jump of an octave is no glide: the line breaks there.
            if line.last().is_some_and(|last| (last.y - at.y).abs() > self.row() * 7.0) {
                flush(&mut line);
            }
            if self.rect.contains(at) {
                line.push(at);
            }
        }
        flush(&mut line);
    }
}

fn playhead(painter: &Painter, roll: &Roll, view: &View) {
    let Some(stamp) = view.ear.as_ref().map(|ear| &ear.stamp).filter(|stamp| stamp.playing) else { return };
    let active = view.variations.iter().find(|variation| Some(variation.id) == view.active);
    let grid = match active.map(|variation| &variation.status) {
        Some(VariationStatus::Ready(rendition)) => Some(&rendition.grid),
        _ => view.analysis.as_ref().map(|analysis| &analysis.grid),
    };
    if let (Some(beats), Some(grid)) = (stamp.beats, grid) {
        let time = grid.tempo.seconds_between(grid.start, Beats(beats));
        if (0.0..=roll.seconds).contains(&time.0) {
            let x = roll.x(time);
            painter.line_segment(
                [pos2(x, roll.rect.top()), pos2(x, roll.rect.bottom())],
                Stroke::new(1.5, theme::of_painter(painter).playhead),
            );
        }
    }
}
