//! Corrections: each does what it says, breaks no rule of a melody, and comes back when it is undone.

use super::hum::{TUNE, hum};
use super::{analysis_of, robustness};
use crate::session::Draw;
use cantus_engine::analysis::edit::scale::Scale;
use cantus_engine::analysis::edit::{EditHistory, Edited, Edits, MelodyEdit, NoteId, Selection};
use cantus_engine::analysis::{Analysis, Note, chroma};
use cantus_engine::time::{SampleRate, Seconds};
use cantus_engine::{Error, Result};
use std::sync::LazyLock;

/// The test tune as it was heard; its keys are 57 59 59 60 72 60 64 57.
pub(crate) fn heard() -> &'static Analysis {
    static HEARD: LazyLock<Analysis> = LazyLock::new(|| analysis_of(hum(&TUNE, 0.2, 0.5, SampleRate(16_000))));
    &HEARD
}

fn one(index: usize) -> Selection {
    Selection::Notes(vec![NoteId::heard(index)])
}

fn apply(edits: &[MelodyEdit]) -> Result<Edited> {
    Edits(edits.to_vec()).apply(heard())
}

fn keys(notes: &[Note]) -> Vec<u8> {
    notes.iter().map(|note| note.key).collect()
}

/// What holds for every melody, however it was corrected.
fn check_rules(edited: &Edited, what: &str) {
    let notes = &edited.analysis.notes;
    let end = heard().grid.tempo.seconds_between(heard().grid.start, heard().grid.start + heard().length);
    assert_eq!((edited.ids.len(), edited.changed.len()), (notes.len(), notes.len()), "{what}");
    let mut ids = edited.ids.clone();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), notes.len(), "{what}: every name is one note's");
    for note in notes {
        assert!(note.onset.0 >= -1e-6 && note.offset.0 <= end.0 + 1e-6, "{what}: {note:?} is outside of the take");
        assert!(note.offset.0 - note.onset.0 >= 0.0199, "{what}: {note:?} is too short");
        assert!(note.bend.is_sorted_by(|a, b| a.0 <= b.0) && note.level_db.is_sorted_by(|a, b| a.0 <= b.0), "{what}");
    }
    for pair in notes.windows(2) {
        assert!(pair[0].offset.0 <= pair[1].onset.0 + 1e-6, "{what}: {:?} overlaps {:?}", pair[0], pair[1]);
    }
    robustness::check_sane(&edited.analysis, what);
    assert_eq!(edited.analysis.f0, heard().f0, "{what}: the pitch track is what was sung");
}

#[test]
fn each_correction_does_what_it_says() {
    let base = keys(&heard().notes);
    assert_eq!(base, TUNE.map(|note| note.2 as u8));
    let at = |index: usize| (heard().notes[index].onset.0, heard().notes[index].offset.0);
    let middle = Seconds((at(7).0 + at(7).1) / 2.0);
    let add = MelodyEdit::Add { onset: Seconds(4.3), offset: Seconds(4.5), key: 65, loudness: 0.5 };
    // What, the correction, and the keys afterwards.
    let rows: Vec<(&str, MelodyEdit, Vec<u8>)> = vec![
        (
            "up",
            MelodyEdit::Move { notes: one(0), semitones: 2, by: Seconds(0.0) },
            vec![59, 59, 59, 60, 72, 60, 64, 57],
        ),
        ("octave", MelodyEdit::Octave { notes: one(4), octaves: -1 }, vec![57, 59, 59, 60, 60, 60, 64, 57]),
        (
            "later, past others",
            MelodyEdit::Move { notes: one(6), semitones: 0, by: Seconds(1.3) },
            vec![57, 59, 59, 60, 72, 60, 57, 64],
        ),
        ("delete", MelodyEdit::Delete { notes: one(2) }, vec![57, 59, 60, 72, 60, 64, 57]),
        ("delete all", MelodyEdit::Delete { notes: Selection::All }, vec![]),
        ("split", MelodyEdit::Split { note: NoteId::heard(7), at: middle }, vec![57, 59, 59, 60, 72, 60, 64, 57, 57]),
        (
            "join",
            MelodyEdit::Join { first: NoteId::heard(6), second: NoteId::heard(7) },
            vec![57, 59, 59, 60, 72, 60, 57],
        ),
        ("add", add, vec![57, 59, 59, 60, 72, 60, 64, 57, 65]),
        ("snap in key", MelodyEdit::SnapToKey { notes: Selection::All, tonic: 0, scale: Scale::Major }, base.clone()),
    ];
    for (what, edit, expected) in rows {
        let edited = apply(std::slice::from_ref(&edit)).expect(what);
        check_rules(&edited, what);
        assert_eq!(keys(&edited.analysis.notes), expected, "{what}");
    }
    let long = apply(&[MelodyEdit::Stretch { note: NoteId::heard(7), onset: Seconds(3.5), offset: Seconds(4.4) }]);
    let note = long.expect("stretched").analysis.notes[7].clone();
    assert_eq!((note.onset, note.offset), (Seconds(3.5), Seconds(4.4)));
    let snap = MelodyEdit::SnapToKey { notes: Selection::All, tonic: 3, scale: Scale::MajorPentatonic };
    let snapped = keys(&apply(&[snap]).expect("snapped").analysis.notes);
    assert!(snapped.iter().all(|key| Scale::MajorPentatonic.holds(3, *key)), "{snapped:?}");
    assert!(snapped.iter().zip(&base).all(|(now, before)| now.abs_diff(*before) <= 1), "{snapped:?}");
    let soft = apply(&[MelodyEdit::Loudness { notes: one(1), loudness: 0.125 }]).expect("softer");
    assert_eq!(soft.analysis.notes[1].loudness, 0.125);
    assert_eq!(soft.changed.iter().filter(|changed| **changed).count(), 1);
}

