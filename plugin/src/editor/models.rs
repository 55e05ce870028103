//! Thread: gui. The models of neural engines: what is installed, how big it is, under which terms, fetching with progress and cancel.
//!
//! Folders are read on a thread of its own when the sheet is opened and after each change, never while drawing.

use super::icon::{self, Icon};
use super::{Window, theme};
use cantus_engine::data_dir::data_dir;
use cantus_engine::error::Error;
use cantus_engine::instance::view::View;
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::models::{Doing, FetchRequest, Licence, ModelLibrary, ModelProgress, ModelState, ModelStatus};
use egui::{CornerRadius, Frame, Label, Margin, ProgressBar, RichText, ScrollArea, Ui};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// What the threads find out.
#[derive(Default)]
struct Known {
    rows: Option<Vec<ModelStatus>>,
    accepted: Vec<&'static str>,
    progress: Option<ModelProgress>,
    trouble: Option<String>,
}

/// Work on models under way: its thread, and the way to stop it.
struct Work {
    model: String,
    cancel: CancelToken,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Work {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

/// Dropping it stops what it does and waits for the end: no thread of ours outlives the window.
impl Drop for Work {
    fn drop(&mut self) {
        self.cancel.abandon();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// What the sheet of models knows and does.
#[derive(Default)]
pub struct Models {
    known: Arc<Mutex<Known>>,
    work: Option<Work>,
    /// A licence that is being read, by the model's name.
    asking: Option<String>,
}

impl Models {
    /// Looks what is there.
    pub fn look(&mut self) {
        self.start(String::new(), |_, _, _| Ok(()));
    }

    /// Whether something goes on, so that the window keeps moving.
    pub fn is_busy(&self) -> bool {
        self.work.as_ref().is_some_and(|work| !work.is_over())
    }

    /// Does something with the library and looks what is there then. One thing at a time.
    fn start(
        &mut self,
        model: String,
        act: impl FnOnce(&ModelLibrary, &JobContext, &Mutex<Known>) -> Result<(), Error> + Send + 'static,
    ) {
        if self.is_busy() {
            return;
        }
        self.work = None;
        let (known, cancel, over) = (self.known.clone(), CancelToken::default(), Arc::new(AtomicBool::new(false)));
        let context = JobContext::new(cancel.clone(), Arc::new(|_| ()));
        let done = over.clone();
        let run = move || {
            let outcome = open().and_then(|library| {
                let acted = act(&library, &context, &known);
                let rows = library.list()?;
                let licences = rows.iter().filter_map(|row| row.model).map(|model| model.licence);
                let accepted = licences.filter(|licence| library.has_accepted(licence).unwrap_or(false));
                let accepted = accepted.map(|licence| licence.id).collect();
                let mut known = known.lock();
                known.rows = Some(rows);
                known.accepted = accepted;
                acted
            });
            let mut known = known.lock();
            known.progress = None;
            known.trouble = match outcome {
                Ok(()) | Err(Error::Cancelled) => None,
                Err(error) => Some(error.to_string()),
            };
            done.store(true, Ordering::Release);
        };
        match std::thread::Builder::new().name("cantus-models".into()).spawn(run) {
            Ok(thread) => self.work = Some(Work { model, cancel, over, thread: Some(thread) }),
            Err(error) => self.known.lock().trouble = Some(format!("The system gives no thread for that: {error}.")),
        }
    }

    /// Fetches a model, once a licence is accepted when there is one to accept.
    fn fetch(&mut self, model: &str, accepting: Option<&'static Licence>) {
        let name = model.to_owned();
        self.start(model.to_owned(), move |library, context, known| {
            accepting.map_or(Ok(()), |licence| library.accept_licence(licence))?;
            let listener = |progress: &ModelProgress| known.lock().progress = Some(progress.clone());
            library.fetch(&name, &FetchRequest::default(), context, &listener).map(drop)
        });
    }
}

fn open() -> Result<ModelLibrary, Error> {
    let Some(folder) = data_dir() else {
        let reason = "the system names no folder for Cantus' data. Set CANTUS_DATA_DIR to one".to_owned();
        return Err(Error::ModelFolder { path: std::path::PathBuf::new(), reason });
    };
    ModelLibrary::open(&folder)
}

impl Window {
    pub(super) fn model_view(&mut self, ui: &mut Ui, _view: &View) {
        let palette = theme::of(ui);
        let about = "The built-in Band needs no model. MusicGen makes audio with a model of your own, on this computer; \
            nothing is fetched that you did not ask for.";
        ui.add(Label::new(RichText::new(about).color(palette.faint)).wrap());
        let (rows, trouble) = {
            let known = self.models.known.lock();
            (known.rows.clone(), known.trouble.clone())
        };
        if let Some(trouble) = trouble {
            ui.add(Label::new(RichText::new(trouble).color(palette.warning)).wrap());
        }
        let Some(rows) = rows else {
            ui.colored_label(palette.faint, "Looking what is there …");
            return;
        };
        ScrollArea::vertical().id_salt("models").auto_shrink(false).show(ui, |ui| {
            for row in &rows {
                let card = Frame::new()
                    .fill(palette.raised)
                    .inner_margin(Margin::same(10))
                    .corner_radius(CornerRadius::same(6));
                card.show(ui, |ui| self.model(ui, row));
            }
        });
    }

    fn model(&mut self, ui: &mut Ui, row: &ModelStatus) {
        let palette = theme::of(ui);
        ui.set_min_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.label(RichText::new(row.model.map_or(row.id.as_str(), |model| model.name)).strong());
            let (words, colour) = state(row, ui);
            ui.colored_label(colour, words);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| self.model_actions(ui, row));
        });
        let about = row.model.map_or("A checkpoint of your own.", |model| model.about);
        let size =
            row.model.map_or(row.inspection.bytes_on_disk, |model| model.bytes.max(row.inspection.bytes_on_disk));
        let licence = row.model.map_or("terms of its maker", |model| model.licence.name);
        ui.colored_label(palette.faint, format!("{about}  {}.  Licence: {licence}.", gigabytes(size)));
        if row.inspection.state != ModelState::Absent {
            ui.add(Label::new(RichText::new(row.dir.display().to_string()).small().color(palette.faint)).truncate());
        }
        self.fetching(ui, row);
        if self.models.asking.as_deref() == Some(row.id.as_str())
            && let Some(model) = row.model
        {
            ui.separator();
            ui.add(Label::new(model.licence.meaning.replace('\n', " ")).wrap());
            ui.hyperlink_to("The whole licence", model.licence.page);
            ui.horizontal(|ui| {
                if ui.button("I accept: fetch it").clicked() {
                    self.models.asking = None;
                    self.models.fetch(model.id, Some(model.licence));
                }
                if ui.button("Not now").clicked() {
                    self.models.asking = None;
                }
            });
        }
    }

    fn model_actions(&mut self, ui: &mut Ui, row: &ModelStatus) {
        let busy = self.models.is_busy();
        let there = !matches!(row.inspection.state, ModelState::Absent);
        if there
            && ui
                .add_enabled_ui(!busy, |ui| icon::button(ui, Icon::Remove, "Delete this model's files"))
                .inner
                .clicked()
        {
            let id = row.id.clone();
            self.models.start(row.id.clone(), move |library, _, _| library.remove(&id).map(drop));
        }
        let Some(model) = row.model.filter(|_| !row.is_complete()) else { return };
        let words = if there { "Fetch the rest" } else { "Fetch" };
        if ui.add_enabled(!busy, egui::Button::new(words)).on_hover_text(model.page).clicked() {
            if self.models.known.lock().accepted.contains(&model.licence.id) {
                self.models.fetch(model.id, None);
            } else {
                self.models.asking = Some(row.id.clone());
            }
        }
    }

    fn fetching(&mut self, ui: &mut Ui, row: &ModelStatus) {
        if !self.models.work.as_ref().is_some_and(|work| work.model == row.id && !work.is_over()) {
            return;
        }
        let progress = self.models.known.lock().progress.clone();
        ui.horizontal(|ui| {
            if let Some(progress) = progress {
                let share = if progress.bytes == 0 { 0.0 } else { progress.bytes_done as f32 / progress.bytes as f32 };
                ui.add(ProgressBar::new(share).desired_width(220.0).text(words(&progress)));
            } else {
                ui.spinner();
            }
            if ui.button("Stop").on_hover_text("What has come is kept").clicked()
                && let Some(work) = &self.models.work
            {
                work.cancel.cancel();
            }
        });
    }
}

fn words(progress: &ModelProgress) -> String {
    match progress.doing {
        Doing::Asking => "asking what there is".to_owned(),
        Doing::Checking => "checking".to_owned(),
        Doing::Waiting => "connection lost, trying again".to_owned(),
        Doing::Fetching => {
            let left = progress.bytes.saturating_sub(progress.bytes_done) as f64;
            let minutes = left / progress.bytes_per_second.max(1.0) / 60.0;
            let time =
                if progress.bytes_per_second < 1.0 { "waiting".to_owned() } else { format!("{minutes:.0} min left") };
            format!("{} of {}, {time}", gigabytes(progress.bytes_done), gigabytes(progress.bytes))
        }
    }
}

fn state(row: &ModelStatus, ui: &Ui) -> (String, egui::Color32) {
    let palette = theme::of(ui);
    match &row.inspection.state {
        ModelState::Complete => ("installed".to_owned(), palette.accent),
        ModelState::Absent => ("not installed".to_owned(), palette.faint),
        ModelState::Partial { interrupted: true, .. } => ("fetch interrupted".to_owned(), palette.warning),
        ModelState::Partial { missing, .. } => (format!("{} files missing", missing.len()), palette.warning),
        ModelState::Damaged { faults } => {
            let first = faults.first().map_or_else(String::new, |fault| format!(": {} {}", fault.file, fault.reason));
            (format!("damaged{first}"), palette.warning)
        }
        ModelState::Foreign { reason } => (reason.clone(), palette.warning),
    }
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}
