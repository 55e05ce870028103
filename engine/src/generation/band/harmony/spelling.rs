//! Thread: worker. Spelling: how the chords of a walk are played and written, plain, richer, or suspended for the tune's sake.

use super::fit::{HARD, Licence, Over};
use super::palette::{Candidate, Origin, Spelling};
use super::plan::Plan;
use super::slots::Slot;
use super::{Chord, Task, function};
use crate::generation::band::bars::Bars;
use crate::generation::band::chance::Chance;
use crate::generation::band::melody::{MelodyNote, sounding};
use std::ops::Range;

/// Writes some slots of a plan's walk as chords: equal neighbours in a bar join, and a richer spelling is taken where the melody
/// sings it or where the seed likes it and nothing clashes.
pub fn spell(task: &Task<'_>, plan: &Plan, range: Range<usize>, path: &[usize], seed: u64) -> Vec<Chord> {
    let mut chords: Vec<Chord> = Vec::new();
    let offset = range.start;
    let beyond = plan.path.get(range.end).map_or(0, |chord| plan.search.tones(range.end, *chord));
    let slots = &plan.slots[range];
    let licence = Licence::of(&task.style.harmony);
    // What the chord before left to be resolved, as bits of pitch classes.
    let mut pending = 0;
    let mut first = 0;
    while first < slots.len() {
        let joins = |slot: &usize| path[*slot] == path[first] && slots[*slot].bar == slots[first].bar;
        let after = (first + 1..slots.len()).find(|slot| !joins(slot)).unwrap_or(slots.len());
        let whole = Slot { end: slots[after - 1].end, ..slots[first].clone() };
        let candidate = &plan.candidates[path[first]];
        let next = path.get(after).map_or(beyond, |chord| plan.search.tones(offset + after, *chord));
        let mut pieces = vec![whole];
        let (mut spellings, mut rubs) = choose(task, candidate, &pieces, pending, &[next], seed);
        if rubs && after - first > 1 {
            // Each part has a spelling of its own under which nothing rubs, but all of it together has none.
            pieces = slots[first..after].to_vec();
            let inner = (first + 1..after).map(|slot| plan.search.tones(offset + slot, path[slot]));
            let nexts: Vec<u16> = inner.chain([next]).collect();
            (spellings, rubs) = choose(task, candidate, &pieces, pending, &nexts, seed);
        }
        if rubs {
            pieces = pieces.iter().flat_map(|piece| over_bars(task.bars, piece)).collect();
            let nexts: Vec<u16> = (1..pieces.len()).map(|_| candidate.bits()).chain([next]).collect();
            (spellings, _) = choose(task, candidate, &pieces, pending, &nexts, seed);
        }
        if let (Some(piece), Some(spelling)) = (pieces.last(), spellings.last()) {
            pending = Over::new(task.melody, piece).pending(&spelling.tones, licence);
        }
        for (piece, spelling) in pieces.iter().zip(spellings) {
            for part in over_bars(task.bars, piece) {
                chords.push(chord_of(candidate, spelling, plan, part.start, part.end));
            }
        }
        first = after;
    }
    chords
}

/// A slot cut at the bar lines.
fn over_bars(bars: &Bars, slot: &Slot) -> Vec<Slot> {
    let bars = bars.bars.iter().enumerate().skip(slot.bar).take_while(|(_, bar)| bar.from < slot.end - 1e-6);
    bars.map(|(index, bar)| Slot {
        start: slot.start.max(bar.from),
        end: slot.end.min(bar.to),
        bar: index,
        ..slot.clone()
    })
    .collect()
}

/// The spellings of a chord over some stretches, and whether a long note rubs against one of them.
/// `pending` are the pitch classes, as bits, that the first of them must have for what rubbed before to resolve; `nexts` are those that the
/// chord after each of them has, for what rubs in it.
fn choose<'a>(
    task: &Task<'_>,
    candidate: &'a Candidate,
    slots: &[Slot],
    pending: u16,
    nexts: &[u16],
    seed: u64,
) -> (Vec<&'a Spelling>, bool) {
    let mut pending = pending;
    let licence = Licence::of(&task.style.harmony);
    let complexity = task.direction.moods.complexity;
    let richness = if complexity.is_finite() { complexity.clamp(-1.0, 1.0) } else { 0.0 };
    let mut rubs = false;
    let mut chosen = Vec::with_capacity(slots.len());
    for (index, slot) in slots.iter().enumerate() {
        let over = Over::new(task.melody, slot);
        let next = nexts.get(index).copied().unwrap_or(0);
        // Every place has its own chance, so that another chord in one bar leaves the colours of the others.
        let place = ((slot.start - task.bars.start) * 96.0).round() as u64;
        let mut chance = Chance::new(seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15), "colours");
        let mut best: (&Spelling, f32) = (&candidate.spellings[0], f32::INFINITY);
        for spelling in &candidate.spellings {
            let mut cost = task.style.harmony.melody_weight * over.cost(&spelling.tones, licence) + spelling.cost;
            if spelling.colour {
                // A touch of the seed decides between spellings the melody does not choose between.
                let taste = -0.15 + 0.3 * chance.uniform();
                cost += beside(task.melody, slot, spelling, &candidate.spellings[0]) + taste;
            }
            // A wish for more is a price on every tone, so that more of it never gives fewer tones.
            cost -= 0.25 * richness * (spelling.tones.len() as f32 - 3.0);
            let own = spelling.tones.iter().fold(0, |bits, tone| bits | 1 << tone);
            if pending & !own != 0 || over.pending(&spelling.tones, licence) & !next != 0 {
                cost += HARD;
            }
            if cost < best.1 {
                best = (spelling, cost);
            }
        }
        pending = over.pending(&best.0.tones, licence);
        rubs |= best.1 >= 0.5 * HARD;
        chosen.push(best.0);
    }
    (chosen, rubs)
}

/// A chord as one of its spellings writes it.
pub fn chord_of(candidate: &Candidate, spelling: &Spelling, plan: &Plan, start: f64, end: f64) -> Chord {
    let key = plan.regions[candidate.region].key;
    Chord {
        start,
        end,
        root: spelling.tones[0],
        tones: spelling.tones.clone(),
        symbol: spelling.symbol.clone(),
        bass: spelling.bass,
        locked: matches!(candidate.origin, Origin::Song(_)),
        numeral: spelling.numeral.clone(),
        function: function(spelling.tones[0], &spelling.tones, key),
    }
}

/// What the tones a colour adds cost when the melody sings a semitone beside them.
fn beside(melody: &[MelodyNote], slot: &Slot, colour: &Spelling, plain: &Spelling) -> f32 {
    let mut cost = 0.0;
    for tone in colour.tones.iter().filter(|tone| !plain.tones.contains(tone)) {
        for note in sounding(melody, slot.start, slot.end) {
            let distance = (note.class() + 12 - tone) % 12;
            if distance == 1 || distance == 11 {
                cost += 0.8 * (note.end.min(slot.end) - note.start.max(slot.start)).clamp(0.0, 2.0) as f32;
            }
        }
    }
    cost
}
