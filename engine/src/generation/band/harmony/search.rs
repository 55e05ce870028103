//! Thread: worker. The search: the cheapest walk through the chords of all slots, back to its start where the score loops.

use super::fit::{HARD, Licence, Over};
use super::keys::Region;
use super::palette::{Candidate, Origin};
use super::slots::Slot;
use crate::error::Result;
use crate::generation::band::melody::MelodyNote;
use crate::generation::style::Style;
use crate::job_context::JobContext;

/// What a chord costs that must not stand in a slot.
const FORBIDDEN: f32 = 1e6;
/// Beginnings that are tried for the way back from the end.
const BEGINNINGS: usize = 4;

/// What chords cost, and which walks are cheap.
pub struct Search {
    /// Number of chords.
    pub chords: usize,
    /// Number of slots.
    pub slots: usize,
    /// `[slot * chords + chord]`, in nats.
    pub emission: Vec<f32>,
    /// Notes that agree with the cheapest spelling, of those that begin in the slot.
    agreeing: Vec<(u32, u32)>,
    /// Pitch classes, as bits, that the next slot's chord must have for what rubs under that spelling to resolve.
    pending: Vec<u16>,
    /// Pitch classes of that spelling, as bits.
    tones: Vec<u16>,
    /// `[from * chords + to]`, over a bar line.
    across: Vec<f32>,
    /// The same within a bar.
    within: Vec<f32>,
    /// Which slots are not the first of their bar.
    inner: Vec<bool>,
    /// Whether the end leads to the beginning.
    closed: bool,
}

impl Search {
    /// Costs of the melody alone under every chord.
    pub fn new(
        melody: &[MelodyNote],
        slots: &[Slot],
        (candidates, regions): (&[Candidate], &[Region]),
        style: &Style,
        closed: bool,
        context: &JobContext,
    ) -> Result<Self> {
        let count = candidates.len();
        let licence = Licence::of(&style.harmony);
        let mut emission = Vec::with_capacity(slots.len() * count);
        let mut agreeing = Vec::with_capacity(slots.len() * count);
        let mut pending = Vec::with_capacity(slots.len() * count);
        let mut bits = Vec::with_capacity(slots.len() * count);
        for (index, slot) in slots.iter().enumerate() {
            if index % 64 == 0 {
                context.check()?;
            }
            let over = Over::new(melody, slot);
            for candidate in candidates {
                let locked = match candidate.origin {
                    Origin::Song(chord) => Some(chord),
                    _ => None,
                };
                if locked != slot.locked || (locked.is_none() && candidate.region != slot.region) {
                    emission.push(FORBIDDEN);
                    agreeing.push((0, 0));
                    pending.push(0);
                    bits.push(0);
                    continue;
                }
                let mut best = (0, f32::INFINITY);
                for (place, spelling) in candidate.spellings.iter().enumerate() {
                    let cost = style.harmony.melody_weight * over.cost(&spelling.tones, licence) + spelling.cost;
                    // A colour must earn its place.
                    let cost = cost + if spelling.colour { 0.1 } else { 0.0 };
                    if cost < best.1 {
                        best = (place, cost);
                    }
                }
                let tones = &candidate.spellings[best.0].tones;
                agreeing.push(over.agreeing(tones));
                pending.push(over.pending(tones, licence));
                bits.push(tones.iter().fold(0, |bits, tone| bits | 1 << tone));
                emission.push(best.1);
            }
        }
        let mut across = vec![0.0; count * count];
        let mut within = vec![0.0; count * count];
        for (from, left) in candidates.iter().enumerate() {
            for (to, right) in candidates.iter().enumerate() {
                let cost = if from == to { 0.7 + right.rarity } else { moving(left, right, style, regions) };
                across[from * count + to] = cost;
                within[from * count + to] = if from == to { -0.3 } else { cost + 0.7 };
            }
        }
        let inner = slots.iter().map(|slot| slot.place > 0).collect();
        Ok(Self {
            chords: count,
            slots: slots.len(),
            emission,
            agreeing,
            pending,
            tones: bits,
            across,
            within,
            inner,
            closed,
        })
    }

    /// Whether every chord of a slot rubs against a long note.
    pub fn is_stuck(&self, slot: usize) -> bool {
        self.emission[slot * self.chords..(slot + 1) * self.chords].iter().all(|cost| *cost >= 0.5 * HARD)
    }

    /// Whether a chord may not stand in a slot: it is another slot's, or it rubs.
    pub fn is_barred(&self, slot: usize, chord: usize) -> bool {
        self.emission[slot * self.chords + chord] >= 0.25 * HARD
    }

