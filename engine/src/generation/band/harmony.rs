//! Thread: worker. Harmony: the chords that fit the melody in a style's manner.
//!
//! The score is cut into slots ([`slots`]) in one key or several ([`keys`]); each may hold a chord of the [`palette`]. A [`search`]
//! walks through them: a walk's cost is how badly the melody [`fit`]s its chords, how unusual its moves are in the style, and how it
//! opens, breathes at phrase ends, and leads from its end back to its start, since the host may loop it. A [`plan`] leans on one of the
//! style's progressions and shakes the costs by the seed; a shaken walk that has become much worse than the best one is shaken less.
//! The song's own chords stand as they were given, and the rest leads to and from them.
//!
//! No long note rubs against a chord without resolving, unless the song's own chord makes it: a chord under which one does costs more than
//! anything, every chord can be played suspended or without its third, and a slot that no chord suits is cut in two.

mod alternatives;
mod fit;
mod keys;
mod palette;
mod plan;
mod search;
mod slots;
mod spelling;

pub use alternatives::Alternative;

use super::bars::Bars;
use super::chance::Chance;
use super::melody::MelodyNote;
use crate::analysis::{Key, KeyEstimate, Mode};
use crate::error::Result;
use crate::generation::direction::Direction;
use crate::generation::song::SongContext;
use crate::generation::song::symbol::class_name;
use crate::generation::style::Style;
use crate::job_context::JobContext;
use alternatives::Filling;
use fit::{Licence, Over};
use palette::{Candidate, Origin};
use plan::Plan;
use slots::Slot;
use spelling::{chord_of, spell};

/// What a chord does in its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Home, or what stands for it.
    Tonic,
    /// Leads away: ii, IV and their like.
    Predominant,
    /// Leads home: V, vii and their like.
    Dominant,
    /// From another key.
    Other,
}

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
    /// Pitch class the bass plays where it is not the root.
    pub bass: Option<u8>,
    /// The song's own: its tones are all that may be played of it.
    pub locked: bool,
    /// As a Roman numeral over the key in force: "ii7".
    pub numeral: String,
    /// What it does.
    pub function: Function,
}

/// The chords of a score and the key they are in.
#[derive(Debug, Clone, PartialEq)]
pub struct Harmony {
    /// Chords in order, without gaps, none crossing a bar line.
    pub chords: Vec<Chord>,
    /// Pitch class of the tonic, of the first key where there are several.
    pub tonic: u8,
    /// Mode, of the first key where there are several.
    pub mode: Mode,
    /// Pitch classes of that key's scale, as the tune uses it: dorian where its sixth is high.
    pub scale: [bool; 12],
    /// Every key with the position from which on it holds, and its scale; the first is the one above.
    pub keys: Vec<(f64, Key, [bool; 12])>,
    /// The chord on which a piece that comes to an end ends, over the bar after its last.
    pub final_chord: Chord,
    /// Whether the tonic stays in the bass.
    pub pedal: bool,
    /// What a musician should know of the chords, in sentences.
    pub remarks: Vec<String>,
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

/// A melody that wants chords, and everything that was said about them.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The melody on the grid.
    pub melody: &'a [MelodyNote],
    /// The bars of the score.
    pub bars: &'a Bars,
    /// The key that was heard.
    pub key: &'a KeyEstimate,
    /// The style.
    pub style: &'a Style,
    /// What the musician told the band.
    pub direction: &'a Direction,
    /// The song's own key and chords.
    pub song: &'a SongContext,
    /// Seed of the request; the direction may have one of its own for the chords.
    pub seed: u64,
}

/// Most chords a bar may be offered.
const MOST_ALTERNATIVES: usize = 9;
/// Most remarks about given chords.
const MOST_REMARKS: usize = 6;

/// Finds the chords of a melody.
///
/// # Errors
/// [`Error::Cancelled`](crate::Error::Cancelled).
pub fn harmonise(task: &Task<'_>, context: &JobContext) -> Result<Harmony> {
    let plan = plan::plan(task, context)?;
    let seed = task.direction.harmony_seed.unwrap_or(task.seed);
    let pedal = task.direction.pedal || Chance::new(seed, "pedal").uniform() < task.style.harmony.pedal.clamp(0.0, 1.0);
    let path = chosen_path(task, &plan, seed);
    let mut chords = spell(task, &plan, 0..plan.slots.len(), &path, seed);
    if pedal {
        for chord in chords.iter_mut().filter(|chord| !chord.locked) {
            let region = plan.regions.iter().rev().find(|region| region.start <= chord.start + 1e-6);
            let key = region.unwrap_or(&plan.regions[0]).key;
            if chord.root != key.tonic {
                chord.bass = Some(key.tonic);
                chord.symbol = format!("{}/{}", chord.symbol, class_name(key, key.tonic));
            }
        }
    }
    let first = &plan.regions[0];
    Ok(Harmony {
        final_chord: final_chord(task, &plan, &chords),
        tonic: first.key.tonic,
        mode: first.key.mode,
        scale: first.scale,
        keys: plan.regions.iter().map(|region| (region.start, region.key, region.scale)).collect(),
        pedal,
        remarks: remarks(task, &chords),
        chords,
    })
}

