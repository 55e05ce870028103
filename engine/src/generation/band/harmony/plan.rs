//! Thread: worker. A plan: slots, chords to choose from, and the walk that was chosen for a seed.

use super::keys::{self, Region};
use super::palette::{self, Candidate, Origin};
use super::search::Search;
use super::slots::{self, Slot};
use super::{Task, alternatives};
use crate::analysis::Key;
use crate::error::Result;
use crate::generation::band::chance::Chance;
use crate::generation::direction::{Ending, Reharmonisation};
use crate::job_context::JobContext;

/// What a chord that is not the leaned-on progression's costs.
const OFF_PROGRESSION: f32 = 0.9;
/// What an unusual opening, phrase end and ending cost.
const OPENING: f32 = 1.8;
const HALF_CADENCE: f32 = 0.7;
const CADENCE: f32 = 1.2;
/// What a last bar costs that neither is at home nor leads there, in a piece that ends.
const NO_ENDING: f32 = 2.0;
/// What a chord from another key costs as the first or the last one.
const STRANGER: f32 = 3.0;
/// What a chord of the turnaround is worth in its place.
const TURNAROUND: f32 = 0.9;
/// How much worse a shaken path may be than the best one, in nats a slot.
const MOST_STRAY: f32 = 0.45;
/// Share of the notes that are to agree with their chords, as far as any walk reaches it.
const AGREEMENT: f32 = 0.82;
/// How much less than that a seed may take.
const LESS: f32 = 0.02;
/// Passes in which slots are cut that no chord suits.
const CUTS: usize = 8;
/// Passes in which slots are cut for the sake of their neighbours.
const MOST_CUTS: usize = 12;
/// Reach of what a change of chord may cost or be worth, in nats.
const CHANGE_REACH: f32 = 5.0;

/// Slots with their chords.
pub struct Plan {
    /// The keys.
    pub regions: Vec<Region>,
    /// The slots.
    pub slots: Vec<Slot>,
    /// The chords to choose from.
    pub candidates: Vec<Candidate>,
    /// Their costs.
    pub search: Search,
    /// Costs with the form's and the leaned-on progression's wishes, `[slot * chords + chord]`.
    pub emission: Vec<f32>,
    /// The chord of each slot.
    pub path: Vec<usize>,
}

/// Slots, chords and their costs before a seed has a say.
struct Ground {
    regions: Vec<Region>,
    slots: Vec<Slot>,
    candidates: Vec<Candidate>,
    search: Search,
    /// Emission with the form's wishes.
    emission: Vec<f32>,
}

impl Ground {
    fn new(task: &Task<'_>, key: Key, level: Reharmonisation, context: &JobContext) -> Result<Self> {
        let regions = keys::regions(task, key);
        let mut slots = slots::slots(task, &regions);
        let mut candidates = Vec::new();
        for (index, region) in regions.iter().enumerate() {
            candidates.extend(palette::of_style(task.style, index, region, level));
        }
        let mut locked: Vec<(usize, usize)> =
            slots.iter().filter_map(|slot| slot.locked.map(|chord| (chord, slot.region))).collect();
        locked.sort_unstable();
        locked.dedup_by_key(|(chord, _)| *chord);
        for (chord, region) in locked {
            candidates.push(palette::of_song(chord, &task.song.chords[chord], &regions[region], region));
        }
        let closed = task.direction.ending == Ending::Loop;
        let make =
            |slots: &[Slot]| Search::new(task.melody, slots, (&candidates, &regions), task.style, closed, context);
        let mut search = make(&slots)?;
        for _ in 0..CUTS {
            let mut cut = false;
            for index in (0..slots.len()).rev() {
                if slots[index].locked.is_none() && search.is_stuck(index) {
                    cut |= slots::split(&mut slots, index, task.bars, task.melody);
                }
            }
            if !cut {
                break;
            }
            search = make(&slots)?;
        }
        // Each slot has a chord now; where no two neighbours go together, one of them is cut further.
        for _ in 0..MOST_CUTS {
            let (path, _) = search.best(&search.emission, 0.0, context)?;
            let mut cut = false;
            for slot in search.unresolved(&path).into_iter().rev() {
                cut |= [slot, slot + 1].into_iter().any(|index| {
                    let free = slots.get(index).is_some_and(|slot| slot.locked.is_none());
                    free && slots::split(&mut slots, index, task.bars, task.melody)
                });
            }
            if !cut {
                break;
            }
            search = make(&slots)?;
        }
        let wishes = form(task, &regions, &slots, &candidates);
        let emission = search.add(&wishes);
        Ok(Self { regions, slots, candidates, search, emission })
    }
}

