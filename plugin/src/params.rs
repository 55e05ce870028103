//! Thread: any. Every parameter: its id, range and text. Ids and ranges are pinned by a golden file; they never change.

use crate::state::SavedSession;
use cantus_engine::capture::cut::{CaptureMode, Recall};
use cantus_engine::capture::signal::Signal;
use cantus_engine::generation::Timing;
use cantus_engine::generation::score::Role;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::instance::Instance;
use cantus_engine::playback::player::{self, MOST_REGIONS, PlayMode, PlayerSettings};
use cantus_engine::playback::standing::Standing;
use cantus_engine::time::Seconds;
use nice_plug::prelude::*;
use std::sync::{Arc, OnceLock};

/// The hidden revision counter wraps here.
pub const REVISIONS: i32 = 1 << 16;

/// Places the style parameter has; the list grows into them.
const MOST_STYLES: i32 = 128;

/// Where a capture comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum InputSource {
    /// The track itself.
    #[id = "main"]
    #[name = "Track"]
    Main,
    /// The sidechain input.
    #[id = "sidechain"]
    #[name = "Sidechain"]
    Sidechain,
}

/// How much of the song a capture takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum CaptureLength {
    /// From start to stop.
    #[id = "free"]
    #[name = "Free"]
    Free,
    /// The next bars.
    #[id = "bars"]
    #[name = "Next bars"]
    Bars,
    /// The host's loop region.
    #[id = "loop"]
    #[name = "Loop region"]
    Loop,
}

/// When the notes of the melody are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum NoteTiming {
    /// As they were sung.
    #[id = "sung"]
    #[name = "As sung"]
    AsSung,
    /// Nearer to the grid.
    #[id = "tight"]
    #[name = "Tightened"]
    Tightened,
    /// Where they were probably meant.
    #[id = "grid"]
    #[name = "On the grid"]
    OnGrid,
}

impl NoteTiming {
    /// How far notes are pulled, 0 to 1.
    pub fn strength(self) -> f32 {
        match self {
            Self::AsSung => Timing::AsSung.strength(),
            Self::Tightened => Timing::TIGHTENED.strength(),
            Self::OnGrid => Timing::ON_GRID.strength(),
        }
    }
}

/// What "what I just hummed" is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RecallUnit {
    /// Whole bars.
    #[id = "bars"]
    #[name = "Bars"]
    Bars,
    /// Seconds.
    #[id = "seconds"]
    #[name = "Seconds"]
    Seconds,
}

/// What decides where in the region a block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Playback {
    /// The song's position.
    #[id = "song"]
    #[name = "Follow the song"]
    Song,
    /// Round and round while the song plays.
    #[id = "loop"]
    #[name = "Loop freely"]
    Loop,
    /// MIDI notes start it.
    #[id = "trigger"]
    #[name = "MIDI trigger"]
    Trigger,
}

/// When another variation takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SwitchAt {
    /// At once.
    #[id = "now"]
    #[name = "Now"]
    Now,
    /// At the next bar line.
    #[id = "bar"]
    #[name = "Next bar"]
    NextBar,
}

/// What is done with one part of a rendition.
#[derive(Params)]
pub struct PartParams {
    /// Its level.
    #[id = "level"]
    pub level: FloatParam,
    /// Leaves it out.
    #[id = "mute"]
    pub mute: BoolParam,
    /// Sends its notes to the host, and leaves its sound out.
    #[id = "midi"]
    pub midi: BoolParam,
}

/// All parameters, and what the project holds besides them.
#[derive(Params)]
pub struct CantusParams {
    /// Takes, notes and variations.
    #[nested]
    pub session: SavedSession,