#[test]
fn what_breaks_a_rule_is_refused_with_a_sentence_and_changes_nothing() {
    let onset = |index: usize| heard().notes[index].onset;
    let stretch = |onset: f64, offset: f64| MelodyEdit::Stretch {
        note: NoteId::heard(3),
        onset: Seconds(onset),
        offset: Seconds(offset),
    };
    let rows: Vec<(MelodyEdit, &str)> = vec![
        (stretch(1.7, 2.4), "C4 would run into C5"),
        (stretch(1.7, 1.705), "shorter than 20 ms"),
        (stretch(1.9, 1.8), "shorter"),
        (stretch(f64::NAN, 1.8), "not a number"),
        (MelodyEdit::Move { notes: one(0), semitones: 0, by: Seconds(-1.0) }, "A3 would begin before the take"),
        (MelodyEdit::Move { notes: one(7), semitones: 0, by: Seconds(60.0) }, "end after the take"),
        (MelodyEdit::Move { notes: one(0), semitones: 300, by: Seconds(0.0) }, "cannot be moved that far"),
        (MelodyEdit::Octave { notes: one(0), octaves: -5 }, "cannot be moved that far"),
        (MelodyEdit::Split { note: NoteId::heard(0), at: onset(0) }, "cannot be split"),
        (MelodyEdit::Join { first: NoteId::heard(0), second: NoteId::heard(2) }, "the one right after it"),
        (MelodyEdit::Delete { notes: one(99) }, "not there any more"),
        (MelodyEdit::Delete { notes: Selection::Notes(Vec::new()) }, "no note is selected"),
        (MelodyEdit::Delete { notes: Selection::Notes(vec![NoteId::heard(0); 99]) }, "more notes"),
        (
            MelodyEdit::Add { onset: onset(2), offset: onset(2) + Seconds(0.1), key: 60, loudness: 0.5 },
            "would run into",
        ),
        (MelodyEdit::Add { onset: Seconds(4.3), offset: Seconds(4.4), key: 200, loudness: 0.5 }, "no key 200"),
        (MelodyEdit::Loudness { notes: one(0), loudness: f32::NAN }, "0 to 1"),
        (MelodyEdit::Quantise { notes: Selection::All, division: 0, strength: 1.0 }, "1 to 24 lines"),
        (MelodyEdit::Quantise { notes: Selection::All, division: 4, strength: 1.5 }, "strength"),
        (MelodyEdit::SnapToKey { notes: Selection::All, tonic: 12, scale: Scale::Major }, "pitch class 12"),
    ];
    let mut history = EditHistory::default();
    history.push(MelodyEdit::Delete { notes: one(5) }, heard()).expect("possible");
    assert!(history.undo());
    let before = history.clone();
    for (edit, words) in rows {
        let error = history.push(edit.clone(), heard()).expect_err(words);
        assert!(matches!(error, Error::Edit { .. }) && error.to_string().contains(words), "{edit:?}: {error}");
        assert_eq!(history, before, "{edit:?}");
    }
}

