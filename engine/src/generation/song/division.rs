//! Thread: any. How a bar is shared among chords: on its counts, and in odd metres on its groups.

use crate::generation::style::steps;
use crate::time::Metre;

/// Counts of each group of a bar: 3+2 in 5/4, 2+2+3 in 7/8, one group a count where the counts are equal.
fn groups(metre: Metre) -> Vec<usize> {
    match (metre.numerator, metre.denominator) {
        (5, _) => vec![3, 2],
        (7, 8 | 16) => vec![2, 2, 3],
        (7, _) => vec![4, 3],
        (8, 8) => vec![3, 3, 2],
        _ => vec![1; steps::counts(metre)],
    }
}

/// Where the chords of a bar begin when it has so many, in beats from its line, the first at 0. Odd bars give the earlier chords more.
pub fn starts(metre: Metre, chords: usize) -> Vec<f64> {
    let bar = metre.bar().0;
    let counts = steps::counts(metre);
    let count = bar / counts as f64;
    let groups = groups(metre);
    let on_counts = |counts: &[usize]| counts.iter().map(|place| *place as f64 * count).collect::<Vec<f64>>();
    let mut group_starts = Vec::with_capacity(groups.len());
    let mut at = 0;
    for group in &groups {
        group_starts.push(at);
        at += group;
    }
    match chords {
        0 | 1 => vec![0.0],
        2 if counts == 1 => vec![0.0, bar / 2.0],
        2 => {
            // The group border nearest the middle, the later one of two.
            let middle = |place: &usize| (2 * place).abs_diff(counts) * 2 + usize::from(2 * place < counts);
            let second = group_starts.iter().copied().filter(|place| *place > 0).min_by_key(middle);
            on_counts(&[0, second.unwrap_or(counts.div_ceil(2))])
        }
        _ if chords == groups.len() => on_counts(&group_starts),
        3 if counts == 4 => on_counts(&[0, 2, 3]),
        _ if chords == counts => on_counts(&(0..counts).collect::<Vec<_>>()),
        _ => (0..chords).map(|index| index as f64 * bar / chords as f64).collect(),
    }
}

/// The most chords a bar can hold when so many are wished for: as many as have places of their own.
pub fn chords_for(metre: Metre, wished: f32) -> usize {
    let counts = steps::counts(metre);
    if wished <= 1.0 {
        1
    } else if wished <= 2.0 {
        2
    } else if matches!(metre.numerator, 7) && metre.denominator >= 8 {
        groups(metre).len()
    } else {
        counts.clamp(2, 6)
    }
}
