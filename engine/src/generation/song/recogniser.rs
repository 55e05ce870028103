//! Thread: worker. Hears chords in played notes: a MIDI clip, a keyboard take.
//!
//! Every bar is cut into stretches of whole counts. A stretch has the pitch classes that sound in it, by duration, and a lowest note, and the
//! chord whose tones explain them best; the cut whose chords explain the bar best wins. A change costs, so that a passing note makes none.

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
/// What it is worth that the lowest note is the root.
const ROOT_IN_BASS: f32 = 0.25;
/// What a stretch with only two pitch classes is worth less.
const FEW: f32 = 0.35;
/// Least share of a count that must sound to say anything.
const LEAST: f32 = 0.05;

/// What sounds in a stretch.
#[derive(Clone, Copy, Default)]
struct Sound {
    /// Beats of the pitch classes, weighed.
    classes: [f32; 12],
    /// Lowest key of an accompaniment; `None` when there is none.
    lowest: Option<u8>,
}

impl Sound {
    fn with(mut self, other: &Self) -> Self {
        self.classes.iter_mut().zip(other.classes).for_each(|(beats, more)| *beats += more);
        self.lowest = match (self.lowest, other.lowest) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self
    }
}

/// Root and kind.
type State = (u8, usize);

/// The chords of played notes, in order, none over a bar line; places where nothing or only one pitch class sounds are left free.
/// Never fails; without notes there are none.
pub fn chords(notes: &[PlayedNote], metre: Metre, key: Key) -> Vec<SongChord> {
    let sane = |note: &&PlayedNote| note.start.0.is_finite() && note.end.0.is_finite() && note.weight.is_finite();
    let end = notes.iter().filter(sane).map(|note| note.end.0).fold(0.0, f64::max);
    let per_bar = steps::counts(metre);
    let count = metre.bar().0 / per_bar as f64;
    let bars = ((end / metre.bar().0 - 0.02).ceil().max(0.0) as usize).min(2048);
    let mut counts = vec![Sound::default(); bars * per_bar];
    for note in notes.iter().filter(sane) {
        let first = (note.start.0 / count).floor().max(0.0) as usize;
        for (index, here) in counts.iter_mut().enumerate().skip(first) {
            let from = index as f64 * count;
            if note.end.0 <= from {
                break;
            }
            let share = ((note.end.0.min(from + count) - note.start.0.max(from)) / count) as f32;
            if share <= LEAST {
                continue;
            }
            here.classes[usize::from(note.key % 12)] += share * note.weight.clamp(0.0, 1.0);
            if share > 0.2 && note.weight > 0.5 {
                here.lowest = Some(here.lowest.map_or(note.key, |lowest| lowest.min(note.key)));
            }
        }
    }
    let mut found = Vec::new();
    for (number, bar) in counts.chunks(per_bar).enumerate() {
        let line = number as f64 * metre.bar().0;
        for (from, to, state, lowest) in cut(bar) {
            let tones: Vec<u8> = KINDS[state.1].0.iter().map(|interval| (state.0 + interval) % 12).collect();
            let bass = lowest.map(|key| key % 12).filter(|bass| *bass != state.0);
            found.push(SongChord {
                start: Beats(line + from as f64 * count),
                length: Beats((to - from) as f64 * count),
                symbol: ChordSymbol::name(state.0, &tones, bass, key),
                root: state.0,
                tones,
                bass,
            });
        }
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

/// How well a chord explains a stretch, about 0 to 1.
fn score(sound: &Sound, (root, kind): State) -> f32 {
    let (intervals, rarity) = KINDS[kind];
    let total: f32 = sound.classes.iter().sum();
    let share = |interval: &u8| sound.classes[usize::from((root + interval) % 12)] / total;
    let inside: f32 = intervals.iter().map(share).sum();
    // A fifth is understood where it is missing.
    let missing = intervals.iter().filter(|interval| share(interval) < 0.04 && **interval != 7).count() as f32;
    let bass = if sound.lowest.map(|key| key % 12) == Some(root) { ROOT_IN_BASS } else { 0.0 };
    // Two notes alone hint at a chord, no more.
    let few = if sound.classes.iter().filter(|beats| **beats > 0.04 * total).count() < 3 { FEW } else { 0.0 };
    2.0 * inside - 1.0 - 0.3 * missing - rarity + bass - few
}

/// The chord that explains a stretch best, and how well; `None` where fewer than two pitch classes sound.
fn explain(sound: &Sound) -> Option<(State, f32)> {
    let total: f32 = sound.classes.iter().sum();
    if sound.classes.iter().filter(|beats| **beats > 0.04 * total && **beats > 0.02).count() < 2 {
        return None;
    }
    let states = (0..12).flat_map(|root| (0..KINDS.len()).map(move |kind| (root, kind)));
    let scored = states.map(|state| (state, score(sound, state)));
    scored.reduce(|best, next| if next.1 > best.1 + 1e-5 { next } else { best })
}

/// Cuts a bar into chords: first count, count after the last, chord, lowest key. Free stretches are left out.
fn cut(bar: &[Sound]) -> Vec<(usize, usize, State, Option<u8>)> {
    let count = bar.len();
    // For each count, the best worth of a cut of everything before it, and where its last stretch begins with which chord.
    let mut best: Vec<(f32, usize, Option<State>, Option<u8>)> = vec![(0.0, 0, None, None)];
    for to in 1..=count {
        let mut sound = Sound::default();
        let mut here: Option<(f32, usize, Option<State>, Option<u8>)> = None;
        for from in (0..to).rev() {
            sound = bar[from].with(&sound);
            let explained = explain(&sound);
            let worth = explained.map_or(0.0, |(_, score)| score * (to - from) as f32);
            let change = if from == 0 { 0.0 } else { CHANGE };
            let total = best[from].0 + worth - change;
            if here.as_ref().is_none_or(|known| total > known.0 + 1e-5) {
                here = Some((total, from, explained.map(|(state, _)| state), sound.lowest));
            }
        }
        best.extend(here);
    }
    let mut stretches = Vec::new();
    let mut to = count;
    while to > 0 {
        let (_, from, state, lowest) = best[to];
        if let Some(state) = state {
            stretches.push((from, to, state, lowest));
        }
        to = from;
    }
    stretches.reverse();
    stretches
}
