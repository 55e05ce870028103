//! Thread: any. Patches as data: what oscillators, filters and envelopes a sound is made of, read from one file and checked.

use super::envelope::Envelope;
use crate::error::{Error, Result};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeSet;
use std::sync::OnceLock;
use toml::Spanned;

/// All sounds that oscillators make.
#[derive(Debug, Clone, PartialEq)]
pub struct Sounds {
    /// Pitched sounds.
    pub patches: Vec<Patch>,
    /// Drum kits.
    pub kits: Vec<Kit>,
}

/// A pitched sound.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// Program in bank 120.
    #[serde(deserialize_with = "whole::<_, 0, 127>")]
    pub program: u8,
    /// As the sound list calls it.
    pub name: String,
    /// Level of the whole, in decibels.
    #[serde(deserialize_with = "within::<_, -60, 40>")]
    pub level_db: f32,
    /// Saturation of each note, 0 to 1.
    #[serde(default, deserialize_with = "within::<_, 0, 1>")]
    pub drive: f32,
    /// Loudness over the note.
    pub amp: Shape,
    /// What sounds.
    #[serde(rename = "oscillator")]
    pub oscillators: Vec<Oscillator>,
    /// What shapes it.
    pub filter: Option<Filter>,
    /// Two vowels and the way between them.
    pub vowels: Option<Vowels>,
    /// Nothing sounds below this, in Hz; 0 lets everything pass.
    #[serde(default, deserialize_with = "within::<_, 0, 2000>")]
    pub low_cut_hz: f32,
    /// The sound's own vibrato, for notes that come without a bend.
    pub vibrato: Option<Vibrato>,
    /// A fall of the pitch at the stroke.
    pub drop: Option<Drop>,
    /// Semitones it jumps between while it sounds.
    pub trill: Option<Trill>,
    /// What changes from the note's start to its end, however long it is.
    pub journey: Option<Journey>,
    /// Delayed, swaying copies, 0 to 1.
    #[serde(default, deserialize_with = "within::<_, 0, 1>")]
    pub ensemble: f32,
}

/// An envelope in the file's units.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// Milliseconds from nothing to full.
    #[serde(deserialize_with = "within::<_, 0, 10000>")]
    attack_ms: f32,
    /// Milliseconds to fall by 60 dB towards the sustained level.
    #[serde(deserialize_with = "within::<_, 1, 20000>")]
    decay_ms: f32,
    /// Level while held, 0 to 1.
    #[serde(deserialize_with = "within::<_, 0, 1>")]
    sustain: f32,
    /// Milliseconds to fall by 60 dB once let go: 3 seconds are 4 to -80 dB.
    #[serde(default = "short", deserialize_with = "within::<_, 5, 2900>")]
    release_ms: f32,
}

fn short() -> f32 {
    100.0
}

impl Shape {
    /// In seconds.
    pub fn envelope(&self) -> Envelope {
        let seconds = |milliseconds: f32| f64::from(milliseconds) / 1000.0;
        Envelope {
            attack: seconds(self.attack_ms),
            decay: seconds(self.decay_ms),
            sustain: f64::from(self.sustain),
            release: seconds(self.release_ms),
        }
    }
}

/// What an oscillator makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wave {
    /// All partials.
    Saw,
    /// Odd partials, soft.
    Triangle,
    /// A triangle of sixteen levels.
    SteppedTriangle,
    /// One partial, or many when `fm` bends its phase.
    Sine,
    /// A rectangle of `width`.
    Pulse,
    /// White noise.
    Noise,
}

/// One oscillator.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oscillator {
    /// What it makes.
    pub wave: Wave,
    /// Amplitude.
    #[serde(deserialize_with = "within::<_, 0, 4>")]
    pub level: f32,
    /// Semitones over the key.
    #[serde(default, deserialize_with = "within::<_, -48, 60>")]
    pub semitones: f32,
    /// How many of it sound at once.
    #[serde(default = "one", deserialize_with = "whole::<_, 1, 9>")]
    pub voices: u8,
    /// Cents between the key and the outermost of them.
    #[serde(default, deserialize_with = "within::<_, 0, 100>")]
    pub detune: f32,
    /// How far they stand apart, 0 to 1.
    #[serde(default, deserialize_with = "within::<_, 0, 1>")]
    pub spread: f32,
    /// Share of the period that a pulse is up.
    #[serde(default = "half", deserialize_with = "within::<_, 0, 1>")]
    pub width: f32,
    /// How far the width sways, and how fast in Hz.
    #[serde(default)]
    pub width_sway: [f32; 2],
    /// Milliseconds in which it dies away by 60 dB by itself; 0 for one that stays.
    #[serde(default, deserialize_with = "within::<_, 0, 20000>")]
    pub decay_ms: f32,
    /// What bends its phase.
    pub fm: Option<Fm>,
    /// It passes by the filter.
    #[serde(default)]
    pub past_filter: bool,
}

