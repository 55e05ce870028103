//! Keys: the host keeps its space bar, and everything can be reached without a mouse.

use super::screens::screen::Screen;
use super::screens::states::Desk;
use cantus_engine::instance::view::View;
use egui::{Event, Id, Key, Modifiers};
use nice_plug_egui::KeyCapture;
use std::collections::HashSet;

fn press(key: Key) -> Vec<Event> {
    let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE };
    vec![event(true), event(false)]
}

fn screen(desk: &Desk) -> (Screen, View) {
    let view = desk.view();
    let mut screen = Screen::new(desk.instance.clone(), (1080.0, 740.0), 1.0, true);
    screen.picture(&view);
    (screen, view)
}

fn focused(screen: &Screen) -> Option<Id> {
    screen.context.memory(|memory| memory.focused())
}

#[test]
fn tab_visits_everything_from_capture_to_status_and_comes_round() {
    let desk = Desk::new();
    let (mut screen, view) = screen(&desk);
    let mut seen = HashSet::new();
    let mut tops = Vec::new();
    for _ in 0..200 {
        screen.frame(&view, press(Key::Tab));
        screen.frame(&view, Vec::new());
        let Some(id) = focused(&screen) else { continue };
        if !seen.insert(id) {
            break;
        }
        if let Some(response) = screen.context.read_response(id) {
            tops.push(response.rect.center());
        }
    }
    assert!(seen.len() > 40, "only {} controls can be reached", seen.len());
    let first_in = |area: fn(&egui::Pos2) -> bool| tops.iter().position(area).unwrap();
    let capture = first_in(|at| at.y < 92.0);
    let style = first_in(|at| at.x > 750.0 && at.y > 92.0 && at.y < 700.0);
    let status = first_in(|at| at.y > 708.0);
    assert!(capture < style && style < status, "{capture} {style} {status}");
}

#[test]
fn the_space_bar_presses_nothing_and_enter_does() {
    let desk = Desk::new();
    let (mut screen, view) = screen(&desk);
    let before = screen.window.preferences().clone();
    // Every control in turn: the space bar must change nothing the window knows.
    for _ in 0..80 {
        screen.frame(&view, press(Key::Tab));
        if !screen.context.text_edit_focused() {
            screen.frame(&view, press(Key::Space));
        }
    }
    assert_eq!(*screen.window.preferences(), before);
    assert!(screen.window.sheet().is_none());
    let mut opened = false;
    for _ in 0..200 {
        screen.frame(&view, press(Key::Tab));
        if !screen.context.text_edit_focused() && !opened {
            screen.frame(&view, press(Key::Enter));
        }
        opened |= screen.window.sheet().is_some();
    }
    assert!(opened, "no sheet could be opened by keyboard");
}

#[test]
fn the_host_gets_its_keys_until_somebody_types() {
    let desk = Desk::new();
    let (mut screen, view) = screen(&desk);
    assert_eq!(screen.keys, Some(KeyCapture::IgnoreAll));
    for _ in 0..60 {
        screen.frame(&view, press(Key::Tab));
        screen.frame(&view, Vec::new());
        if screen.context.text_edit_focused() {
            break;
        }
        let space: nice_plug_egui::Key = " ".parse().unwrap();
        let takes_space = match screen.keys.as_ref().unwrap() {
            KeyCapture::CaptureAll => true,
            KeyCapture::CaptureKeys(keys) => keys.contains(&space),
            KeyCapture::IgnoreAll => false,
            KeyCapture::IgnoreKeys(keys) => !keys.contains(&space),
        };
        assert!(!takes_space, "a button keeps the space bar from the host");
    }
    assert!(screen.context.text_edit_focused(), "no text field was reached");
    assert_eq!(screen.keys, Some(KeyCapture::CaptureAll));
}
