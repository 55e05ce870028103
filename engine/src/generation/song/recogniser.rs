//! Thread: worker. Hears chords in played notes: a MIDI clip, a keyboard take.
//!
//! Every count of a bar has the pitch classes that sound in it, by duration, and a lowest note. A chain over the counts picks the
//! chords whose tones explain them best; a change costs, so that a passing note makes none.

use super::SongChord;
use super::symbol::ChordSymbol;
use crate::analysis::{Analysis, Key};
use crate::generation::style::steps;
use crate::time::{Beats, Metre};

/// A played note, positions in beats from the first bar line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlayedNote {
    /// Start.
    pub start: Beats,
    /// End.
    pub end: Beats,
    /// MIDI key.
    pub key: u8,
    /// How much it says about the chord: 1 for an accompaniment's note, less for a melody's.
    pub weight: f32,
}

/// Kinds of chords, and how much rarer each is than a plain triad.
const KINDS: [(&[u8], f32); 15] = [
    (&[0, 4, 7], 0.0),
    (&[0, 3, 7], 0.0),
    (&[0, 4, 7, 10], 0.06),
    (&[0, 3, 7, 10], 0.06),
    (&[0, 4, 7, 11], 0.06),
    (&[0, 5, 7], 0.08),
    (&[0, 2, 7], 0.1),
    (&[0, 3, 6], 0.08),
    (&[0, 3, 6, 10], 0.08),
    (&[0, 3, 6, 9], 0.1),
    (&[0, 4, 8], 0.1),
    (&[0, 4, 7, 9], 0.1),
    (&[0, 3, 7, 9], 0.12),
    (&[0, 4, 7, 2], 0.12),
    (&[0, 5, 7, 10], 0.1),
];

/// What a change of chord costs, against a count that is explained perfectly.
const CHANGE: f32 = 0.35;
/// A change on a bar line costs less.
const CHANGE_ON_BAR: f32 = 0.15;
/// What it is worth that the lowest note is the root.
const ROOT_IN_BASS: f32 = 0.25;
/// Least share of a count that must sound to say anything.
const LEAST: f32 = 0.05;

/// What sounds in one count.
#[derive(Clone, Copy)]
struct Count {
    start: f64,
    end: f64,
    on_bar: bool,
    /// Shares of the pitch classes, summing to 1; all 0 in silence.
    classes: [f32; 12],
    bass: Option<u8>,
}

/// The chords of played notes, in order, none over a bar line; places where nothing or only one pitch class sounds are left free, unless
/// the chord before rings on. Never fails; without notes there are none.
pub fn chords(notes: &[PlayedNote], metre: Metre, key: Key) -> Vec<SongChord> {
    let end = notes.iter().map(|note| note.end.0).filter(|end| end.is_finite()).fold(0.0, f64::max);
    let bar = metre.bar().0;
    let per_bar = steps::counts(metre);
    let count = bar / per_bar as f64;
    let total = ((end / count - 0.05).ceil().max(0.0) as usize).min(32_768);
    let mut counts: Vec<Count> = (0..total)
        .map(|index| Count {
            start: index as f64 * count,
            end: (index + 1) as f64 * count,
            on_bar: index % per_bar == 0,
            classes: [0.0; 12],
            bass: None,
        })
        .collect();
    let mut lowest = vec![u8::MAX; total];
    for note in notes.iter().filter(|note| note.start.0.is_finite() && note.end.0.is_finite()) {
        let first = ((note.start.0 / count).floor().max(0.0)) as usize;
        for index in first..total {
            let here = &mut counts[index];
            let overlap = note.end.0.min(here.end) - note.start.0.max(here.start);
            if note.end.0 <= here.start {
                break;
            }
            let share = (overlap / count) as f32;
            if share <= LEAST {
                continue;
            }
            here.classes[usize::from(note.key % 12)] += share * note.weight.clamp(0.0, 1.0);
            if share > 0.2 && note.weight > 0.5 {
                lowest[index] = lowest[index].min(note.key);
            }
        }
    }
    for (here, lowest) in counts.iter_mut().zip(&lowest) {
        let sum: f32 = here.classes.iter().sum();
        here.bass = (*lowest != u8::MAX).then_some(lowest % 12);
        here.classes.iter_mut().for_each(|share| *share = if sum > LEAST { *share / sum } else { 0.0 });
    }
    let path = path(&counts);
    let mut found: Vec<SongChord> = Vec::new();
    let mut index = 0;
    while index < total {
        let mut after = index + 1;
        while after < total && path[after] == path[index] && !counts[after].on_bar {
            after += 1;
        }
        if let Some(state) = path[index] {
            found.push(chord_of(state, &counts[index..after], key));
        }
        index = after;
    }
    found
}

