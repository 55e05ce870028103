//! Thread: worker. Harmony: the chords that fit the melody in a style's manner.
//!
//! A Viterbi search over (chord, slot), where a slot is a bar or half of one. A path's cost is how badly the melody fits its
//! chords, plus how unusual its moves are in the style, plus how it opens, breathes at phrase ends, and leads from its end back
//! to its start, since the host may loop it. A seed leans on one of the style's progressions and shakes the costs a little;
//! a shaken path that has become much worse than the best one is shaken less.

use super::bars::Bars;
use super::chance::Chance;
use super::melody::{MelodyNote, sounding};
use crate::analysis::{KeyEstimate, Mode};
use crate::generation::style::chord::RomanChord;
use crate::generation::style::{Style, Vocabulary};

/// A chord of the score. Positions in song beats.
#[derive(Debug, Clone, PartialEq)]
pub struct Chord {
    /// Start.
    pub start: f64,
    /// End.
    pub end: f64,
    /// Pitch class of the root.
    pub root: u8,
    /// Pitch classes, root first.
    pub tones: Vec<u8>,
    /// As written over a staff.
    pub symbol: String,
    /// Pitch class of the bass where that is not the root.
    pub bass: Option<u8>,
    /// The song's own: nobody alters it.
    pub locked: bool,
}

/// The chords of a score and the key they are in.
#[derive(Debug, Clone, PartialEq)]
pub struct Harmony {
    /// Chords in order, without gaps, none crossing a bar line.
    pub chords: Vec<Chord>,
    /// Pitch class of the tonic.
    pub tonic: u8,
    /// Mode.
    pub mode: Mode,
    /// Pitch classes of the key's scale.
    pub scale: [bool; 12],
}

impl Harmony {
    /// Index of the chord at a position.
    pub fn index_at(&self, position: f64) -> usize {
        self.chords.partition_point(|chord| chord.start <= position + 1e-6).saturating_sub(1)
    }

    /// The chord at a position.
    pub fn at(&self, position: f64) -> &Chord {
        &self.chords[self.index_at(position)]
    }

    /// The chord after one; the first after the last, since the score may loop.
    pub fn after(&self, index: usize) -> &Chord {
        &self.chords[(index + 1) % self.chords.len()]
    }
}

/// Cost of a beat of a wrong note on a strong beat, in nats, before the style's own weight.
const MELODY_COST: f32 = 2.2;
/// What a chord that is not the leaned-on progression's costs.
const OFF_PROGRESSION: f32 = 0.9;
/// What an unusual opening, phrase end and ending cost.
const OPENING: f32 = 1.8;
const HALF_CADENCE: f32 = 0.7;
const CADENCE: f32 = 1.2;
/// How much worse a shaken path may be than the best one, in nats a slot.
const MOST_STRAY: f32 = 0.35;

/// A stretch that holds one chord.
struct Slot {
    start: f64,
    end: f64,
    /// Bar within the leaned-on progression's count.
    bar: usize,
    /// Second slot of its bar.
    second: bool,
    ends_phrase: bool,
}

/// Finds the chords of a melody.
pub fn harmonise(melody: &[MelodyNote], bars: &Bars, key: &KeyEstimate, style: &Style, seed: u64) -> Harmony {
    let slots = slots(bars, style.harmony.slots_per_bar);
    let (tonic, mode) = choose_key(melody, &slots, key, style);
    let vocabulary = style.vocabulary(mode);
    let search = Search::new(melody, &slots, vocabulary, tonic, style);
    let mut chance = Chance::new(seed, "harmony");

    let leaned: Vec<Vec<f32>> =
        vocabulary.progressions.iter().map(|(bars, _)| progression_cost(bars, &slots, vocabulary)).collect();
    let paths: Vec<(Vec<usize>, f32)> = leaned.iter().map(|lean| search.best(&search.add(lean))).collect();
    let least = paths.iter().map(|(_, cost)| *cost).fold(f32::INFINITY, f32::min);
    let per_slot = slots.len() as f32;
    let weights: Vec<f32> = paths
        .iter()
        .zip(&vocabulary.progressions)
        .map(|((_, cost), (_, weight))| weight * (-(cost - least) / (0.15 * per_slot)).exp())
        .collect();
    let chosen = chance.pick_spread(&weights).unwrap_or(0);
    let lean = &leaned[chosen];
    let best = &paths[chosen];

    let noise = shake(&slots, vocabulary.chords.len(), &mut chance);
    let mut path = best.0.clone();
    let mut temperature = style.harmony.temperature;
    for _ in 0..4 {
        let shaken: Vec<f32> = lean.iter().zip(&noise).map(|(lean, noise)| lean - temperature * noise).collect();
        let (candidate, _) = search.best(&search.add(&shaken));
        if search.cost_of(&candidate, &search.add(lean)) <= best.1 + MOST_STRAY * per_slot {
            path = candidate;
            break;
        }
        temperature *= 0.5;
    }
    let chords = spell(&path, &slots, melody, vocabulary, tonic, mode, &mut chance);
    Harmony { chords, tonic, mode, scale: scale(tonic, mode) }
}

