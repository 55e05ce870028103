//! The mouse on the roll: every gesture is one correction, made when the button is let go.

use super::desk::{BEAT, Desk, KEYS, LENGTH, by, check_corrects, ids, instance_with};
use cantus_engine::analysis::edit::{MelodyEdit, NoteId, Selection};
use cantus_engine::time::Seconds;
use egui::{Key, Modifiers, PointerButton, vec2};

const NONE: Modifiers = Modifiers::NONE;

fn moved(numbers: &[usize], semitones: i16, seconds: f64) -> MelodyEdit {
    MelodyEdit::Move { notes: Selection::Notes(ids(numbers)), semitones, by: Seconds(seconds) }
}

fn stretched(number: usize, onset: f64, offset: f64) -> MelodyEdit {
    MelodyEdit::Stretch { note: NoteId::heard(number), onset: Seconds(onset), offset: Seconds(offset) }
}

fn added(onset: f64, offset: f64, key: u8) -> MelodyEdit {
    MelodyEdit::Add { onset: Seconds(onset), offset: Seconds(offset), key, loudness: 0.8 }
}

#[test]
fn dragging_moves_notes_in_pitch_and_time() {
    let onset = |number: usize| number as f64 * BEAT;
    // Which note, seconds and semitones dragged, held keys, and what comes of it.
    let rows: [(usize, f64, i16, Modifiers, Option<MelodyEdit>); 9] = [
        (2, 0.0, 3, NONE, Some(moved(&[2], 3, 0.0))),
        (2, 0.0, -7, NONE, Some(moved(&[2], -7, 0.0))),
        (2, 0.05, 0, NONE, Some(moved(&[2], 0, 0.05))),
        (2, -0.07, -1, NONE, Some(moved(&[2], -1, -0.07))),
        // It stops at its neighbours, a tenth of a second away.
        (2, 0.2, 0, NONE, Some(moved(&[2], 0, BEAT - LENGTH))),
        (2, -0.2, 2, NONE, Some(moved(&[2], 2, LENGTH - BEAT))),
        // Beyond them there may be room.
        (7, 0.9, 0, NONE, Some(moved(&[7], 0, 0.9))),
        (3, 4.6 - onset(3), 1, NONE, Some(moved(&[3], 1, 4.6 - onset(3)))),
        // The magnet: to the nearest sixteenth.
        (7, 0.3, 0, Modifiers::ALT, Some(moved(&[7], 0, 0.25))),
    ];
    for (number, seconds, semitones, modifiers, expected) in rows {
        let mut desk = Desk::new();
        let hands = |desk: &mut Desk| desk.drag(desk.on(number), by(desk, seconds, semitones), modifiers);
        let what = format!("note {number} by {seconds} s and {semitones}");
        check_corrects(&mut desk, &what, hands, expected.as_slice()).unwrap();
    }
}

#[test]
fn a_correction_that_goes_elsewhere_is_found() {
    let mut desk = Desk::new();
    // The roll speaks to one instance, and another is looked at.
    desk.judged = Some(instance_with((*desk.instance.view().analysis.unwrap()).clone()));
    let hands = |desk: &mut Desk| desk.drag(desk.on(2), by(desk, 0.0, 3), NONE);
    assert!(check_corrects(&mut desk, "broken", hands, &[moved(&[2], 3, 0.0)]).is_err());
    // A gesture that does nothing, and one that does something else.
    let mut desk = Desk::new();
    assert!(check_corrects(&mut desk, "nothing", |_| {}, &[moved(&[2], 3, 0.0)]).is_err());
    let hands = |desk: &mut Desk| desk.drag(desk.on(2), by(desk, 0.0, 2), NONE);
    assert!(check_corrects(&mut desk, "less", hands, &[moved(&[2], 3, 0.0)]).is_err());
}

