//! Thread: gui. What buttons, keys and gestures order: the corrections they stand for, kept to what is possible where that is plain.

use super::grid;
use super::scene::Scene;
use cantus_engine::analysis::Note;
use cantus_engine::analysis::edit::scale::Scale;
use cantus_engine::analysis::edit::{MelodyEdit, NoteId, Selection};
use cantus_engine::time::Seconds;

/// No note is made shorter, in seconds; the engine's own limit lies below.
pub const SHORTEST: f64 = 0.03;
/// Positions that are equal.
const ROUNDING: f64 = 1e-6;
/// Loudness of a drawn note in a melody without any.
const USUAL_LOUDNESS: f32 = 0.8;

/// What a button, a menu or a key orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Semitones(i16),
    Octaves(i8),
    /// Later or earlier by a step of the grid.
    Nudge(i8),
    /// Longer or shorter by a step of the grid.
    Lengthen(i8),
    Split,
    Join,
    Delete,
    Quantise,
    SnapToKey,
    /// Splits the note where the menu was opened, or draws one there.
    Here,
    Undo,
    Redo,
    SelectAll,
    Next,
    Previous,
    /// Lets go of what is being dragged, or else of the selection, or else of the keyboard.
    Leave,
    ZoomIn,
    ZoomOut,
    Fit,
}

/// How times are rounded, and how far quantising goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantising {
    /// Lines in a quarter note.
    pub division: u8,
    /// 0 as sung to 1 on the grid.
    pub strength: f32,
    /// What is dragged sticks to the lines.
    pub magnet: bool,
}

impl Default for Quantising {
    fn default() -> Self {
        Self { division: 4, strength: 1.0, magnet: false }
    }
}

/// The corrections a step stands for, none when there is nothing it could be about. Each is a step of its own to undo.
pub fn corrections(
    step: Step,
    scene: &Scene,
    selection: &[NoteId],
    quantising: Quantising,
    playhead: Option<Seconds>,
) -> Vec<MelodyEdit> {
    let notes = Selection::Notes(selection.to_vec());
    let notes_or_all = if selection.is_empty() { Selection::All } else { notes.clone() };
    let all_of = || scene.selected.iter().enumerate().filter(|(_, selected)| **selected).map(|(index, _)| index);
    let some = |edit: MelodyEdit| if selection.is_empty() { Vec::new() } else { vec![edit] };
    match step {
        Step::Semitones(semitones) => some(MelodyEdit::Move { notes, semitones, by: Seconds(0.0) }),
        Step::Octaves(octaves) => some(MelodyEdit::Octave { notes, octaves }),
        Step::Delete => some(MelodyEdit::Delete { notes }),
        Step::Nudge(way) => {
            let Some(first) = all_of().next() else { return Vec::new() };
            let step = grid::step(&scene.analysis.grid, quantising.division, scene.notes()[first].onset);
            let by = Seconds(step.0 * f64::from(way));
            // Where there is no room at all the engine says what is in the way.
            let room = within(by, room(scene));
            let by = if room.0.abs() > ROUNDING { room } else { by };
            some(MelodyEdit::Move { notes, semitones: 0, by })
        }
        Step::Lengthen(way) => {
            let Some(index) = selection.last().and_then(|id| scene.index_of(*id)) else { return Vec::new() };
            let note = &scene.notes()[index];
            let step = grid::step(&scene.analysis.grid, quantising.division, note.offset);
            let meant = note.offset.0 + step.0 * f64::from(way);
            let offset = meant.min(after(scene, index)).max(note.onset.0 + SHORTEST.min(length(note)));
            let offset = if (offset - note.offset.0).abs() > ROUNDING { offset } else { meant };
            vec![MelodyEdit::Stretch { note: scene.ids[index], onset: note.onset, offset: Seconds(offset) }]
        }
        Step::Split => all_of()
            .map(|index| {
                let note = &scene.notes()[index];
                let middle = Seconds((note.onset.0 + note.offset.0) / 2.0);
                let inside = |at: &Seconds| at.0 > note.onset.0 + SHORTEST && at.0 < note.offset.0 - SHORTEST;
                MelodyEdit::Split { note: scene.ids[index], at: playhead.filter(inside).unwrap_or(middle) }
            })
            .collect(),
        Step::Join => joins(scene, &all_of().collect::<Vec<_>>()),
        Step::Quantise => {
            let Quantising { division, strength, .. } = quantising;
            vec![MelodyEdit::Quantise { notes: notes_or_all, division, strength }]
        }
        Step::SnapToKey => {
            let key = scene.analysis.key.key;
            vec![MelodyEdit::SnapToKey { notes: notes_or_all, tonic: key.tonic, scale: Scale::of(key.mode) }]
        }
        _ => Vec::new(),
    }
}