fn slots(bars: &Bars, per_bar: usize) -> Vec<Slot> {
    let mut slots = Vec::new();
    for bar in &bars.bars {
        let middle = bar.line + bars.bar_beats / 2.0;
        // Only bars that halve on a count can change chord in the middle.
        let halves = per_bar == 2 && (bars.bar_beats / bars.count_beats).round() % 2.0 == 0.0;
        let split = halves && bar.from < middle - 1e-3 && bar.to > middle + 1e-3 && !bar.pickup;
        let base =
            Slot { start: bar.from, end: bar.to, bar: bar.in_phrase, second: false, ends_phrase: bar.ends_phrase };
        if split {
            slots.push(Slot { end: middle, ends_phrase: false, ..base });
            slots.push(Slot { start: middle, second: true, ..base });
        } else {
            slots.push(base);
        }
    }
    slots
}

/// The key: the analysis' own unless another of its guesses is nearly as likely and fits a style's chords clearly better.
fn choose_key(melody: &[MelodyNote], slots: &[Slot], key: &KeyEstimate, style: &Style) -> (u8, Mode) {
    let candidates = std::iter::once((key.key, key.confidence)).chain(key.alternatives.iter().copied().take(3));
    let mut best: Option<((u8, Mode), f32)> = None;
    for (candidate, confidence) in candidates {
        let tonic = candidate.tonic % 12;
        let search = Search::new(melody, slots, style.vocabulary(candidate.mode), tonic, style);
        let (_, cost) = search.best(&search.emission);
        let doubt = -6.0 * if confidence.is_finite() { confidence.clamp(0.02, 1.0).ln() } else { 0.0 };
        if best.is_none_or(|(_, known)| cost + doubt < known) {
            best = Some(((tonic, candidate.mode), cost + doubt));
        }
    }
    best.map_or((key.key.tonic % 12, key.key.mode), |(found, _)| found)
}

/// Per slot and chord, what it costs not to follow a progression.
fn progression_cost(progression: &[Vec<usize>], slots: &[Slot], vocabulary: &Vocabulary) -> Vec<f32> {
    let count = vocabulary.chords.len();
    let mut costs = vec![OFF_PROGRESSION; slots.len() * count];
    for (index, slot) in slots.iter().enumerate() {
        let bar = &progression[slot.bar % progression.len()];
        let wanted = if slot.second { bar.last() } else { bar.first() };
        if let Some(&wanted) = wanted {
            costs[index * count + wanted] = 0.0;
        }
    }
    costs
}

/// Noise a slot and chord. Bars in the same place of their phrase share it, so that phrases stay alike.
fn shake(slots: &[Slot], chords: usize, chance: &mut Chance) -> Vec<f32> {
    let shared: Vec<f32> = (0..16 * chords).map(|_| chance.gumbel()).collect();
    let mut noise = Vec::with_capacity(slots.len() * chords);
    for slot in slots {
        let place = (slot.bar % 8) * 2 + usize::from(slot.second);
        noise.extend((0..chords).map(|chord| shared[place * chords + chord] + 0.4 * chance.gumbel()));
    }
    noise
}

/// The costs of one melody under one vocabulary.
struct Search {
    chords: usize,
    slots: usize,
    /// `[slot * chords + chord]`
    emission: Vec<f32>,
    /// `[from * chords + to]`, over a bar line.
    across: Vec<f32>,
    /// The same within a bar.
    within: Vec<f32>,
    /// Which slots are the second of their bar.
    second: Vec<bool>,
}

