//! Thread: main. How much two scores of one melody differ.

use cantus_engine::generation::score::{Role, Score};
use std::collections::BTreeSet;

/// What the accompaniment plays, on sixteenths: part, place, key.
fn events(score: &Score) -> BTreeSet<(Role, i64, u8)> {
    let parts = score.tracks.iter().filter(|track| track.role != Role::Lead);
    parts
        .flat_map(|track| track.notes.iter().map(|note| (track.role, (note.start.0 * 4.0).round() as i64, note.key)))
        .collect()
}

/// Share of the accompaniment's events that are not in both.
pub fn difference(a: &Score, b: &Score) -> f64 {
    let (a, b) = (events(a), events(b));
    1.0 - a.intersection(&b).count() as f64 / a.len().max(b.len()).max(1) as f64
}

/// Share of the bars whose accompaniment repeats an earlier bar exactly, on sixteenths.
pub fn repetition(score: &Score) -> f64 {
    let bar = score.grid.metre.bar().0;
    let count = (score.length.0 / bar).round().max(1.0) as usize;
    let mut bars: Vec<Vec<(Role, i64, u8)>> = vec![Vec::new(); count];
    for (role, at, key) in events(score) {
        let beat = at as f64 / 4.0 - score.grid.start.0;
        let index = ((beat / bar).floor().max(0.0) as usize).min(count - 1);
        bars[index].push((role, at - ((score.grid.start.0 + index as f64 * bar) * 4.0).round() as i64, key));
    }
    let repeats = (1..count).filter(|&index| bars[..index].contains(&bars[index])).count();
    repeats as f64 / count as f64
}