fn one() -> u8 {
    1
}

fn half() -> f32 {
    0.5
}

/// A sine that bends another one's phase.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fm {
    /// Its frequency against the bent one's.
    #[serde(deserialize_with = "within::<_, 0, 30>")]
    pub ratio: f32,
    /// How far it bends at the stroke, in radians.
    #[serde(deserialize_with = "within::<_, 0, 20>")]
    pub index: f32,
    /// Milliseconds in which that falls by 60 dB.
    #[serde(deserialize_with = "within::<_, 1, 20000>")]
    pub decay_ms: f32,
    /// Share of it that stays.
    #[serde(default, deserialize_with = "within::<_, 0, 1>")]
    pub sustain: f32,
    /// Octaves less bend an octave higher up, so that high keys do not screech.
    #[serde(default, deserialize_with = "within::<_, 0, 2>")]
    pub tame: f32,
}

/// A low-pass with an envelope.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// 2 or 4: 12 or 24 dB an octave.
    #[serde(deserialize_with = "whole::<_, 2, 4>")]
    pub poles: u8,
    /// Corner at middle C with the envelope at nothing, in Hz.
    #[serde(deserialize_with = "within::<_, 20, 20000>")]
    pub hz: f32,
    /// 0 to 1.
    #[serde(default, deserialize_with = "within::<_, 0, 1>")]
    pub resonance: f32,
    /// How far it follows the key; 1 is all the way.
    #[serde(default, deserialize_with = "within::<_, 0, 1>")]
    pub follow: f32,
    /// Octaves that the envelope opens it by.
    #[serde(default, deserialize_with = "within::<_, -6, 8>")]
    pub octaves: f32,
    /// Octaves from the softest to the hardest stroke.
    #[serde(default = "one_octave", deserialize_with = "within::<_, 0, 4>")]
    pub touch: f32,
    /// The envelope.
    pub shape: Option<Shape>,
    /// How far it sways, in octaves, and how fast in Hz.
    #[serde(default)]
    pub sway: [f32; 2],
}

fn one_octave() -> f32 {
    1.0
}

/// Two vowels: of each the resonances in Hz, their widths in Hz and levels in dB.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vowels {
    /// At the start.
    pub first: [[f32; 3]; 4],
    /// Half a sway later.
    pub second: [[f32; 3]; 4],
    /// How often it goes there and back, in Hz.
    #[serde(deserialize_with = "within::<_, 0, 10>")]
    pub hz: f32,
    /// How much passes by the resonances, 0 to 1.
    #[serde(deserialize_with = "within::<_, 0, 1>")]
    pub breath: f32,
}

/// A vibrato that comes after a while.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vibrato {
    /// Speed.
    #[serde(deserialize_with = "within::<_, 0, 20>")]
    pub hz: f32,
    /// Cents either way.
    #[serde(deserialize_with = "within::<_, 0, 200>")]
    pub cents: f32,
    /// Milliseconds until it is there.
    #[serde(deserialize_with = "within::<_, 0, 5000>")]
    pub after_ms: f32,
}

/// A fall of the pitch at the stroke.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drop {
    /// How far above it begins.
    #[serde(deserialize_with = "within::<_, -60, 60>")]
    pub semitones: f32,
    /// Milliseconds until it is within a thousandth.
    #[serde(deserialize_with = "within::<_, 1, 5000>")]
    pub ms: f32,
}

/// Jumps between pitches.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trill {
    /// Semitones over the key, one after another.
    pub semitones: Vec<i8>,
    /// Jumps a second.
    #[serde(deserialize_with = "within::<_, 1, 100>")]
    pub hz: f32,
}

