//! What is in sight: zoom and scroll by wheel, keys and buttons, kept while the window is closed.

use super::desk::{BEAT, Desk, by};
use cantus_plugin::editor::melody::zoom::Zoom;
use egui::{Key, Modifiers, PointerButton, vec2};

const NONE: Modifiers = Modifiers::NONE;
const CTRL: Modifiers = Modifiers { ctrl: true, command: true, ..NONE };

fn zoom(desk: &Desk) -> Zoom {
    desk.plane().zoom
}

/// A desk that shows the middle of its melody.
fn close() -> Desk {
    let mut desk = Desk::new();
    let at = desk.at(2.0, 66);
    desk.wheel(at, vec2(0.0, 120.0), CTRL);
    desk
}

#[test]
fn everything_is_in_sight_at_first() {
    let desk = Desk::new();
    let shown = zoom(&desk);
    assert_eq!((shown.from, shown.seconds), (0.0, 10.0 * BEAT));
    assert!(shown.lowest <= 60.0 && shown.lowest + shown.keys >= 73.0);
}

#[test]
fn the_wheel_zooms_at_the_pointer() {
    let mut desk = Desk::new();
    let at = desk.at(1.5, 66);
    let before = zoom(&desk);
    desk.wheel(at, vec2(0.0, 60.0), CTRL);
    let after = zoom(&desk);
    assert!(after.seconds < 0.9 * before.seconds, "{after:?}");
    assert!((desk.plane().time(at.x).0 - 1.5).abs() < 0.01, "what was under the pointer stays there");
    assert_eq!((after.lowest, after.keys), (before.lowest, before.keys));
    let at = desk.at(1.5, 66);
    desk.wheel(at, vec2(0.0, 60.0), Modifiers { alt: true, ..CTRL });
    let keys = zoom(&desk);
    assert!(keys.keys < after.keys && (keys.seconds - after.seconds).abs() < 1e-9, "{keys:?}");
    assert!((desk.plane().key(at.y) - 66.5).abs() < 0.2);
    desk.wheel(at, vec2(0.0, -900.0), CTRL);
    assert!((zoom(&desk).seconds - before.seconds).abs() < 1e-6, "never more than there is");
}

#[test]
fn wheel_and_middle_button_scroll() {
    let mut desk = close();
    let (at, before) = (desk.at(2.0, 66), zoom(&desk));
    desk.wheel(at, vec2(0.0, -30.0), NONE);
    let down = zoom(&desk);
    assert!(down.lowest < before.lowest && down.from == before.from, "{down:?}");
    desk.wheel(at, vec2(0.0, -30.0), Modifiers::SHIFT);
    let right = zoom(&desk);
    assert!(right.from > down.from && right.lowest == down.lowest, "{right:?}");
    let pulled = by(&desk, -0.3, 2);
    desk.pull(desk.at(right.from + 1.0, 66), pulled, PointerButton::Middle, NONE);
    let dragged = zoom(&desk);
    assert!((dragged.from - right.from - 0.3).abs() < 0.01, "{dragged:?}");
    assert!((right.lowest - dragged.lowest - 2.0).abs() < 0.1, "{dragged:?}");
    assert!(desk.edits().is_empty() && desk.roll.selected().is_empty());
}

#[test]
fn keys_zoom_and_tab_brings_notes_into_sight() {
    let mut desk = Desk::new();
    desk.click(desk.on(0), NONE);
    (0..5).for_each(|_| desk.key(Key::Plus, NONE));
    let closer = zoom(&desk);
    assert!(closer.seconds < 1.5, "{closer:?}");
    (0..6).for_each(|_| desk.key(Key::Tab, NONE));
    let there = zoom(&desk);
    assert!(there.from <= 3.0 && there.from + there.seconds >= 3.4, "{there:?}");
    desk.key(Key::Num0, NONE);
    assert_eq!(zoom(&desk).seconds, 10.0 * BEAT);
    desk.key(Key::Minus, NONE);
    assert_eq!(zoom(&desk).seconds, 10.0 * BEAT);
}

#[test]
fn a_double_click_on_the_bar_numbers_fits() {
    let mut desk = close();
    assert!(zoom(&desk).seconds < 4.0);
    let plot = desk.plane().rect;
    desk.double_click(plot.center_top() - vec2(0.0, 8.0));
    assert_eq!(zoom(&desk).seconds, 10.0 * BEAT);
    assert!(desk.edits().is_empty());
}

#[test]
fn closing_the_window_keeps_sight_and_selection() {
    let mut desk = close();
    desk.click(desk.on(4), NONE);
    let (before, selected) = (zoom(&desk), desk.roll.selected().to_vec());
    desk.reopen();
    assert_eq!(zoom(&desk), before);
    assert_eq!(desk.roll.selected(), selected);
    assert_eq!(selected.len(), 1);
}
