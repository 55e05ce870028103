//! Thread: worker. The keys a score is in, and what the tune itself says about their scales: a minor tune with a raised sixth is
//! dorian, and its chords are to agree.

use super::Task;
use crate::analysis::{Key, Mode};
use crate::generation::band::melody::MelodyNote;

/// A stretch of one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// Where it begins, in song beats.
    pub start: f64,
    /// Its key.
    pub key: Key,
    /// Pitch classes of its scale, as the tune uses it.
    pub scale: [bool; 12],
    /// What each pitch class costs in a chord because the tune uses its neighbour instead, in nats.
    pub contradicted: [f32; 12],
}

/// Degrees of which a scale has one or the other, in semitones above the tonic, and how much a chord with the unused one is
/// disliked. The leading note of a minor key is at home beside the low seventh.
const PAIRS_MAJOR: [(u8, u8, f32); 5] = [(11, 10, 0.8), (10, 11, 1.2), (5, 6, 0.3), (6, 5, 1.2), (4, 3, 0.6)];
const PAIRS_MINOR: [(u8, u8, f32); 7] =
    [(8, 9, 0.9), (9, 8, 1.8), (10, 11, 0.35), (11, 10, 0.5), (2, 1, 0.6), (1, 2, 1.4), (3, 4, 0.7)];
/// Beats of a degree that say all it can say.
const ENOUGH: f32 = 1.5;

/// The scale of a key; in minor both sevenths belong to it.
fn plain_scale(key: Key) -> [bool; 12] {
    let steps: &[u8] = match key.mode {
        Mode::Major => &[0, 2, 4, 5, 7, 9, 11],
        Mode::Minor => &[0, 2, 3, 5, 7, 8, 10, 11],
    };
    let mut scale = [false; 12];
    for step in steps {
        scale[usize::from((key.tonic % 12 + step) % 12)] = true;
    }
    scale
}

impl Region {
    /// A key from a position on, under the notes that are sung in it.
    pub fn new(start: f64, key: Key, melody: &[MelodyNote], blue: bool) -> Self {
        let key = Key { tonic: key.tonic % 12, mode: key.mode };
        let mut beats = [0.0_f32; 12];
        let mut notes = [0_usize; 12];
        for note in melody {
            let degree = usize::from((note.class() + 12 - key.tonic) % 12);
            beats[degree] += (note.end - note.start) as f32;
            notes[degree] += 1;
        }
        let absolute = |degree: u8| usize::from((key.tonic + degree) % 12);
        let mut scale = plain_scale(key);
        let mut contradicted = [0.0; 12];
        let pairs: &[(u8, u8, f32)] = match key.mode {
            Mode::Major => &PAIRS_MAJOR,
            Mode::Minor => &PAIRS_MINOR,
        };
        for &(used, other, dislike) in pairs {
            let sung = beats[usize::from(used)];
            // Blue notes say nothing about the scale under them.
            let is_blue = blue && (matches!(used, 3 | 6 | 10) || matches!(other, 3 | 6 | 10));
            if sung < 0.45 || beats[usize::from(other)] > 0.12 * sung || is_blue {
                continue;
            }
            contradicted[absolute(other)] += dislike * (sung / ENOUGH).min(1.0);
            let is_scale = notes[usize::from(used)] >= 2 && sung >= 0.04 * beats.iter().sum::<f32>();
            if is_scale && !(key.mode == Mode::Minor && other == 11) {
                scale[absolute(used)] = true;
                scale[absolute(other)] = false;
            }
        }
        Self { start, key, scale, contradicted }
    }
}

/// The regions of a melody: the song's key where it was given, the analysis' segments where the tune moves, else one key.
pub fn regions(task: &Task<'_>, chosen: Key) -> Vec<Region> {
    let blue = task.style.harmony.blue;
    let start = task.bars.start;
    let whole = |key: Key| vec![Region::new(start, key, task.melody, blue)];
    if let Some(key) = task.song.key {
        return whole(key);
    }
    if task.key.segments.len() < 2 {
        return whole(chosen);
    }
    let mut starts: Vec<(f64, Key)> = Vec::new();
    for segment in &task.key.segments {
        let first = task.melody.iter().find(|note| note.source >= segment.first_note);
        let Some(first) = first else { continue };
        // A key begins with the half bar in which it is first heard, or with the bar after it when that is nearer.
        let bar = &task.bars.bars[task.bars.at(first.meant)];
        let late = first.meant - bar.line > 0.75 * task.bars.bar_beats;
        let at = if late { bar.to } else { bar.from };
        match starts.last_mut() {
            Some((known, key)) if at <= *known + 1e-6 => *key = segment.key,
            _ => starts.push((at, segment.key)),
        }
    }
    if let Some(first) = starts.first_mut() {
        first.0 = start;
    }
    let mut regions: Vec<Region> = Vec::new();
    for (index, &(from, key)) in starts.iter().enumerate() {
        let to = starts.get(index + 1).map_or(f64::INFINITY, |next| next.0);
        let notes: Vec<MelodyNote> =
            task.melody.iter().filter(|note| note.meant >= from - 0.1 && note.meant < to).cloned().collect();
        regions.push(Region::new(from, key, &notes, blue));
    }
    if regions.is_empty() { whole(chosen) } else { regions }
}
