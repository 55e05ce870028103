//! Any hands at all: whatever is pressed, dragged, scrolled and typed, the melody stays one, and undoing gives back what was heard.

use super::desk::{Desk, KEYS};
use egui::{Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, TouchPhase, pos2, vec2};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

const PICTURES: usize = 600;
const BUTTONS: [PointerButton; 3] = [PointerButton::Primary, PointerButton::Middle, PointerButton::Secondary];
const PRESSED: [Key; 16] = [
    Key::ArrowUp,
    Key::ArrowDown,
    Key::ArrowLeft,
    Key::ArrowRight,
    Key::S,
    Key::J,
    Key::Q,
    Key::K,
    Key::Delete,
    Key::Z,
    Key::A,
    Key::Tab,
    Key::Escape,
    Key::Plus,
    Key::Minus,
    Key::Space,
];

fn event(random: &mut ChaCha8Rng) -> Event {
    let mut below = |most: u32| random.next_u32() % most;
    let bit = |bits: u32, place: u32| bits >> place & 1 == 1;
    let bits = if below(3) == 0 { below(8) } else { 0 };
    let modifiers =
        Modifiers { alt: bit(bits, 0), shift: bit(bits, 1), ctrl: bit(bits, 2), command: bit(bits, 2), mac_cmd: false };
    // A little beyond the window, too.
    let at = pos2(below(1_100) as f32 - 50.0, below(720) as f32 - 50.0);
    match below(8) {
        0..=2 => Event::PointerMoved(at),
        3 | 4 => {
            let (button, pressed) = (BUTTONS[below(12).saturating_sub(9) as usize], below(2) == 0);
            Event::PointerButton { pos: at, button, pressed, modifiers }
        }
        5 => Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(below(200) as f32 - 100.0, below(200) as f32 - 100.0),
            phase: TouchPhase::Move,
            modifiers,
            source: MouseWheelSource::Unknown,
        },
        6 => {
            let key = PRESSED[below(PRESSED.len() as u32) as usize];
            Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
        }
        _ => match below(10) {
            0 => Event::PointerGone,
            _ => Event::ModifiersChanged(modifiers),
        },
    }
}

#[test]
fn no_hands_can_spoil_the_melody() {
    let mut corrected = 0;
    for seed in 0..6 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut desk = Desk::new();
        for picture in 0..PICTURES {
            let events = (0..1 + random.next_u32() % 4).map(|_| event(&mut random)).collect();
            desk.picture(events);
            let notes = desk.notes();
            let in_order = notes.windows(2).all(|pair| pair[0].offset.0 <= pair[1].onset.0 + 1e-5);
            assert!(in_order, "seed {seed}, picture {picture}: {notes:?}");
            let zoom = desk.plane().zoom;
            let in_sight = zoom.from >= 0.0 && zoom.from + zoom.seconds <= 5.0 + 1e-6 && zoom.keys >= 6.0;
            assert!(in_sight, "seed {seed}, picture {picture}: {zoom:?}");
        }
        corrected += desk.edits().len();
        while desk.instance.view().corrections.can_undo {
            desk.instance.undo_edit();
        }
        assert_eq!(desk.keys(), KEYS, "seed {seed}");
    }
    assert!(corrected > 20, "the hands did next to nothing: {corrected} corrections");
}
