//! Thread: gui. The colours of the melody, all from the theme. What differs in meaning differs in shape, too: a note that was
//! corrected has a dot, a doubtful one a broken frame.

use crate::editor::theme;
use egui::{Color32, Ui};

/// What is drawn in which colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colours {
    /// Behind everything.
    pub background: Color32,
    /// Behind black keys.
    pub black_row: Color32,
    /// Bar lines, and lines between them.
    pub bar: Color32,
    pub beat: Color32,
    pub text: Color32,
    pub faint: Color32,
    pub note: Color32,
    /// Frame of a selected note, and of the picture while keys go to it.
    pub selection: Color32,
    /// The sung pitch.
    pub pitch: Color32,
    pub warning: Color32,
    pub playhead: Color32,
    /// Piano keys.
    pub white_key: Color32,
    pub black_key: Color32,
    pub key_name: Color32,
    /// Around what the keyboard is at.
    pub focus: Color32,
}

impl Colours {
    /// In the theme of a window.
    pub fn of(ui: &Ui) -> Self {
        let palette = theme::of(ui);
        Self {
            background: palette.background,
            black_row: palette.panel.gamma_multiply(0.6),
            bar: palette.line,
            beat: palette.raised,
            text: palette.text,
            faint: palette.faint,
            note: palette.note,
            selection: palette.selected,
            pitch: palette.pitch,
            warning: palette.warning,
            playhead: palette.playhead,
            white_key: palette.white_key,
            black_key: palette.black_key,
            key_name: palette.key_name,
            focus: palette.focus,
        }
    }
}