#[test]
fn quantising_puts_starts_on_the_grid_and_loses_no_note() {
    // The tune at 120 BPM: its starts are on no sixteenth.
    let grid = |note: &Note| heard().beat_at(note.onset).0 * 4.0;
    let off = |note: &Note| (grid(note) - grid(note).round()).abs();
    assert!(heard().notes.iter().any(|note| off(note) > 0.2), "the test needs notes off the grid");
    for strength in [0.0, 0.5, 1.0] {
        let edit = MelodyEdit::Quantise { notes: Selection::All, division: 4, strength };
        let edited = apply(&[edit]).expect("quantised");
        check_rules(&edited, "quantised");
        for (before, after) in heard().notes.iter().zip(&edited.analysis.notes) {
            let expected = off(before) * f64::from(1.0 - strength);
            assert!((off(after) - expected).abs() < 1e-6, "strength {strength}: {} of {expected}", off(after));
        }
    }
    // All of a run of short notes would fall on two lines of a coarse grid: none is lost.
    let mut edits: Vec<MelodyEdit> = vec![MelodyEdit::Delete { notes: Selection::All }];
    for index in 0..12 {
        let onset = Seconds(1.0 + 0.07 * f64::from(index));
        edits.push(MelodyEdit::Add { onset, offset: onset + Seconds(0.06), key: 60, loudness: 1.0 });
    }
    edits.push(MelodyEdit::Quantise { notes: Selection::All, division: 1, strength: 1.0 });
    let edited = apply(&edits).expect("quantised");
    check_rules(&edited, "a run");
    assert_eq!(edited.analysis.notes.len(), 12);
    let on_line = edited.analysis.notes.iter().filter(|note| (heard().beat_at(note.onset).0 % 1.0).abs() < 1e-6);
    assert!(on_line.count() >= 2);
}

#[test]
fn names_stay_with_their_notes() {
    let split = MelodyEdit::Split { note: NoteId::heard(7), at: Seconds(3.7) };
    let edits = vec![
        MelodyEdit::Delete { notes: one(0) },
        split,
        // The note that the second correction made.
        MelodyEdit::Octave { notes: Selection::Notes(vec![NoteId::made(1)]), octaves: 1 },
        MelodyEdit::Move { notes: one(4), semitones: 1, by: Seconds(0.02) },
    ];
    let edited = apply(&edits).expect("possible");
    check_rules(&edited, "names");
    assert_eq!(edited.note(NoteId::made(1)).expect("made").key, 69);
    assert_eq!(edited.note(NoteId::heard(4)).expect("heard").key, 73);
    assert_eq!(edited.note(NoteId::heard(0)), None);
    // Listening again to the same take gives the same notes, so the same list gives the same melody.
    let again = analysis_of(hum(&TUNE, 0.2, 0.5, SampleRate(16_000)));
    assert_eq!(Edits(edits).apply(&again).expect("possible"), edited);
}

#[test]
fn what_follows_from_the_notes_follows() {
    let down = apply(&[MelodyEdit::Move { notes: Selection::All, semitones: -3, by: Seconds(0.0) }]).expect("moved");
    let expected = (heard().key.key.tonic + 9) % 12;
    assert_eq!((down.analysis.key.key.tonic, down.analysis.key.key.mode), (expected, heard().key.key.mode));
    assert!(down.analysis.confidence > heard().confidence);

    // One note moved: its frames of the chromagram are clean and of its new class, the others are as they were heard.
    let moved = apply(&[MelodyEdit::Move { notes: one(7), semitones: 4, by: Seconds(0.0) }]).expect("moved");
    let note = &moved.analysis.notes[7];
    let mut inside = 0;
    for (index, frame) in moved.analysis.chroma.frames.iter().enumerate() {
        let time = Seconds(index as f64 * chroma::HOP as f64 / chroma::RATE.hz());
        if (note.onset..note.offset).contains(&time) {
            inside += 1;
            assert_eq!((moved.analysis.chroma.argmax[index], frame[1]), (61 % 12, 1.0));
        } else {
            assert_eq!(*frame, heard().chroma.frames[index]);
        }
    }
    assert!(inside >= 5);
    // The curve moved along with its note; a note read a semitone wrong keeps its sound.
    assert_eq!(note.bend, heard().notes[7].bend);
    assert!((note.sung.0 - heard().notes[7].sung.0 - 4.0).abs() < 1e-4);
    let mut misread = heard().clone();
    misread.notes[0].key -= 1;
    misread.notes[0].bend.iter_mut().for_each(|point| point.1 += 1.0);
    let right = Edits(vec![MelodyEdit::Move { notes: one(0), semitones: 1, by: Seconds(0.0) }]).apply(&misread);
    let note = &right.expect("moved").analysis.notes[0];
    assert_eq!((note.key, note.sung), (57, heard().notes[0].sung));
    assert!(note.bend.iter().zip(&heard().notes[0].bend).all(|(a, b)| (a.1 - b.1).abs() < 1e-5));
}

