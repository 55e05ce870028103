//! Thread: worker. The take and its renditions as one picture: chroma, pitch and notes above, the sound of each rendition below,
//! all on the same bars.

mod canvas;

use crate::analysis::{Analysis, note_name};
use crate::error::Result;
use crate::export::names::tempo_name;
use crate::generation::score::Role;
use crate::rendition::Rendition;
use crate::time::{Beats, MidiNote};
use canvas::{Align, Area, Canvas, Ink};

/// Width of the picture and of what stands left and right of the bars, in pixels.
const WIDTH: u32 = 1_680;
const LEFT: f32 = 92.0;
const RIGHT: f32 = 28.0;
/// Heights from top to bottom, in pixels.
const TITLE: f32 = 84.0;
const MELODY: f32 = 500.0;
const BARS: f32 = 34.0;
const WAVE: f32 = 150.0;
const GAP: f32 = 14.0;
/// Renditions drawn at most: more make a picture that no viewer opens.
const MOST_RENDITIONS: usize = 64;

const BACKGROUND: Ink = Ink(0x12, 0x14, 0x1a, 255);
const PANEL: Ink = Ink(0x1a, 0x1d, 0x26, 255);
const TEXT: Ink = Ink(0xe8, 0xea, 0xf0, 255);
const FAINT_TEXT: Ink = Ink(0x9a, 0xa2, 0xb4, 255);
const BAR_LINE: Ink = Ink(0xff, 0xff, 0xff, 70);
const BEAT_LINE: Ink = Ink(0xff, 0xff, 0xff, 22);
const PITCH: Ink = Ink(0x5c, 0xe1, 0xe6, 255);
const NOTE: Ink = Ink(0xff, 0xb4, 0x54, 60);
const NOTE_EDGE: Ink = Ink(0xff, 0xb4, 0x54, 255);
const MIX: Ink = Ink(0x5f, 0x7d, 0xb8, 255);
const LEAD: Ink = Ink(0xff, 0x8a, 0x5c, 255);

/// Where song time and pitch lie in the picture.
struct Plane {
    start: Beats,
    beats: f64,
    lowest: f32,
    highest: f32,
}

impl Plane {
    fn of(analysis: &Analysis) -> Self {
        let length = analysis.length.0;
        let beats = if length.is_finite() && length > 0.0 { length } else { analysis.metre().bar().0.max(1.0) };
        let keys = || analysis.notes.iter().map(|note| f32::from(note.key));
        let (low, high) = (keys().fold(127.0, f32::min), keys().fold(0.0, f32::max));
        let (low, high) = if low > high { (55.0, 67.0) } else { (low, high) };
        // At least an octave and a half, so that a monotone hum does not fill the panel with one box.
        let spare = ((18.0 - (high - low)) / 2.0).max(3.0).round();
        Self { start: analysis.grid.start, beats, lowest: low - spare, highest: high + spare }
    }

    fn x(&self, beat: Beats) -> f32 {
        let share = ((beat - self.start).0 / self.beats).clamp(0.0, 1.0) as f32;
        LEFT + share * (WIDTH as f32 - LEFT - RIGHT)
    }

    fn beat(&self, x: f32) -> Beats {
        self.start + Beats(f64::from((x - LEFT) / (WIDTH as f32 - LEFT - RIGHT)) * self.beats)
    }

    /// Centre of a pitch, in pixels from the top of the picture.
    fn y(&self, pitch: f32) -> f32 {
        let share = (pitch - self.lowest + 0.5) / (self.highest - self.lowest + 1.0);
        TITLE + (1.0 - share.clamp(0.0, 1.0)) * MELODY
    }

    fn semitone(&self) -> f32 {
        MELODY / (self.highest - self.lowest + 1.0)
    }
}

/// Draws a take's analysis and what was made of it: PNG bytes, 1680 pixels wide. The waveforms show the mix, with the lead's
/// stem over it when there is one. At most 64 renditions are drawn.
///
/// # Errors
/// [`crate::Error::Internal`] when the picture cannot be encoded.
pub fn picture(analysis: &Analysis, renditions: &[&Rendition]) -> Result<Vec<u8>> {
    let renditions = &renditions[..renditions.len().min(MOST_RENDITIONS)];
    let height = TITLE + MELODY + BARS + renditions.len() as f32 * (WAVE + GAP) + GAP;
    let mut canvas = Canvas::new(WIDTH, height as u32, BACKGROUND)?;
    let plane = Plane::of(analysis);
    title(&mut canvas, analysis, !renditions.is_empty());
    chroma(&mut canvas, &plane, analysis);
    let melody = Area { left: LEFT, top: TITLE, right: WIDTH as f32 - RIGHT, bottom: TITLE + MELODY };
    bar_lines(&mut canvas, &plane, analysis, melody.top, melody.bottom);
    notes(&mut canvas, &plane, analysis);
    pitch_line(&mut canvas, &plane, analysis);
    pitch_axis(&mut canvas, &plane);
    bar_numbers(&mut canvas, &plane, analysis);
    for (index, rendition) in renditions.iter().enumerate() {
        let top = TITLE + MELODY + BARS + index as f32 * (WAVE + GAP);
        let panel = Area { top, bottom: top + WAVE, ..melody };
        canvas.rectangle(panel, PANEL);
        waveform(&mut canvas, &plane, rendition, panel);
        bar_lines(&mut canvas, &plane, analysis, panel.top, panel.bottom);
        facts(&mut canvas, rendition, panel);
    }
    canvas.png()
}

