//! Thread: main. What was found about one style.

use super::sound::Sound;

/// All figures of one style; lists have one entry a score or a rendering.
#[derive(Debug, Clone, Default)]
pub struct StyleRow {
    pub name: String,
    pub scores: usize,
    /// What went wrong, in words.
    pub faults: Vec<String>,
    pub clashes: Vec<String>,
    pub chord_tones: Vec<f64>,
    pub lead_events: Vec<f64>,
    pub turned: Vec<String>,
    pub broken_facts: Vec<String>,
    pub outside_ranges: Vec<String>,
    pub differences: Vec<f64>,
    /// Least, mean and greatest of what the ranges are about: scale, groove, density, swing, repetition.
    pub measured: Vec<super::facts::Measured>,
    pub sounds: Vec<Sound>,
}

/// The mean of some figures; NaN of none.
pub fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count)
}
