//! Thread: worker. The take and its renditions as one picture: chroma, pitch and notes above, the sound of each rendition below,
//! all on the same bars.

mod roll;

use crate::analysis::Analysis;
use crate::error::Result;
use crate::export::canvas::{Align, Area, BACKGROUND, Canvas, FAINT_TEXT, Ink, PANEL, TEXT};
use crate::export::names::tempo_name;
use crate::generation::score::Role;
use crate::rendition::Rendition;
use roll::{BARS, Plane};

/// Width of the picture and of what stands left and right of the bars, in pixels.
const WIDTH: u32 = 1_680;
const LEFT: f32 = 92.0;
const RIGHT: f32 = 28.0;
/// Heights from top to bottom, in pixels.
const TITLE: f32 = 84.0;
const MELODY: f32 = 500.0;
const WAVE: f32 = 150.0;
const GAP: f32 = 14.0;
const DOUBT: f32 = 24.0;
/// Renditions drawn at most: more make a picture that no viewer opens.
const MOST_RENDITIONS: usize = 64;
/// A longer melody is drawn in rows, lower ones, of so many bars each; and with more bars when there would be too many rows.
const LONGEST_ROW_BARS: f64 = 12.0;
const ROW_BARS: f64 = 8.0;
const ROW: f32 = 300.0;
const MOST_ROWS: f64 = 24.0;
/// Letters of a doubt on a line.
const LINE_LETTERS: usize = 96;

const PITCH: Ink = Ink(0x5c, 0xe1, 0xe6, 255);
const NOTE_EDGE: Ink = Ink(0xff, 0xb4, 0x54, 255);
const UNSURE_EDGE: Ink = Ink(0xff, 0x5c, 0x5c, 255);
const MIX: Ink = Ink(0x5f, 0x7d, 0xb8, 255);
const LEAD: Ink = Ink(0xff, 0x8a, 0x5c, 255);

/// Draws a take's analysis and what was made of it: PNG bytes, 1680 pixels wide. The waveforms show the mix, with the lead's
/// stem over it when there is one. At most 64 renditions are drawn. Without renditions a long take is drawn in several rows. What
/// is doubtful stands at the bottom.
///
/// # Errors
/// [`crate::Error::Internal`] when the picture cannot be encoded.
pub fn picture(analysis: &Analysis, renditions: &[&Rendition]) -> Result<Vec<u8>> {
    let renditions = &renditions[..renditions.len().min(MOST_RENDITIONS)];
    let rows = rows(analysis, renditions.is_empty());
    let doubts: Vec<String> = analysis.doubts.iter().flat_map(|doubt| lines(doubt)).collect();
    let below = rows.last().map_or(TITLE, |row| row.top + row.height + BARS);
    let waves = below + renditions.len() as f32 * (WAVE + GAP);
    let height = waves + doubts.len() as f32 * DOUBT + GAP;
    let mut canvas = Canvas::new(WIDTH, height as u32, BACKGROUND)?;
    title(&mut canvas, analysis, !renditions.is_empty());
    for row in &rows {
        roll::draw(&mut canvas, row, analysis);
    }
    for (index, rendition) in renditions.iter().enumerate() {
        let top = below + index as f32 * (WAVE + GAP);
        let plane = Plane { top, height: WAVE, ..rows[0] };
        let panel = plane.area();
        canvas.rectangle(panel, PANEL);
        waveform(&mut canvas, &plane, rendition, panel);
        roll::bar_lines(&mut canvas, &plane, analysis, panel);
        facts(&mut canvas, rendition, panel);
    }
    for (index, line) in doubts.iter().enumerate() {
        canvas.text(line, LEFT, waves + 4.0 + index as f32 * DOUBT, 2, UNSURE_EDGE, Align::Left);
    }
    canvas.png()
}

/// The rows of the melody: one, or several when it is long and nothing else has to lie under it.
fn rows(analysis: &Analysis, alone: bool) -> Vec<Plane> {
    let whole = Plane::of(analysis, TITLE, MELODY);
    let bar = analysis.metre().bar().0.max(0.25);
    if !alone || whole.beats <= LONGEST_ROW_BARS * bar {
        return whole.rows(whole.beats, 0.0);
    }
    let bars = ROW_BARS.max((whole.beats / bar / MOST_ROWS).ceil());
    Plane { height: ROW, ..whole }.rows(bars * bar, BARS)
}

/// A sentence in lines that fit, the later ones set in.
fn lines(sentence: &str) -> Vec<String> {
    let mut lines = vec!["! ".to_owned()];
    for word in sentence.split_whitespace() {
        let last = lines.last_mut().map_or(0, |line| line.chars().count());
        if last + word.chars().count() > LINE_LETTERS {
            lines.push("  ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
            line.push(' ');
        }
    }
    lines
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
    let mut legend = vec![("sung pitch", PITCH), ("notes", NOTE_EDGE), ("chroma", roll::heat(0.75))];
    if analysis.notes.iter().any(|note| note.confidence < roll::UNSURE) {
        legend.push(("unsure", UNSURE_EDGE));
    }
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