/// Finds the walk for a task's seed.
pub fn plan(task: &Task<'_>, context: &JobContext) -> Result<Plan> {
    let level = task.direction.reharmonisation;
    let key = choose_key(task, context)?;
    let Ground { regions, slots, candidates, search, emission: ground } = Ground::new(task, key, level, context)?;
    let seed = task.direction.harmony_seed.unwrap_or(task.seed);
    let mut chance = Chance::new(seed, "harmony");
    let sum = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<f32>>();

    // Progressions differ from mode to mode; a score in several keys leans on one of each mode, of the same number.
    let progressions = &task.style.vocabulary(regions[0].key.mode).progressions;
    let off = if level >= Reharmonisation::Borrowed { 0.5 * OFF_PROGRESSION } else { OFF_PROGRESSION };
    let leaned: Vec<Vec<f32>> =
        (0..progressions.len()).map(|index| lean(task, index, off, &regions, &slots, &candidates)).collect();
    let mut paths: Vec<(Vec<usize>, f32)> = Vec::with_capacity(leaned.len());
    for lean in &leaned {
        paths.push(search.best(&sum(&ground, lean), 0.0, context)?);
    }
    let least = paths.iter().map(|(_, cost)| *cost).fold(f32::INFINITY, f32::min);
    let per_slot = slots.len() as f32;
    let most = paths.iter().map(|(path, _)| search.agreement(path)).fold(0.0, f32::max);
    let enough = most.min(AGREEMENT) - LESS;
    let weights: Vec<f32> = paths
        .iter()
        .zip(progressions)
        .map(|((path, cost), (_, weight))| {
            let agrees = search.agreement(path) >= enough;
            if agrees { weight * (-(cost - least) / (0.15 * per_slot)).exp() } else { 0.0 }
        })
        .collect();
    let chosen = chance.pick_spread(&weights).unwrap_or(0);
    let emission = sum(&ground, &leaned[chosen]);
    let (density, asked) = slots::density(task);
    let bars = task.bars.bars.iter().filter(|bar| !bar.pickup).count().max(1) as f32;
    let (best, change) = if asked || (density - 1.0).abs() > 0.05 {
        paced(&search, &emission, density * bars, context)?
    } else {
        (paths.swap_remove(chosen), 0.0)
    };

    let enough = search.agreement(&best.0).min(AGREEMENT) - LESS;
    let noise = shake(&slots, &candidates, level, &mut chance);
    let mut path = best.0.clone();
    let mut temperature = task.style.harmony.temperature;
    for _ in 0..5 {
        let shaken: Vec<f32> = emission.iter().zip(&noise).map(|(cost, noise)| cost - temperature * noise).collect();
        let (candidate, _) = search.best(&shaken, change, context)?;
        let clean = candidate
            .iter()
            .enumerate()
            .all(|(slot, chord)| !search.is_barred(slot, *chord) || search.is_barred(slot, best.0[slot]));
        let agrees = search.agreement(&candidate) >= enough;
        if clean && agrees && search.cost_of(&candidate, &emission, change) <= best.1 + MOST_STRAY * per_slot {
            path = candidate;
            break;
        }
        temperature *= 0.6;
    }
    Ok(Plan { regions, slots, candidates, search, emission, path })
}

impl Plan {
    /// Ways to fill a bar; see [`alternatives::of_bar`].
    pub fn alternatives(&self, bar: usize) -> Vec<alternatives::Filling> {
        alternatives::of_bar(&self.search, &self.emission, &self.slots, &self.candidates, &self.path, bar)
    }
}

/// The key: the analysis' own unless another of its guesses is nearly as likely and fits a style's chords clearly better.
fn choose_key(task: &Task<'_>, context: &JobContext) -> Result<Key> {
    if let Some(key) = task.song.key {
        return Ok(key);
    }
    let key = task.key;
    if key.alternatives.is_empty() || key.segments.len() > 1 {
        return Ok(key.key);
    }
    let candidates = std::iter::once((key.key, key.confidence)).chain(key.alternatives.iter().copied().take(3));
    let mut best: Option<(Key, f32)> = None;
    for (candidate, confidence) in candidates {
        let doubt = -6.0 * if confidence.is_finite() { confidence.clamp(0.02, 1.0).ln() } else { 0.0 };
        // One that is so unlikely is not worth a search.
        if best.is_some() && confidence < 0.05 {
            continue;
        }
        let ground = Ground::new(task, candidate, Reharmonisation::Style, context)?;
        let (_, cost) = ground.search.best(&ground.emission, 0.0, context)?;
        if best.is_none_or(|(_, known)| cost + doubt < known) {
            best = Some((candidate, cost + doubt));
        }
    }
    Ok(best.map_or(key.key, |(found, _)| found))
}

