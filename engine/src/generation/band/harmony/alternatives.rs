//! Thread: worker. What else a bar could have: the chords that the tune and the neighbours allow, best first.

use super::fit::HARD;
use super::palette::Candidate;
use super::search::Search;
use super::slots::Slot;

/// A chord that a bar could have.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// As written over a staff: "Am7", or several chords: "Dm7 G7".
    pub symbol: String,
    /// How much it costs against the best, in nats.
    pub cost: f32,
}

/// Most ways to fill a bar that are weighed.
const MOST: usize = 16;

/// A way to fill the slots of a bar.
pub struct Filling {
    /// The chords of the bar's slots.
    pub chords: Vec<usize>,
    /// What it costs in its place, in nats.
    pub cost: f32,
}

/// The slots of a bar; of several bars where a chord lasts so long.
pub fn slots_of(slots: &[Slot], bar: usize) -> std::ops::Range<usize> {
    let after = slots.partition_point(|slot| slot.bar <= bar);
    let first = slots.partition_point(|slot| slot.bar < bar);
    // A chord that began before goes on over this bar.
    if first == after { first.saturating_sub(1)..after } else { first..after }
}

/// Ways to fill one bar of a path: the path's own first, then one chord for the whole bar, best first. Only ways without clashes.
pub fn of_bar(
    search: &Search,
    emission: &[f32],
    slots: &[Slot],
    candidates: &[Candidate],
    path: &[usize],
    bar: usize,
) -> Vec<Filling> {
    let range = slots_of(slots, bar);
    let price = |chords: &[usize]| {
        let mut whole = path.to_vec();
        whole[range.clone()].copy_from_slice(chords);
        search.cost_of(&whole, emission, 0.0)
    };
    let own = path[range.clone()].to_vec();
    let own_cost = price(&own);
    let mut others: Vec<Filling> = Vec::new();
    for (chord, candidate) in candidates.iter().enumerate() {
        let mut chords = own.clone();
        for (place, slot) in range.clone().enumerate() {
            if slots[slot].locked.is_none() && candidate.region == slots[slot].region {
                chords[place] = chord;
            }
        }
        let clashes = range
            .clone()
            .zip(&chords)
            .any(|(slot, chord)| slots[slot].locked.is_none() && search.is_barred(slot, *chord));
        if chords == own || clashes || others.iter().any(|other| other.chords == chords) {
            continue;
        }
        let cost = price(&chords);
        if cost < own_cost + 0.5 * HARD {
            others.push(Filling { cost, chords });
        }
    }
    others.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    others.truncate(MOST - 1);
    let mut fillings = vec![Filling { chords: own, cost: own_cost }];
    fillings.append(&mut others);
    fillings
}
