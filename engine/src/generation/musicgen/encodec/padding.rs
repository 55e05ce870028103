//! Thread: worker. What a convolution hears before the first moment and after the last.

use serde::Deserialize;

/// How a signal goes on beyond its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PadMode {
    /// Mirrored, the edge itself not repeated. What MusicGen's codec was trained with.
    #[default]
    Reflect,
    /// Silence.
    #[serde(alias = "zero", alias = "zeros")]
    Constant,
    /// The edge goes on.
    Replicate,
}

impl PadMode {
    /// The moment heard `distance` (from 1) before the first of a signal; `None` is silence.
    pub fn before(self, distance: usize) -> Option<usize> {
        match self {
            Self::Reflect => Some(distance),
            Self::Constant => None,
            Self::Replicate => Some(0),
        }
    }

    /// How far before the last moment lies what is heard `distance` (from 1) after it; `None` is silence.
    pub fn after(self, distance: usize) -> Option<usize> {
        // The end is the start seen in a mirror.
        self.before(distance)
    }
}

/// A whole signal of `channels` with `left` and `right` moments around it.
///
/// One too short to be mirrored is lengthened by silence first, and the result cut back to the same extent, as the reference does.
pub fn padded(signal: &[f32], channels: usize, left: usize, right: usize, mode: PadMode) -> Vec<f32> {
    let moments = signal.len() / channels;
    let mut middle = signal.to_vec();
    if mode == PadMode::Reflect && moments <= left.max(right) {
        middle.resize((left.max(right) + 1) * channels, 0.0);
    }
    let mut result = Vec::with_capacity((left + moments + right) * channels);
    push_before(&mut result, &middle, channels, left, mode);
    result.extend_from_slice(&middle);
    push_after(&mut result, &middle, channels, right, mode);
    result.truncate((left + moments + right) * channels);
    result
}

/// Appends the `count` moments that are heard before `signal`.
pub fn push_before(result: &mut Vec<f32>, signal: &[f32], channels: usize, count: usize, mode: PadMode) {
    for distance in (1..=count).rev() {
        push(result, signal, channels, mode.before(distance));
    }
}

/// Appends the `count` moments that are heard after `signal`.
pub fn push_after(result: &mut Vec<f32>, signal: &[f32], channels: usize, count: usize, mode: PadMode) {
    let last = (signal.len() / channels).saturating_sub(1);
    for distance in 1..=count {
        push(result, signal, channels, mode.after(distance).map(|back| last - back));
    }
}

fn push(result: &mut Vec<f32>, signal: &[f32], channels: usize, moment: Option<usize>) {
    match moment {
        Some(moment) => result.extend_from_slice(&signal[moment * channels..][..channels]),
        None => result.resize(result.len() + channels, 0.0),
    }
}
