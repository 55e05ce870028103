//! Thread: gui. The window: capture, melody, style, variations, in the order of the flow.

mod band;
mod capture;
mod engine;
mod icon;
pub mod melody;
mod style;
mod theme;
mod variations;

use crate::dirty::Dirty;
use crate::params::CantusParams;
use cantus_engine::instance::Instance;
use egui::{CentralPanel, Frame as Area, Margin, Panel, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::ResizeHint;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::prelude::{BoolParam, Param, ParamSetter};
use nice_plug_egui::{
    EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, baseview, create_egui_editor,
};
use std::sync::Arc;
use std::time::Duration;

/// The editor type that the plugin names.
pub type CantusEditor = EguiEditor<Window>;

/// Size at first opening, in logical pixels.
const SIZE: (f32, f32) = (1080.0, 740.0);

/// Time between pictures while nothing is touched: meters and progress move smoothly enough.
const REFRESH: Duration = Duration::from_millis(33);

/// Everything the window needs.
pub struct Window {
    params: Arc<CantusParams>,
    instance: Arc<Instance>,
    dirty: Arc<Dirty>,
    host: Option<GuiContext>,
    /// The prompt while it is being typed.
    prompt: String,
    /// The song's chords while they are being typed, and what is wrong with them.
    chords: String,
    chord_mistake: Option<String>,
    /// A variation's name while it is being typed.
    renaming: Option<(u64, String)>,
    /// A file to open, while its path is being typed.
    path: String,
    /// The melody's zoom, selection and tools.
    roll: melody::Roll,
    /// Captures that had ended when the window last looked.
    finished_captures: u64,
}

/// Makes the editor; opens no window yet.
pub fn create(params: Arc<CantusParams>, instance: Arc<Instance>, dirty: Arc<Dirty>) -> Option<CantusEditor> {
    let window = Window {
        params,
        instance,
        dirty,
        host: None,
        prompt: String::new(),
        chords: String::new(),
        chord_mistake: None,
        renaming: None,
        path: String::new(),
        roll: melody::Roll::default(),
        finished_captures: 0,
    };
    let state = EguiEditorState::from_size(LogicalSize::new(SIZE.0, SIZE.1), 1.0);
    let settings = EguiNiceSettings::new().with_tile("Cantus").with_resize_hint(ResizeHint::RESIZABLE);
    create_egui_editor(state, RepaintNotifier::default(), settings, window)
}

impl NiceEguiApp for Window {
    fn build(
        &mut self,
        context: egui::Context,
        host: GuiContext,
        _frame: &mut Frame,
    ) -> Result<(), baseview::HandlerError> {
        theme::apply(&context);
        self.host = Some(host);
        self.prompt = self.instance.prompt();
        self.chords = self.instance.view().song.typed;
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        let view = self.instance.view();
        if let Some(host) = &self.host {
            self.dirty.mark_by_parameter(&self.params, host);
        }
        if !ui.memory(|memory| memory.focused().is_some()) {
            self.prompt.clone_from(&view.prompt);
        }
        let bar = Area::new().fill(theme::PANEL).inner_margin(Margin::same(12));
        Panel::top("capture").frame(bar).show_separator_line(false).show(ui, |ui| self.capture_strip(ui, &view));
        Panel::bottom("status").frame(bar.inner_margin(Margin::symmetric(12, 6))).show(ui, |ui| status(ui, &view));
        Panel::right("style").frame(bar).resizable(false).exact_size(330.0).show(ui, |ui| self.style_view(ui, &view));
        Panel::bottom("variations").frame(bar).resizable(true).default_size(236.0).show(ui, |ui| {
            self.variation_list(ui, &view);
        });
        CentralPanel::default()
            .frame(Area::new().fill(theme::BACKGROUND).inner_margin(Margin::same(8)))
            .show(ui, |ui| self.roll.show(ui, &view, &self.instance));
        // The host keeps its space bar and transport keys unless somebody is typing here.
        frame.set_key_capture(self.roll.key_capture(ui.ctx().text_edit_focused()));
        ui.ctx().request_repaint_after(REFRESH);
    }

    fn editor_closed(&mut self) {
        self.host = None;
    }
}

impl Window {
    /// Sets a parameter through the host, as a gesture.
    fn set<P: Param>(&self, param: &P, value: P::Plain) {
        if let Some(host) = &self.host {
            let setter: ParamSetter = host.param_setter();
            setter.begin_set_parameter(param);
            setter.set_parameter(param, value);
            setter.end_set_parameter(param);
        }
    }

    /// A check box for a parameter.
    fn toggle(&self, ui: &mut Ui, param: &BoolParam, text: &str, hint: &str) {
        let mut on = param.value();
        if ui.checkbox(&mut on, text).on_hover_text(hint).changed() {
            self.set(param, on);
        }
    }
}

/// What happened last, and the state of the audio path.
fn status(ui: &mut Ui, view: &cantus_engine::instance::view::View) {
    ui.horizontal(|ui| {
        match view.messages.last() {
            Some(message) => ui.colored_label(theme::TEXT, message),
            None => ui.colored_label(theme::FAINT, "Ready."),
        };
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if let Some(ear) = &view.ear {
                ui.colored_label(theme::FAINT, format!("{:.0} s remembered", ear.history_seconds));
                if ear.overruns > 0 {
                    ui.colored_label(theme::WARNING, format!("{} frames lost to overruns", ear.overruns));
                }
            }
        });
    });
}