/// What changes from a note's start to its end: each from the first value to the second.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journey {
    /// Semitones over the key.
    #[serde(default)]
    pub semitones: [f32; 2],
    /// Octaves that the filter opens.
    #[serde(default)]
    pub octaves: [f32; 2],
    /// Level in decibels.
    #[serde(default)]
    pub level_db: [f32; 2],
}

/// A drum kit.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kit {
    /// Program in bank 121.
    #[serde(deserialize_with = "whole::<_, 0, 127>")]
    pub program: u8,
    /// As the sound list calls it.
    pub name: String,
    /// Its drums.
    #[serde(rename = "drum")]
    pub drums: Vec<Drum>,
}

/// One drum.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drum {
    /// As a drummer calls it.
    pub name: String,
    /// The keys that strike it.
    pub keys: Vec<u8>,
    /// Whether keys above the first one sound higher.
    #[serde(default)]
    pub tuned: bool,
    /// Level in decibels.
    #[serde(deserialize_with = "within::<_, -60, 24>")]
    pub level_db: f32,
    /// Saturation, 0 to 1.
    #[serde(default, deserialize_with = "within::<_, 0, 1>")]
    pub drive: f32,
    /// Fewer and coarser steps, 0 to 1.
    #[serde(default, deserialize_with = "within::<_, 0, 1>")]
    pub crush: f32,
    /// What it is made of.
    #[serde(rename = "layer")]
    pub layers: Vec<Layer>,
}

/// What a layer of a drum makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// One partial.
    Sine,
    /// Soft odd partials.
    Triangle,
    /// Odd partials.
    Square,
    /// Six squares out of tune with each other.
    Metal,
    /// Two squares a fifth apart and a little off.
    Bell,
    /// White noise.
    Noise,
    /// A shift register's long noise, stepped at `hz`.
    ShiftNoise,
    /// A shift register's short, metallic noise, stepped at `hz`.
    ShiftTone,
}

/// One layer of a drum.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// What it makes.
    pub source: Source,
    /// Amplitude.
    #[serde(deserialize_with = "within::<_, 0, 8>")]
    pub level: f32,
    /// Pitch, or steps a second.
    #[serde(default, deserialize_with = "within::<_, 0, 200000>")]
    pub hz: f32,
    /// A fall of the pitch at the stroke.
    pub drop: Option<Drop>,
    /// Milliseconds from nothing to full.
    #[serde(default, deserialize_with = "within::<_, 0, 2000>")]
    pub attack_ms: f32,
    /// Milliseconds it stays there.
    #[serde(default, deserialize_with = "within::<_, 0, 2000>")]
    pub hold_ms: f32,
    /// Milliseconds to fall by 60 dB.
    #[serde(deserialize_with = "within::<_, 1, 4000>")]
    pub decay_ms: f32,
    /// Milliseconds after which it is cut off; 0 lets it ring.
    #[serde(default, deserialize_with = "within::<_, 0, 4000>")]
    pub gate_ms: f32,
    /// Nothing sounds below this, in Hz.
    #[serde(default, deserialize_with = "within::<_, 0, 20000>")]
    pub low_cut_hz: f32,
    /// Nothing sounds above this, in Hz.
    #[serde(default, deserialize_with = "within::<_, 0, 24000>")]
    pub high_cut_hz: f32,
    /// Hands that do not meet: strokes, and milliseconds between them.
    #[serde(default)]
    pub strokes: [f32; 2],
    /// Noise that differs between left and right, 0 to 1.
    #[serde(default, deserialize_with = "within::<_, 0, 1>")]
    pub spread: f32,
}

/// A number within limits; the message names them, and the reader adds the line.
fn within<'de, D, const LOW: i32, const HIGH: i32>(source: D) -> std::result::Result<f32, D::Error>
where
    D: Deserializer<'de>,
{
    let number = f32::deserialize(source)?;
    if number.is_finite() && (LOW as f32..=HIGH as f32).contains(&number) {
        return Ok(number);
    }
    Err(serde::de::Error::custom(format!("{number} must be {LOW} to {HIGH}")))
}

