//! Thread: gui. The window: capture, melody, style, variations, in the order of the flow.

mod band;
mod browser;
mod capture;
mod emblem;
mod engine;
mod files;
mod first_run;
mod hearing;
mod icon;
mod incoming;
pub mod melody;
mod models;
mod opening;
pub mod preferences;
mod regions;
mod rename;
mod sheet;
mod status;
mod stems;
mod style;
pub mod theme;
mod variations;
mod waveform;
pub mod zones;

pub use opening::CantusEditor;
pub use sheet::Sheet;

use crate::contained::{Place, contained};
use crate::dirty::Dirty;
use crate::params::CantusParams;
use browser::Shelf;
use cantus_engine::capture::collector::CaptureState;
use cantus_engine::export::shelf::Wanted;
use cantus_engine::instance::Instance;
use cantus_engine::instance::region::RegionId;
use cantus_engine::instance::view::{VariationStatus, View};
use egui::{Context, Theme, Ui};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::{Param, ParamSetter};
use nice_plug_egui::{Frame, KeyCapture, NiceEguiApp, RepaintNotifier, baseview};
use preferences::Kept;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use zones::{Zones, zone};

/// Time between pictures while something moves.
const MOVING: Duration = Duration::from_millis(33);

/// Level below which the meter is still, in dBFS.
const SILENCE_DBFS: f32 = -70.0;

/// Everything the window needs. It lives as long as the plugin: what it holds is there again when the window is opened again.
pub struct Window {
    params: Arc<CantusParams>,
    instance: Arc<Instance>,
    dirty: Arc<Dirty>,
    host: Option<GuiContext>,
    /// The context of the window that was open last, which knows how far everything was scrolled.
    context: Option<Context>,
    /// What the user likes in every project.
    kept: Kept,
    /// What lies over melody and variations.
    sheet: Option<Sheet>,
    /// Where exported files go, as it was settled when the settings were opened.
    exports: PathBuf,
    models: models::Models,
    waveforms: waveform::Waveforms,
    /// The words that styles are searched by, and the shelf that is shown.
    search: String,
    shelf: Shelf,
    /// The prompt while it is being typed.
    prompt: String,
    /// The seed stays as it is from order to order.
    seed_locked: bool,
    /// The song's chords while they are being typed, and what is wrong with them.
    chords: String,
    chord_mistake: Option<String>,
    /// A region's name while it is being typed, and one that is about to be removed.
    renaming_region: regions::Renaming,
    removing: Option<RegionId>,
    /// A variation's name while it is being typed.
    renaming: Option<(u64, String)>,
    /// Where a file is chosen, while it is.
    browser: Option<cantus_drag::Browser>,
    /// Lets files that are dropped reach a window inside a host's; it ends by itself with the window.
    drops: Option<cantus_drag::OpenToDrops>,
    /// Files on their way out, and those that were asked for ahead.
    outgoing: files::Outgoing,
    asked: Vec<(u64, Wanted)>,
    /// The part that is heard alone.
    solo: stems::Solo,
    /// The melody's zoom, selection and tools.
    roll: melody::Roll,
    /// The input offset is being measured for this window.
    measuring: bool,
    /// Captures that had ended when the window last looked.
    finished_captures: u64,
}

/// Makes the editor; opens no window yet.
pub fn create(
    params: Arc<CantusParams>,
    instance: Arc<Instance>,
    dirty: Arc<Dirty>,
    notifier: RepaintNotifier,
) -> Option<CantusEditor> {
    CantusEditor::new(Window::new(params, instance, dirty, Kept::of_user()), notifier)
}

impl Window {
    fn new(params: Arc<CantusParams>, instance: Arc<Instance>, dirty: Arc<Dirty>, kept: Kept) -> Self {
        Self {
            params,
            instance,
            dirty,
            host: None,
            context: None,
            kept,
            sheet: None,
            exports: PathBuf::new(),
            models: models::Models::default(),
            waveforms: waveform::Waveforms::default(),
            search: String::new(),
            shelf: Shelf::default(),
            prompt: String::new(),
            seed_locked: false,
            chords: String::new(),
            chord_mistake: None,
            renaming_region: None,
            removing: None,
            renaming: None,
            browser: None,
            drops: None,
            outgoing: files::Outgoing::default(),
            asked: Vec::new(),
            solo: None,
            roll: melody::Roll::default(),
            measuring: false,
            finished_captures: 0,
        }
    }

    /// The window of an instance without a plugin around it, for pictures and tests: nothing it sets reaches a host, and it
    /// has the usual settings.
    pub fn alone(instance: Arc<Instance>) -> Self {
        let params = Arc::new(CantusParams::new(instance.clone()));
        Self::new(params, instance, Arc::new(Dirty::of_new_instance()), Kept::in_file(None))
    }

    /// What the user likes in every project; changed by tests that draw it otherwise.
    pub fn preferences(&mut self) -> &mut preferences::Preferences {
        &mut self.kept.now
    }

    /// Whether something goes on in the background, for pictures that wait for it.
    pub fn is_busy(&self) -> bool {
        self.models.is_busy()
    }

