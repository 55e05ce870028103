//! Thread: worker. The melody on its bars: chroma, grid, notes with names, and the sung pitch. A long take is drawn in several
//! rows, as music is written.

use super::{LEFT, NOTE_EDGE, PITCH, RIGHT, UNSURE_EDGE, WIDTH};
use crate::analysis::{Analysis, Note, chroma, note_name};
use crate::export::canvas::{Align, Area, Canvas, FAINT_TEXT, Ink, PANEL, TEXT};
use crate::time::{Beats, Hz, MidiNote, Seconds};

/// Notes less sure than this are drawn as doubtful.
pub(super) const UNSURE: f32 = 0.5;
/// Height of the bar numbers under a row, in pixels.
pub(super) const BARS: f32 = 34.0;
/// Room a name on the axis needs, in pixels.
const LABEL: f32 = 17.0;

const BAR_LINE: Ink = Ink(0xff, 0xff, 0xff, 70);
const BEAT_LINE: Ink = Ink(0xff, 0xff, 0xff, 22);
const NOTE: Ink = Ink(0xff, 0xb4, 0x54, 60);
const UNSURE_NOTE: Ink = Ink(0xff, 0x5c, 0x5c, 50);

/// Where song time and pitch lie in one row of the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane {
    pub start: Beats,
    pub beats: f64,
    pub top: f32,
    pub height: f32,
    pub lowest: f32,
    pub highest: f32,
}

impl Plane {
    /// The whole take in one row.
    pub fn of(analysis: &Analysis, top: f32, height: f32) -> Self {
        let length = analysis.length.0;
        let beats = if length.is_finite() && length > 0.0 { length } else { analysis.metre().bar().0.max(1.0) };
        let keys = || analysis.notes.iter().map(|note| f32::from(note.key));
        let (low, high) = (keys().fold(127.0, f32::min), keys().fold(0.0, f32::max));
        let (low, high) = if low > high { (55.0, 67.0) } else { (low, high) };
        // At least an octave and a half, so that a monotone hum does not fill the panel with one box.
        let spare = ((18.0 - (high - low)) / 2.0).max(3.0).round();
        Self { start: analysis.grid.start, beats, top, height, lowest: low - spare, highest: high + spare }
    }

    /// The take in rows of at most so many beats, one below the other.
    pub fn rows(&self, row_beats: f64, spacing: f32) -> Vec<Self> {
        let count = (self.beats / row_beats - 1e-9).ceil().max(1.0) as usize;
        let row = |index: usize| Self {
            start: self.start + Beats(index as f64 * row_beats),
            beats: if count == 1 { self.beats } else { row_beats },
            top: self.top + index as f32 * (self.height + spacing),
            ..*self
        };
        (0..count).map(row).collect()
    }

    pub fn area(&self) -> Area {
        Area { left: LEFT, top: self.top, right: WIDTH as f32 - RIGHT, bottom: self.top + self.height }
    }

    pub fn beat(&self, x: f32) -> Beats {
        self.start + Beats(f64::from((x - LEFT) / (WIDTH as f32 - LEFT - RIGHT)) * self.beats)
    }

    fn x(&self, beat: Beats) -> f32 {
        let share = ((beat - self.start).0 / self.beats).clamp(0.0, 1.0) as f32;
        LEFT + share * (WIDTH as f32 - LEFT - RIGHT)
    }

    /// Whether anything between two positions lies in the row.
    fn shows(&self, from: Beats, to: Beats) -> bool {
        to > self.start && from < self.start + Beats(self.beats)
    }

    /// Centre of a pitch, in pixels from the top of the picture.
    fn y(&self, pitch: f32) -> f32 {
        let share = (pitch - self.lowest + 0.5) / (self.highest - self.lowest + 1.0);
        self.top + (1.0 - share.clamp(0.0, 1.0)) * self.height
    }

    fn semitone(&self) -> f32 {
        self.height / (self.highest - self.lowest + 1.0)
    }
}