#[test]
fn a_drag_is_only_drawn_until_it_is_let_go() {
    let mut desk = Desk::new();
    let analysis = desk.instance.view().analysis.unwrap();
    desk.pull(desk.on(1), by(&desk, 0.0, 5), PointerButton::Primary, NONE);
    assert!(desk.edits().is_empty(), "corrected while it is dragged");
    let still = desk.instance.view().analysis.unwrap();
    assert!(std::sync::Arc::ptr_eq(&analysis, &still), "the melody was computed again");
    // Escape lets go of it, and nothing was changed.
    desk.key(Key::Escape, NONE);
    desk.press(desk.on(1) + by(&desk, 0.0, 5), PointerButton::Primary, false, NONE);
    desk.picture(Vec::new());
    assert!(desk.edits().is_empty());
    assert_eq!(desk.keys(), KEYS);
}

#[test]
fn ends_are_stretched() {
    let end = 2.0 * BEAT + LENGTH;
    let rows: [(bool, f64, MelodyEdit); 5] = [
        (false, 0.06, stretched(2, 2.0 * BEAT, end + 0.06)),
        (false, -0.2, stretched(2, 2.0 * BEAT, end - 0.2)),
        (true, 0.1, stretched(2, 2.0 * BEAT + 0.1, end)),
        // As far as the neighbours, and never to nothing.
        (false, 0.4, stretched(2, 2.0 * BEAT, 3.0 * BEAT)),
        (true, 0.9, stretched(2, end - 0.03, end)),
    ];
    for (start, seconds, expected) in rows {
        let mut desk = Desk::new();
        let edge = if start { 2.0 * BEAT } else { end };
        let inside = vec2(if start { 2.0 } else { -2.0 }, 0.0);
        let hands = |desk: &mut Desk| desk.drag(desk.at(edge, KEYS[2]) + inside, by(desk, seconds, 0), NONE);
        check_corrects(&mut desk, &format!("start {start} by {seconds}"), hands, &[expected]).unwrap();
    }
}

#[test]
fn a_double_click_draws_or_splits() {
    let mut desk = Desk::new();
    // The sixteenth the pointer is in.
    let hands = |desk: &mut Desk| desk.double_click(desk.at(4.3, 66));
    check_corrects(&mut desk, "draw", hands, &[added(4.25, 4.375, 66)]).unwrap();
    // Only as long as there is room for it: after note 4 there is a tenth of a second.
    let mut desk = Desk::new();
    let hands = |desk: &mut Desk| desk.double_click(desk.at(4.0 * BEAT + 0.45, 62));
    check_corrects(&mut desk, "between", hands, &[added(4.0 * BEAT + LENGTH, 5.0 * BEAT, 62)]).unwrap();
    let mut desk = Desk::new();
    let at = 3.0 * BEAT + 0.15;
    let hands = |desk: &mut Desk| desk.double_click(desk.at(at, KEYS[3]));
    let split = MelodyEdit::Split { note: NoteId::heard(3), at: Seconds(at) };
    check_corrects(&mut desk, "split", hands, &[split]).unwrap();
}

#[test]
fn what_was_drawn_is_selected() {
    let mut desk = Desk::new();
    desk.double_click(desk.at(4.3, 66));
    desk.picture(Vec::new());
    assert_eq!(desk.roll.selected(), [NoteId::made(0)]);
}

#[test]
fn clicks_and_bands_select() {
    let mut desk = Desk::new();
    desk.click(desk.on(1), NONE);
    assert_eq!(desk.roll.selected(), ids(&[1]));
    desk.click(desk.on(4), Modifiers::SHIFT);
    assert_eq!(desk.roll.selected(), ids(&[1, 4]));
    desk.click(desk.on(1), Modifiers::COMMAND | Modifiers::CTRL);
    assert_eq!(desk.roll.selected(), ids(&[4]));
    desk.click(desk.on(6), NONE);
    assert_eq!(desk.roll.selected(), ids(&[6]));
    // A band around the notes 2 and 3, which are E and F.
    let from = desk.at(2.0 * BEAT - 0.05, 68);
    let to = desk.at(3.0 * BEAT + 0.2, 62);
    desk.drag(from, to - from, NONE);
    assert_eq!(desk.roll.selected(), ids(&[2, 3]));
    let from = desk.at(4.0 * BEAT - 0.05, 70);
    let to = desk.at(4.0 * BEAT + 0.2, 64);
    desk.drag(from, to - from, Modifiers::SHIFT);
    assert_eq!(desk.roll.selected(), ids(&[2, 3, 4]));
    // All of them move together.
    let hands = |desk: &mut Desk| desk.drag(desk.on(3), by(desk, 0.0, -2), NONE);
    check_corrects(&mut desk, "together", hands, &[moved(&[2, 3, 4], -2, 0.0)]).unwrap();
    desk.click(desk.at(4.6, 58), NONE);
    assert!(desk.roll.selected().is_empty());
    assert!(desk.edits().is_empty());
}

