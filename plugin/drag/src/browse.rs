//! Thread: gui. A browser of files inside the window: no dialog of a toolkit, which would run on the host's thread and in its process.

pub(crate) mod folder;
mod recent;

pub use recent::Recent;

use egui::{Align, Key, Label, Layout, Modifiers, RichText, ScrollArea, Sense, TextEdit, Ui, UiBuilder, vec2};
use folder::{Entry, Folder};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks whether the folder was written to.
const LOOK: Duration = Duration::from_secs(1);
/// Width of the places, in points.
const PLACES: f32 = 150.0;
/// Height of the list where the space around it has no end, in points.
const LIST: f32 = 260.0;
/// Lines that Page Up and Page Down go.
const PAGE: usize = 10;

/// Where somebody looks for a sound or MIDI file to open. Made anew each time it is opened.
///
/// All of it goes by keyboard: letters search in the folder, a path can be typed, the arrows and Page Up and Down choose, Enter
/// opens, Alt with the arrow up (or Backspace in an empty field) goes to the folder around.
pub struct Browser {
    folder: Folder,
    looked: Instant,
    recent: Recent,
    /// What was used before, as one of the places.
    shows_recent: bool,
    places: Vec<(&'static str, PathBuf)>,
    all_files: bool,
    /// Letters to search for, or a path.
    typed: String,
    /// The chosen line, of those that are shown.
    chosen: usize,
    /// The list has to be scrolled to the chosen line.
    follow: bool,
    /// The field has not had the keyboard yet.
    fresh: bool,
}

impl Browser {
    /// Opens where the newest of the recent files lies, or in the user's music.
    pub fn new(recent: Recent) -> Self {
        let start = recent.folder().map(PathBuf::from).or_else(dirs::audio_dir).filter(|folder| folder.is_dir());
        let start = start.or_else(dirs::home_dir).unwrap_or_else(|| PathBuf::from(std::path::MAIN_SEPARATOR_STR));
        Self::at(&start, recent)
    }

