//! Keys on the roll: they correct while the roll has the keyboard, and the host keeps all others.

use super::desk::{BEAT, Desk, KEYS, LENGTH, check_corrects, ids};
use cantus_engine::analysis::edit::scale::Scale;
use cantus_engine::analysis::edit::{MelodyEdit, NoteId, Selection};
use cantus_engine::time::Seconds;
use egui::{Key, Modifiers};

const NONE: Modifiers = Modifiers::NONE;
const SHIFT: Modifiers = Modifiers::SHIFT;
const CTRL: Modifiers = Modifiers { ctrl: true, command: true, ..NONE };
const CTRL_SHIFT: Modifiers = Modifiers { shift: true, ..CTRL };
const ALT: Modifiers = Modifiers::ALT;

/// What keys do to note 4 when it is selected.
fn rows() -> Vec<(Key, Modifiers, Vec<MelodyEdit>)> {
    let notes = Selection::Notes(ids(&[4]));
    let note = NoteId::heard(4);
    let onset = 4.0 * BEAT;
    let shift = |semitones, by| MelodyEdit::Move { notes: notes.clone(), semitones, by: Seconds(by) };
    let octave = |octaves| MelodyEdit::Octave { notes: notes.clone(), octaves };
    let length = |offset| MelodyEdit::Stretch { note, onset: Seconds(onset), offset: Seconds(offset) };
    vec![
        (Key::ArrowUp, NONE, vec![shift(1, 0.0)]),
        (Key::ArrowDown, NONE, vec![shift(-1, 0.0)]),
        (Key::ArrowUp, SHIFT, vec![octave(1)]),
        (Key::ArrowDown, SHIFT, vec![octave(-1)]),
        // A sixteenth is an eighth of a second, and there is room for a tenth.
        (Key::ArrowRight, NONE, vec![shift(0, 0.1)]),
        (Key::ArrowLeft, NONE, vec![shift(0, -0.1)]),
        (Key::ArrowRight, CTRL, vec![length(onset + BEAT)]),
        (Key::ArrowLeft, CTRL, vec![length(onset + LENGTH - 0.125)]),
        (Key::S, NONE, vec![MelodyEdit::Split { note, at: Seconds(onset + LENGTH / 2.0) }]),
        (Key::J, NONE, vec![MelodyEdit::Join { first: note, second: NoteId::heard(5) }]),
        (Key::Q, NONE, vec![MelodyEdit::Quantise { notes: notes.clone(), division: 4, strength: 1.0 }]),
        (Key::K, NONE, vec![MelodyEdit::SnapToKey { notes: notes.clone(), tonic: 0, scale: Scale::Major }]),
        (Key::Delete, NONE, vec![MelodyEdit::Delete { notes: notes.clone() }]),
        (Key::Backspace, NONE, vec![MelodyEdit::Delete { notes: notes.clone() }]),
        // Not ours: the host saves, plays, moves its locators.
        (Key::S, CTRL, vec![]),
        (Key::ArrowUp, ALT, vec![]),
        (Key::Q, SHIFT, vec![]),
        (Key::Space, NONE, vec![]),
        (Key::Enter, NONE, vec![]),
        (Key::R, NONE, vec![]),
    ]
}

#[test]
fn keys_correct_the_selected_note() {
    for (key, modifiers, expected) in rows() {
        let mut desk = Desk::new();
        desk.click(desk.on(4), NONE);
        let what = format!("{modifiers:?} {key:?}");
        check_corrects(&mut desk, &what, |desk| desk.key(key, modifiers), &expected).unwrap();
    }
}

#[test]
fn keys_do_nothing_until_the_roll_has_the_keyboard() {
    for (key, modifiers, _) in rows() {
        let mut desk = Desk::new();
        desk.key(key, modifiers);
        assert!(desk.edits().is_empty(), "{key:?}");
        assert!(desk.roll.selected().is_empty(), "{key:?}");
    }
}

#[test]
fn undo_and_redo_have_their_keys() {
    let mut desk = Desk::new();
    desk.click(desk.on(4), NONE);
    desk.key(Key::ArrowUp, NONE);
    desk.key(Key::ArrowUp, SHIFT);
    assert_eq!(desk.keys()[4], KEYS[4] + 13);
    desk.key(Key::Z, CTRL);
    assert_eq!(desk.keys()[4], KEYS[4] + 1);
    desk.key(Key::Z, CTRL);
    assert_eq!(desk.keys(), KEYS);
    desk.key(Key::Z, CTRL_SHIFT);
    assert_eq!(desk.keys()[4], KEYS[4] + 1);
}

#[test]
fn tab_walks_over_the_notes_and_escape_leaves() {
    let mut desk = Desk::new();
    // Beside all notes: the next one is the first after that place.
    desk.click(desk.at(2.0 * BEAT - 0.05, 58), NONE);
    desk.key(Key::Tab, NONE);
    assert_eq!(desk.roll.selected(), ids(&[2]));
    desk.key(Key::Tab, NONE);
    desk.key(Key::Tab, NONE);
    assert_eq!(desk.roll.selected(), ids(&[4]));
    desk.key(Key::Tab, SHIFT);
    assert_eq!(desk.roll.selected(), ids(&[3]));
    desk.key(Key::A, CTRL);
    assert_eq!(desk.roll.selected().len(), KEYS.len());
    desk.key(Key::Escape, NONE);
    assert!(desk.roll.selected().is_empty());
    // Once more, and the keyboard belongs to others.
    desk.key(Key::Escape, NONE);
    desk.key(Key::Tab, NONE);
    desk.key(Key::ArrowUp, NONE);
    assert!(desk.roll.selected().is_empty() && desk.edits().is_empty());
}

#[test]
fn several_notes_are_joined() {
    let mut desk = Desk::new();
    desk.click(desk.on(2), NONE);
    desk.click(desk.on(3), SHIFT);
    desk.click(desk.on(4), SHIFT);
    let join = |second| MelodyEdit::Join { first: NoteId::heard(2), second: NoteId::heard(second) };
    check_corrects(&mut desk, "join", |desk| desk.key(Key::J, NONE), &[join(3), join(4)]).unwrap();
}

#[test]
fn the_host_keeps_its_keys() {
    let kept = |desk: &Desk| format!("{:?}", desk.roll.key_capture(false));
    let mut desk = Desk::new();
    assert_eq!(kept(&desk), "IgnoreAll", "before anything was clicked");
    desk.click(desk.on(4), NONE);
    desk.picture(Vec::new());
    let names = kept(&desk);
    for ours in ["ArrowUp", "Delete", "Tab", "Escape", "\"s\"", "\"q\""] {
        assert!(names.contains(ours), "{ours} is kept: {names}");
    }
    for theirs in ["\" \"", "Enter", "\"r\"", "\"z\"", "\"a\"", "F5", "Home"] {
        assert!(!names.contains(theirs), "{theirs} is the host's: {names}");
    }
    desk.picture(vec![egui::Event::ModifiersChanged(CTRL)]);
    let names = kept(&desk);
    assert!(names.contains("\"z\"") && names.contains("\"a\""), "{names}");
    assert!(!names.contains("\"s\"") && !names.contains("Delete"), "Ctrl + S saves the host's project: {names}");
    desk.picture(vec![egui::Event::ModifiersChanged(NONE)]);
    desk.key(Key::Escape, NONE);
    desk.key(Key::Escape, NONE);
    assert_eq!(kept(&desk), "IgnoreAll");
    assert_eq!(format!("{:?}", desk.roll.key_capture(true)), "CaptureAll", "while somebody types");
}
