//! Thread: gui. What the band is told: how the lead plays, how it ends, moods, the song's key and chords, and the parts of the
//! variation that plays.

use super::icon::{self, Icon};
use super::{Window, theme};
use cantus_engine::analysis::{Key, Mode};
use cantus_engine::generation::direction::{Ending, LeadVoice, Moods, Place, Pulse, Reharmonisation};
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::generation::song::SongContext;
use cantus_engine::instance::band::PartChange;
use cantus_engine::instance::view::{VariationStatus, View};
use egui::{CollapsingHeader, ComboBox, Slider, TextEdit, Ui};

/// A choice of the musician, with how it is called.
type Rows<T, const COUNT: usize> = [(T, &'static str); COUNT];

const LEADS: Rows<LeadVoice, 7> = [
    (LeadVoice::AsSung, "as sung"),
    (LeadVoice::OctaveUp, "octave up"),
    (LeadVoice::OctaveDown, "octave down"),
    (LeadVoice::Thirds, "in thirds"),
    (LeadVoice::Sixths, "in sixths"),
    (LeadVoice::Doubled, "doubled"),
    (LeadVoice::Off, "off: keep my voice"),
];
const ENDINGS: Rows<Ending, 2> = [(Ending::Loop, "loops"), (Ending::Final, "comes to an end")];
const PULSES: Rows<Pulse, 3> =
    [(Pulse::Normal, "as it is"), (Pulse::Half, "half time"), (Pulse::Double, "double time")];
const PLACES: Rows<Place, 4> =
    [(Place::Whole, "by itself"), (Place::Verse, "verse"), (Place::Chorus, "chorus"), (Place::Bridge, "bridge")];
const CHORDS: Rows<Reharmonisation, 4> = [
    (Reharmonisation::Diatonic, "plain"),
    (Reharmonisation::Style, "the style's"),
    (Reharmonisation::Borrowed, "borrowed"),
    (Reharmonisation::Adventurous, "adventurous"),
];
/// Most bars a melody is extended to in the window.
const MOST_BARS: u32 = 64;

impl Window {
    pub(super) fn band_panel(&mut self, ui: &mut Ui, view: &View) {
        CollapsingHeader::new("Band").id_salt("band").show(ui, |ui| self.direction(ui, view));
        CollapsingHeader::new("Song").id_salt("song").show(ui, |ui| self.song(ui, view));
        let playing = view.variations.iter().find(|variation| Some(variation.id) == view.active);
        let score = playing.and_then(|variation| match &variation.status {
            VariationStatus::Ready(rendition) => rendition.score.as_ref().map(|score| (variation.id, score)),
            _ => None,
        });
        if let Some((id, score)) = score {
            CollapsingHeader::new("Parts").id_salt("parts").show(ui, |ui| self.parts(ui, view, id, score));
        }
    }

    fn direction(&self, ui: &mut Ui, view: &View) {
        let mut wanted = view.direction.clone();
        choice(ui, "Lead", &LEADS, &mut wanted.lead);
        choice(ui, "Ending", &ENDINGS, &mut wanted.ending);
        choice(ui, "Place", &PLACES, &mut wanted.place);
        choice(ui, "Pulse", &PULSES, &mut wanted.pulse);
        choice(ui, "Chords", &CHORDS, &mut wanted.reharmonisation);
        ui.checkbox(&mut wanted.pedal, "Tonic pedal");
        ui.horizontal(|ui| {
            let mut extended = wanted.bars.is_some();
            ui.checkbox(&mut extended, "Extend to");
            let mut bars = wanted.bars.unwrap_or(16);
            ui.add_enabled(extended, egui::DragValue::new(&mut bars).range(1..=MOST_BARS).suffix(" bars"));
            wanted.bars = extended.then_some(bars);
        });
        moods(ui, &mut wanted.moods);
        if wanted != view.direction {
            self.instance.direct(|direction| *direction = wanted);
        }
    }

    fn song(&mut self, ui: &mut Ui, view: &View) {
        let mut key = view.song.context.key;
        ui.horizontal(|ui| {
            ui.label("Key");
            let name = key.map_or_else(|| "as heard".to_owned(), Key::name);
            ComboBox::from_id_salt("song key").selected_text(name).show_ui(ui, |ui| {
                ui.selectable_value(&mut key, None, "as heard");
                for mode in [Mode::Major, Mode::Minor] {
                    for tonic in 0..12 {
                        let one = Key { tonic, mode };
                        ui.selectable_value(&mut key, Some(one), one.name());
                    }
                }
            });
        });
        if key != view.song.context.key {
            self.instance.set_song_key(key);
        }
        if let Some(analysis) = view.analysis.as_ref().filter(|analysis| !analysis.harmony.is_empty()) {
            let hint = "The take has chords: every new variation keeps them";
            if ui.button("Take the chords from the take").on_hover_text(hint).clicked() {
                let played = SongContext::played(analysis, view.song.context.key);
                self.instance.set_song_chords(played, String::new());
            }
        }
        ui.label("Chords, a bar between strokes");
        if !ui.memory(|memory| memory.focused().is_some()) {
            self.chords.clone_from(&view.song.typed);
        }
        let field = TextEdit::multiline(&mut self.chords).hint_text("C Am7 | F G").desired_rows(2);
        if ui.add(field.desired_width(f32::INFINITY)).changed() {
            self.set_chords(view);
        }
        if let Some(mistake) = &self.chord_mistake {
            ui.colored_label(theme::of(ui).warning, mistake);
        } else if !view.song.context.chords.is_empty() {
            let count = view.song.context.chords.len();
            ui.colored_label(theme::of(ui).faint, format!("{count} chords, kept as they are in every new variation"));
        }
    }

    fn parts(&self, ui: &mut Ui, view: &View, id: u64, score: &Score) {
        let sounds = crate::params::library().map(|library| library.presets().all()).unwrap_or_default();
        for track in &score.tracks {
            ui.horizontal(|ui| {
                let locked = view.direction.part(track.role).is_some_and(|part| part.seed.is_some());
                let mut lock = locked;
                if ui.checkbox(&mut lock, "").on_hover_text("Keep this part in new variations").changed() {
                    self.instance.lock_part(id, track.role, lock);
                }
                if icon::button(ui, Icon::Dice, "Play this part anew").clicked() {
                    let seed = view.variations.iter().map(|variation| variation.id).max().unwrap_or(0) + 7_919;
                    self.instance.change_part(id, track.role, PartChange::Reroll(seed));
                }
                if icon::button(ui, Icon::Remove, "Leave this part out").clicked() {
                    self.instance.change_part(id, track.role, PartChange::Mute(true));
                }
                ui.label(track.role.name());
                let mut chosen = track.preset;
                ComboBox::from_id_salt(("sound", track.role)).width(120.0).selected_text(&track.instrument).show_ui(
                    ui,
                    |ui| {
                        for sound in sounds.iter().filter(|sound| sound.preset.is_kit() == track.preset.is_kit()) {
                            ui.selectable_value(&mut chosen, sound.preset, &sound.name);
                        }
                    },
                );
                if chosen != track.preset {
                    self.instance.change_part(id, track.role, PartChange::Swap(Some(chosen)));
                }
            });
        }
        for role in Role::ALL {
            if view.direction.part(role).is_some_and(|part| part.muted) {
                ui.horizontal(|ui| {
                    ui.colored_label(theme::of(ui).faint, format!("{}: left out", role.name()));
                    if ui.small_button("bring back").clicked() {
                        self.instance.change_part(id, role, PartChange::Mute(false));
                    }
                });
            }
        }
    }
}

fn choice<T: Copy + PartialEq, const COUNT: usize>(ui: &mut Ui, label: &str, rows: &Rows<T, COUNT>, value: &mut T) {
    let chosen = rows.iter().find(|(one, _)| one == value).map_or("", |(_, name)| *name);
    ui.horizontal(|ui| {
        ui.label(label);
        ComboBox::from_id_salt(label).selected_text(chosen).show_ui(ui, |ui| {
            for (one, name) in rows {
                ui.selectable_value(value, *one, *name);
            }
        });
    });
}

fn moods(ui: &mut Ui, moods: &mut Moods) {
    for (value, name) in [
        (&mut moods.energy, "Energy"),
        (&mut moods.complexity, "Complexity"),
        (&mut moods.brightness, "Brightness"),
        (&mut moods.swing, "Swing"),
        (&mut moods.humanise, "Looseness"),
        (&mut moods.reverb, "Room"),
    ] {
        let slider = Slider::new(value, -1.0..=1.0).text(name).show_value(false);
        if ui.add(slider).on_hover_text("The middle is the style's own; double-click puts it back").double_clicked() {
            *value = 0.0;
        }
    }
}

impl Window {
    /// Takes the typed chords over, or says what is wrong with them.
    fn set_chords(&mut self, view: &View) {
        let grid = view.analysis.as_ref().map(|analysis| analysis.metre());
        let metre = grid.or_else(|| view.ear.as_ref().and_then(|ear| ear.stamp.metre)).unwrap_or_default();
        match SongContext::typed(&self.chords, metre, view.song.context.key) {
            Ok(context) => {
                self.chord_mistake = None;
                self.instance.set_song_chords(context, self.chords.clone());
            }
            Err(error) => self.chord_mistake = Some(error.to_string()),
        }
    }
}
