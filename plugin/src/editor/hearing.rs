//! Thread: gui. How a variation is heard and taken away: playhead, comparing with the original, levels, files, more of the same.

use super::icon::{self, Icon};
use super::{Window, theme};
use cantus_engine::instance::view::{VariationView, View};
use cantus_engine::rendition::Rendition;
use egui::{Button, Slider, Ui};
use nice_plug::prelude::{BoolParam, FloatParam, Param};

impl Window {
    /// Where the playhead is in a variation, 0 to 1, while it plays.
    pub(super) fn playhead(&self, view: &View, id: u64, rendition: &Rendition) -> Option<f32> {
        let player = view.player.as_ref().filter(|_| view.active == Some(id) && self.has_arrived(view, id))?;
        let frames = rendition.mix.frames().max(1);
        let position = player.position(view.seat());
        (position >= 0).then(|| position as f32 / frames as f32)
    }

    /// Whether the audio thread has a variation in its hands.
    pub(super) fn has_arrived(&self, view: &View, id: u64) -> bool {
        view.player.as_ref().is_some_and(|player| player.clip(view.seat()) == Some(id))
    }

    /// Between the rendition that plays and the take itself, at the same loudness.
    pub(super) fn compare_button(&mut self, ui: &mut Ui, view: &View) {
        if view.active.is_none() {
            return;
        }
        for (original, text, hint) in [
            (true, "A  original", "What you sang, in its place, as loud as the rendition"),
            (false, "B  rendition", "The rendition that was chosen"),
        ] {
            let chosen = view.comparing == original;
            if ui.add(Button::selectable(chosen, text)).on_hover_text(hint).clicked() && !chosen {
                self.instance.compare(original);
            }
        }
        if ui.button("Off").on_hover_text("No rendition: the track as it is").clicked() {
            self.instance.select(None);
        }
    }

    /// Takes a deletion back.
    pub(super) fn undo_button(&mut self, ui: &mut Ui, view: &View) {
        if let Some(name) = &view.last_deleted
            && icon::button(ui, Icon::Undo, &format!("Bring {name} back")).clicked()
        {
            self.instance.undo_delete();
        }
    }

    /// Captures what was just hummed.
    pub(super) fn recall(&mut self) {
        self.instance.recall(self.params.recall_span());
    }

    /// Measures the input offset.
    pub(super) fn measure_button(&mut self, ui: &mut Ui, view: &View) {
        let hint = "Sounds four quiet clicks and listens when they come back: hold the microphone to the loudspeaker";
        if ui.button("measure").on_hover_text(hint).clicked() {
            self.measuring = true;
            self.instance.measure_offset();
        }
        if let Some(measured) = view.measured_offset.filter(|_| self.measuring) {
            self.measuring = false;
            self.set(&self.params.input_offset, (measured.offset.0 * 1e3) as f32);
        }
    }

    /// Switches and levels of what is heard, from the right.
    pub(super) fn listening(&mut self, ui: &mut Ui) {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.spacing_mut().slider_width = 64.0;
        self.level(ui, &self.params.dry, "Track");
        self.level(ui, &self.params.wet, "Rendition");
        self.switch(ui, &self.params.audition, "loop", "Plays the region round and round, whatever the song does");
        self.switch(ui, &self.params.replace, "mute track", "The track is silent while the rendition sounds");
        self.switch(
            ui,
            &self.params.play,
            "play",
            "The rendition sounds in sync with the song, where the melody was sung",
        );
    }

    fn switch(&self, ui: &mut Ui, param: &BoolParam, text: &str, hint: &str) {
        let on = param.value();
        if ui.add(Button::selectable(on, text)).on_hover_text(hint).clicked() {
            self.set(param, !on);
        }
    }

    fn level(&self, ui: &mut Ui, param: &FloatParam, name: &str) {
        let mut level = param.unmodulated_normalized_value();
        let hint = format!("{name}: {param}");
        if ui.add(Slider::new(&mut level, 0.0..=1.0).show_value(false)).on_hover_text(hint).changed() {
            self.set(param, param.preview_plain(level));
        }
        ui.colored_label(theme::of(ui).faint, name);
    }

    /// More of the same.
    pub(super) fn again(&mut self, ui: &mut Ui, variation: &VariationView) {
        let hint = "Another one in the same style: the same chords, other strokes, the mood a little to the side";
        if ui.button("More like this").on_hover_text(hint).clicked() {
            self.instance.more_like(variation.id);
        }
        if icon::button(ui, Icon::Dice, "Make this one anew, with another seed").clicked() {
            self.instance.reroll(variation.id);
        }
    }
}