/// Draws one row.
pub(super) fn draw(canvas: &mut Canvas, plane: &Plane, analysis: &Analysis) {
    chroma(canvas, plane, analysis);
    bar_lines(canvas, plane, analysis, plane.area());
    notes(canvas, plane, analysis);
    pitch_line(canvas, plane, analysis);
    pitch_axis(canvas, plane);
    bar_numbers(canvas, plane, analysis);
}

/// The colour of a chroma strength, 0 to 1: from the panel's own over violet to rose.
pub(super) fn heat(strength: f32) -> Ink {
    const STOPS: [[f32; 3]; 4] = [[26.0, 29.0, 38.0], [58.0, 38.0, 98.0], [132.0, 46.0, 118.0], [196.0, 74.0, 104.0]];
    let place = if strength.is_finite() { strength.clamp(0.0, 1.0) * 3.0 } else { 0.0 };
    let stop = (place as usize).min(2);
    let share = place - stop as f32;
    let [red, green, blue] =
        std::array::from_fn(|channel| (STOPS[stop][channel] * (1.0 - share) + STOPS[stop + 1][channel] * share) as u8);
    Ink(red, green, blue, 255)
}

fn chroma(canvas: &mut Canvas, plane: &Plane, analysis: &Analysis) {
    canvas.rectangle(plane.area(), PANEL);
    let hop = chroma::HOP as f64 / chroma::RATE.hz();
    let half = plane.semitone() / 2.0;
    for (index, classes) in analysis.chroma.frames.iter().enumerate() {
        // A frame stands for the hop around its centre.
        let edge = |offset: f64| plane.x(analysis.beat_at(Seconds((index as f64 + offset) * hop)));
        let (left, right) = (edge(-0.5), edge(0.5));
        if right <= left {
            continue;
        }
        let mut key = plane.lowest;
        while key <= plane.highest {
            let class = (key.round() as i32).rem_euclid(12) as usize;
            let y = plane.y(key);
            // The square keeps weak classes dark behind the lines.
            let ink = heat(0.85 * classes[class] * classes[class]);
            canvas.rectangle(Area { left, top: y - half, right, bottom: y + half }, ink);
            key += 1.0;
        }
    }
}

/// Lines at bars and, when there is room, at beats.
pub(super) fn bar_lines(canvas: &mut Canvas, plane: &Plane, analysis: &Analysis, panel: Area) {
    let metre = analysis.metre();
    let beat = metre.bar().0 / f64::from(metre.numerator.max(1));
    let first = first_bar(plane, metre.bar().0);
    let counts = ((plane.start.0 + plane.beats - first) / beat).ceil().min(4_096.0) as usize;
    // Beats closer than this would be a grey haze.
    let beats_too = (WIDTH as f32 - LEFT) / counts.max(1) as f32 >= 9.0;
    for count in 0..=counts {
        let bar = count % usize::from(metre.numerator.max(1)) == 0;
        if bar || beats_too {
            let at = Beats(first + count as f64 * beat);
            if at < plane.start || at > plane.start + Beats(plane.beats) {
                continue;
            }
            let x = plane.x(at).round();
            let ink = if bar { BAR_LINE } else { BEAT_LINE };
            canvas.rectangle(Area { left: x, right: x + 1.0, ..panel }, ink);
        }
    }
}

/// The bar line at or before the beginning of a row, in beats.
fn first_bar(plane: &Plane, bar: f64) -> f64 {
    (plane.start.0 / bar + 1e-9).floor() * bar
}

fn bar_numbers(canvas: &mut Canvas, plane: &Plane, analysis: &Analysis) {
    let bar = analysis.metre().bar().0;
    let bars = (plane.beats / bar).ceil().min(4_096.0) as usize;
    let origin = first_bar(plane, bar);
    let first = (origin / bar).round() as i64 + 1;
    let every = (1..).find(|every| (WIDTH as f32 - LEFT) / bars.max(1) as f32 * *every as f32 >= 56.0).unwrap_or(1);
    let y = plane.top + plane.height + 8.0;
    for index in (0..bars).step_by(every) {
        let x = plane.x(Beats(origin + index as f64 * bar)).max(LEFT);
        canvas.text(&(first + index as i64).to_string(), x + 5.0, y, 2, TEXT, Align::Left);
    }
    canvas.text("bar", LEFT - 12.0, y, 2, FAINT_TEXT, Align::Right);
}