impl Search {
    fn new(melody: &[MelodyNote], slots: &[Slot], vocabulary: &Vocabulary, tonic: u8, style: &Style) -> Self {
        let count = vocabulary.chords.len();
        let mut emission = Vec::with_capacity(slots.len() * count);
        for (index, slot) in slots.iter().enumerate() {
            let last = index + 1 == slots.len();
            for (chord, entry) in vocabulary.chords.iter().enumerate() {
                let mut cost = style.harmony.melody_weight * fit(melody, slot, &entry.chord, tonic);
                if index == 0 && !vocabulary.opening.contains(&chord) {
                    cost += OPENING;
                }
                if last && !vocabulary.cadence.contains(&chord) {
                    cost += CADENCE;
                } else if slot.ends_phrase && !last && !vocabulary.half_cadence.contains(&chord) {
                    cost += HALF_CADENCE;
                }
                emission.push(cost);
            }
        }
        let total: f32 = vocabulary.chords.iter().map(|entry| entry.weight).sum();
        let mut across = vec![0.0; count * count];
        let mut within = vec![0.0; count * count];
        for from in 0..count {
            for (to, entry) in vocabulary.chords.iter().enumerate() {
                let habit = vocabulary.moves.iter().find(|(a, b, _)| (*a, *b) == (from, to)).map_or(1.0, |row| row.2);
                let stay = if from == to { 0.5 } else { 1.0 };
                let rarity = -(entry.weight / total * count as f32).max(0.02).ln() * 0.5;
                let cost = rarity - habit.ln() * 0.5 - f32::ln(stay);
                across[from * count + to] = cost;
                within[from * count + to] = if from == to { -0.3 } else { cost + 0.7 };
            }
        }
        let second = slots.iter().map(|slot| slot.second).collect();
        Self { chords: count, slots: slots.len(), emission, across, within, second }
    }

    fn add(&self, extra: &[f32]) -> Vec<f32> {
        self.emission.iter().zip(extra).map(|(cost, extra)| cost + extra).collect()
    }

    fn step(&self, slot: usize) -> &[f32] {
        if self.second[slot] { &self.within } else { &self.across }
    }

