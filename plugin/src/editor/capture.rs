//! Thread: gui. The capture strip: level, position, what to capture, and the one big button.

use super::icon::{self, Icon};
use super::{Window, theme};
use crate::params::{CaptureLength, InputSource};
use cantus_engine::capture::collector::{CaptureMode, CaptureState, EarSnapshot};
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::instance::view::View;
use cantus_engine::time::{Bpm, Metre};
use egui::{Align, Button, ComboBox, DragValue, Layout, Rect, RichText, Sense, Ui, vec2};

/// The level meter's range.
const METER_DB: f32 = 60.0;

impl Window {
    pub(super) fn capture_strip(&mut self, ui: &mut Ui, view: &View) {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Cantus").size(22.0).strong());
            ui.add_space(8.0);
            self.capture_button(ui, view.ear.as_ref());
            self.capture_choices(ui);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(ear) = &view.ear {
                    meter(ui, ear.level_dbfs);
                    ui.label(RichText::new(position(&ear.stamp)).monospace());
                }
            });
        });
        self.recovered(ui, view);
    }

    fn capture_button(&mut self, ui: &mut Ui, ear: Option<&EarSnapshot>) {
        let state = ear.map_or(CaptureState::Idle, |ear| ear.capture);
        let (text, fill) = match state {
            CaptureState::Idle => ("Capture".to_owned(), theme::of(ui).raised),
            CaptureState::Armed { mode: CaptureMode::LoopRegion } => {
                let there = ear.is_some_and(|ear| ear.stamp.loop_beats.is_some());
                let text = if there { "Waiting for the loop to start" } else { "Set a loop in your song" };
                (text.to_owned(), theme::of(ui).warning.gamma_multiply(0.5))
            }
            CaptureState::Armed { .. } => ("Waiting for the bar".to_owned(), theme::of(ui).warning.gamma_multiply(0.5)),
            CaptureState::Recording { recorded, .. } => {
                (format!("Recording, {:.1} s", recorded.0), theme::of(ui).record.gamma_multiply(0.8))
            }
        };
        // The sign stands before the words.
        let button =
            Button::new(RichText::new(format!("      {text}")).size(15.0)).fill(fill).min_size(vec2(210.0, 34.0));
        let response = ui.add(button).on_hover_text("Arm or stop a capture");
        let sign = Rect::from_center_size(response.rect.left_center() + vec2(18.0, 0.0), vec2(12.0, 12.0));
        let icon = if matches!(state, CaptureState::Recording { .. }) { Icon::Stop } else { Icon::Record };
        icon::draw(ui.painter(), icon, sign, theme::of(ui).text);
        if response.clicked() {
            match state {
                CaptureState::Idle if self.params.capture.value() => self.instance.arm(self.params.capture_order()),
                CaptureState::Idle => self.set(&self.params.capture, true),
                CaptureState::Recording { mode: CaptureMode::Free, .. } => self.set(&self.params.capture, false),
                CaptureState::Armed { .. } | CaptureState::Recording { .. } => {
                    self.instance.cancel_capture();
                    self.set(&self.params.capture, false);
                }
            }
        }
        // A capture that ended by itself leaves the switch on; it is put back once, so that the next press arms again.
        let finished = ear.map_or(0, |ear| ear.finished_captures);
        if finished != self.finished_captures {
            self.finished_captures = finished;
            if state == CaptureState::Idle && self.params.capture.value() {
                self.set(&self.params.capture, false);
            }
        }
    }

    fn capture_choices(&self, ui: &mut Ui) {
        let mode = self.params.capture_mode.value();
        ComboBox::from_id_salt("mode").selected_text(self.params.capture_mode.to_string()).show_ui(ui, |ui| {
            for (choice, text) in [
                (CaptureLength::Loop, "Loop region"),
                (CaptureLength::Bars, "Next bars"),
                (CaptureLength::Free, "Free"),
            ] {
                if ui.selectable_label(mode == choice, text).clicked() {
                    self.set(&self.params.capture_mode, choice);
                }
            }
        });
        if mode == CaptureLength::Bars {
            let mut bars = self.params.capture_bars.value();
            if ui.add(DragValue::new(&mut bars).range(1..=64).suffix(" bars")).changed() {
                self.set(&self.params.capture_bars, bars);
            }
        }
        let input = self.params.input.value();
        ComboBox::from_id_salt("input").width(84.0).selected_text(self.params.input.to_string()).show_ui(ui, |ui| {
            for (choice, text) in [(InputSource::Main, "Track"), (InputSource::Sidechain, "Sidechain")] {
                if ui.selectable_label(input == choice, text).clicked() {
                    self.set(&self.params.input, choice);
                }
            }
        });
        let mut offset = self.params.input_offset.value();
        let drag = DragValue::new(&mut offset).range(0.0..=500.0).speed(0.2).max_decimals(1).suffix(" ms");
        let hint = "Input offset: how late you hear yourself. Live captures are shifted back by it.";
        if ui.add(drag).on_hover_text(hint).changed() {
            self.set(&self.params.input_offset, offset);
        }
    }

    fn recovered(&mut self, ui: &mut Ui, view: &View) {
        for (index, words) in view.recovered.iter().enumerate() {
            ui.horizontal(|ui| {
                ui.colored_label(theme::of(ui).warning, format!("Saved from an interrupted session: {words}"));
                if ui.button("Use it").clicked() {
                    self.instance.restore_recovered(index);
                }
                if ui.button("Discard").clicked() {
                    self.instance.discard_recovered(index);
                }
            });
        }
    }

    /// Opening a recording by its path, until there is a dialog.
    pub(super) fn open_by_path(&mut self, ui: &mut Ui, tempo: Option<Bpm>, metre: Metre) {
        ui.horizontal(|ui| {
            let field =
                egui::TextEdit::singleline(&mut self.path).hint_text("path of a recording").desired_width(210.0);
            let entered = ui.add(field).lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            if (ui.button("Open").clicked() || entered) && !self.path.trim().is_empty() {
                self.instance.open_file(self.path.trim().into(), tempo, metre);
            }
        });
    }
}

fn meter(ui: &mut Ui, level_dbfs: f32) {
    let (rect, _) = ui.allocate_exact_size(vec2(110.0, 12.0), Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, 3.0, theme::of(ui).background);
    let fraction = ((level_dbfs + METER_DB) / METER_DB).clamp(0.0, 1.0);
    let mut filled = rect;
    filled.set_width(rect.width() * fraction);
    painter.rect_filled(filled, 3.0, if level_dbfs > -1.0 { theme::of(ui).record } else { theme::of(ui).note });
}

fn position(stamp: &TransportStamp) -> String {
    let metre = stamp.metre.unwrap_or_default();
    let bar = stamp.beats.map_or_else(
        || "-.-".to_owned(),
        |beats| {
            let bar = (beats / metre.bar().0).floor();
            let count = (beats - bar * metre.bar().0) * f64::from(metre.denominator) / 4.0;
            format!("{}.{}", bar + 1.0, count.floor() + 1.0)
        },
    );
    let tempo = stamp.tempo.map_or_else(|| "no tempo".to_owned(), |tempo| format!("{:.1} BPM", tempo.0));
    let state = if stamp.playing { "playing" } else { "stopped" };
    format!("{state} {bar:>7}  {tempo}  {}/{}", metre.numerator, metre.denominator)
}
