//! Thread: gui. Files of a variation, with a mouse and without: handles to drag by, export, showing them where they lie, their path.

use super::icon::{self, Icon};
use super::{Window, theme};
use cantus_drag::{Drag, DragState, DragWindow, copy_path, reveal, start};
use cantus_engine::export::names::exports_folder;
use cantus_engine::export::shelf::Wanted;
use cantus_engine::instance::files::PreparedFile;
use cantus_engine::instance::view::{VariationView, View};
use cantus_engine::rendition::Rendition;
use egui::{CursorIcon, Rect, RichText, Sense, Ui, vec2};
use nice_plug_egui::Frame;

/// What is to happen with a file once it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It is dragged, if the button is still down.
    Drag,
    Reveal,
    CopyPath,
}

/// Files on their way out of the window.
#[derive(Default)]
pub struct Outgoing {
    /// What waits for its file.
    waiting: Option<(u64, Wanted, Then)>,
    /// The drag that goes on, and of what.
    drag: Option<(u64, Wanted, Drag)>,
}

impl Outgoing {
    /// Whether the window must look again soon.
    pub fn is_busy(&self) -> bool {
        self.waiting.is_some() || self.drag.is_some()
    }
}

impl Window {
    /// What becomes of a variation's files, from the right.
    pub(super) fn take_away(&mut self, ui: &mut Ui, view: &View, variation: &VariationView, rendition: &Rendition) {
        let id = variation.id;
        ui.menu_button("Files", |ui| {
            if ui.button("Export mix, stems and MIDI").clicked() {
                self.instance.export(id, exports_folder());
                ui.close();
            }
            for (text, wanted, then) in [
                ("Show the WAV in its folder", Wanted::Mix, Then::Reveal),
                ("Show the MIDI in its folder", Wanted::Midi, Then::Reveal),
                ("Copy the WAV's path", Wanted::Mix, Then::CopyPath),
                ("Copy the MIDI's path", Wanted::Midi, Then::CopyPath),
            ] {
                if ui.button(text).clicked() {
                    self.order_file(id, wanted, then);
                    ui.close();
                }
            }
        })
        .response
        .on_hover_text("Export, show in the folder, copy the path");
        self.handle(ui, view, id, Wanted::Midi, "MIDI");
        if rendition.stems.len() > 1 {
            self.handle(ui, view, id, Wanted::Everything, "all");
        }
        self.handle(ui, view, id, Wanted::Mix, "WAV");
    }

    /// A handle: dragged, it brings a file to another program; pressed, it shows the file.
    pub(super) fn handle(&mut self, ui: &mut Ui, view: &View, id: u64, wanted: Wanted, text: &str) {
        let palette = theme::of(ui);
        let words = RichText::new(text).size(11.5);
        let galley = ui.painter().layout_no_wrap(text.to_owned(), egui::FontId::proportional(11.5), palette.text);
        let size = vec2(galley.size().x + 23.0, ui.spacing().interact_size.y);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        super::browser::label(&response, &format!("Drag {} out, or press to show it in its folder", words.text()));
        let painter = ui.painter();
        let fill = if response.hovered() || response.dragged() { palette.hovered } else { palette.background };
        painter.rect_filled(rect, 4.0, fill);
        painter.rect_stroke(rect, 4.0, egui::Stroke::new(1.0, palette.line), egui::StrokeKind::Inside);
        let dots = Rect::from_center_size(rect.left_center() + vec2(9.0, 0.0), vec2(8.0, 11.0));
        icon::draw(painter, Icon::Handle, dots, palette.faint);
        painter.galley(rect.left_center() + vec2(17.0, -galley.size().y / 2.0), galley, palette.text);
        theme::focus_ring(ui, &response);
        if response.hovered() {
            ui.ctx().set_cursor_icon(CursorIcon::Grab);
            // The pointer on a handle is the moment to make the file: a drag cannot wait for it.
            if self.prepared(view, id, wanted).is_none() && !self.asked.contains(&(id, wanted)) {
                self.asked.push((id, wanted));
                self.instance.prepare_files(id, wanted);
            }
        }
        if response.drag_started() {
            self.order_file(id, wanted, Then::Drag);
        } else if response.clicked() {
            self.order_file(id, wanted, Then::Reveal);
        }
        response.on_hover_text("Drag it into your song or a folder; press to show the file");
    }

    fn prepared<'a>(&self, view: &'a View, id: u64, wanted: Wanted) -> Option<&'a PreparedFile> {
        view.prepared.iter().find(|file| file.variation == id && file.wanted == wanted)
    }

    fn order_file(&mut self, id: u64, wanted: Wanted, then: Then) {
        self.instance.prepare_files(id, wanted);
        self.outgoing.waiting = Some((id, wanted, then));
    }

    /// Goes on with what waits for a file, and with the drag that is under way.
    pub(super) fn carry_files(&mut self, ui: &Ui, view: &View, frame: &Frame) {
        if let Some((id, wanted, then)) = self.outgoing.waiting {
            let let_go = then == Then::Drag && !ui.input(|input| input.pointer.any_down());
            if let Some(file) = self.prepared(view, id, wanted) {
                self.outgoing.waiting = None;
                let outcome = match then {
                    Then::Drag if let_go => Err("The file is ready now: drag it once more.".to_owned()),
                    Then::Drag => self.begin_drag(file, frame),
                    Then::Reveal => reveal(&file.path),
                    Then::CopyPath => {
                        copy_path(ui.ctx(), &file.path);
                        self.instance.tell(format!("The path is on the clipboard: {}", file.path.display()));
                        Ok(())
                    }
                };
                if let Err(sentence) = outcome {
                    self.instance.tell(sentence);
                }
            }
        }
        let Some((id, wanted, drag)) = &self.outgoing.drag else { return };
        match drag.poll() {
            DragState::Dragging => return,
            DragState::Dropped => self.instance.dragged_out(*id, *wanted),
            DragState::Cancelled => {}
            DragState::Failed(sentence) => self.instance.tell(sentence),
        }
        self.outgoing.drag = None;
    }

    fn begin_drag(&mut self, file: &PreparedFile, frame: &Frame) -> Result<(), String> {
        let name = file.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let drag = start(DragWindow::of(frame.baseview_window()), &file.paths, &name)?;
        self.outgoing.drag = Some((file.variation, file.wanted, drag));
        Ok(())
    }
}