    /// The cheapest closed path and its cost: the move from the last chord back to the first counts too.
    fn best(&self, emission: &[f32]) -> (Vec<usize>, f32) {
        let count = self.chords;
        let mut best = (vec![0; self.slots], f32::INFINITY);
        let mut back = vec![0usize; self.slots * count];
        for first in 0..count {
            let mut costs = vec![f32::INFINITY; count];
            costs[first] = emission[first];
            for slot in 1..self.slots {
                let step = self.step(slot);
                let mut next = vec![f32::INFINITY; count];
                for to in 0..count {
                    for from in 0..count {
                        let cost = costs[from] + step[from * count + to];
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
                let closed = cost + if self.slots > 1 { 0.7 * self.across[last * count + first] } else { 0.0 };
                if closed < best.1 {
                    let mut path = vec![last; self.slots];
                    for slot in (1..self.slots).rev() {
                        path[slot - 1] = back[slot * count + path[slot]];
                    }
                    best = (path, closed);
                }
            }
        }
        best
    }

    fn cost_of(&self, path: &[usize], emission: &[f32]) -> f32 {
        let count = self.chords;
        let mut cost: f32 = path.iter().enumerate().map(|(slot, chord)| emission[slot * count + chord]).sum();
        for slot in 1..path.len() {
            cost += self.step(slot)[path[slot - 1] * count + path[slot]];
        }
        if let (true, Some(first), Some(last)) = (path.len() > 1, path.first(), path.last()) {
            cost += 0.7 * self.across[last * count + first];
        }
        cost
    }
}

/// How badly a chord fits the melody of a slot, in nats.
fn fit(melody: &[MelodyNote], slot: &Slot, chord: &RomanChord, tonic: u8) -> f32 {
    let root = (tonic + chord.root) % 12;
    let mut cost = 0.0;
    for note in sounding(melody, slot.start, slot.end) {
        let overlap = note.end.min(slot.end) - note.meant.max(slot.start);
        if overlap <= 0.0 {
            continue;
        }
        let beats = overlap.clamp(0.2, 2.5) as f32;
        let clash = clash((note.class() + 12 - root) % 12, chord);
        // A note that goes on by step is heard as passing; one held over from before is already accepted.
        let discount = if note.passing { 0.4 } else { 1.0 };
        let held = if note.meant < slot.start - 0.25 { 0.6 } else { 1.0 };
        cost += clash * beats * (0.35 + note.weight) * discount * held;
    }
    MELODY_COST * cost
}

/// How much a note at an interval over the root rubs against a chord, 0 to 1.
fn clash(interval: u8, chord: &RomanChord) -> f32 {
    if chord.intervals.contains(&interval) {
        return if interval == 10 || interval == 11 { 0.12 } else { 0.0 };
    }
    let above_a_tone = chord.intervals.iter().any(|tone| (interval + 12 - tone) % 12 == 1);
    let below_a_tone = chord.intervals.iter().any(|tone| (tone + 12 - interval) % 12 == 1);
    match (above_a_tone, below_a_tone) {
        (true, _) => 1.0,
        (false, true) => 0.85,
        (false, false) => 0.6,
    }
}

/// Writes the path as chords: equal neighbours in a bar join, and a richer spelling is taken where the melody sings it or
/// where the seed likes it and nothing clashes.
fn spell(
    path: &[usize],
    slots: &[Slot],
    melody: &[MelodyNote],
    vocabulary: &Vocabulary,
    tonic: u8,
    mode: Mode,
    chance: &mut Chance,
) -> Vec<Chord> {
    let flats = uses_flats(tonic, mode);
    let mut chords: Vec<Chord> = Vec::new();
    let mut joined: Vec<(usize, Slot)> = Vec::new();
    for (slot, &index) in slots.iter().zip(path) {
        match joined.last_mut() {
            Some((same, whole)) if *same == index && slot.second => whole.end = slot.end,
            _ => joined.push((index, Slot { ..*slot })),
        }
    }
    for (index, slot) in &joined {
        let entry = &vocabulary.chords[*index];
        let plain = fit(melody, slot, &entry.chord, tonic);
        let mut best = (&entry.chord, plain);
        for colour in &entry.colours {
            // A touch of the seed decides between spellings the melody does not choose between.
            let cost = fit(melody, slot, colour, tonic) + added_clash(melody, slot, colour, &entry.chord, tonic) - 0.15
                + 0.3 * chance.uniform();
            if cost < best.1 {
                best = (colour, cost);
            }
        }
        let chord = best.0;
        let tones = chord.tones(tonic);
        let symbol = chord.symbol(tonic, flats);
        chords.push(Chord {
            start: slot.start,
            end: slot.end,
            root: tones[0],
            tones,
            symbol,
            bass: None,
            locked: false,
        });
    }
    chords
}

/// What the tones a colour adds cost when the melody sings a semitone beside them.
fn added_clash(melody: &[MelodyNote], slot: &Slot, colour: &RomanChord, plain: &RomanChord, tonic: u8) -> f32 {
    let added = colour.intervals.iter().filter(|interval| !plain.intervals.contains(interval));
    let mut cost = 0.0;
    for tone in added.map(|interval| (tonic + colour.root + interval) % 12) {
        for note in sounding(melody, slot.start, slot.end) {
            let distance = (note.class() + 12 - tone) % 12;
            if distance == 1 || distance == 11 {
                cost += 0.8 * (note.end.min(slot.end) - note.start.max(slot.start)).clamp(0.0, 2.0) as f32;
            }
        }
    }
    cost
}

fn uses_flats(tonic: u8, mode: Mode) -> bool {
    let relative_major = if mode == Mode::Minor { (tonic + 3) % 12 } else { tonic };
    matches!(relative_major, 1 | 3 | 5 | 8 | 10)
}

/// The scale of a key; in minor both sevenths belong to it.
fn scale(tonic: u8, mode: Mode) -> [bool; 12] {
    let steps: &[u8] = match mode {
        Mode::Major => &[0, 2, 4, 5, 7, 9, 11],
        Mode::Minor => &[0, 2, 3, 5, 7, 8, 10, 11],
    };
    let mut scale = [false; 12];
    for step in steps {
        scale[usize::from((tonic + step) % 12)] = true;
    }
    scale
}