    /// Passes the track through untouched.
    #[id = "bypass"]
    pub bypass: BoolParam,
    /// On arms a capture, off ends a free one.
    #[id = "capture"]
    pub capture: BoolParam,
    /// How much of the song a capture takes.
    #[id = "capture_mode"]
    pub capture_mode: EnumParam<CaptureLength>,
    /// Bars of a capture in bars.
    #[id = "capture_bars"]
    pub capture_bars: IntParam,
    /// Where the melody comes in.
    #[id = "input"]
    pub input: EnumParam<InputSource>,
    /// Monitoring delay that live captures are shifted back by.
    #[id = "input_offset"]
    pub input_offset: FloatParam,
    /// Style, when there is no prompt. The range leaves room for styles to come.
    #[id = "style"]
    pub style: IntParam,
    /// Seed of the first variation.
    #[id = "seed"]
    pub seed: IntParam,
    /// How many variations one order makes.
    #[id = "variations"]
    pub variations: IntParam,
    /// As sung, or paraphrased.
    #[id = "freedom"]
    pub freedom: FloatParam,
    /// When the notes of the melody are played.
    #[id = "timing"]
    pub timing: EnumParam<NoteTiming>,
    /// Turning on orders variations.
    #[id = "generate"]
    pub generate: BoolParam,
    /// Turning on cancels what is being made.
    #[id = "cancel"]
    pub cancel: BoolParam,
    /// The variation that plays, oldest first from 1; 0 leaves the choice to the window.
    #[id = "active"]
    pub active: IntParam,
    /// Plays the rendition.
    #[id = "play"]
    pub play: BoolParam,
    /// Mutes the track while the rendition sounds.
    #[id = "replace"]
    pub replace: BoolParam,
    /// Level of the track.
    #[id = "dry"]
    pub dry: FloatParam,
    /// Level of the rendition.
    #[id = "wet"]
    pub wet: FloatParam,
    /// Plays the region in a loop, whatever the song does.
    #[id = "audition"]
    pub audition: BoolParam,
    /// Counts changes that are no parameter, so that hosts without another way notice them.
    #[id = "revision"]
    pub revision: IntParam,
    /// The region that orders speak of, from 1.
    #[id = "region"]
    pub region: IntParam,
    /// Turning on captures what was just hummed.
    #[id = "recall"]
    pub recall: BoolParam,
    /// How much of it.
    #[id = "recall_length"]
    pub recall_length: IntParam,
    /// What that is counted in.
    #[id = "recall_unit"]
    pub recall_unit: EnumParam<RecallUnit>,
    /// Arms a capture whenever the song begins to play.
    #[id = "auto_arm"]
    pub auto_arm: BoolParam,
    /// Bars that are counted before a capture in bars begins.
    #[id = "count_in"]
    pub count_in: IntParam,
    /// What decides where in the region a block lies.
    #[id = "playback"]
    pub playback: EnumParam<Playback>,
    /// The key that starts the first region; the keys above start the others.
    #[id = "trigger_note"]
    pub trigger_note: IntParam,
    /// When another variation takes over.
    #[id = "switch"]
    pub switch: EnumParam<SwitchAt>,
    /// Lets an offline bounce wait for a rendition that is being made.
    #[id = "wait_offline"]
    pub wait_offline: BoolParam,
    /// The parts, in the order of [`Role::ALL`].
    #[nested(array, group = "Parts")]
    pub parts: [PartParams; Role::ALL.len()],
}

impl PartParams {
    fn new(role: Role) -> Self {
        let name = role.title();
        Self {
            level: level(&format!("{name} level")),
            mute: BoolParam::new(format!("{name} mute"), false),
            midi: BoolParam::new(format!("{name} as MIDI"), false),
        }
    }
}

impl CantusParams {
    /// All at their defaults.
    pub fn new(instance: Arc<Instance>) -> Self {
        Self {
            session: SavedSession::new(instance),
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            capture: BoolParam::new("Capture", false),
            capture_mode: EnumParam::new("Capture mode", CaptureLength::Loop),
            capture_bars: IntParam::new("Capture bars", 8, IntRange::Linear { min: 1, max: 64 }).with_unit(" bars"),
            input: EnumParam::new("Input", InputSource::Main),
            input_offset: FloatParam::new("Input offset", 0.0, FloatRange::Linear { min: 0.0, max: 500.0 })
                .with_unit(" ms")
                .with_step_size(0.1),
            style: IntParam::new("Style", 0, IntRange::Linear { min: 0, max: MOST_STYLES - 1 })
                .with_value_to_string(Arc::new(|index| style_name(index).unwrap_or_else(|| format!("({index})"))))
                .with_string_to_value(Arc::new(style_index)),
            seed: IntParam::new("Seed", 1, IntRange::Linear { min: 0, max: 9999 }),
            variations: IntParam::new("Variations", 1, IntRange::Linear { min: 1, max: 8 }),
            freedom: FloatParam::new("Freedom", 0.0, FloatRange::Linear { min: 0.0, max: 1.0 }).with_step_size(0.01),
            timing: EnumParam::new("Timing", NoteTiming::AsSung),
            generate: BoolParam::new("Generate", false),
            cancel: BoolParam::new("Cancel", false),
            active: IntParam::new("Active variation", 0, IntRange::Linear { min: 0, max: 128 }),
            play: BoolParam::new("Play rendition", true),
            replace: BoolParam::new("Replace track", true),
            dry: level("Track level"),
            wet: level("Rendition level"),
            audition: BoolParam::new("Audition", false),
            revision: IntParam::new("Revision", 0, IntRange::Linear { min: 0, max: REVISIONS - 1 })
                .non_automatable()
                .hide(),
            region: IntParam::new("Region", 1, IntRange::Linear { min: 1, max: MOST_REGIONS as i32 }),
            recall: BoolParam::new("Capture what I just hummed", false),
            recall_length: IntParam::new("Just hummed", 4, IntRange::Linear { min: 1, max: 64 }),
            recall_unit: EnumParam::new("Just hummed in", RecallUnit::Bars),
            auto_arm: BoolParam::new("Arm on play", false),
            count_in: IntParam::new("Count-in", 0, IntRange::Linear { min: 0, max: 4 }).with_unit(" bars"),
            playback: EnumParam::new("Playback", Playback::Song),
            trigger_note: IntParam::new("Trigger note", 60, IntRange::Linear { min: 0, max: 127 })
                .with_value_to_string(formatters::v2s_i32_key_formatter())
                .with_string_to_value(formatters::s2v_i32_key_formatter()),
            switch: EnumParam::new("Switch variations", SwitchAt::Now),
            wait_offline: BoolParam::new("Bounce waits for renditions", true),
            parts: Role::ALL.map(PartParams::new),
        }
    }