fn whole<'de, D, const LOW: u8, const HIGH: u8>(source: D) -> std::result::Result<u8, D::Error>
where
    D: Deserializer<'de>,
{
    let number = u8::deserialize(source)?;
    if (LOW..=HIGH).contains(&number) {
        return Ok(number);
    }
    Err(serde::de::Error::custom(format!("{number} must be {LOW} to {HIGH}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    patch: Vec<Spanned<Patch>>,
    #[serde(default)]
    kit: Vec<Spanned<Kit>>,
}

impl Sounds {
    /// The sounds that ship with Cantus, read once a process.
    ///
    /// # Errors
    /// [`Error::Internal`] when the embedded file is broken.
    pub fn shipped() -> Result<&'static Self> {
        static SOUNDS: OnceLock<std::result::Result<Sounds, String>> = OnceLock::new();
        SOUNDS
            .get_or_init(|| Self::read(include_str!("../../../../assets/synth/patches.toml")))
            .as_ref()
            .map_err(|reason| Error::internal("reading the patches", reason))
    }

    /// Reads and checks a file of patches and kits.
    ///
    /// # Errors
    /// A sentence with the line of the first mistake.
    pub fn read(text: &str) -> std::result::Result<Self, String> {
        let at = |start: usize, reason: &str| {
            let line = 1 + text.bytes().take(start).filter(|&byte| byte == b'\n').count();
            format!("patches.toml, line {line}: {}", reason.replace('\n', " "))
        };
        let file: File =
            toml::from_str(text).map_err(|error| at(error.span().map_or(0, |span| span.start), error.message()))?;
        let mut programs = BTreeSet::new();
        for patch in &file.patch {
            let fault = patch.get_ref().fault();
            let fault = fault.or((!programs.insert((120, patch.get_ref().program))).then_some("its program is taken"));
            if let Some(fault) = fault {
                return Err(at(patch.span().start, &format!("{}: {fault}", patch.get_ref().name)));
            }
        }
        for kit in &file.kit {
            let mut keys = kit.get_ref().drums.iter().flat_map(|drum| &drum.keys).collect::<Vec<_>>();
            keys.sort_unstable();
            let fault = if kit.get_ref().drums.iter().any(|drum| drum.layers.is_empty() || drum.keys.is_empty()) {
                Some("a drum has no key or no layer")
            } else if keys.windows(2).any(|two| two[0] == two[1]) {
                Some("two drums share a key")
            } else {
                (!programs.insert((121, kit.get_ref().program))).then_some("its program is taken")
            };
            if let Some(fault) = fault {
                return Err(at(kit.span().start, &format!("{}: {fault}", kit.get_ref().name)));
            }
        }
        Ok(Self {
            patches: file.patch.into_iter().map(Spanned::into_inner).collect(),
            kits: file.kit.into_iter().map(Spanned::into_inner).collect(),
        })
    }

    /// A pitched sound.
    pub fn patch(&self, program: u8) -> Option<&Patch> {
        self.patches.iter().find(|patch| patch.program == program)
    }

    /// A drum of a kit.
    pub fn drum(&self, program: u8, key: u8) -> Option<&Drum> {
        let kit = self.kits.iter().find(|kit| kit.program == program)?;
        kit.drums.iter().find(|drum| drum.keys.contains(&key))
    }
}

impl Patch {
    /// What a number by itself cannot show.
    fn fault(&self) -> Option<&'static str> {
        let rows = [&self.vowels].into_iter().flatten().flat_map(|vowels| vowels.first.iter().chain(&vowels.second));
        if self.oscillators.is_empty() {
            Some("it has no oscillator")
        } else if self.trill.as_ref().is_some_and(|trill| trill.semitones.is_empty()) {
            Some("its trill has no semitones")
        } else if rows.into_iter().any(|[hz, width, db]| !(*hz > 50.0 && *width > 10.0 && db.abs() <= 60.0)) {
            Some("a vowel needs resonances above 50 Hz, widths above 10 Hz and levels within 60 dB")
        } else if self.oscillators.iter().any(|one| one.fm.is_some() && one.wave != Wave::Sine) {
            Some("only a sine can have fm")
        } else {
            let swings = self.oscillators.iter().map(|one| &one.width_sway).chain(self.filter.iter().map(|f| &f.sway));
            let journey = self.journey.iter().flat_map(|way| [&way.semitones, &way.octaves, &way.level_db]);
            let sane = swings.chain(journey).flatten().all(|number| number.abs() <= 60.0);
            (!sane).then_some("a sway or journey is beyond 60")
        }
    }
}