/// A correction that may or may not be possible.
fn any_edit(draw: &mut Draw, ids: &[NoteId]) -> MelodyEdit {
    let mut id = |draw: &mut Draw| ids.get(draw.below(ids.len() + 1)).copied().unwrap_or(NoteId(draw.next()));
    let some = |draw: &mut Draw, id: &mut dyn FnMut(&mut Draw) -> NoteId| {
        if draw.below(3) == 0 {
            Selection::All
        } else {
            Selection::Notes((0..1 + draw.below(2)).map(|_| id(draw)).collect())
        }
    };
    let time = |draw: &mut Draw| Seconds(f64::from(draw.unit()) * 4.5);
    match draw.below(10) {
        0 => {
            let (semitones, by) = (draw.below(9) as i16 - 4, Seconds(f64::from(draw.unit()) * 0.4 - 0.2));
            MelodyEdit::Move { notes: some(draw, &mut id), semitones, by }
        }
        1 => MelodyEdit::Stretch { note: id(draw), onset: time(draw), offset: time(draw) },
        2 => MelodyEdit::Split { note: id(draw), at: time(draw) },
        3 => MelodyEdit::Join { first: id(draw), second: id(draw) },
        4 => MelodyEdit::Octave { notes: some(draw, &mut id), octaves: draw.below(3) as i8 - 1 },
        5 => MelodyEdit::Delete { notes: Selection::Notes(vec![id(draw)]) },
        6 => {
            let onset = time(draw);
            let offset = onset + Seconds(0.02 + 0.2 * f64::from(draw.unit()));
            MelodyEdit::Add { onset, offset, key: 50 + draw.below(30) as u8, loudness: draw.unit() }
        }
        7 => MelodyEdit::Quantise {
            notes: some(draw, &mut id),
            division: 1 + draw.below(8) as u8,
            strength: draw.unit(),
        },
        8 => {
            let scale = Scale::ALL[draw.below(Scale::ALL.len())];
            MelodyEdit::SnapToKey { notes: some(draw, &mut id), tonic: draw.below(12) as u8, scale }
        }
        _ => MelodyEdit::Loudness { notes: some(draw, &mut id), loudness: draw.unit() },
    }
}

#[test]
fn any_corrections_in_any_order_keep_the_rules_and_come_back() {
    let mut draw = Draw::new(77);
    let (mut made, mut refused) = (0, 0);
    for round in 0..25 {
        let mut history = EditHistory::default();
        let mut states = vec![history.done.apply(heard()).expect("nothing is possible")];
        for _ in 0..12 {
            let ids = states.last().expect("one").ids.clone();
            let edit = any_edit(&mut draw, &ids);
            match history.push(edit.clone(), heard()) {
                Ok(()) => {
                    let edited = history.done.apply(heard()).expect("it was possible");
                    check_rules(&edited, &format!("round {round}, {edit:?}"));
                    states.push(edited);
                    made += 1;
                }
                Err(error) => {
                    assert!(matches!(error, Error::Edit { .. }), "{error}");
                    refused += 1;
                }
            }
        }
        let last = states.len() - 1;
        for state in states[..last].iter().rev() {
            assert!(history.undo());
            assert_eq!(&history.done.apply(heard()).expect("it was possible"), state, "undone");
        }
        assert!(!history.undo(), "nothing is left to undo");
        assert_eq!(states[0], Edited::unchanged(heard()));
        (0..last).for_each(|_| assert!(history.redo()));
        assert!(!history.redo(), "nothing is left to redo");
        assert_eq!(history.done.apply(heard()).expect("it was possible"), states[last], "all made again");
        let text = serde_json::to_string(&history.done).expect("text");
        let back: Edits = serde_json::from_str(&text).expect("read back");
        assert_eq!(keys(&back.apply(heard()).expect("possible").analysis.notes), keys(&states[last].analysis.notes));
    }
    assert!(made > 100 && refused > 30, "{made} made, {refused} refused: the draw is one-sided");
}

#[test]
fn corrections_of_another_melody_are_dropped_where_they_stop_fitting() {
    let mut history = EditHistory::default();
    for index in [0, 1, 7] {
        history.push(MelodyEdit::Octave { notes: one(index), octaves: 1 }, heard()).expect("possible");
    }
    assert!(history.undo());
    let mut shorter = heard().clone();
    shorter.notes.truncate(4);
    let mut fitted = history.clone();
    assert_eq!((fitted.fit(heard()), fitted == history), (0, true));
    assert_eq!(fitted.fit(&shorter), 1, "the undone one is about a note that is not there");
    assert_eq!((fitted.done.0.len(), fitted.undone.len()), (2, 0));
    shorter.notes.truncate(1);
    assert_eq!(history.fit(&shorter), 2);
    assert_eq!((history.done.0.len(), history.undone.len()), (1, 0));
}
