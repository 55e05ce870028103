//! Thread: gui. A plugin that is nothing but handles, a place to drop on and the browser: how a foreign host and foreign windows
//! take to them can be tried without the rest of Cantus. `tests/validate/drag.sh` drives it.
//!
//! `CANTUS_DRAG_FILES` names the files (a colon between them), `CANTUS_DRAG_LOG` the file that is told what happens.

use cantus_drag::{
    Browser, Drag, DragState, DragWindow, OpenToDrops, Recent, copy_path, dropped, hovering, reveal, start,
};
use egui::{Button, Rect, Sense, Ui, pos2};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::ResizeHint;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug::prelude::*;
use nice_plug_egui::{
    EguiEditor, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier, baseview, create_egui_editor,
};
use std::fs::OpenOptions;
use std::io::Write;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[derive(Default, Params)]
struct NoParams {}

#[derive(Default)]
struct Probe {
    params: Arc<NoParams>,
}

/// The window.
struct ProbeWindow {
    files: Vec<PathBuf>,
    log: Option<PathBuf>,
    drag: Option<Drag>,
    drops: OpenToDrops,
    browser: Browser,
    hovered: bool,
    last: String,
}

impl ProbeWindow {
    fn new() -> Self {
        let files = std::env::var_os("CANTUS_DRAG_FILES").map(|files| std::env::split_paths(&files).collect());
        let log = std::env::var_os("CANTUS_DRAG_LOG").map(PathBuf::from);
        let recent =
            log.as_ref().map_or_else(Recent::of_this_session, |log| Recent::kept_in(log.with_extension("recent")));
        Self {
            files: files.unwrap_or_default(),
            log,
            drag: None,
            drops: OpenToDrops::default(),
            browser: Browser::new(recent),
            hovered: false,
            last: String::new(),
        }
    }

    fn tell(&mut self, what: String) {
        if let Some(mut log) =
            self.log.as_ref().and_then(|log| OpenOptions::new().append(true).create(true).open(log).ok())
        {
            writeln!(log, "{what}").ok();
        }
        self.last = what;
    }

    fn handle(&mut self, ui: &mut Ui, frame: &Frame, place: Rect, text: &str, count: usize) {
        if ui.put(place, Button::new(text).sense(Sense::click_and_drag())).drag_started() {
            let files: Vec<PathBuf> = self.files.iter().take(count).cloned().collect();
            match start(DragWindow::of(frame.baseview_window()), &files, text) {
                Ok(drag) => {
                    self.drag = Some(drag);
                    self.tell("drag began".into());
                }
                Err(why) => self.tell(format!("drag refused: {why}")),
            }
        }
    }
}

impl NiceEguiApp for ProbeWindow {
    fn build(&mut self, _: egui::Context, _: GuiContext, frame: &mut Frame) -> Result<(), baseview::HandlerError> {
        self.drops = OpenToDrops::of(DragWindow::of(frame.baseview_window()));
        self.tell("window opened".into());
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        ui.painter().rect_filled(ui.max_rect(), 0.0, egui::Color32::from_gray(30));
        let place = |x: f32, y: f32, width: f32| Rect::from_min_max(pos2(x, y), pos2(x + width, y + 40.0));
        self.handle(ui, frame, place(20.0, 20.0, 200.0), "Drag the first", 1);
        self.handle(ui, frame, place(240.0, 20.0, 200.0), "Drag all", usize::MAX);
        if let Some(file) = self.files.first().cloned() {
            if ui.put(place(20.0, 80.0, 200.0), Button::new("Copy path")).clicked() {
                copy_path(ui.ctx(), &file);
                self.tell("copied".into());
            }
            if ui.put(place(240.0, 80.0, 200.0), Button::new("Reveal")).clicked() {
                let told = reveal(&file);
                self.tell(format!("reveal {told:?}"));
            }
        }
        if let Some(ended) = self.drag.as_ref().map(Drag::poll).filter(|state| *state != DragState::Dragging) {
            self.drag = None;
            self.tell(format!("drag {ended:?}"));
        }
        let hovering = hovering(ui.ctx());
        if hovering.is_some() != self.hovered {
            self.hovered = hovering.is_some();
            self.tell(format!("hover {hovering:?}"));
        }
        if let Some(files) = dropped(ui.ctx()) {
            self.tell(format!("dropped {files:?}"));
        }
        let below = Rect::from_min_max(pos2(20.0, 140.0), ui.max_rect().max);
        ui.scope_builder(egui::UiBuilder::new().max_rect(below), |ui| {
            ui.label(&self.last);
            if let Some(file) = self.browser.show(ui) {
                self.tell(format!("opened {}", file.display()));
            }
        });
        ui.ctx().request_repaint_after(Duration::from_millis(33));
    }
}

impl Plugin for Probe {
    const NAME: &'static str = "Cantus drag probe";
    const VENDOR: &'static str = "Cantus";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[AudioIOLayout {
        main_input_channels: NonZeroU32::new(2),
        main_output_channels: NonZeroU32::new(2),
        ..AudioIOLayout::const_default()
    }];

    type Editor = EguiEditor<ProbeWindow>;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, _: AsyncExecutor<Self>) -> Option<Self::Editor> {
        let state = EguiEditorState::from_size(LogicalSize::new(640.0, 420.0), 1.0);
        let settings = EguiNiceSettings::new().with_tile("Cantus drag probe").with_resize_hint(ResizeHint::RESIZABLE);
        create_egui_editor(state, RepaintNotifier::default(), settings, ProbeWindow::new())
    }

    fn process(
        &mut self,
        _: &mut Buffer,
        _: &mut AuxiliaryBuffers,
        _: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        ProcessStatus::Normal
    }
}

impl ClapPlugin for Probe {
    const CLAP_ID: &'static str = "audio.cantus.drag-probe";
    const CLAP_DESCRIPTION: Option<&'static str> = None;
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = &[ClapFeature::AudioEffect];
}

nice_export_clap!(Probe);