    /// What lies over melody and variations.
    pub fn sheet(&self) -> Option<Sheet> {
        self.sheet
    }

    /// Draws everything, and says which keys the window keeps from the host.
    pub fn draw(&mut self, ui: &mut Ui, view: &View) -> KeyCapture {
        self.look(ui.ctx());
        let typing = ui.ctx().text_edit_focused();
        if !typing {
            // The space bar is the host's: no button of ours is pressed by it.
            ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Space));
            self.prompt.clone_from(&view.prompt);
        }
        let palette = theme::of(ui);
        let extra = view.recovered.len().min(3) as f32 * 30.0;
        let zones = Zones::of(ui.max_rect(), self.kept.now.list_height, extra);
        zone(ui, "capture", zones.capture, palette.panel, |ui| self.capture_strip(ui, view));
        match self.sheet {
            Some(sheet) => zone(ui, "sheet", zones.left(), palette.panel, |ui| self.show_sheet(ui, view, sheet)),
            None => zone(ui, "melody", zones.melody, palette.background, |ui| self.melody_zone(ui, view)),
        }
        zone(ui, "style", zones.style, palette.panel, |ui| self.style_view(ui, view));
        if self.sheet.is_none() {
            zone(ui, "variations", zones.variations, palette.panel, |ui| self.variation_list(ui, view));
        }
        zone(ui, "status", zones.status, palette.panel, |ui| self.status_bar(ui, view));
        zones::divider(ui, &zones, &mut self.kept.now);
        self.take_drops(ui, view);
        // The host keeps its space bar and transport keys unless somebody is typing here.
        self.roll.key_capture(ui.ctx().text_edit_focused())
    }

    fn melody_zone(&mut self, ui: &mut Ui, view: &View) {
        self.region_tabs(ui, view);
        if view.take.is_none() {
            return self.first_run(ui, view);
        }
        self.roll.show(ui, view, &self.instance);
    }

    /// Follows the settings of look and scale.
    fn look(&self, context: &Context) {
        let theme = if self.kept.now.dark { Theme::Dark } else { Theme::Light };
        if context.theme() != theme {
            context.set_theme(theme);
        }
        if (context.zoom_factor() - self.kept.now.zoom()).abs() > 1e-3 {
            context.set_zoom_factor(self.kept.now.zoom());
        }
    }

    /// Whether anything moves by itself, so that the next picture must follow soon.
    fn moves(&self, view: &View) -> bool {
        let hears = view
            .ear
            .as_ref()
            .is_some_and(|ear| ear.stamp.playing || ear.capture != CaptureState::Idle || ear.level_dbfs > SILENCE_DBFS);
        let pending = |status: &VariationStatus| matches!(status, VariationStatus::Pending(_));
        let works = view.analysing.is_some() || view.variations.iter().any(|variation| pending(&variation.status));
        hears || works || self.models.is_busy() || self.outgoing.is_busy()
    }

    /// Sets a parameter through the host, as a gesture.
    fn set<P: Param>(&self, param: &P, value: P::Plain) {
        if let Some(host) = &self.host {
            let setter: ParamSetter = host.param_setter();
            setter.begin_set_parameter(param);
            setter.set_parameter(param, value);
            setter.end_set_parameter(param);
        }
    }
}

impl NiceEguiApp for Window {
    fn build(&mut self, context: Context, host: GuiContext, frame: &mut Frame) -> Result<(), baseview::HandlerError> {
        theme::apply(&context, self.kept.now.dark);
        if let Some(before) = self.context.replace(context.clone()) {
            // Scroll positions, open headings and the text cursor are where they were.
            let memory = before.memory(Clone::clone);
            context.memory_mut(|now| *now = memory);
            context.set_zoom_factor(self.kept.now.zoom());
        } else {
            self.prompt = self.instance.prompt();
            self.chords = self.instance.view().song.typed;
        }
        self.host = Some(host);
        self.drops = Some(cantus_drag::OpenToDrops::of(cantus_drag::DragWindow::of(frame.baseview_window())));
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        let instance = self.instance.clone();
        if contained(Place::Window, Some(&instance), || self.picture(ui, frame)).is_none() {
            // The next picture may well be whole, and shows the sentence.
            ui.ctx().request_repaint_after(MOVING);
        }
    }

    fn resized(&mut self, size: baseview::WindowSize) {
        self.kept.now.size = (size.logical.width as f32, size.logical.height as f32);
    }

    fn editor_closed(&mut self) {
        self.host = None;
    }
}

impl Window {
    /// One picture, and what belongs to it: the host's keys, files on their way, settings.
    fn picture(&mut self, ui: &mut Ui, frame: &mut Frame) {
        let view = self.instance.view();
        if let Some(host) = &self.host {
            self.dirty.mark_by_parameter(&self.params, host);
        }
        let keys = self.draw(ui, &view);
        frame.set_key_capture(keys);
        self.carry_files(ui, &view, frame);
        if self.moves(&view) {
            ui.ctx().request_repaint_after(MOVING);
        }
        if !ui.input(|input| input.pointer.any_down()) {
            self.kept.save();
        }
    }
}