    /// Opens in a folder.
    pub fn at(folder: &Path, recent: Recent) -> Self {
        let shows_recent = recent.files().next().is_some();
        let known = [
            ("Home", dirs::home_dir()),
            ("Music", dirs::audio_dir()),
            ("Documents", dirs::document_dir()),
            ("Desktop", dirs::desktop_dir()),
            ("Downloads", dirs::download_dir()),
        ];
        let there =
            |(name, place): (&'static str, Option<PathBuf>)| Some((name, place.filter(|place| place.is_dir())?));
        Self {
            folder: Folder::read(folder, false),
            looked: Instant::now(),
            recent,
            shows_recent,
            places: known.into_iter().filter_map(there).collect(),
            all_files: false,
            typed: String::new(),
            chosen: 0,
            follow: false,
            fresh: true,
        }
    }

    /// Adds a place to the list on the left, such as the folder that exports go to.
    #[must_use]
    pub fn with_place(mut self, name: &'static str, folder: PathBuf) -> Self {
        if folder.is_dir() {
            self.places.push((name, folder));
        }
        self
    }

    /// The folder it shows.
    pub fn folder(&self) -> &Path {
        &self.folder.path
    }

    /// Draws it into the space there is; the file that was chosen, once. It is put among the recent ones.
    pub fn show(&mut self, ui: &mut Ui) -> Option<PathBuf> {
        if self.looked.elapsed() > LOOK {
            self.looked = Instant::now();
            if self.folder.is_outdated() {
                self.folder = Folder::read(&self.folder.path, self.all_files);
            }
        }
        let keys = Keys::take(ui, self.typed.is_empty());
        self.path_line(ui, keys.up);
        self.search_field(ui);
        let lines = self.lines();
        self.move_choice(&keys, lines.len());
        let mut opened = if keys.enter { self.entered(&lines) } else { None };
        let height = if ui.available_height().is_finite() { ui.available_height() - 26.0 } else { LIST };
        let space = vec2(ui.available_width(), height.max(80.0));
        ui.allocate_ui(space, |ui| {
            ui.horizontal_top(|ui| {
                let down = Layout::top_down_justified(Align::Min);
                ui.allocate_ui_with_layout(vec2(PLACES, space.y), down, |ui| self.place_list(ui));
                ui.vertical(|ui| {
                    ui.set_height(space.y);
                    if let Some(clicked) = self.file_list(ui, &lines) {
                        opened = Some(clicked);
                    }
                });
            });
        });
        ui.horizontal(|ui| {
            if ui.checkbox(&mut self.all_files, "All files").changed() {
                self.enter(&self.folder.path.clone());
            }
            ui.add(Label::new(RichText::new("Enter opens, Alt+Up goes to the folder around.").weak()).truncate());
        });
        let opened = opened?;
        if opened.is_dir() {
            self.enter(&opened);
            return None;
        }
        // The file opens all the same when the list could not be kept.
        self.recent.add(&opened).ok();
        Some(opened)
    }

    /// Shows a folder from its top.
    fn enter(&mut self, folder: &Path) {
        // Links and dots are followed, so that the folder around is the one that is meant.
        let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        self.folder = Folder::read(&whole, self.all_files);
        self.shows_recent = false;
        self.typed.clear();
        self.chosen = 0;
        self.follow = true;
    }

    /// What the list shows now.
    fn lines(&self) -> Vec<Entry> {
        if self.shows_recent {
            let entry = |path: &Path| Entry {
                path: path.to_path_buf(),
                name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
                is_folder: false,
            };
            let entries = self.recent.files().map(entry).collect();
            let recent = Folder { path: PathBuf::new(), entries, trouble: None, changed: None };
            return recent.matching(self.search());
        }
        self.folder.matching(self.search())
    }

    fn search(&self) -> &str {
        if typed_path(&self.typed).is_some() { "" } else { &self.typed }
    }

    fn path_line(&mut self, ui: &mut Ui, up: bool) {
        let around = self.folder.path.parent().map(Path::to_path_buf);
        ui.horizontal(|ui| {
            let button = ui.add_enabled(around.is_some(), egui::Button::new("Up")).on_hover_text("The folder around");
            let title =
                if self.shows_recent { "Recent files".to_owned() } else { self.folder.path.display().to_string() };
            ui.add(Label::new(RichText::new(title).strong()).truncate());
            if let Some(around) = around.filter(|_| button.clicked() || up) {
                let from = std::mem::take(&mut self.folder.path);
                self.enter(&around);
                self.chosen = self.folder.entries.iter().position(|entry| entry.path == from).unwrap_or(0);
            }
        });
    }

    fn search_field(&mut self, ui: &mut Ui) {
        let hint = "Search here, or type a path";
        let field = TextEdit::singleline(&mut self.typed).hint_text(hint).desired_width(f32::INFINITY);
        let response = ui.add(field);
        if self.fresh {
            response.request_focus();
            self.fresh = false;
        }
        if response.changed() {
            self.chosen = 0;
            self.follow = true;
        }
    }

    fn move_choice(&mut self, keys: &Keys, count: usize) {
        let last = count.saturating_sub(1);
        let moved = self.chosen.saturating_add_signed(keys.steps).min(last);
        if keys.steps != 0 {
            self.follow = true;
        }
        self.chosen = moved;
    }

    /// What Enter opens: the typed path, or the chosen line.
    fn entered(&self, lines: &[Entry]) -> Option<PathBuf> {
        match typed_path(&self.typed) {
            Some(path) => path.exists().then_some(path),
            None => lines.get(self.chosen).map(|entry| entry.path.clone()),
        }
    }

    fn place_list(&mut self, ui: &mut Ui) {
        if ui.selectable_label(self.shows_recent, "Recent").clicked() {
            self.shows_recent = true;
            self.chosen = 0;
        }
        let mut go = None;
        for (name, place) in &self.places {
            let here = !self.shows_recent && *place == self.folder.path;
            if ui.selectable_label(here, *name).on_hover_text(place.display().to_string()).clicked() {
                go = Some(place.clone());
            }
        }
        if let Some(place) = go {
            self.enter(&place);
        }
    }

    fn file_list(&mut self, ui: &mut Ui, lines: &[Entry]) -> Option<PathBuf> {
        let trouble = self.folder.trouble.as_ref().filter(|_| !self.shows_recent);
        if let Some(trouble) = trouble {
            ui.label(trouble);
        } else if lines.is_empty() {
            let empty = if typed_path(&self.typed).is_some_and(|path| !path.exists()) {
                "There is nothing at this path."
            } else if !self.typed.is_empty() {
                "Nothing here is called that."
            } else if self.shows_recent {
                "Nothing was opened yet. Choose a place on the left."
            } else {
                "No sound or MIDI files here (WAV, FLAC, MP3, Ogg, AIFF, MID)."
            };
            ui.label(empty);
        }
        let height = ui.spacing().interact_size.y;
        let mut list = ScrollArea::vertical().auto_shrink([false, false]);
        if std::mem::take(&mut self.follow) {
            let line = height + ui.spacing().item_spacing.y;
            #[expect(clippy::cast_precision_loss, reason = "lists are short")]
            let middle = line * self.chosen as f32 - ui.available_height() * 0.5;
            list = list.vertical_scroll_offset(middle.max(0.0));
        }
        let mut opened = None;
        list.show_rows(ui, height, lines.len(), |ui, shown| {
            for place in shown {
                let entry = &lines[place];
                let sign = if entry.is_folder { "📁" } else { "🎵" };
                let text = format!("{sign} {}", entry.name);
                let line = vec2(ui.available_width(), height);
                let (rect, response) = ui.allocate_exact_size(line, Sense::click());
                let row = UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center));
                ui.scope_builder(row, |ui| {
                    let chosen = place == self.chosen;
                    if chosen || response.hovered() {
                        let fill =
                            if chosen { ui.visuals().selection.bg_fill } else { ui.visuals().widgets.hovered.bg_fill };
                        ui.painter().rect_filled(rect, 3.0, fill);
                    }
                    ui.add(Label::new(text).selectable(false).truncate());
                });
                response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &entry.name));
                if response.clicked() {
                    self.chosen = place;
                }
                // A folder opens at once, as nothing else can be done with it.
                if response.double_clicked() || response.clicked() && entry.is_folder {
                    opened = Some(entry.path.clone());
                }
            }
        });
        opened
    }
}

