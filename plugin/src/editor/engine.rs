//! Thread: gui. Who makes the music: Band, or MusicGen with the user's own model.

use super::{Window, theme};
use cantus_engine::generation::EngineKind;
use cantus_engine::generation::choice::{MelodyCondition, MusicGenChoice};
use cantus_engine::generation::musicgen::Precision;
use cantus_engine::instance::view::View;
use egui::{Button, ComboBox, Ui, vec2};

const PRECISIONS: [(Precision, &str, &str); 3] = [
    (Precision::F32, "exact", "As it was trained: about 8 GB of memory, and slow"),
    (Precision::Q8_0, "8 bit", "Hardly to be told from the exact one: about 3 GB"),
    (Precision::Q4K, "4 bit", "The fastest, for small machines: about 2 GB"),
];

impl Window {
    pub(super) fn engine_choice(&self, ui: &mut Ui, view: &View) {
        ui.horizontal(|ui| {
            let band = view.engine == EngineKind::Band;
            if ui.add(Button::selectable(band, "Band").min_size(vec2(92.0, 26.0))).clicked() && !band {
                self.instance.set_engine(EngineKind::Band);
            }
            if ui.add(Button::selectable(!band, "MusicGen").min_size(vec2(92.0, 26.0))).clicked() && band {
                self.instance.set_engine(EngineKind::MusicGen(MusicGenChoice::default()));
            }
        });
        if let EngineKind::MusicGen(choice) = &view.engine {
            self.musicgen_choice(ui, choice);
        }
    }

    fn musicgen_choice(&self, ui: &mut Ui, choice: &MusicGenChoice) {
        // Looking for a folder takes microseconds; a fetch that ends while the window is open shows at once.
        match choice.folder() {
            Ok(folder) => ui
                .colored_label(theme::of(ui).faint, format!("model: {}", choice.model))
                .on_hover_text(folder.display().to_string()),
            Err(error) => ui.colored_label(theme::of(ui).warning, format!("no model installed: {error}")),
        };
        let mut chosen = choice.clone();
        ui.horizontal(|ui| {
            ui.label("Follows the");
            ComboBox::from_id_salt("condition").width(76.0).selected_text(chosen.condition.name()).show_ui(ui, |ui| {
                for condition in MelodyCondition::ALL {
                    ui.selectable_value(&mut chosen.condition, condition, condition.name());
                }
            });
            let named = PRECISIONS.iter().find(|(precision, ..)| *precision == chosen.precision);
            ComboBox::from_id_salt("precision")
                .width(64.0)
                .selected_text(named.map_or("", |(_, name, _)| name))
                .show_ui(ui, |ui| {
                    for (precision, name, hint) in PRECISIONS {
                        ui.selectable_value(&mut chosen.precision, precision, name).on_hover_text(hint);
                    }
                });
        });
        if chosen != *choice {
            self.instance.set_engine(EngineKind::MusicGen(chosen));
        }
    }
}
