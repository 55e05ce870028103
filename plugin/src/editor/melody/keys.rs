//! Thread: gui. Keys, while the melody has the keyboard: it is clicked into or reached by Tab, and left by Escape. The host keeps
//! every other key, the space bar and the transport first of all, and also ours with modifiers we do not use.

use super::edits::Step;
use egui::{Event, Key, Modifiers, Ui};
use nice_plug_egui::Key as HostKey;

const NONE: Modifiers = Modifiers::NONE;
const SHIFT: Modifiers = Modifiers::SHIFT;
const COMMAND: Modifiers = Modifiers::COMMAND;
const COMMAND_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// Modifiers, the key as egui names it and as the web names it, and what it orders.
const KEYS: [(Modifiers, Key, &[&str], Step); 24] = [
    (SHIFT, Key::ArrowUp, &["ArrowUp"], Step::Octaves(1)),
    (SHIFT, Key::ArrowDown, &["ArrowDown"], Step::Octaves(-1)),
    (NONE, Key::ArrowUp, &["ArrowUp"], Step::Semitones(1)),
    (NONE, Key::ArrowDown, &["ArrowDown"], Step::Semitones(-1)),
    (NONE, Key::ArrowRight, &["ArrowRight"], Step::Nudge(1)),
    (NONE, Key::ArrowLeft, &["ArrowLeft"], Step::Nudge(-1)),
    (COMMAND, Key::ArrowRight, &["ArrowRight"], Step::Lengthen(1)),
    (COMMAND, Key::ArrowLeft, &["ArrowLeft"], Step::Lengthen(-1)),
    (NONE, Key::S, &["s"], Step::Split),
    (NONE, Key::J, &["j"], Step::Join),
    (NONE, Key::Q, &["q"], Step::Quantise),
    (NONE, Key::K, &["k"], Step::SnapToKey),
    (NONE, Key::Delete, &["Delete"], Step::Delete),
    (NONE, Key::Backspace, &["Backspace"], Step::Delete),
    (COMMAND_SHIFT, Key::Z, &["Z"], Step::Redo),
    (COMMAND, Key::Z, &["z"], Step::Undo),
    (COMMAND, Key::A, &["a"], Step::SelectAll),
    (SHIFT, Key::Tab, &["Tab"], Step::Previous),
    (NONE, Key::Tab, &["Tab"], Step::Next),
    (NONE, Key::Escape, &["Escape"], Step::Leave),
    (NONE, Key::Plus, &["+"], Step::ZoomIn),
    (NONE, Key::Equals, &["="], Step::ZoomIn),
    (NONE, Key::Minus, &["-"], Step::ZoomOut),
    (NONE, Key::Num0, &["0"], Step::Fit),
];
/// Signs that some keyboards have on a shifted key.
const SIGNS: [Key; 2] = [Key::Plus, Key::Equals];

/// Whether held modifiers are those of an entry: exactly, so that the host keeps its own combinations.
fn holds(held: Modifiers, wanted: Modifiers, key: Key) -> bool {
    let shift = held.shift == wanted.shift || SIGNS.contains(&key);
    let command = (held.command || held.ctrl) == wanted.command;
    shift && command && !held.alt
}

/// What was pressed since the last picture, in order; nobody else hears of it.
pub fn pressed(ui: &Ui) -> Vec<Step> {
    let mut steps = Vec::new();
    ui.input_mut(|input| {
        input.events.retain(|event| {
            let Event::Key { key, pressed: true, modifiers, .. } = event else { return true };
            let hit = KEYS.iter().find(|(wanted, ours, ..)| ours == key && holds(*modifiers, *wanted, *key));
            steps.extend(hit.map(|entry| entry.3));
            hit.is_none()
        });
    });
    steps
}

/// The keys that are kept from the host with these modifiers held.
pub fn kept(held: Modifiers) -> Vec<HostKey> {
    let ours = KEYS.iter().filter(|(wanted, key, ..)| holds(held, *wanted, *key));
    ours.flat_map(|(_, _, names, _)| *names).filter_map(|name| name.parse().ok()).collect()
}