/// The chords of a take with several voices, from the bar line at or before its start, whose song position comes first.
pub fn of_analysis(analysis: &Analysis) -> (Beats, Vec<SongChord>) {
    let origin = analysis.grid.bar_line();
    if analysis.harmony.is_empty() {
        return (origin, Vec::new());
    }
    let played = |notes: &[crate::analysis::Note], weight: f32| -> Vec<PlayedNote> {
        let place = |time| Beats(analysis.beat_at(time).0 - origin.0);
        let note = |note: &crate::analysis::Note| PlayedNote {
            start: place(note.onset),
            end: place(note.offset),
            key: note.key,
            weight,
        };
        notes.iter().map(note).collect()
    };
    let mut notes = played(&analysis.harmony, 1.0);
    // A melody colours the chord less than what is played under it.
    notes.extend(played(&analysis.notes, 0.35));
    (origin, chords(&notes, analysis.metre(), analysis.key.key))
}

/// Root and kind.
type State = (u8, usize);

/// How well a chord explains a count, about 0 to 1.
fn score(count: &Count, (root, kind): State) -> f32 {
    let (intervals, rarity) = KINDS[kind];
    let tones: Vec<u8> = intervals.iter().map(|interval| (root + interval) % 12).collect();
    let inside: f32 = tones.iter().map(|tone| count.classes[usize::from(*tone)]).sum();
    let missing = tones
        .iter()
        .enumerate()
        .filter(|(place, tone)| count.classes[usize::from(**tone)] < 0.02 && intervals[*place] != 7)
        .count() as f32;
    let bass = if count.bass == Some(root) { ROOT_IN_BASS } else { 0.0 };
    inside - (1.0 - inside) - 0.3 * missing - rarity + bass
}

fn path(counts: &[Count]) -> Vec<Option<State>> {
    let states: Vec<State> = (0..12).flat_map(|root| (0..KINDS.len()).map(move |kind| (root, kind))).collect();
    let mut total = vec![0.0_f32; states.len()];
    let mut back: Vec<Vec<usize>> = Vec::with_capacity(counts.len());
    for count in counts {
        let (best, most) = total
            .iter()
            .enumerate()
            .fold((0, f32::NEG_INFINITY), |best, (index, score)| if *score > best.1 { (index, *score) } else { best });
        let cost = if count.on_bar { CHANGE_ON_BAR } else { CHANGE };
        let silent = count.classes.iter().all(|share| *share == 0.0);
        let mut from = vec![0; states.len()];
        let mut next = vec![0.0; states.len()];
        for (index, state) in states.iter().enumerate() {
            let (origin, known) = if total[index] >= most - cost { (index, total[index]) } else { (best, most - cost) };
            from[index] = origin;
            next[index] = known + if silent { 0.0 } else { score(count, *state) };
        }
        total = next;
        back.push(from);
    }
    let mut state = total
        .iter()
        .enumerate()
        .fold((0, f32::NEG_INFINITY), |best, (index, score)| if *score > best.1 { (index, *score) } else { best });
    let mut path = vec![None; counts.len()];
    for index in (0..counts.len()).rev() {
        path[index] = Some(states[state.0]);
        state.0 = back[index][state.0];
    }
    // A chord needs two pitch classes at least, somewhere in its stretch.
    let mut index = 0;
    while index < counts.len() {
        let mut after = index + 1;
        while after < counts.len() && path[after] == path[index] {
            after += 1;
        }
        let mut heard = [false; 12];
        for count in &counts[index..after] {
            (0..12).for_each(|class| heard[class] |= count.classes[class] > 0.05);
        }
        if heard.iter().filter(|heard| **heard).count() < 2 {
            path[index..after].fill(None);
        }
        index = after;
    }
    // Silence after a chord belongs to it up to the end of its bar; a silent bar is free.
    let mut silent = true;
    for (index, count) in counts.iter().enumerate() {
        let sounds = count.classes.iter().any(|share| *share > 0.0);
        if count.on_bar {
            let bar = counts[index..].iter().enumerate().take_while(|(place, other)| *place == 0 || !other.on_bar);
            silent = !bar.into_iter().any(|(_, other)| other.classes.iter().any(|share| *share > 0.0));
        }
        if silent && !sounds {
            path[index] = None;
        }
    }
    path
}

fn chord_of((root, kind): State, counts: &[Count], key: Key) -> SongChord {
    let tones: Vec<u8> = KINDS[kind].0.iter().map(|interval| (root + interval) % 12).collect();
    // The bass is another note only when it stays for more than half of the chord.
    let bass = counts.first().and_then(|count| count.bass).filter(|bass| {
        let same = counts.iter().filter(|count| count.bass == Some(*bass)).count();
        *bass != root && 2 * same > counts.len()
    });
    let start = counts.first().map_or(0.0, |count| count.start);
    let end = counts.last().map_or(start, |count| count.end);
    SongChord {
        start: Beats(start),
        length: Beats(end - start),
        symbol: ChordSymbol::name(root, &tones, bass, key),
        root,
        tones,
        bass,
    }
}
