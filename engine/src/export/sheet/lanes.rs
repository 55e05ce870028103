//! Thread: worker. What the parts of a sheet play: notes on a lane, moves of the voices, timing against the grid.

use super::{LEAD_INK, LEFT, PART_INK, Width};
use crate::export::canvas::{Align, Area, Canvas, FAINT_TEXT, Ink, PANEL, TEXT};
use crate::generation::score::{Score, Track};

/// Furthest from the grid that the timing shows, and the width of one of its columns, in milliseconds.
const MOST_MS: f64 = 48.0;
const COLUMN_MS: f64 = 4.0;
/// Moves of a voice are drawn against this many semitones.
const MOST_MOVE: f32 = 24.0;

/// Name and instrument left of a lane.
pub fn label(canvas: &mut Canvas, track: &Track, top: f32) {
    canvas.text(track.role.name(), 12.0, top + 4.0, 2, TEXT, Align::Left);
    let instrument: String = track.instrument.chars().take(21).collect();
    canvas.text(&instrument, 12.0, top + 26.0, 1, FAINT_TEXT, Align::Left);
    canvas.text(&format!("{} notes", track.notes.len()), 12.0, top + 40.0, 1, FAINT_TEXT, Align::Left);
}

/// The notes on their keys, louder ones brighter.
pub fn notes(canvas: &mut Canvas, width: Width, track: &Track, panel: Area, ink: Ink) {
    let mut keys: Vec<u8> = track.notes.iter().map(|note| note.key).collect();
    keys.sort_unstable();
    keys.dedup();
    let (Some(&low), Some(&high)) = (keys.first(), keys.last()) else { return };
    let is_kit = track.preset.is_kit();
    // A kit has a row a voice; everything else has its keys, at least an octave of them.
    let rows = if is_kit { keys.len() as f32 } else { (f32::from(high - low) + 1.0).max(13.0) };
    let tall = (panel.bottom - panel.top - 6.0) / rows;
    for note in &track.notes {
        let row = if is_kit {
            keys.iter().position(|key| *key == note.key).unwrap_or(0) as f32
        } else {
            f32::from(note.key - low)
        };
        let bottom = panel.bottom - 3.0 - row * tall;
        let left = width.x(note.start.0);
        let right = width.x(note.start.0 + note.length.0).max(left + 3.0) - 1.0;
        let Ink(red, green, blue, _) = ink;
        let shade = 90 + (u32::from(note.velocity.min(127)) * 165 / 127) as u8;
        canvas.rectangle(Area { left, top: bottom - tall.max(2.0), right, bottom }, Ink(red, green, blue, shade));
    }
}

/// Semitones that the voices of a part move in all, from each chord to the next.
pub fn moves(canvas: &mut Canvas, width: Width, score: &Score, track: &Track, panel: Area) {
    canvas.text("voices move", 12.0, panel.top + 4.0, 1, FAINT_TEXT, Align::Left);
    canvas.text(track.role.name(), 12.0, panel.top + 18.0, 1, FAINT_TEXT, Align::Left);
    let mut before: Vec<u8> = Vec::new();
    for chord in &score.chords {
        let from = chord.start.0;
        let inside = |start: f64, end: f64| start < from + chord.length.0 - 1e-6 && end > from + 1e-6;
        let first = track.notes.iter().find(|note| inside(note.start.0, note.start.0 + note.length.0));
        let Some(first) = first else { continue };
        let struck = |start: f64| (start - first.start.0).abs() < 0.15;
        let keys: Vec<u8> = track.notes.iter().filter(|note| struck(note.start.0)).map(|note| note.key).collect();
        let nearest = |key: u8| before.iter().map(|other| key.abs_diff(*other)).min().unwrap_or(0);
        let moved: u32 = keys.iter().map(|key| u32::from(nearest(*key))).sum();
        let x = width.x(from);
        let tall = (moved as f32 / MOST_MOVE).min(1.0) * (panel.bottom - panel.top - 16.0);
        canvas.rectangle(
            Area { left: x + 2.0, top: panel.bottom - tall, right: x + 12.0, bottom: panel.bottom },
            PART_INK,
        );
        canvas.text(&moved.to_string(), x + 16.0, panel.bottom - 12.0, 1, FAINT_TEXT, Align::Left);
        before = keys;
    }
}

/// Histograms of how far each part's notes start from the nearest sixteenth, in milliseconds.
pub fn timing(canvas: &mut Canvas, score: &Score, panel: Area) {
    canvas.text("timing", 12.0, panel.top + 4.0, 2, TEXT, Align::Left);
    canvas.text("ms off the sixteenth", 12.0, panel.top + 26.0, 1, FAINT_TEXT, Align::Left);
    let tempo = score.grid.tempo.tempo_at(score.grid.start).0;
    let spacing = (panel.right - LEFT) / score.tracks.len().max(1) as f32;
    for (index, track) in score.tracks.iter().enumerate() {
        let left = LEFT + index as f32 * spacing;
        let area = Area { left, right: left + spacing - 8.0, ..panel };
        canvas.rectangle(area, PANEL);
        canvas.text(track.role.name(), left + 4.0, panel.top + 4.0, 1, FAINT_TEXT, Align::Left);
        let columns = (2.0 * MOST_MS / COLUMN_MS) as usize;
        let mut counts = vec![0_u32; columns];
        for note in &track.notes {
            let off = (note.start.0 * 4.0 - (note.start.0 * 4.0).round()) / 4.0 * 60_000.0 / tempo;
            let column = ((off + MOST_MS) / COLUMN_MS).clamp(0.0, columns as f64 - 1.0) as usize;
            counts[column] += 1;
        }
        let most = counts.iter().copied().max().unwrap_or(0).max(1) as f32;
        let wide = (area.right - area.left) / columns as f32;
        for (column, count) in counts.iter().enumerate() {
            let tall = *count as f32 / most * (panel.bottom - panel.top - 34.0);
            let x = area.left + column as f32 * wide;
            let ink = if index == 0 { LEAD_INK } else { PART_INK };
            let bar =
                Area { left: x, top: panel.bottom - 14.0 - tall, right: x + wide - 1.0, bottom: panel.bottom - 14.0 };
            canvas.rectangle(bar, ink);
        }
        let middle = (area.left + area.right) / 2.0;
        canvas.text("0", middle - 4.0, panel.bottom - 11.0, 1, FAINT_TEXT, Align::Left);
        canvas.text(&format!("{MOST_MS:.0}"), area.right - 2.0, panel.bottom - 11.0, 1, FAINT_TEXT, Align::Right);
    }
}