/// The walk whose number of chords comes nearest to a wish, and what a change costs in it.
fn paced(search: &Search, emission: &[f32], wished: f32, context: &JobContext) -> Result<((Vec<usize>, f32), f32)> {
    let chords = |path: &[usize]| 1 + path.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let (mut low, mut high) = (-CHANGE_REACH, CHANGE_REACH);
    let mut best: Option<((Vec<usize>, f32), f32, f32)> = None;
    for change in [0.0, f32::NAN, f32::NAN, f32::NAN, f32::NAN, f32::NAN, f32::NAN] {
        let change = if change.is_nan() { (low + high) / 2.0 } else { change };
        let found = search.best(emission, change, context)?;
        let number = chords(&found.0) as f32;
        let miss = (number - wished).abs();
        if best.as_ref().is_none_or(|(_, _, known)| miss < *known) {
            best = Some((found, change, miss));
        }
        if miss < 0.5 {
            break;
        }
        if number > wished {
            low = change;
        } else {
            high = change;
        }
    }
    Ok(best.map_or(((vec![0; search.slots], 0.0), 0.0), |(found, change, _)| (found, change)))
}

/// What the form wishes of each slot: an opening, half cadences, and an end that leads back or comes home.
fn form(task: &Task<'_>, regions: &[Region], slots: &[Slot], candidates: &[Candidate]) -> Vec<f32> {
    let last_bar = task.bars.bars.iter().rposition(|bar| bar.last).unwrap_or(task.bars.bars.len() - 1);
    let first = slots.iter().position(|slot| !task.bars.bars[slot.bar].pickup).unwrap_or(0);
    let mut wishes = Vec::with_capacity(slots.len() * candidates.len());
    for (index, slot) in slots.iter().enumerate() {
        let last = index + 1 == slots.len();
        let vocabulary = task.style.vocabulary(regions[slot.region].key.mode);
        let turn = (slot.bar + vocabulary.turnaround.len()).checked_sub(last_bar + 1);
        let turn = turn.and_then(|place| vocabulary.turnaround.get(place)).map(|bar| {
            let late = if slot.late { bar.last() } else { bar.first() };
            late.copied()
        });
        for candidate in candidates {
            let is_in = |list: &[usize]| matches!(candidate.origin, Origin::Style(chord) if list.contains(&chord));
            let mut cost = 0.0;
            if slot.locked.is_some() {
                wishes.push(0.0);
                continue;
            }
            // A chord from another key neither opens nor closes a piece, however far its middle goes.
            let stranger = candidate.chromatic && candidate.origin == Origin::Outside;
            if stranger && (index == first || last) {
                cost += STRANGER;
            }
            if index == first && !is_in(&vocabulary.opening) {
                cost += OPENING;
            }
            match task.direction.ending {
                Ending::Final if last => {
                    cost += if is_in(&vocabulary.ending) {
                        0.0
                    } else if is_in(&vocabulary.cadence) {
                        0.5 * NO_ENDING
                    } else {
                        NO_ENDING
                    };
                }
                _ if last => cost += if is_in(&vocabulary.cadence) { 0.0 } else { CADENCE },
                _ if slot.ends_phrase && !is_in(&vocabulary.half_cadence) => cost += HALF_CADENCE,
                _ => {}
            }
            let wished = turn.flatten().map(Origin::Style);
            if task.direction.ending == Ending::Loop && wished == Some(candidate.origin) {
                cost -= TURNAROUND;
            }
            wishes.push(cost);
        }
    }
    wishes
}

/// Per slot and chord, what it costs not to follow a progression.
fn lean(
    task: &Task<'_>,
    number: usize,
    off: f32,
    regions: &[Region],
    slots: &[Slot],
    candidates: &[Candidate],
) -> Vec<f32> {
    let mut costs = Vec::with_capacity(slots.len() * candidates.len());
    for slot in slots {
        let progressions = &task.style.vocabulary(regions[slot.region].key.mode).progressions;
        let progression = &progressions[number % progressions.len()].0;
        let bar = &progression[slot.in_phrase % progression.len()];
        let wanted = if slot.late { bar.last() } else { bar.first() };
        let wanted = wanted.map(|chord| Origin::Style(*chord));
        costs.extend(candidates.iter().map(|candidate| if Some(candidate.origin) == wanted { 0.0 } else { off }));
    }
    costs
}

/// Noise a slot and chord. Bars in the same place of their phrase share it, so that phrases stay alike.
fn shake(slots: &[Slot], candidates: &[Candidate], level: Reharmonisation, chance: &mut Chance) -> Vec<f32> {
    let chords = candidates.len();
    let shared: Vec<f32> = (0..32 * chords).map(|_| chance.gumbel()).collect();
    let mut noise = Vec::with_capacity(slots.len() * chords);
    for slot in slots {
        let place = (slot.in_phrase % 8) * 4 + slot.place.min(3);
        for (chord, candidate) in candidates.iter().enumerate() {
            // Chance alone brings no chord from outside into a style.
            let outside = level < Reharmonisation::Borrowed && candidate.origin == Origin::Outside;
            let noisy = shared[place * chords + chord] + 0.4 * chance.gumbel();
            noise.push(if outside { 0.3 * noisy } else { noisy });
        }
    }
    noise
}
