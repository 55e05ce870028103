//! Thread: worker. The spectrogram of a mix: an octave has the same height everywhere, brightness is decibels.

use crate::error::{Error, Result};
use crate::export::canvas::{Align, Area, Canvas, FAINT_TEXT, Ink, PANEL};
use crate::rendition::Rendition;
use realfft::RealFftPlanner;

/// Frames of a window.
const WINDOW: usize = 4_096;
/// Lowest and highest frequency shown.
const LOWEST_HZ: f64 = 32.0;
const HIGHEST_HZ: f64 = 16_000.0;
/// Height of a row and width of a column, in pixels.
const ROW: f32 = 3.0;
const COLUMN: f32 = 3.0;
/// What is this far below the loudest place is black, in decibels.
const SPAN_DB: f32 = 70.0;

/// Draws the region of a mix into an area.
pub fn draw(canvas: &mut Canvas, rendition: &Rendition, area: Area) -> Result<()> {
    canvas.rectangle(area, PANEL);
    let mono = rendition.mix.to_mono();
    let region = rendition.region.index().unwrap_or(0).min(mono.len());
    if region < WINDOW {
        return Ok(());
    }
    let transform = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
    let (mut input, mut lines) = (transform.make_input_vec(), transform.make_output_vec());
    let columns = ((area.right - area.left) / COLUMN) as usize;
    let rows = ((area.bottom - area.top) / ROW) as usize;
    let hz = |row: f64| LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ).powf(row / rows as f64);
    let line = |hz: f64| hz * WINDOW as f64 / rendition.rate().hz();
    let mut levels = vec![vec![f32::NEG_INFINITY; rows]; columns];
    for (column, levels) in levels.iter_mut().enumerate() {
        let centre = region * column / columns;
        let from = centre.saturating_sub(WINDOW / 2).min(mono.len() - WINDOW);
        for (index, (value, sample)) in input.iter_mut().zip(&mono[from..]).enumerate() {
            let arc = std::f32::consts::TAU * index as f32 / WINDOW as f32;
            *value = sample * (0.5 - 0.5 * arc.cos());
        }
        transform.process(&mut input, &mut lines).map_err(|error| Error::internal("writing files", error))?;
        for (row, level) in levels.iter_mut().enumerate() {
            let (low, high) = (line(hz(row as f64)), line(hz(row as f64 + 1.0)));
            let last = (high.ceil() as usize).min(lines.len() - 1);
            let first = (low.floor() as usize).min(last);
            let power = lines[first..=last].iter().fold(0.0_f32, |most, line| most.max(line.norm_sqr()));
            *level = 10.0 * power.max(1e-12).log10();
        }
    }
    let loudest = levels.iter().flatten().copied().fold(f32::NEG_INFINITY, f32::max);
    for (column, levels) in levels.iter().enumerate() {
        for (row, level) in levels.iter().enumerate() {
            let share = (1.0 + (level - loudest) / SPAN_DB).clamp(0.0, 1.0);
            if share < 0.05 {
                continue;
            }
            let left = area.left + column as f32 * COLUMN;
            let bottom = area.bottom - row as f32 * ROW;
            canvas.rectangle(Area { left, top: bottom - ROW, right: left + COLUMN, bottom }, heat(share));
        }
    }
    for octave in [100.0, 1_000.0, 10_000.0_f64] {
        let share = (octave / LOWEST_HZ).ln() / (HIGHEST_HZ / LOWEST_HZ).ln();
        let y = area.bottom - share as f32 * (area.bottom - area.top);
        canvas.text(&format!("{octave:.0} Hz"), area.left - 8.0, y - 4.0, 1, FAINT_TEXT, Align::Right);
    }
    Ok(())
}

/// Dark blue through orange to white.
fn heat(share: f32) -> Ink {
    let channel = |from: f32, to: f32| (((share - from) / (to - from)).clamp(0.0, 1.0) * 255.0) as u8;
    let blue = if share < 0.5 { channel(0.0, 0.5) / 2 } else { 127 - channel(0.5, 0.75) / 2 + channel(0.75, 1.0) / 2 };
    Ink(channel(0.15, 0.7), channel(0.4, 0.95), blue, 255)
}
