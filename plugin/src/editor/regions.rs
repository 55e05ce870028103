//! Thread: gui. The places of the song as tabs over the melody: choose, add, rename, silence, remove.

use super::icon::{self, Icon};
use super::rename::{Renamed, rename_field};
use super::{Window, theme};
use cantus_engine::instance::region::RegionId;
use cantus_engine::instance::view::{RegionView, View};
use cantus_engine::playback::player::MOST_REGIONS;
use cantus_engine::time::Metre;
use egui::{Button, RichText, Ui};

impl Window {
    pub(super) fn region_tabs(&mut self, ui: &mut Ui, view: &View) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            for (place, region) in view.regions.iter().enumerate() {
                ui.push_id(region.id, |ui| self.region_tab(ui, view, place, region));
            }
            let possible = view.regions.len() < MOST_REGIONS;
            let hint = "Another place of the song with a melody of its own";
            if ui.add_enabled_ui(possible, |ui| icon::button(ui, Icon::Add, hint)).inner.clicked() {
                self.instance.add_region();
                // The new one is the last.
                self.set_region_parameter(view.regions.len());
            }
            let Some(chosen) = view.regions.iter().find(|region| region.id == view.region) else { return };
            ui.separator();
            let words = if chosen.muted {
                "Let this region sound again"
            } else {
                "Silence this region: the track is heard as it is"
            };
            if icon::button(ui, Icon::Mute(chosen.muted), words).clicked() {
                self.instance.mute_region(chosen.id, !chosen.muted);
            }
            if view.regions.len() > 1
                && icon::button(ui, Icon::Remove, "Remove this region and everything in it").clicked()
            {
                self.removing = Some(chosen.id);
            }
            if self.removing == Some(chosen.id) {
                ui.colored_label(theme::of(ui).warning, format!("Remove {} for good?", name(0, chosen)));
                if ui.button("Remove").clicked() {
                    self.instance.remove_region(chosen.id);
                    self.removing = None;
                }
                if ui.button("Keep").clicked() {
                    self.removing = None;
                }
            }
            if chosen.muted {
                ui.colored_label(theme::of(ui).warning, "muted");
            }
        });
    }

    fn region_tab(&mut self, ui: &mut Ui, view: &View, place: usize, region: &RegionView) {
        if let Some((id, text)) = &mut self.renaming_region
            && *id == region.id
        {
            match rename_field(ui, text, 90.0) {
                Renamed::Typing => {}
                Renamed::GivenUp => self.renaming_region = None,
                Renamed::To(name) => {
                    self.instance.rename_region(region.id, name);
                    self.renaming_region = None;
                }
            }
            return;
        }
        let chosen = region.id == view.region;
        let mut text = RichText::new(name(place, region));
        if region.muted {
            text = text.strikethrough();
        }
        let metre = view.ear.as_ref().and_then(|ear| ear.stamp.metre).unwrap_or_default();
        let tab = ui.add(Button::selectable(chosen, text)).on_hover_text(about(region, metre));
        if region.capturing {
            let at = tab.rect.right_top();
            ui.painter().circle_filled(egui::pos2(at.x - 3.0, at.y + 3.0), 3.5, theme::of(ui).record);
        }
        if tab.double_clicked() {
            self.renaming_region = Some((region.id, name(place, region)));
        } else if tab.clicked() && !chosen {
            self.instance.choose_region(region.id);
            self.set_region_parameter(place);
        }
    }

    /// The parameter follows the window, so that automation goes on from there.
    fn set_region_parameter(&self, place: usize) {
        if let Ok(number) = i32::try_from(place + 1) {
            self.set(&self.params.region, number);
        }
    }
}

/// What a region's tab says.
fn name(place: usize, region: &RegionView) -> String {
    if region.name.trim().is_empty() { format!("Region {}", place + 1) } else { region.name.clone() }
}

/// What it says about itself under the pointer.
fn about(region: &RegionView, metre: Metre) -> String {
    let bar = metre.bar().0;
    let place = region.span.map_or_else(
        || "nothing captured yet".to_owned(),
        |(start, end)| format!("bars {:.0} to {:.0}", (start.0 / bar).floor() + 1.0, (end.0 / bar).ceil()),
    );
    let muted = if region.muted { ", muted" } else { "" };
    format!("{place}, {} variations{muted}\nDouble-click to rename", region.variations)
}

/// A region's name while it is being typed.
pub type Renaming = Option<(RegionId, String)>;
