//! Thread: worker. The key of a melody: which of the 24 major and minor scales its notes weigh like.

use crate::analysis::{Key, KeyEstimate, Mode, Note};
use crate::time::SongGrid;

/// How often each scale degree, tonic first, sounds in a stretch of music in the key: the Kostka-Payne profiles of D. Temperley,
/// "Music and Probability" (2007).
const MAJOR: [f32; 12] = [0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400];
const MINOR: [f32; 12] = [0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330];

/// A note on the first beat of a bar counts this much more than one between beats; one on another beat, half that.
const DOWNBEAT: f32 = 0.5;
/// Beats around a beat within which a sung note counts as on it.
const ON_BEAT: f64 = 0.15;
/// The first and the last note count this much more: melodies leave from and come to rest at home.
const OUTER_NOTE: f32 = 0.5;
/// How fast the likelihood of a key falls with its correlation.
const SHARPNESS: f32 = 12.0;
/// Beats of melody that make half of the possible certainty: two notes fit many keys.
const EVIDENCE_BEATS: f64 = 4.0;

/// The most likely key of a melody. `grid` says where its beats are; `on_grid`, whether they are known rather than guessed.
///
/// Without notes it is C major with confidence 0 and no alternatives.
pub fn key(notes: &[Note], grid: &SongGrid, on_grid: bool) -> KeyEstimate {
    let profile = profile(notes, grid, on_grid);
    let total: f32 = profile.iter().sum();
    if total <= 0.0 {
        let key = Key { tonic: 0, mode: Mode::Major };
        return KeyEstimate { key, confidence: 0.0, alternatives: Vec::new() };
    }
    let mut fits: Vec<(Key, f32)> = [(Mode::Major, MAJOR), (Mode::Minor, MINOR)]
        .into_iter()
        .flat_map(|(mode, degrees)| {
            (0..12_u8).map(move |tonic| (Key { tonic, mode }, correlation(&profile, &degrees, usize::from(tonic))))
        })
        .collect();
    // Stable: keys that fit equally well stay in the order C major, C sharp major, ….
    fits.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = fits[0].1;
    let weights: Vec<f32> = fits.iter().map(|fit| (SHARPNESS * (fit.1 - best)).exp()).collect();
    let sum: f32 = weights.iter().sum();
    let beats: f64 = notes.iter().map(|note| (grid.beat_at(note.offset) - grid.beat_at(note.onset)).0).sum();
    let evidence = (beats / (beats + EVIDENCE_BEATS)) as f32;
    let mut ranked = fits.iter().zip(&weights).map(|(fit, weight)| (fit.0, weight / sum * evidence));
    let (key, confidence) = ranked.next().unwrap_or((fits[0].0, 0.0));
    KeyEstimate { key, confidence, alternatives: ranked.collect() }
}

/// Weight of each pitch class: time, loudness, and place in the bar.
fn profile(notes: &[Note], grid: &SongGrid, on_grid: bool) -> [f32; 12] {
    let bar = grid.metre.bar().0;
    let count = 4.0 / f64::from(grid.metre.denominator.max(1));
    let mut profile = [0.0; 12];
    for (index, note) in notes.iter().enumerate() {
        let (start, end) = (grid.beat_at(note.onset).0, grid.beat_at(note.offset).0);
        let off = |unit: f64| (start / unit - (start / unit).round()).abs() * unit;
        let place = match on_grid {
            true if off(bar) < ON_BEAT => DOWNBEAT,
            true if off(count) < ON_BEAT => DOWNBEAT / 2.0,
            _ => 0.0,
        };
        let outer = if index == 0 || index + 1 == notes.len() { OUTER_NOTE } else { 0.0 };
        let loudness = 0.5 + 0.5 * note.loudness;
        let weight = (end - start).max(0.0) as f32 * loudness * note.confidence.max(0.1) * (1.0 + place + outer);
        profile[usize::from(note.key % 12)] += weight;
    }
    profile
}

/// Pearson correlation of a profile with a key's degrees, the tonic at class `tonic`.
fn correlation(profile: &[f32; 12], degrees: &[f32; 12], tonic: usize) -> f32 {
    let mean = |values: &[f32; 12]| values.iter().sum::<f32>() / 12.0;
    let (mean_profile, mean_degrees) = (mean(profile), mean(degrees));
    let (mut both, mut own, mut theirs) = (0.0, 0.0, 0.0);
    for class in 0..12 {
        let heard = profile[class] - mean_profile;
        let expected = degrees[(class + 12 - tonic) % 12] - mean_degrees;
        both += heard * expected;
        own += heard * heard;
        theirs += expected * expected;
    }
    both / (own * theirs).sqrt().max(f32::MIN_POSITIVE)
}