/// One selected note is joined with the next; several with each other, wherever they are neighbours.
fn joins(scene: &Scene, chosen: &[usize]) -> Vec<MelodyEdit> {
    let name = |index: usize| scene.ids.get(index).copied();
    let join = |first, second| MelodyEdit::Join { first, second };
    if let [only] = chosen {
        return name(*only).zip(name(only + 1)).map(|(first, second)| join(first, second)).into_iter().collect();
    }
    let mut joins = Vec::new();
    let mut first = None;
    for pair in chosen.windows(2) {
        let (one, next) = (name(pair[0]), name(pair[1]));
        if pair[1] != pair[0] + 1 {
            first = None;
            continue;
        }
        // What was joined keeps the name of its first note.
        first = first.or(one);
        joins.extend(first.zip(next).map(|(first, second)| join(first, second)));
    }
    joins
}

pub fn length(note: &Note) -> f64 {
    note.offset.0 - note.onset.0
}

/// Where the take ends for its notes.
pub fn end(scene: &Scene) -> f64 {
    let grid = &scene.analysis.grid;
    let region = grid.tempo.seconds_between(grid.start, grid.start + scene.analysis.length).0;
    region.max(scene.notes().last().map_or(0.0, |note| note.offset.0))
}

/// Where the note before one ends, and the note after it begins.
pub fn before(scene: &Scene, index: usize) -> f64 {
    index.checked_sub(1).map_or(0.0, |before| scene.notes()[before].offset.0)
}

pub fn after(scene: &Scene, index: usize) -> f64 {
    scene.notes().get(index + 1).map_or_else(|| end(scene), |next| next.onset.0)
}

/// How far the selected notes can be moved earlier and later before one of them meets another.
pub fn room(scene: &Scene) -> (f64, f64) {
    let notes = scene.notes();
    let (mut earlier, mut later) = (f64::MAX, f64::MAX);
    let mut wall = 0.0;
    for (note, selected) in notes.iter().zip(&scene.selected) {
        if *selected {
            earlier = earlier.min(note.onset.0 - wall);
        } else {
            wall = note.offset.0;
        }
    }
    let mut wall = end(scene);
    for (note, selected) in notes.iter().zip(&scene.selected).rev() {
        if *selected {
            later = later.min(wall - note.offset.0);
        } else {
            wall = note.onset.0;
        }
    }
    (-earlier.max(0.0), later.max(0.0))
}

/// A shift that keeps to the room there is.
pub fn within(by: Seconds, (earliest, latest): (f64, f64)) -> Seconds {
    Seconds(by.0.max(earliest).min(latest))
}

/// Whether the selected notes find a free place when they are moved, also beyond a neighbour.
pub fn is_free(scene: &Scene, by: Seconds) -> bool {
    let notes = scene.notes();
    let others: Vec<&Note> = notes.iter().zip(&scene.selected).filter(|(_, on)| !**on).map(|(note, _)| note).collect();
    let end = end(scene) + ROUNDING;
    notes.iter().zip(&scene.selected).filter(|(_, selected)| **selected).all(|(note, _)| {
        let (onset, offset) = (note.onset.0 + by.0, note.offset.0 + by.0);
        let next = others.partition_point(|other| other.offset.0 <= onset + ROUNDING);
        let meets_none = others.get(next).is_none_or(|other| other.onset.0 >= offset - ROUNDING);
        onset >= -ROUNDING && offset <= end && meets_none
    })
}

/// A new note over a stretch of time, as much of it as is free around `at`; as loud as its neighbours. `None` where a note is.
pub fn new_note(scene: &Scene, at: Seconds, (from, to): (Seconds, Seconds), key: u8) -> Option<MelodyEdit> {
    let notes = scene.notes();
    let next = notes.partition_point(|note| note.offset.0 <= at.0);
    if notes.get(next).is_some_and(|note| note.onset.0 <= at.0) {
        return None;
    }
    let onset = from.0.max(before(scene, next));
    let offset = to.0.min(notes.get(next).map_or_else(|| end(scene), |note| note.onset.0));
    let around: Vec<f32> = [next.checked_sub(1), Some(next)]
        .into_iter()
        .flatten()
        .filter_map(|one| Some(notes.get(one)?.loudness))
        .collect();
    let loudness = match around.len() {
        0 => USUAL_LOUDNESS,
        count => around.iter().sum::<f32>() / count as f32,
    };
    let is_long_enough = offset - onset >= SHORTEST;
    is_long_enough.then_some(MelodyEdit::Add { onset: Seconds(onset), offset: Seconds(offset), key, loudness })
}
