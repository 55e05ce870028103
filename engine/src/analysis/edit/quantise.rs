//! Thread: any. Starts of notes on a grid of song time, without any note running into another.

use super::impossible;
use super::sketch::{SHORTEST, Sketch};
use crate::error::Result;
use crate::time::Seconds;

/// Grid lines in a quarter note at most.
const FINEST: u8 = 24;
/// Notes closer than this, in seconds, are sung in one breath and stay joined.
const LEGATO: f64 = 0.06;

/// Moves the chosen notes' starts towards the grid. Of two notes that one grid line attracts, the nearer moves and the other
/// stays as sung, so that no note is lost.
pub(super) fn quantise(sketch: &mut Sketch, chosen: &[usize], division: u8, strength: f32) -> Result<()> {
    if !(1..=FINEST).contains(&division) {
        return impossible(format!("a grid has 1 to {FINEST} lines in a quarter note"));
    }
    if !(0.0..=1.0).contains(&strength) {
        return impossible("the strength goes from 0 to 1");
    }
    let sung: Vec<(f64, f64)> = sketch.notes.iter().map(|(_, note)| (note.onset.0, note.offset.0)).collect();
    let onsets = onsets(sketch, &sung, chosen, f64::from(division), f64::from(strength));
    for (index, &(onset, offset)) in sung.iter().enumerate() {
        let next = (sung.get(index + 1), onsets.get(index + 1));
        let room = next.1.copied().unwrap_or(sketch.end());
        let joined = next.0.is_some_and(|next| next.0 - offset < LEGATO);
        let moved = onsets[index] != onset || next.1.zip(next.0).is_some_and(|(now, sung)| *now != sung.0);
        if moved {
            // The end follows the start; where the next note was sung on, it still is.
            let meant = if joined { room } else { offset + onsets[index] - onset };
            let note = &mut sketch.notes[index].1;
            note.onset = Seconds(onsets[index]);
            note.offset = Seconds(meant.min(room).max(onsets[index] + SHORTEST));
        }
    }
    Ok(())
}

/// Where every note starts afterwards. Each has at least the shortest length before the next, if it was sung so.
fn onsets(sketch: &Sketch, sung: &[(f64, f64)], chosen: &[usize], division: f64, strength: f64) -> Vec<f64> {
    let first_line = (sketch.beat(0.0) * division - 1e-9).ceil();
    let target = |&(onset, _): &(f64, f64)| {
        let line = (sketch.beat(onset) * division).round().max(first_line);
        onset + strength * (sketch.time(line / division) - onset)
    };
    let mut onsets: Vec<f64> = sung.iter().map(|note| note.0).collect();
    for &index in chosen {
        onsets[index] = target(&sung[index]);
    }
    // Every round sends a note back to where it was sung; all of them as sung is always possible.
    loop {
        let way = |index: usize| (onsets[index] - sung[index].0).abs();
        let crowded =
            |index: &usize| onsets.get(index + 1).copied().unwrap_or(sketch.end()) - onsets[*index] < SHORTEST;
        let back = (0..sung.len()).filter(crowded).find_map(|index| {
            let moved = [index, index + 1].into_iter().filter(|&one| one < sung.len() && way(one) > 0.0);
            moved.max_by(|&a, &b| way(a).total_cmp(&way(b)))
        });
        match back {
            Some(index) => onsets[index] = sung[index].0,
            None => return onsets,
        }
    }
}
