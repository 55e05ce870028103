//! What a screen reader finds: the melody and a node for every note in sight, with name, length and certainty.

use super::desk::{Desk, KEYS};
use egui::Modifiers;

/// The labels of all nodes.
fn labels(desk: &mut Desk) -> Vec<String> {
    let mut labels = Vec::new();
    desk.picture_of(Vec::new(), &mut |output| {
        let update = output.accesskit_update.as_ref();
        labels = update
            .into_iter()
            .flat_map(|update| &update.nodes)
            .filter_map(|(_, node)| node.label().map(Into::into))
            .collect();
    });
    labels
}

#[test]
fn notes_can_be_read_by_those_who_do_not_see_them() {
    let mut desk = Desk::new();
    assert!(labels(&mut desk).is_empty(), "nobody reads, nothing is written");
    desk.context.enable_accesskit();
    desk.click(desk.on(4), Modifiers::NONE);
    let found = labels(&mut desk);
    let notes: Vec<&String> =
        found.iter().filter(|label| label.contains("% sure") && label.contains("beats")).collect();
    assert!(notes.len() >= KEYS.len(), "{found:?}");
    for name in ["C4", "D4", "E4", "F4", "G4", "A4", "B4", "C5"] {
        assert!(notes.iter().any(|label| label.starts_with(name)), "{name}: {notes:?}");
    }
    assert!(found.iter().any(|label| label.starts_with("Melody, 8 notes, 1 selected. G4")), "{found:?}");
}
