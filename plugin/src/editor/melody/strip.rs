//! Thread: gui. The take's waveform, a thin strip under the notes.

use super::colours::Colours;
use super::pictures;
use super::zoom::Plane;
use cantus_engine::capture::take::Take;
use cantus_engine::time::Seconds;
use egui::{Mesh, Rect, Shape};
use std::sync::Arc;

/// Peaks that are kept of a take.
const PEAKS: usize = 8192;
/// Samples that are looked at for one of them: a strip needs no more, and a long take must not hold up the window.
const LOOKS: usize = 32;
/// Quieter takes are drawn as if they were this loud.
const QUIETEST: f32 = 0.02;

/// The peaks of a take over its whole length, the loudest 1.
pub fn peaks(take: &Take) -> Vec<f32> {
    let Some(samples) = take.audio.channels.first() else { return Vec::new() };
    let count = samples.len().min(PEAKS);
    let mut peaks: Vec<f32> = (0..count)
        .map(|index| {
            let part = &samples[index * samples.len() / count..(index + 1) * samples.len() / count];
            let step = (part.len() / LOOKS).max(1);
            part.iter().step_by(step).fold(0.0_f32, |peak, sample| peak.max(sample.abs()))
        })
        .collect();
    let loudest = peaks.iter().fold(QUIETEST, |loudest, peak| loudest.max(*peak));
    peaks.iter_mut().for_each(|peak| *peak /= loudest);
    peaks
}

/// One bar a point of width.
pub fn bars(plane: &Plane, strip: Rect, take: Option<&Arc<Take>>, peaks: &[f32], colours: &Colours) -> Vec<Shape> {
    let Some(take) = take.filter(|_| !peaks.is_empty()) else { return Vec::new() };
    let seconds = take.audio.length().seconds(take.audio.rate).0.max(1e-3);
    let index = |time: Seconds| (time.0 / seconds * peaks.len() as f64).max(0.0) as usize;
    let mut mesh = Mesh::default();
    let mut x = strip.left();
    while x < strip.right() {
        let from = index(plane.time(x)).min(peaks.len());
        let to = index(plane.time(x + 1.0)).clamp((from + 1).min(peaks.len()), peaks.len());
        let peak = peaks[from..to].iter().fold(0.0_f32, |peak, other| peak.max(*other));
        if from < to {
            let half = (peak * strip.height() * 0.5).max(0.5);
            let area = Rect::from_x_y_ranges(x..=x + 1.0, strip.center().y - half..=strip.center().y + half);
            pictures::add_box(&mut mesh, area, colours.note.gamma_multiply(0.7));
        }
        x += 1.0;
    }
    vec![Shape::mesh(mesh)]
}