fn title(canvas: &mut Canvas, analysis: &Analysis, with_sound: bool) {
    let metre = analysis.metre();
    let key = analysis.key.key;
    let words = format!(
        "{}  {}  {}/{}  {} notes",
        key.name(),
        tempo_name(analysis.tempo()),
        metre.numerator,
        metre.denominator,
        analysis.notes.len()
    );
    canvas.text(&words, LEFT, 12.0, 3, TEXT, Align::Left);
    let mut legend = vec![("sung pitch", PITCH), ("notes", NOTE_EDGE), ("chroma", heat(0.75))];
    if with_sound {
        legend.extend([("mix", MIX), ("lead", LEAD)]);
    }
    let mut x = LEFT;
    for (words, ink) in legend {
        canvas.rectangle(Area { left: x, top: 52.0, right: x + 22.0, bottom: 66.0 }, ink);
        canvas.text(words, x + 30.0, 51.0, 2, FAINT_TEXT, Align::Left);
        x += 30.0 + 16.0 * words.len() as f32 + 28.0;
    }
}

/// The colour of a chroma strength, 0 to 1: from the panel's own over violet to rose.
fn heat(strength: f32) -> Ink {
    const STOPS: [[f32; 3]; 4] = [[26.0, 29.0, 38.0], [58.0, 38.0, 98.0], [132.0, 46.0, 118.0], [196.0, 74.0, 104.0]];
    let place = if strength.is_finite() { strength.clamp(0.0, 1.0) * 3.0 } else { 0.0 };
    let stop = (place as usize).min(2);
    let share = place - stop as f32;
    let [red, green, blue] =
        std::array::from_fn(|channel| (STOPS[stop][channel] * (1.0 - share) + STOPS[stop + 1][channel] * share) as u8);
    Ink(red, green, blue, 255)
}

