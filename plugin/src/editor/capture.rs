//! Thread: gui. The capture strip: the two big buttons, what they capture, where the song is, and the level.

use super::browser::label;
use super::icon::{self, Icon};
use super::{Window, theme};
use crate::params::{CaptureLength, InputSource, RecallUnit};
use cantus_engine::capture::collector::{CaptureMode, CaptureState, EarSnapshot};
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::instance::view::View;
use egui::{Align, Button, ComboBox, DragValue, Layout, Rect, RichText, Sense, Ui, vec2};
use nice_plug::prelude::{Enum, EnumParam, IntParam};

/// The level meter's range.
const METER_DB: f32 = 60.0;
/// Height of the buttons of the first row.
const BIG: f32 = 34.0;

impl Window {
    pub(super) fn capture_strip(&mut self, ui: &mut Ui, view: &View) {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Cantus").size(21.0).strong());
            ui.add_space(4.0);
            self.capture_button(ui, view.ear.as_ref());
            self.recall_button(ui, view.ear.as_ref());
            if view.take.is_some() && icon::button(ui, Icon::Open, "Open a recording or MIDI file instead").clicked() {
                self.open_files();
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(ear) = &view.ear {
                    meter(ui, ear.level_dbfs);
                    position(ui, &ear.stamp);
                }
            });
        });
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            self.capture_choices(ui, view);
            self.pass_choice(ui, view);
        });
        self.recovered(ui, view);
    }

    fn capture_button(&mut self, ui: &mut Ui, ear: Option<&EarSnapshot>) {
        let palette = theme::of(ui);
        let state = ear.map_or(CaptureState::Idle, |ear| ear.capture);
        let (text, fill, ink) = match state {
            CaptureState::Idle => ("Capture".to_owned(), palette.raised, palette.text),
            CaptureState::Armed { mode: CaptureMode::LoopRegion } => {
                let there = ear.is_some_and(|ear| ear.stamp.loop_beats.is_some());
                let text = if there { "Waiting for the loop" } else { "Set a loop in your song" };
                (text.to_owned(), palette.warning_fill, palette.on_accent)
            }
            CaptureState::Armed { .. } => ("Waiting for the bar".to_owned(), palette.warning_fill, palette.on_accent),
            CaptureState::Recording { recorded, .. } => {
                (format!("Recording  {:.1} s", recorded.0), palette.record_fill, palette.on_accent)
            }
        };
        let recording = matches!(state, CaptureState::Recording { .. });
        let sign = if recording { Icon::Stop } else { Icon::Record };
        let hint = match state {
            CaptureState::Idle => "Waits for the melody and records it",
            CaptureState::Recording { mode: CaptureMode::Free, .. } => "Ends the capture and keeps it",
            _ => "Ends the capture and forgets it",
        };
        let response = big_button(ui, 204.0, &text, fill, ink, sign).on_hover_text(hint);
        if response.clicked() {
            match state {
                CaptureState::Idle if self.params.capture.value() => self.instance.arm(self.params.capture_order()),
                CaptureState::Idle => self.set(&self.params.capture, true),
                CaptureState::Recording { mode: CaptureMode::Free, .. } => {
                    self.instance.stop_capture();
                    self.set(&self.params.capture, false);
                }
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

    /// "What I just hummed": always listening, so that nothing is lost because nobody pressed a button.
    fn recall_button(&mut self, ui: &mut Ui, ear: Option<&EarSnapshot>) {
        let palette = theme::of(ui);
        let heard = ear.is_some_and(|ear| ear.history_seconds > 0.5);
        let ink = if heard { palette.text } else { palette.faint };
        let button = ui
            .add_enabled_ui(heard, |ui| big_button(ui, 172.0, "What I just hummed", palette.raised, ink, Icon::Recall));
        let hint = "Takes the last bars or seconds that were heard, playing or not";
        if button.inner.on_hover_text(hint).on_disabled_hover_text("Nothing was heard yet").clicked() {
            self.recall();
        }
    }

    fn capture_choices(&mut self, ui: &mut Ui, view: &View) {
        let mode = self.params.capture_mode.value();
        self.choice(
            ui,
            &self.params.capture_mode,
            "mode",
            "How much of the song a capture takes",
            96.0,
            &[(CaptureLength::Loop, "Loop region"), (CaptureLength::Bars, "Next bars"), (CaptureLength::Free, "Free")],
        );
        if mode == CaptureLength::Bars {
            self.number(ui, &self.params.capture_bars, 1..=64, " bars", "How many bars");
            let count_in = "Bars that are counted before the capture begins";
            self.number(ui, &self.params.count_in, 0..=4, " bars count-in", count_in);
        }
        let auto = self.params.auto_arm.value();
        let hint = "Arms a capture whenever the song begins to play";
        if ui.add(Button::selectable(auto, "arm on play")).on_hover_text(hint).clicked() {
            self.set(&self.params.auto_arm, !auto);
        }
        ui.separator();
        self.caption(ui, "just hummed");
        let bars = self.params.recall_unit.value() == RecallUnit::Bars;
        self.number(ui, &self.params.recall_length, 1..=64, "", "How much \"what I just hummed\" is");
        let other = if bars { RecallUnit::Seconds } else { RecallUnit::Bars };
        ui.spacing_mut().item_spacing.x = 6.0;
        let words = if bars { "bars" } else { "seconds" };
        if ui.button(words).on_hover_text("Count it in bars or in seconds").clicked() {
            self.set(&self.params.recall_unit, other);
        }
        ui.separator();
        self.caption(ui, "input");
        self.choice(
            ui,
            &self.params.input,
            "input",
            "Where the melody comes in",
            76.0,
            &[(InputSource::Main, "Track"), (InputSource::Sidechain, "Sidechain")],
        );
        let mut offset = self.params.input_offset.value();
        let drag = DragValue::new(&mut offset).range(0.0..=500.0).speed(0.2).max_decimals(1).suffix(" ms late");
        let hint = "Input offset: how late you hear yourself. Live captures are shifted back by it.";
        let field = ui.add(drag).on_hover_text(hint);
        if field.changed() {
            self.set(&self.params.input_offset, offset);
        }
        self.measure_button(ui, view);
    }

    /// The passes of the loop that was captured last: the last one counts unless another is chosen.
    fn pass_choice(&self, ui: &mut Ui, view: &View) {
        if view.passes.len() < 2 {
            return;
        }
        ui.separator();
        self.caption(ui, "pass");
        for pass in &view.passes {
            let hint = "This pass of the loop is the take";
            if ui.add(Button::selectable(pass.is_take, format!("{}", pass.number))).on_hover_text(hint).clicked() {
                self.instance.choose_pass(pass.number);
            }
        }
    }

    fn caption(&self, ui: &mut Ui, text: &str) {
        ui.colored_label(theme::of(ui).faint, text);
    }

    fn choice<T: Enum + PartialEq + Copy + 'static>(
        &self,
        ui: &mut Ui,
        param: &EnumParam<T>,
        salt: &str,
        hint: &str,
        width: f32,
        rows: &[(T, &str)],
    ) {
        let now = param.value();
        let text = rows.iter().find(|(row, _)| *row == now).map_or("", |(_, text)| *text);
        let shown = ComboBox::from_id_salt(salt).width(width).selected_text(text).show_ui(ui, |ui| {
            for (row, text) in rows {
                if ui.selectable_label(now == *row, *text).clicked() {
                    self.set(param, *row);
                }
            }
        });
        shown.response.on_hover_text(hint);
    }

    fn number(&self, ui: &mut Ui, param: &IntParam, range: std::ops::RangeInclusive<i32>, suffix: &str, hint: &str) {
        let mut value = param.value();
        let field = ui.add(DragValue::new(&mut value).range(range).suffix(suffix));
        if field.on_hover_text(hint).changed() {
            self.set(param, value);
        }
    }

    fn recovered(&mut self, ui: &mut Ui, view: &View) {
        for (index, words) in view.recovered.iter().take(3).enumerate() {
            ui.horizontal(|ui| {
                super::status::warning(ui, &format!("Saved from an interrupted session: {words}"));
                if ui.button("Use it").clicked() {
                    self.instance.restore_recovered(index);
                }
                if ui.button("Discard").clicked() {
                    self.instance.discard_recovered(index);
                }
            });
        }
    }
}

/// A button with a sign before its words.
fn big_button(
    ui: &mut Ui,
    width: f32,
    text: &str,
    fill: egui::Color32,
    ink: egui::Color32,
    sign: Icon,
) -> egui::Response {
    let words = RichText::new(format!("      {text}")).size(14.5).color(ink);
    let response = ui.add(Button::new(words).fill(fill).min_size(vec2(width, BIG)));
    let place = Rect::from_center_size(response.rect.left_center() + vec2(17.0, 0.0), vec2(13.0, 13.0));
    icon::draw(ui.painter(), sign, place, ink);
    response
}

/// Colour, length and a tick at the loudest: too loud is told by the word, too.
fn meter(ui: &mut Ui, level_dbfs: f32) {
    let palette = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(104.0, 14.0), Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, 3.0, palette.background);
    let fraction = ((level_dbfs + METER_DB) / METER_DB).clamp(0.0, 1.0);
    let mut filled = rect;
    filled.set_width(rect.width() * fraction);
    let clips = level_dbfs > -1.0;
    painter.rect_filled(filled, 3.0, if clips { palette.record } else { palette.note });
    for db in [-48.0, -36.0, -24.0, -12.0] {
        let x = rect.left() + rect.width() * (db + METER_DB) / METER_DB;
        painter.vline(x, rect.bottom() - 4.0..=rect.bottom(), egui::Stroke::new(1.0, palette.line));
    }
    if clips {
        painter.text(
            rect.center(),
            egui::Align2::CENTER_CENTER,
            "too loud",
            egui::FontId::proportional(10.5),
            palette.background,
        );
    }
    let words =
        if level_dbfs < -METER_DB { "Input: silence".to_owned() } else { format!("Input: {level_dbfs:.0} dBFS") };
    label(&response, &words);
    response.on_hover_text(words);
}

/// Bar and beat, tempo and metre.
fn position(ui: &mut Ui, stamp: &TransportStamp) {
    let palette = theme::of(ui);
    let metre = stamp.metre.unwrap_or_default();
    let bar = stamp.beats.map_or_else(
        || "–.–".to_owned(),
        |beats| {
            let bar = (beats / metre.bar().0).floor();
            let count = (beats - bar * metre.bar().0) * f64::from(metre.denominator) / 4.0;
            format!("{}.{}", bar + 1.0, count.floor() + 1.0)
        },
    );
    let tempo = stamp.tempo.map_or_else(|| "no tempo".to_owned(), |tempo| format!("{:.1} BPM", tempo.0));
    let facts = format!("{tempo}  {}/{}", metre.numerator, metre.denominator);
    ui.colored_label(palette.faint, RichText::new(facts).size(12.5));
    ui.label(RichText::new(bar).monospace().size(16.0));
    let (sign, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
    icon::draw(ui.painter(), if stamp.playing { Icon::Play } else { Icon::Stop }, sign, palette.faint);
}