/// What was typed, when it is a path: from the root, or from home.
fn typed_path(typed: &str) -> Option<PathBuf> {
    let typed = typed.trim();
    if let Some(rest) = typed.strip_prefix('~') {
        return Some(dirs::home_dir()?.join(rest.trim_start_matches(['/', '\\'])));
    }
    let path = PathBuf::from(typed);
    path.is_absolute().then_some(path)
}

/// The keys that move about, taken before the field sees them.
struct Keys {
    steps: isize,
    enter: bool,
    up: bool,
}

impl Keys {
    fn take(ui: &Ui, nothing_typed: bool) -> Self {
        ui.input_mut(|input| {
            // Before the arrow alone, which would match it, too.
            let up = input.consume_key(Modifiers::ALT, Key::ArrowUp)
                || nothing_typed && input.consume_key(Modifiers::NONE, Key::Backspace);
            let page = isize::try_from(PAGE).unwrap_or(1);
            let mut count = |key, steps: isize| {
                let pressed = input.count_and_consume_key(Modifiers::NONE, key);
                isize::try_from(pressed).unwrap_or(0) * steps
            };
            let steps = count(Key::ArrowDown, 1)
                + count(Key::ArrowUp, -1)
                + count(Key::PageDown, page)
                + count(Key::PageUp, -page);
            let enter = input.consume_key(Modifiers::NONE, Key::Enter);
            Self { steps, enter, up }
        })
    }
}
