//! Thread: gui. The parts of the variation that plays: level, mute and solo of each, and a handle to drag it out alone.

use super::{Window, theme};
use cantus_engine::export::shelf::Wanted;
use cantus_engine::generation::score::Role;
use cantus_engine::instance::view::View;
use cantus_engine::rendition::Rendition;
use egui::{Button, RichText, Ui, vec2};

impl Window {
    /// One chip a part.
    pub(super) fn stem_row(&mut self, ui: &mut Ui, view: &View, id: u64, rendition: &Rendition) {
        let roles: Vec<Role> = rendition.stems.iter().map(|stem| stem.role).collect();
        if roles.len() < 2 {
            return;
        }
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(2.0, 3.0);
            ui.spacing_mut().interact_size.y = 19.0;
            ui.spacing_mut().button_padding = vec2(4.0, 0.0);
            for role in roles {
                self.part(ui, view, id, role);
                ui.add_space(7.0);
            }
        });
    }

    fn part(&mut self, ui: &mut Ui, view: &View, id: u64, role: Role) {
        let Some(place) = Role::ALL.iter().position(|one| *one == role) else { return };
        let muted = self.params.parts[place].mute.value();
        self.handle(ui, view, id, Wanted::Stem(role), role.name());
        let small = |text: &str| RichText::new(text).size(10.5).strong();
        let palette = theme::of(ui);
        let mute = Button::new(small("M").color(if muted { palette.on_accent } else { palette.faint }));
        let mute = mute.fill(if muted { palette.warning_fill } else { palette.panel }).min_size(vec2(18.0, 18.0));
        let hint = if muted { "Muted: let this part sound again" } else { "Mute this part" };
        if ui.add(mute).on_hover_text(hint).clicked() {
            self.solo = None;
            self.set(&self.params.parts[place].mute, !muted);
        }
        let alone = self.solo.as_ref().is_some_and(|(soloed, _)| *soloed == role);
        let solo = Button::new(small("S").color(if alone { palette.on_accent } else { palette.faint }));
        let solo = solo.fill(if alone { palette.accent_fill } else { palette.panel }).min_size(vec2(18.0, 18.0));
        if ui.add(solo).on_hover_text(if alone { "Let the others sound again" } else { "This part alone" }).clicked() {
            self.solo_part(role, alone);
        }
    }

    /// Solo is what the mutes of the others make of it: the host sees it, and it can be automated.
    fn solo_part(&mut self, role: Role, alone: bool) {
        let mutes = self.params.parts.each_ref().map(|part| part.mute.value());
        let before = self.solo.take().map_or(mutes, |(_, before)| before);
        let wanted = if alone { before } else { Role::ALL.map(|other| other != role) };
        for ((part, now), wanted) in self.params.parts.iter().zip(mutes).zip(wanted) {
            if now != wanted {
                self.set(&part.mute, wanted);
            }
        }
        self.solo = (!alone).then_some((role, before));
    }
}

/// The part that is heard alone, and the mutes of before.
pub type Solo = Option<(Role, [bool; Role::ALL.len()])>;
