//! Thread: worker. Form: the chords of a whole piece, its ending, and the other colour of a bridge.
//!
//! A piece of several passes has the chords of the tune in each of them, so that verse, chorus and repeats share them.

use super::bars::{Bars, SAME};
use super::extension::Pass;
use super::harmony::{Chord, Harmony};
use crate::generation::Recipe;
use crate::generation::direction::{Direction, Place, Pulse};
use crate::generation::style::{Style, Vocabulary};

/// The style with the harmony of a place and a pulse: a bridge opens on the fourth or sixth degree, and a band that counts half as fast
/// changes chords half as often.
pub fn manner(style: &Style, direction: &Direction) -> Style {
    let mut style = style.clone();
    let harmony = &mut style.harmony;
    let (factor, slots) = match direction.pulse {
        Pulse::Normal => (1.0, harmony.slots_per_bar),
        Pulse::Half => (0.5, 1),
        Pulse::Double => (2.0, 2),
    };
    harmony.chords_per_bar = (harmony.chords_per_bar * factor).clamp(0.25, 4.0);
    harmony.slots_per_bar = slots;
    if direction.place == Place::Bridge {
        for vocabulary in [&mut harmony.major, &mut harmony.minor] {
            lead_away(vocabulary);
        }
    }
    style
}

/// The recipe with the chords a bar that its pulse asks for, unless the musician has asked for a number: a band that counts half or twice
/// as fast is heard to change chords so, whatever else the style would do.
pub fn counted(recipe: &Recipe, manner: &Style) -> Recipe {
    let mut recipe = recipe.clone();
    if recipe.direction.pulse != Pulse::Normal {
        recipe.direction.chords_per_bar.get_or_insert(manner.harmony.chords_per_bar);
    }
    recipe
}

fn lead_away(vocabulary: &mut Vocabulary) {
    let away: Vec<usize> = (0..vocabulary.chords.len())
        .filter(|&index| {
            matches!(vocabulary.chords[index].chord.root, 5 | 8 | 9) && vocabulary.chords[index].weight > 0.0
        })
        .collect();
    if away.is_empty() {
        return;
    }
    for (bars, _) in &mut vocabulary.progressions {
        if let Some(first) = bars.iter().position(|bar| bar.first().is_some_and(|chord| away.contains(chord))) {
            bars.rotate_left(first);
        }
    }
    vocabulary.opening = away;
}

/// The chords of a piece: those of the tune in each pass, those of its end in the last one. `first` is the tune's first bar line.
pub fn over_passes(tune: &Harmony, ending: &Harmony, passes: &[Pass], first: f64, bars: &Bars) -> Harmony {
    let mut chords: Vec<Chord> = Vec::new();
    if let Some(pickup) = tune.chords.first().filter(|chord| chord.start < first - SAME) {
        chords.push(Chord { end: pickup.end.min(first), ..pickup.clone() });
    }
    let mut keys = Vec::new();
    let mut bars_before = 0;
    for (index, pass) in passes.iter().enumerate() {
        let is_last = index + 1 == passes.len();
        let from = first + pass.from as f64 * bars.bar_beats;
        let shift = (bars_before as f64 - pass.from as f64) * bars.bar_beats;
        let to = from + pass.bars as f64 * bars.bar_beats;
        let source = if is_last { ending } else { tune };
        for chord in source.chords.iter().filter(|chord| chord.end > from + SAME && chord.start < to - SAME) {
            let (start, end) = (chord.start.max(from) + shift, chord.end.min(to) + shift);
            chords.push(Chord { start, end, ..chord.clone() });
        }
        let inside = |at: f64| at.max(from) + shift;
        let later = source.keys.iter().filter(|(at, ..)| *at > from + SAME && *at < to - SAME);
        let first_key = source.keys.iter().rev().find(|(at, ..)| *at <= from + SAME).or(source.keys.first());
        keys.extend(first_key.into_iter().chain(later).map(|(at, key, scale)| (inside(*at), *key, *scale)));
        bars_before += pass.bars;
    }
    chords.retain(|chord| chord.start < bars.end - SAME);
    // What no pass covers, the bar of a last chord for one, begins with the chord before it; bar by bar.
    for bar in bars.bars.iter() {
        let Some(last) = chords.last_mut().filter(|last| last.end < bar.to - SAME) else { continue };
        let same_bar = last.end > bar.from + SAME;
        let end = bar.to;
        if same_bar {
            last.end = end;
        } else {
            let next = Chord { start: bar.from, end, ..last.clone() };
            chords.push(next);
        }
    }
    if let Some(last) = chords.last_mut() {
        last.end = bars.end;
    }
    let final_chord = ending.final_chord.clone();
    Harmony { chords, keys, final_chord, ..tune.clone() }
}

/// Has a piece that comes to an end do so on its final chord, unless the song's own chord stands there or the tune's chord there is one
/// on the same root.
pub fn come_home(harmony: &mut Harmony, bars: &Bars) {
    let Some(closing) = bars.closing() else { return };
    let mut there = harmony.chords.iter().filter(|chord| chord.end > closing.from + SAME);
    let is_home = |chord: &Chord| chord.root == harmony.final_chord.root;
    if there.clone().any(|chord| chord.locked) || (there.clone().count() == 1 && there.all(is_home)) {
        return;
    }
    harmony.chords.retain(|chord| chord.start < closing.from - SAME);
    if let Some(last) = harmony.chords.last_mut() {
        last.end = last.end.min(closing.from);
    }
    harmony.chords.push(Chord { start: closing.from, end: closing.to, ..harmony.final_chord.clone() });
}