    /// The capture that the parameters describe.
    pub fn capture_order(&self) -> CaptureMode {
        match self.capture_mode.value() {
            CaptureLength::Free => CaptureMode::Free,
            CaptureLength::Bars => CaptureMode::Bars(self.capture_bars.value().unsigned_abs()),
            CaptureLength::Loop => CaptureMode::LoopRegion,
        }
    }

    /// How much "what I just hummed" means.
    pub fn recall_span(&self) -> Recall {
        let length = self.recall_length.value();
        match self.recall_unit.value() {
            RecallUnit::Bars => Recall::Bars(length.unsigned_abs()),
            RecallUnit::Seconds => Recall::Seconds(Seconds(f64::from(length))),
        }
    }

    /// The capture that arms by itself when the song begins to play.
    pub fn auto_arm_order(&self) -> Option<CaptureMode> {
        self.auto_arm.value().then(|| self.capture_order())
    }

    /// The monitoring delay.
    pub fn input_offset(&self) -> Seconds {
        Seconds(f64::from(self.input_offset.value()) / 1e3)
    }

    /// Thread: audio. The order to generate, with everything it depends on but the prompt.
    pub fn generate_signal(&self) -> Signal {
        Signal::Generate {
            style: usize::try_from(self.style.value()).unwrap_or(0),
            seed: u64::from(self.seed.value().unsigned_abs()),
            variations: self.variations.value().unsigned_abs(),
            freedom: self.freedom.value(),
            tightness: self.timing.value().strength(),
        }
    }

    /// Thread: audio. What the player should do in this block.
    pub fn player_settings(&self, standing: &Standing) -> PlayerSettings {
        let mut settings = PlayerSettings {
            enabled: self.play.value() && !self.bypass.value(),
            replace: self.replace.value(),
            dry_gain: self.dry.value(),
            wet_gain: self.wet.value(),
            audition: self.audition.value(),
            mode: match self.playback.value() {
                Playback::Song => PlayMode::Song,
                Playback::Loop => PlayMode::Loop,
                Playback::Trigger => PlayMode::Trigger,
            },
            switch: match self.switch.value() {
                SwitchAt::Now => player::SwitchAt::Now,
                SwitchAt::NextBar => player::SwitchAt::NextBar,
            },
            trigger_note: u8::try_from(self.trigger_note.value()).unwrap_or(0),
            seats: standing.seats(),
            chosen_seat: standing.chosen(),
            compare: standing.compares(),
            ..PlayerSettings::PLAIN
        };
        for (role, part) in self.parts.iter().enumerate() {
            settings.role_gains[role] = if part.mute.value() { 0.0 } else { part.level.value() };
            settings.midi_roles |= u8::from(part.midi.value()) << role;
        }
        settings
    }
}

/// The name of a style by its place in the built-in list, which only ever grows at its end.
pub fn style_name(index: i32) -> Option<String> {
    let place = usize::try_from(index).ok()?;
    library()?.list().get(place).map(|style| style.name.clone())
}

/// The built-in styles, read once: parameters and window need them before and without a studio.
pub fn library() -> Option<&'static StyleLibrary> {
    static LIBRARY: OnceLock<Option<StyleLibrary>> = OnceLock::new();
    LIBRARY.get_or_init(|| StyleLibrary::builtin().ok()).as_ref()
}

/// The place of a style by its name, or by a number.
fn style_index(text: &str) -> Option<i32> {
    let text = text.trim();
    let named = (0..MOST_STYLES).find(|&index| style_name(index).is_some_and(|name| name.eq_ignore_ascii_case(text)));
    named.or_else(|| text.trim_matches(['(', ')']).parse().ok())
}

/// A gain from silence to +6 dB, unity by default.
fn level(name: &str) -> FloatParam {
    FloatParam::new(
        name,
        1.0,
        FloatRange::Skewed {
            min: 0.0,
            max: util::db_to_gain(6.0),
            factor: FloatRange::gain_skew_factor(util::MINUS_INFINITY_DB, 6.0),
        },
    )
    .with_unit(" dB")
    .with_value_to_string(formatters::v2s_f32_gain_to_db(1))
    .with_string_to_value(formatters::s2v_f32_gain_to_db())
}
