//! Thread: gui. The whole flow in one picture, while there is no melody yet: what to do, in order, and a hum to try it with.

use super::icon::{self, Icon};
use super::{Window, theme};
use cantus_engine::data_dir::data_dir;
use cantus_engine::instance::view::View;
use cantus_engine::time::{Bpm, Metre};
use egui::{Align, Align2, Button, FontId, Layout, Rect, RichText, Stroke, Ui, UiBuilder, pos2, vec2};
use std::path::PathBuf;

/// The demo hum: eight bars at 100 BPM, made for this project.
const HUM: &[u8] = include_bytes!("../../../assets/demo/hum.flac");
const HUM_TEMPO: Bpm = Bpm(100.0);

const STEPS: [(Icon, &str, &str); 4] = [
    (Icon::Voice, "Hum", "Loop the bars, press Capture,\nplay, and hum your tune."),
    (Icon::Note, "See", "Check the notes that were\nheard; mend what is wrong."),
    (Icon::Dice, "Choose", "Take a style or say it in\nyour words, then Generate."),
    (Icon::Play, "Hear", "It plays in your song.\nKeep it, or drag it out."),
];

impl Window {
    pub(super) fn first_run(&mut self, ui: &mut Ui, view: &View) {
        let whole = ui.max_rect();
        let palette = theme::of(ui);
        let width = (whole.width() / 4.0).min(190.0);
        let height = (whole.height() - 60.0).clamp(90.0, 170.0);
        let left = whole.center().x - width * 2.0;
        let top = whole.center().y - height / 2.0 - 30.0;
        for (index, (sign, word, text)) in STEPS.into_iter().enumerate() {
            let card = Rect::from_min_size(pos2(left + width * index as f32, top), vec2(width, height)).shrink(5.0);
            let painter = ui.painter_at(whole);
            painter.rect_filled(card, 8.0, palette.panel);
            painter.rect_stroke(card, 8.0, Stroke::new(1.0, palette.line), egui::StrokeKind::Inside);
            let side = (height * 0.2).clamp(16.0, 30.0);
            let sign_place =
                Rect::from_center_size(pos2(card.center().x, card.top() + height * 0.22), vec2(side, side));
            icon::draw(&painter, sign, sign_place, palette.accent);
            let title = format!("{}  {word}", index + 1);
            let at = pos2(card.center().x, card.top() + height * 0.45);
            painter.text(at, Align2::CENTER_CENTER, title, FontId::proportional(16.0), palette.text);
            let at = pos2(card.center().x, card.top() + height * 0.57);
            for (index, line) in text.lines().enumerate() {
                let at = at + vec2(0.0, index as f32 * 15.0);
                painter.text(at, Align2::CENTER_TOP, line, FontId::proportional(11.5), palette.faint);
            }
        }
        let below = Rect::from_min_max(pos2(whole.left(), top + height + 8.0), whole.max);
        let mut row = ui.new_child(UiBuilder::new().max_rect(below).layout(Layout::top_down(Align::Center)));
        if let Some(progress) = &view.analysing {
            let words = format!("Listening to the melody: {:.0} %", progress.fraction * 100.0);
            row.add(egui::ProgressBar::new(progress.fraction).desired_width(260.0).text(words));
            return;
        }
        let text = RichText::new("Try it with a hum that is built in").color(palette.on_accent);
        if row.add(Button::new(text).fill(palette.accent_fill).min_size(vec2(250.0, 30.0))).clicked() {
            self.open_demo();
        }
        if row.button("Open a recording or MIDI file").clicked() {
            self.open_files();
        }
        row.colored_label(palette.faint, "or drop one on the window");
    }

    /// Opens the built-in hum as if it had been captured.
    fn open_demo(&self) {
        match demo_file() {
            Ok(path) => self.instance.open_file(path, Some(HUM_TEMPO), Metre::default()),
            Err(error) => self.instance.tell(format!("The built-in hum could not be put on the disk: {error}.")),
        }
    }
}

/// The hum as a file, which is what the way of recordings begins with.
fn demo_file() -> std::io::Result<PathBuf> {
    let folder = data_dir().unwrap_or_else(std::env::temp_dir).join("demo");
    let file = folder.join("Ode to Joy, hummed.flac");
    if std::fs::metadata(&file).is_ok_and(|known| known.len() == HUM.len() as u64) {
        return Ok(file);
    }
    std::fs::create_dir_all(&folder)?;
    std::fs::write(&file, HUM)?;
    Ok(file)
}