/// Names of the white keys where there is room, of every C, or of the tonic's octave alone when rows are low.
fn pitch_axis(canvas: &mut Canvas, plane: &Plane) {
    let mut taken: Vec<f32> = Vec::new();
    // The Cs go first: a B or a D too close to one gives way.
    for only_c in [true, false] {
        let mut key = plane.lowest;
        while key <= plane.highest {
            let number = key.clamp(0.0, 127.0) as u8;
            let y = plane.y(key);
            let is_c = number.is_multiple_of(12);
            let is_white = matches!(number % 12, 0 | 2 | 4 | 5 | 7 | 9 | 11);
            if is_c == only_c && is_white && taken.iter().all(|other| (other - y).abs() >= LABEL) {
                let ink = if is_c { TEXT } else { FAINT_TEXT };
                canvas.text(&note_name(number), LEFT - 12.0, y - 7.0, 2, ink, Align::Right);
                taken.push(y);
            }
            key += 1.0;
        }
    }
}

fn notes(canvas: &mut Canvas, plane: &Plane, analysis: &Analysis) {
    let half = (plane.semitone() / 2.0).max(5.0);
    let edges = |note: &Note| {
        let (from, to) = (analysis.beat_at(note.onset), analysis.beat_at(note.offset));
        plane.shows(from, to).then(|| (plane.x(from), plane.x(to)))
    };
    for note in &analysis.notes {
        let Some((left, right)) = edges(note) else { continue };
        let y = plane.y(f32::from(note.key));
        let frame = Area { left, top: y - half, right: right.max(left + 2.0), bottom: y + half };
        let (fill, edge) = if note.confidence < UNSURE { (UNSURE_NOTE, UNSURE_EDGE) } else { (NOTE, NOTE_EDGE) };
        canvas.rectangle(frame, fill);
        canvas.outline(frame, 2.0, edge);
    }
    // Names last, so that no neighbour's box covers them, above the box when there is room.
    for (index, note) in analysis.notes.iter().enumerate() {
        let Some((left, right)) = edges(note) else { continue };
        let name = analysis.name_of(index).unwrap_or_default();
        let y = plane.y(f32::from(note.key)) - half - 20.0;
        let scale = if right - left >= 13.0 * name.len() as f32 { 2 } else { 1 };
        canvas.shadowed_text(&name, left + 1.0, if scale == 2 { y } else { y + 8.0 }, scale, TEXT);
    }
}

fn pitch_line(canvas: &mut Canvas, plane: &Plane, analysis: &Analysis) {
    let mut line: Vec<(f32, f32)> = Vec::new();
    let mut last = None;
    for frame in analysis.f0.iter().filter(|frame| frame.voiced && frame.hz > 0.0) {
        // The tuning is taken off, as it is from the notes' keys.
        let MidiNote(pitch) = Hz(frame.hz).note();
        let pitch = pitch - analysis.tuning_cents / 100.0;
        let beat = analysis.beat_at(frame.time);
        if !(plane.lowest - 0.5..=plane.highest + 0.5).contains(&pitch) || !plane.shows(beat, beat) {
            continue;
        }
        // A gap in the voice, or a jump of the tracker, is a gap in the line.
        let joins =
            last.is_some_and(|(time, before): (f64, f32)| frame.time.0 - time < 0.05 && (pitch - before).abs() < 4.0);
        if !joins {
            canvas.line(&line, 2.5, PITCH);
            line.clear();
        }
        line.push((plane.x(beat), plane.y(pitch)));
        last = Some((frame.time.0, pitch));
    }
    canvas.line(&line, 2.5, PITCH);
}
