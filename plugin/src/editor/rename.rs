//! Thread: gui. A name while it is being typed, in the place of the name.

use egui::{Key, TextEdit, Ui};

/// How far typing is.
pub enum Renamed {
    /// It goes on.
    Typing,
    /// The name stays as it was.
    GivenUp,
    /// There is another name.
    To(String),
}

/// The field. It has the keyboard from the beginning; leaving it takes the name over, Escape or no name at all gives up.
pub fn rename_field(ui: &mut Ui, text: &mut String, width: f32) -> Renamed {
    let field = ui.add(TextEdit::singleline(text).desired_width(width));
    if !field.lost_focus() {
        if !field.has_focus() {
            field.request_focus();
        }
        return Renamed::Typing;
    }
    let name = text.trim();
    if name.is_empty() || ui.input(|input| input.key_pressed(Key::Escape)) {
        Renamed::GivenUp
    } else {
        Renamed::To(name.to_owned())
    }
}