#[test]
fn the_menu_orders() {
    let mut desk = Desk::new();
    desk.pause();
    let at = desk.on(5);
    desk.press(at, PointerButton::Secondary, true, NONE);
    desk.press(at, PointerButton::Secondary, false, NONE);
    (0..3).for_each(|_| desk.picture(Vec::new()));
    assert_eq!(desk.roll.selected(), ids(&[5]));
    // The first entry lies right under the corner of the menu.
    let up = |desk: &mut Desk| desk.click(at + vec2(20.0, 18.0), NONE);
    check_corrects(&mut desk, "semitone up", up, &[moved(&[5], 1, 0.0)]).unwrap();
}

#[test]
fn tools_draw_and_split() {
    let mut desk = Desk::new();
    desk.press_button("Draw");
    let hands = |desk: &mut Desk| desk.drag(desk.at(4.1, 66), by(desk, 0.5, 0), NONE);
    check_corrects(&mut desk, "draw", hands, &[added(4.1, 4.6, 66)]).unwrap();
    // Backwards as well, and never over a note.
    let hands = |desk: &mut Desk| desk.drag(desk.at(4.3, 70), by(desk, -0.8, 0), NONE);
    check_corrects(&mut desk, "backwards", hands, &[added(7.0 * BEAT + LENGTH, 4.3, 70)]).unwrap();
    desk.press_button("Split");
    let at = 6.0 * BEAT + 0.1;
    let hands = |desk: &mut Desk| desk.click(desk.at(at, KEYS[6]), NONE);
    let split = MelodyEdit::Split { note: NoteId::heard(6), at: Seconds(at) };
    check_corrects(&mut desk, "split", hands, &[split]).unwrap();
    let hands = |desk: &mut Desk| desk.drag(desk.on(6), by(desk, 0.0, 3), NONE);
    check_corrects(&mut desk, "the tool for splitting moves nothing", hands, &[]).unwrap();
}

#[test]
fn buttons_correct() {
    let four = || Selection::Notes(ids(&[4]));
    let rows = [
        ("Octave up", MelodyEdit::Octave { notes: four(), octaves: 1 }),
        ("Octave down", MelodyEdit::Octave { notes: four(), octaves: -1 }),
        ("Delete", MelodyEdit::Delete { notes: four() }),
        ("Quantise", MelodyEdit::Quantise { notes: four(), division: 4, strength: 1.0 }),
    ];
    for (button, expected) in rows {
        let mut desk = Desk::new();
        desk.click(desk.on(4), NONE);
        check_corrects(&mut desk, button, |desk| desk.press_button(button), &[expected]).unwrap();
        // The keyboard stays with the notes.
        desk.key(Key::A, Modifiers::COMMAND | Modifiers::CTRL);
        assert_eq!(desk.roll.selected().len(), KEYS.len(), "{button}");
    }
    // Without a selection these are about all notes.
    let mut desk = Desk::new();
    let all = MelodyEdit::Quantise { notes: Selection::All, division: 4, strength: 1.0 };
    check_corrects(&mut desk, "all", |desk| desk.press_button("Quantise"), &[all]).unwrap();
    let mut desk = Desk::new();
    check_corrects(&mut desk, "none", |desk| desk.press_button("Octave up"), &[]).unwrap();
}
