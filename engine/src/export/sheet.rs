//! Thread: worker. A rendition on one sheet: the chords by bar over the tune, every part on its lane, how far the voices move from
//! chord to chord, how the players lie against the grid, and the spectrogram of the mix.

mod lanes;
mod spectrogram;

use crate::error::Result;
use crate::export::canvas::{Align, Area, BACKGROUND, Canvas, FAINT_TEXT, Ink, PANEL, TEXT};
use crate::export::names::tempo_name;
use crate::generation::score::{Role, Score, Track};
use crate::rendition::Rendition;
use crate::time::Beats;

/// Sizes in pixels.
const WIDTH: u32 = 1_680;
const LEFT: f32 = 190.0;
const RIGHT: f32 = 24.0;
const TITLE: f32 = 76.0;
const CHORDS: f32 = 40.0;
const LANE: f32 = 96.0;
const LEAD: f32 = 170.0;
const GAP: f32 = 8.0;
const MOVES: f32 = 64.0;
const TIMING: f32 = 120.0;
const SPECTROGRAM: f32 = 256.0;
/// Lines of remarks.
const LINE: f32 = 22.0;

const BAR_LINE: Ink = Ink(0xff, 0xff, 0xff, 60);
const LEAD_INK: Ink = Ink(0xff, 0xb4, 0x54, 255);
const PART_INK: Ink = Ink(0x5f, 0xa0, 0xff, 255);

/// Where song time lies on the sheet.
#[derive(Debug, Clone, Copy)]
struct Width {
    start: Beats,
    beats: f64,
}

impl Width {
    fn x(self, beat: f64) -> f32 {
        let share = ((beat - self.start.0) / self.beats).clamp(0.0, 1.0) as f32;
        LEFT + share * (WIDTH as f32 - LEFT - RIGHT)
    }

    fn panel(top: f32, height: f32) -> Area {
        Area { left: LEFT, top, right: WIDTH as f32 - RIGHT, bottom: top + height }
    }
}

/// Draws a rendition that has notes: PNG bytes, 1680 pixels wide. `None` for music that was made as audio.
///
/// # Errors
/// [`crate::Error::Internal`] when the picture cannot be encoded.
pub fn sheet(rendition: &Rendition) -> Result<Option<Vec<u8>>> {
    let Some(score) = &rendition.score else { return Ok(None) };
    let parts: Vec<&Track> = score.tracks.iter().filter(|track| track.role != Role::Lead).collect();
    let lead = score.tracks.iter().find(|track| track.role == Role::Lead);
    let voiced: Vec<&Track> =
        parts.iter().copied().filter(|track| matches!(track.role, Role::Chords | Role::Pad)).collect();
    let remarks = score.remarks.len() as f32 * LINE;
    let height = TITLE
        + CHORDS
        + LEAD
        + GAP
        + parts.len() as f32 * (LANE + GAP)
        + voiced.len() as f32 * (MOVES + GAP)
        + TIMING
        + GAP
        + SPECTROGRAM
        + LINE
        + remarks
        + GAP;
    let mut canvas = Canvas::new(WIDTH, height as u32, BACKGROUND)?;
    let width = Width { start: score.grid.start, beats: score.length.0.max(0.25) };
    title(&mut canvas, rendition, score);
    let mut top = TITLE;
    chords(&mut canvas, width, score, top);
    top += CHORDS;
    let panel = Width::panel(top, LEAD);
    canvas.rectangle(panel, PANEL);
    bar_lines(&mut canvas, width, score, panel);
    if let Some(lead) = lead {
        lanes::label(&mut canvas, lead, top);
        lanes::notes(&mut canvas, width, lead, panel, LEAD_INK);
    }
    top += LEAD + GAP;
    for track in &parts {
        let panel = Width::panel(top, LANE);
        canvas.rectangle(panel, PANEL);
        bar_lines(&mut canvas, width, score, panel);
        lanes::label(&mut canvas, track, top);
        lanes::notes(&mut canvas, width, track, panel, PART_INK);
        top += LANE + GAP;
    }
    for track in voiced {
        let panel = Width::panel(top, MOVES);
        canvas.rectangle(panel, PANEL);
        lanes::moves(&mut canvas, width, score, track, panel);
        top += MOVES + GAP;
    }
    lanes::timing(&mut canvas, score, Width::panel(top, TIMING));
    top += TIMING + GAP;
    let panel = Width::panel(top, SPECTROGRAM);
    spectrogram::draw(&mut canvas, rendition, panel)?;
    bar_lines(&mut canvas, width, score, panel);
    canvas.text("mix", 12.0, top + 4.0, 2, TEXT, Align::Left);
    top += SPECTROGRAM + LINE / 2.0;
    for remark in &score.remarks {
        canvas.text(&format!("! {remark}"), 12.0, top, 2, LEAD_INK, Align::Left);
        top += LINE;
    }
    canvas.png().map(Some)
}

fn title(canvas: &mut Canvas, rendition: &Rendition, score: &Score) {
    let tempo = tempo_name(score.grid.tempo.tempo_at(score.grid.start));
    let metre = score.grid.metre;
    let words = format!("{}   {tempo}   {}/{}", rendition.name, metre.numerator, metre.denominator);
    canvas.text(&words, 12.0, 10.0, 3, TEXT, Align::Left);
    let facts = format!(
        "{}   {:.1} LUFS   {:.1} dBTP   seed {}   {}",
        score.style,
        rendition.loudness.integrated_lufs,
        rendition.loudness.true_peak_dbtp,
        rendition.recipe.seed,
        score.understood.join(", ")
    );
    let shown: String = facts.chars().take(100).collect();
    canvas.text(&shown, 12.0, 46.0, 2, FAINT_TEXT, Align::Left);
}

/// The chords by bar, those that were given underlined.
fn chords(canvas: &mut Canvas, width: Width, score: &Score, top: f32) {
    for chord in &score.chords {
        let (x, end) = (width.x(chord.start.0), width.x(chord.start.0 + chord.length.0));
        let letters = ((end - x - 4.0) / 16.0).floor().max(1.0) as usize;
        let symbol: String = chord.symbol.chars().take(letters).collect();
        canvas.text(&symbol, x + 4.0, top + 10.0, 2, TEXT, Align::Left);
        if chord.locked {
            canvas.rectangle(Area { left: x + 4.0, top: top + 30.0, right: end - 4.0, bottom: top + 32.0 }, LEAD_INK);
        }
    }
}

fn bar_lines(canvas: &mut Canvas, width: Width, score: &Score, panel: Area) {
    let bar = score.grid.metre.bar().0;
    let first = (score.grid.start.0 / bar - 1e-6).ceil() as i64;
    let last = ((score.grid.start.0 + score.length.0) / bar + 1e-6).floor() as i64;
    // A song of hours would be all lines.
    let step = usize::try_from((last - first) / 200).unwrap_or(0) + 1;
    for number in (first..=last).step_by(step) {
        let x = width.x(number as f64 * bar);
        canvas.rectangle(Area { left: x, right: x + 1.0, ..panel }, BAR_LINE);
    }
}