/// What else each bar could have, best first; the first of each is what it has. Counted as
/// [`Direction::bar_alternatives`](crate::generation::direction::Direction) counts.
///
/// # Errors
/// [`Error::Cancelled`](crate::Error::Cancelled).
pub fn alternatives(task: &Task<'_>, context: &JobContext) -> Result<Vec<Vec<Alternative>>> {
    // What was chosen before does not change what there is to choose from.
    let direction = Direction { bar_alternatives: Vec::new(), ..task.direction.clone() };
    let task = Task { direction: &direction, ..*task };
    let plan = plan::plan(&task, context)?;
    let seed = direction.harmony_seed.unwrap_or(task.seed);
    let mut bars = Vec::with_capacity(task.bars.bars.len());
    for bar in 0..task.bars.bars.len() {
        context.check()?;
        let fillings = fillings(&task, &plan, bar, seed);
        let best = fillings.first().map_or(0.0, |(filling, _)| filling.cost);
        let row = |(filling, symbol): (Filling, String)| Alternative { symbol, cost: filling.cost - best };
        bars.push(fillings.into_iter().map(row).collect());
    }
    Ok(bars)
}

/// Ways to fill a bar, each with its chords as they would be written; no two are written alike.
fn fillings(task: &Task<'_>, plan: &Plan, bar: usize, seed: u64) -> Vec<(Filling, String)> {
    let range = alternatives::slots_of(&plan.slots, bar);
    let mut rows: Vec<(Filling, String)> = Vec::new();
    for filling in plan.alternatives(bar) {
        let chords = spell(task, plan, range.clone(), &filling.chords, seed);
        let here = chords.iter().filter(|chord| task.bars.at(chord.start) == bar);
        let symbol = here.map(|chord| chord.symbol.as_str()).collect::<Vec<&str>>().join(" ");
        if rows.len() < MOST_ALTERNATIVES && rows.iter().all(|(_, other)| *other != symbol) {
            rows.push((filling, symbol));
        }
    }
    rows
}

/// The plan's walk with other chords in some bars. Each was chosen from a list that knew nothing of the others.
fn chosen_path(task: &Task<'_>, plan: &Plan, seed: u64) -> Vec<usize> {
    let mut path = plan.path.clone();
    for &(bar, rank) in &task.direction.bar_alternatives {
        let (bar, rank) = (bar as usize, usize::from(rank));
        let range = alternatives::slots_of(&plan.slots, bar);
        if rank == 0 || bar >= task.bars.bars.len() || range.is_empty() {
            continue;
        }
        let mut rows = fillings(task, plan, bar, seed);
        let rank = rank.min(rows.len() - 1);
        path[range].copy_from_slice(&rows.swap_remove(rank).0.chords);
    }
    path
}

/// What a chord does in a key, by its root and its third.
fn function(root: u8, tones: &[u8], key: Key) -> Function {
    let degree = (root + 12 - key.tonic) % 12;
    let has = |interval: u8| tones.contains(&((root + interval) % 12));
    let dominant_seventh = has(4) && has(10);
    match (degree, key.mode) {
        (7 | 11, _) => Function::Dominant,
        (1, _) if dominant_seventh => Function::Dominant,
        (10, _) => Function::Dominant,
        (0, _) => Function::Tonic,
        (2 | 5, _) => Function::Predominant,
        (9 | 4, Mode::Major) | (3, Mode::Minor) if !dominant_seventh => Function::Tonic,
        (8, Mode::Minor) | (1, _) => Function::Predominant,
        _ => Function::Other,
    }
}

/// The chord a piece ends on: the style's ending on the tonic of the last key, or the song's own tonic chord there.
fn final_chord(task: &Task<'_>, plan: &Plan, chords: &[Chord]) -> Chord {
    let (start, end) = (task.bars.end, task.bars.end + task.bars.bar_beats);
    let index = plan.slots.last().map_or(0, |slot| slot.region);
    let region = &plan.regions[index];
    if let Some(last) = chords.last().filter(|chord| chord.locked && chord.root == region.key.tonic) {
        return Chord { start, end, ..last.clone() };
    }
    let vocabulary = task.style.vocabulary(region.key.mode);
    let is_ending = |candidate: &&Candidate| {
        candidate.region == index
            && matches!(candidate.origin, Origin::Style(chord) if vocabulary.ending.contains(&chord))
    };
    let at_home = |candidate: &&Candidate| candidate.region == index && candidate.root == region.key.tonic;
    let endings = || plan.candidates.iter().filter(is_ending);
    let home = endings().find(at_home).or_else(|| plan.candidates.iter().find(at_home)).or_else(|| endings().next());
    let candidate = home.unwrap_or(&plan.candidates[0]);
    chord_of(candidate, &candidate.spellings[0], plan, start, end)
}

/// Where the tune rubs against the song's own chords.
fn remarks(task: &Task<'_>, chords: &[Chord]) -> Vec<String> {
    let licence = Licence::of(&task.style.harmony);
    let pickup = task.bars.bars.first().is_some_and(|bar| bar.pickup);
    let mut remarks: Vec<String> = Vec::new();
    for chord in chords.iter().filter(|chord| chord.locked) {
        let slot = Slot {
            start: chord.start,
            end: chord.end,
            bar: 0,
            in_phrase: 0,
            place: 0,
            late: false,
            ends_phrase: false,
            region: 0,
            locked: None,
        };
        let over = Over::new(task.melody, &slot);
        let Some(note) = over.clash(&chord.tones, licence) else { continue };
        let bar = (task.bars.at(chord.start) + 1).saturating_sub(usize::from(pickup));
        let name = task.song.key.unwrap_or(task.key.at(note.source).0).spell_class(note.class());
        let remark = format!("Bar {bar}: the tune's {name} rubs against your {}.", chord.symbol);
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }
    if remarks.len() > MOST_REMARKS {
        let more = remarks.len() - MOST_REMARKS;
        remarks.truncate(MOST_REMARKS);
        remarks.push(format!("The tune rubs against your chords in {more} more places."));
    }
    remarks
}
