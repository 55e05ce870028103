//! Thread: worker. The key of a melody: which scale its notes weigh like, where it moves to another, and how its notes are spelled.
//!
//! [`scale`] describes what is used within a key, [`moves`] finds modulations, [`spelling`] names notes as the key writes them.

mod moves;
mod scale;
mod spelling;

pub use scale::Scale;

use crate::analysis::{Key, KeyEstimate, Mode, Note};
use crate::time::SongGrid;

/// How often each scale degree, tonic first, sounds in a stretch of music in the key: the Kostka-Payne profiles of D. Temperley,
/// "Music and Probability" (2007).
const MAJOR: [f32; 12] = [0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400];
const MINOR: [f32; 12] = [0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330];
/// A mode, the degrees that differ from its profile, and what the difference costs in nats.
type Variant = (Mode, &'static [(usize, f32)], f32);

/// Songs that are not written by the rules of harmony use other sevenths, sixths, fourths and seconds: degree and its share there.
const VARIANTS: [Variant; 8] = [
    (Mode::Major, &[], 0.0),
    (Mode::Minor, &[], 0.0),
    // Natural minor.
    (Mode::Minor, &[(10, 0.36), (11, 0.07)], 0.0),
    // Melodic minor.
    (Mode::Minor, &[(8, 0.20), (9, 0.30), (10, 0.20), (11, 0.36)], 2.0),
    // Dorian.
    (Mode::Minor, &[(8, 0.06), (9, 0.36), (10, 0.38), (11, 0.06)], 2.0),
    // Phrygian.
    (Mode::Minor, &[(1, 0.40), (2, 0.07), (10, 0.36), (11, 0.05)], 2.0),
    // Mixolydian.
    (Mode::Major, &[(10, 0.35), (11, 0.06)], 2.0),
    // Lydian.
    (Mode::Major, &[(5, 0.09), (6, 0.36)], 2.0),
];

/// A note on the first beat of a bar counts this much more than one between beats; one on another beat, half that.
const DOWNBEAT: f32 = 0.5;
/// Beats around a beat within which a sung note counts as on it.
const ON_BEAT: f64 = 0.15;
/// How fast the likelihood of a key falls with its correlation when there are many notes, in nats.
const SHARPNESS: f32 = 28.0;
/// Notes that make half of that.
const EVIDENCE_NOTES: f32 = 10.0;
/// Minor keys are rarer in songs, in nats.
const MINOR_COST: f32 = 0.3;
/// Likelihoods are surer than they ought to be by this factor: the notes of a melody are not independent.
const TEMPERATURE: f32 = 1.2;
/// Beats of melody that make half of the possible certainty: two notes fit many keys.
const EVIDENCE_BEATS: f64 = 1.0;

/// The most likely key of a melody. `grid` says where its beats are; `on_grid`, whether they are known rather than guessed.
///
/// Without notes it is C major with confidence 0 and no alternatives.
pub fn key(notes: &[Note], grid: &SongGrid, on_grid: bool) -> KeyEstimate {
    let profile = profile(notes, grid, on_grid);
    let total: f32 = profile.iter().sum();
    if total <= 0.0 {
        return KeyEstimate::unheard();
    }
    let count = notes.len() as f32;
    let sharpness = SHARPNESS * count / (count + EVIDENCE_NOTES);
    let mut fits: Vec<(Key, f32)> = [Mode::Major, Mode::Minor]
        .into_iter()
        .flat_map(|mode| (0..12_u8).map(move |tonic| Key { tonic, mode }))
        .map(|key| (key, likelihood(&profile, key, sharpness)))
        .collect();
    // Stable: keys that fit equally well stay in the order C major, C sharp major, ….
    fits.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = fits[0].1;
    let weights: Vec<f32> = fits.iter().map(|fit| ((fit.1 - best) / TEMPERATURE).exp()).collect();
    let sum: f32 = weights.iter().sum();
    let beats: f64 = notes.iter().map(|note| (grid.beat_at(note.offset) - grid.beat_at(note.onset)).0).sum();
    let evidence = (beats / (beats + EVIDENCE_BEATS)) as f32;
    let mut ranked = fits.iter().zip(&weights).map(|(fit, weight)| (fit.0, weight / sum * evidence));
    let (key, confidence) = ranked.next().unwrap_or((fits[0].0, 0.0));
    let alternatives = ranked.collect();
    let scale = scale::of(notes, key);
    KeyEstimate { key, confidence, alternatives, scale, segments: moves::segments(notes, grid, key) }
}

/// How well a profile suits a key in the likeliest of its variants, in nats.
fn likelihood(profile: &[f32; 12], key: Key, sharpness: f32) -> f32 {
    let variants = VARIANTS.iter().filter(|(mode, ..)| *mode == key.mode);
    let best = variants.map(|(mode, changes, cost)| {
        let mut degrees = degrees(*mode);
        changes.iter().for_each(|&(degree, share)| degrees[degree] = share);
        sharpness * correlation(profile, &degrees, usize::from(key.tonic)) - cost
    });
    best.fold(f32::MIN, f32::max) - if key.mode == Mode::Minor { MINOR_COST } else { 0.0 }
}

/// How often each scale degree sounds.
fn degrees(mode: Mode) -> [f32; 12] {
    match mode {
        Mode::Major => MAJOR,
        Mode::Minor => MINOR,
    }
}

/// Weight of each pitch class: time, loudness, and place in the bar.
fn profile(notes: &[Note], grid: &SongGrid, on_grid: bool) -> [f32; 12] {
    let bar = grid.metre.bar().0;
    let count = 4.0 / f64::from(grid.metre.denominator.max(1));
    let mut profile = [0.0; 12];
    for note in notes {
        let (start, end) = (grid.beat_at(note.onset).0, grid.beat_at(note.offset).0);
        let off = |unit: f64| (start / unit - (start / unit).round()).abs() * unit;
        let place = match on_grid {
            true if off(bar) < ON_BEAT => DOWNBEAT,
            true if off(count) < ON_BEAT => DOWNBEAT / 2.0,
            _ => 0.0,
        };
        let loudness = 0.5 + 0.5 * note.loudness;
        let weight = (end - start).max(0.0) as f32 * loudness * note.confidence.max(0.1) * (1.0 + place);
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

impl KeyEstimate {
    /// Of nothing: C major, with confidence 0.
    pub fn unheard() -> Self {
        Self::of(Key { tonic: 0, mode: Mode::Major }, 0.0)
    }

    /// A key that is known, without alternatives.
    pub fn of(key: Key, confidence: f32) -> Self {
        Self { key, confidence, alternatives: Vec::new(), scale: Scale::usual(key.mode), segments: Vec::new() }
    }

    /// The key and the scale at a note, by its index: the melody may have moved.
    pub fn at(&self, note: usize) -> (Key, Scale) {
        let there = self.segments.iter().rev().find(|segment| segment.first_note <= note);
        there.map_or((self.key, self.scale), |segment| (segment.key, Scale::usual(segment.key.mode)))
    }

    /// Indices of the notes that lie outside the key where they stand. They are marked, never moved.
    pub fn outside(&self, notes: &[Note]) -> Vec<usize> {
        let is_outside = |(index, note): &(usize, &Note)| {
            let (key, scale) = self.at(*index);
            !scale.holds((note.key + 12 - key.tonic % 12) % 12)
        };
        notes.iter().enumerate().filter(is_outside).map(|(index, _)| index).collect()
    }

    /// What should be said about the key, in plain sentences.
    pub fn doubts(&self, notes: &[Note]) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.confidence <= 0.0 {
            return doubts;
        }
        for pair in self.segments.windows(2) {
            let (from, to) = (pair[0].key.name(), pair[1].key.name());
            doubts.push(format!("The tune seems to move from {from} to {to} at bar {}.", pair[1].bar));
        }
        match self.alternatives.first() {
            Some((rival, share)) if self.segments.is_empty() && notes.len() >= 4 && *share > 0.7 * self.confidence => {
                doubts.push(format!("Heard in {}, but it may be {}.", self.key.name(), rival.name()));
            }
            _ => {}
        }
        let outside = self.outside(notes);
        if !outside.is_empty() && self.confidence > SURE_OF_KEY && 4 * outside.len() < notes.len() {
            let mut named: Vec<String> = Vec::new();
            for &index in outside.iter().take(MOST_NAMED) {
                let (key, _) = self.at(index);
                named.push(format!("{} at {:.1} s", key.spell(notes[index].key), notes[index].onset.0));
            }
            let more = outside.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let lie = if outside.len() == 1 { "lies" } else { "lie" };
            doubts.push(format!("Outside {} {lie} {}{more}; kept as sung.", self.key.name(), named.join(", ")));
        }
        doubts
    }
}

/// Notes outside a key that is less sure than this are not mentioned.
const SURE_OF_KEY: f32 = 0.4;
/// Most notes that one sentence names.
const MOST_NAMED: usize = 3;