fn chroma(canvas: &mut Canvas, plane: &Plane, analysis: &Analysis) {
    let panel = Area { left: LEFT, top: TITLE, right: WIDTH as f32 - RIGHT, bottom: TITLE + MELODY };
    canvas.rectangle(panel, PANEL);
    let hop = crate::analysis::chroma::HOP as f64 / 32_000.0;
    let half = plane.semitone() / 2.0;
    for (index, classes) in analysis.chroma.frames.iter().enumerate() {
        // A frame stands for the hop around its centre.
        let edge = |offset: f64| plane.x(analysis.beat_at(crate::time::Seconds((index as f64 + offset) * hop)));
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

fn bar_lines(canvas: &mut Canvas, plane: &Plane, analysis: &Analysis, top: f32, bottom: f32) {
    let metre = analysis.metre();
    let beat = metre.bar().0 / f64::from(metre.numerator.max(1));
    let counts = (plane.beats / beat).ceil().min(4_096.0) as usize;
    // Beats closer than this would be a grey haze.
    let beats_too = (WIDTH as f32 - LEFT) / counts.max(1) as f32 >= 9.0;
    for count in 0..=counts {
        let bar = count % usize::from(metre.numerator.max(1)) == 0;
        if bar || beats_too {
            let x = plane.x(plane.start + Beats(count as f64 * beat)).round();
            let ink = if bar { BAR_LINE } else { BEAT_LINE };
            canvas.rectangle(Area { left: x, top, right: x + 1.0, bottom }, ink);
        }
    }
}

fn bar_numbers(canvas: &mut Canvas, plane: &Plane, analysis: &Analysis) {
    let bar = analysis.metre().bar().0;
    let bars = (plane.beats / bar).ceil().min(4_096.0) as usize;
    let first = (plane.start.0 / bar).round() as i64 + 1;
    let every = (1..).find(|every| (WIDTH as f32 - LEFT) / bars.max(1) as f32 * *every as f32 >= 56.0).unwrap_or(1);
    for index in (0..bars).step_by(every) {
        let x = plane.x(plane.start + Beats(index as f64 * bar));
        let words = (first + index as i64).to_string();
        canvas.text(&words, x + 5.0, TITLE + MELODY + 8.0, 2, TEXT, Align::Left);
    }
    canvas.text("bar", LEFT - 12.0, TITLE + MELODY + 8.0, 2, FAINT_TEXT, Align::Right);
}

fn pitch_axis(canvas: &mut Canvas, plane: &Plane) {
    let mut key = plane.lowest;
    while key <= plane.highest {
        let number = key.clamp(0.0, 127.0) as u8;
        if matches!(number % 12, 0 | 2 | 4 | 5 | 7 | 9 | 11) && plane.semitone() >= 11.0 || number.is_multiple_of(12) {
            let ink = if number.is_multiple_of(12) { TEXT } else { FAINT_TEXT };
            canvas.text(&note_name(number), LEFT - 12.0, plane.y(key) - 7.0, 2, ink, Align::Right);
        }
        key += 1.0;
    }
}

fn notes(canvas: &mut Canvas, plane: &Plane, analysis: &Analysis) {
    let half = (plane.semitone() / 2.0).max(5.0);
    for note in &analysis.notes {
        let (left, right) = (plane.x(analysis.beat_at(note.onset)), plane.x(analysis.beat_at(note.offset)));
        let y = plane.y(f32::from(note.key));
        let frame = Area { left, top: y - half, right: right.max(left + 2.0), bottom: y + half };
        canvas.rectangle(frame, NOTE);
        canvas.outline(frame, 2.0, NOTE_EDGE);
    }
    // Names last, so that no neighbour's box covers them, above the box when there is room.
    for note in &analysis.notes {
        let (left, right) = (plane.x(analysis.beat_at(note.onset)), plane.x(analysis.beat_at(note.offset)));
        let name = note_name(note.key);
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
        let MidiNote(pitch) = crate::time::Hz(frame.hz).note();
        let pitch = pitch - analysis.tuning_cents / 100.0;
        if !(plane.lowest - 0.5..=plane.highest + 0.5).contains(&pitch) {
            continue;
        }
        // A gap in the voice, or a jump of the tracker, is a gap in the line.
        let joins =
            last.is_some_and(|(time, before): (f64, f32)| frame.time.0 - time < 0.05 && (pitch - before).abs() < 4.0);
        if !joins {
            canvas.line(&line, 2.5, PITCH);
            line.clear();
        }
        line.push((plane.x(analysis.beat_at(frame.time)), plane.y(pitch)));
        last = Some((frame.time.0, pitch));
    }
    canvas.line(&line, 2.5, PITCH);
}

fn waveform(canvas: &mut Canvas, plane: &Plane, rendition: &Rendition, panel: Area) {
    let centre = (panel.top + panel.bottom) / 2.0;
    let tall = WAVE / 2.0 - 4.0;
    let lead = rendition.stems.iter().find(|stem| stem.role == Role::Lead).map(|stem| &stem.audio);
    for (audio, ink) in std::iter::once((&rendition.mix, MIX)).chain(lead.map(|lead| (lead, LEAD))) {
        let frames = audio.frames();
        let frame = |x: f32| {
            let frame = rendition.grid.exact_frame_of(plane.beat(x), rendition.rate());
            if frame.is_finite() { (frame.max(0.0) as usize).min(frames) } else { 0 }
        };
        let mut x = panel.left;
        while x < panel.right {
            let (from, to) = (frame(x), frame(x + 1.0));
            let samples = || audio.channels.iter().filter_map(|channel| channel.get(from..to)).flatten();
            let low = samples().fold(0.0_f32, |low, sample| low.min(*sample)).max(-1.0);
            let high = samples().fold(0.0_f32, |high, sample| high.max(*sample)).min(1.0);
            if from < to {
                let (top, bottom) = (centre - high * tall, centre - low * tall);
                canvas.rectangle(Area { left: x, top, right: x + 1.0, bottom: bottom.max(top + 1.0) }, ink);
            }
            x += 1.0;
        }
    }
}

fn facts(canvas: &mut Canvas, rendition: &Rendition, panel: Area) {
    canvas.shadowed_text(&rendition.name, panel.left + 8.0, panel.top + 7.0, 2, TEXT);
    let levels = format!(
        "{:.1} LUFS  {:.1} dBTP  melody kept {:.0}%",
        rendition.loudness.integrated_lufs,
        rendition.loudness.true_peak_dbtp,
        100.0 * rendition.fidelity.lead_chroma
    );
    canvas.shadowed_text(&levels, panel.left + 8.0, panel.bottom - 22.0, 2, FAINT_TEXT);
}