    /// Share of the notes that agree with a walk's chords, 0 to 1.
    pub fn agreement(&self, path: &[usize]) -> f32 {
        let pairs = path.iter().enumerate().map(|(slot, chord)| self.agreeing[slot * self.chords + chord]);
        let (agree, all) = pairs.fold((0, 0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
        if all == 0 { 1.0 } else { agree as f32 / all as f32 }
    }

    /// The emission with something added to every slot and chord.
    pub fn add(&self, extra: &[f32]) -> Vec<f32> {
        self.emission.iter().zip(extra).map(|(cost, extra)| cost + extra).collect()
    }

    /// What it costs to come to a slot's chord from the chord before it.
    pub fn step(&self, slot: usize, from: usize, to: usize) -> f32 {
        let table = if self.inner[slot] { &self.within } else { &self.across };
        let unresolved = self.pending[(slot - 1) * self.chords + from] & !self.tones[slot * self.chords + to] != 0;
        table[from * self.chords + to] + if unresolved { HARD } else { 0.0 }
    }

    /// Pitch classes, as bits, of the way to play a chord that fits a slot best.
    pub fn tones(&self, slot: usize, chord: usize) -> u16 {
        self.tones[slot * self.chords + chord]
    }

    /// The slots of a walk in which a note rubs that neither its chord nor the next one resolves.
    pub fn unresolved(&self, path: &[usize]) -> Vec<usize> {
        let is_unresolved = |slot: &usize| {
            let wanted = self.pending[slot * self.chords + path[*slot]];
            let next = path.get(slot + 1).map_or(0, |chord| self.tones(slot + 1, *chord));
            wanted & !next != 0 || self.is_barred(*slot, path[*slot])
        };
        (0..path.len()).filter(is_unresolved).collect()
    }

    /// What the way from the last chord back to the first costs.
    fn closing(&self, first: usize, last: usize) -> f32 {
        if self.closed && self.slots > 1 { 0.7 * self.across[last * self.chords + first] } else { 0.0 }
    }

    /// The cheapest walk and its cost. `change` is added for every change of chord.
    pub fn best(&self, emission: &[f32], change: f32, context: &JobContext) -> Result<(Vec<usize>, f32)> {
        let count = self.chords;
        // What is left to pay from each slot and chord on, for an open end.
        let mut ahead = vec![0.0_f32; count];
        for slot in (1..self.slots).rev() {
            if slot % 64 == 0 {
                context.check()?;
            }
            let mut next = vec![f32::INFINITY; count];
            for (from, cost) in next.iter_mut().enumerate() {
                for to in 0..count {
                    let more = if from == to { 0.0 } else { change };
                    *cost = cost.min(self.step(slot, from, to) + more + emission[slot * count + to] + ahead[to]);
                }
            }
            ahead = next;
        }
        let mut beginnings: Vec<usize> = (0..count).collect();
        beginnings.sort_by(|a, b| (emission[*a] + ahead[*a]).total_cmp(&(emission[*b] + ahead[*b])));
        beginnings.truncate(if self.closed { BEGINNINGS } else { 1 });
        let mut best = (vec![0; self.slots], f32::INFINITY);
        let mut back = vec![0usize; self.slots * count];
        for first in beginnings {
            context.check()?;
            let mut costs = vec![f32::INFINITY; count];
            costs[first] = emission[first];
            for slot in 1..self.slots {
                let mut next = vec![f32::INFINITY; count];
                for to in 0..count {
                    for (from, cost) in costs.iter().enumerate() {
                        let more = if from == to { 0.0 } else { change };
                        let cost = cost + self.step(slot, from, to) + more;
                        if cost < next[to] {
                            next[to] = cost;
                            back[slot * count + to] = from;
                        }
                    }
                    next[to] += emission[slot * count + to];
                }
                costs = next;
            }
            for (last, cost) in costs.iter().enumerate() {
                let closed = cost + self.closing(first, last);
                if closed < best.1 {
                    let mut path = vec![last; self.slots];
                    for slot in (1..self.slots).rev() {
                        path[slot - 1] = back[slot * count + path[slot]];
                    }
                    best = (path, closed);
                }
            }
        }
        Ok(best)
    }

    /// What a walk costs.
    pub fn cost_of(&self, path: &[usize], emission: &[f32], change: f32) -> f32 {
        let count = self.chords;
        let mut cost: f32 = path.iter().enumerate().map(|(slot, chord)| emission[slot * count + chord]).sum();
        for slot in 1..path.len() {
            let more = if path[slot - 1] == path[slot] { 0.0 } else { change };
            cost += self.step(slot, path[slot - 1], path[slot]) + more;
        }
        if let (Some(first), Some(last)) = (path.first(), path.last()) {
            cost += self.closing(*first, *last);
        }
        cost
    }
}

/// What a move between two chords costs, in nats.
fn moving(from: &Candidate, to: &Candidate, style: &Style, regions: &[Region]) -> f32 {
    if let (Origin::Style(a), Origin::Style(b)) = (from.origin, to.origin)
        && from.region == to.region
    {
        let moves = &style.vocabulary(regions[from.region].key.mode).moves;
        let habit = moves.iter().find(|(x, y, _)| (*x, *y) == (a, b)).map_or(1.0, |row| row.2);
        return to.rarity - habit.ln() * 0.5;
    }
    // Fifths down lead on, semitones down slip, tritones leap.
    const MOTION: [f32; 12] = [0.3, 0.6, 0.3, 0.4, 0.5, -0.3, 1.0, 0.2, 0.4, 0.3, 0.4, 0.3];
    let interval = (to.root + 12 - from.root) % 12;
    let mut cost = to.rarity + MOTION[usize::from(interval)];
    let intervals = from.intervals();
    let dominant = intervals.contains(&4) && (intervals.contains(&10) || from.chromatic);
    let half_diminished = intervals.contains(&6) && intervals.contains(&3) && intervals.contains(&10);
    let diminished = intervals.contains(&6) && intervals.contains(&3) && !half_diminished;
    if from.chromatic && from.origin == Origin::Outside {
        // A chord from outside is understood by where it goes.
        let resolution = match interval {
            5 if dominant => -0.8,
            11 if dominant => -0.7,
            1 if diminished => -0.8,
            1 | 5 | 11 if half_diminished => -0.5,
            2 | 7 | 10 if !dominant && !diminished && !half_diminished => -0.2,
            0 => 0.0,
            _ if dominant || diminished || half_diminished => 1.2,
            _ => 0.3,
        };
        cost += resolution;
        // Two in a row lose the key unless the first leads to the second.
        if to.chromatic && to.origin == Origin::Outside && resolution > -0.4 {
            cost += 1.2;
        }
    }
    cost
}
