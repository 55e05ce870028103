//! Thread: worker. One note of the embedded sound set as audio. The only user of rustysynth.
//!
//! rustysynth applies events only between its internal blocks, so a note started in a running stream would slip by up to a
//! block. Every note is therefore rendered by itself from a fresh block boundary and placed by the caller on its exact frame.

use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::generation::score::Preset;
use crate::job_context::JobContext;
use crate::resample::{self, resample};
use crate::time::SampleRate;
use rustysynth::{InstrumentRegion, LoopMode, SoundFont, Synthesizer, SynthesizerSettings};
use std::collections::HashMap;
use std::io::Cursor;
use std::sync::{Arc, OnceLock};

static BAND: &[u8] = include_bytes!("../../../assets/soundfont/band.sf2");

/// Semitones of a full pitch wheel turn: any leap of a voice fits, and a step of the 14-bit wheel is 0.3 cents.
const BEND_RANGE: f32 = 24.0;
/// Longest ring after the end of a note. What still sounds then is faded.
const LONGEST_RING_SECONDS: f64 = 3.0;
/// A sound that fell this far below its own peak has ended: -80 dB.
const SILENCE: f32 = 1e-4;
/// Fade of a sound that does not end by itself.
const END_FADE_SECONDS: f64 = 0.01;

/// A rendered note, or a part under construction: two channels of one length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StereoSound {
    /// Left channel.
    pub left: Vec<f32>,
    /// Right channel.
    pub right: Vec<f32>,
}

/// What to play: a key of a preset, how hard and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoteShape {
    /// The sound.
    pub preset: Preset,
    /// MIDI key.
    pub key: u8,
    /// 1 to 127.
    pub velocity: u8,
    /// Frames until the key is let go, at the output rate. `None` lets a one-shot ring out by itself.
    pub held: Option<u64>,
}

/// Plays single notes at one rate, remembering the straight ones.
pub struct NotePlayer {
    synthesizer: Synthesizer,
    font: Arc<SoundFont>,
    rate: SampleRate,
    inner: SampleRate,
    block: usize,
    known: HashMap<NoteShape, Arc<StereoSound>>,
}

/// The sound set, parsed once a process.
fn font() -> Result<Arc<SoundFont>> {
    static FONT: OnceLock<std::result::Result<Arc<SoundFont>, String>> = OnceLock::new();
    FONT.get_or_init(|| SoundFont::new(&mut Cursor::new(BAND)).map(Arc::new).map_err(|error| error.to_string()))
        .clone()
        .map_err(|reason| Error::internal("playing the parts", reason))
}

/// The rate to synthesise at: the output's own, or the whole multiple of it that is high enough for rustysynth and for its
/// plain linear interpolation not to fold the samples' treble back.
fn inner_rate(rate: SampleRate) -> SampleRate {
    let mut inner = rate.0.max(1);
    while inner < 32_000 {
        inner *= 2;
    }
    SampleRate(inner)
}

impl NotePlayer {
    /// A player at an output rate.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for a rate no audio device has, [`Error::Internal`] when the sound set cannot be read.
    pub fn new(rate: SampleRate) -> Result<Self> {
        if !resample::RATES.contains(&rate.0) {
            return Err(Error::OutOfRange {
                what: "The sample rate",
                got: format!("{} Hz", rate.0),
                expected: "between 8000 and 192000 Hz".into(),
            });
        }
        let font = font()?;
        let inner = inner_rate(rate);
        // About 1.3 ms at every rate: the step of pitch curves and of note ends.
        let block = if inner.0 > 128_000 {
            256
        } else if inner.0 > 64_000 {
            128
        } else {
            64
        };
        let mut settings = SynthesizerSettings::new(i32::try_from(inner.0).unwrap_or(48_000));
        settings.block_size = block;
        settings.maximum_polyphony = 16;
        settings.enable_reverb_and_chorus = false;
        let mut synthesizer =
            Synthesizer::new(&font, &settings).map_err(|error| Error::internal("playing the parts", error))?;
        synthesizer.set_master_volume(1.0);
        Ok(Self { synthesizer, font, rate, inner, block, known: HashMap::new() })
    }

    /// One note as audio at the output rate, its first frame at the key's stroke.
    ///
    /// `bend` is the pitch curve: frames from the start at the output rate, and semitones from the key; between points it is
    /// a straight line, outside them flat.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn play(&mut self, shape: NoteShape, bend: &[(f64, f32)], context: &JobContext) -> Result<Arc<StereoSound>> {
        // Ends fall on block boundaries anyway; saying so in the key lets notes of nearly one length share their audio.
        let ratio = self.inner.hz() / self.rate.hz();
        let held_blocks = shape.held.map(|frames| ((frames as f64 * ratio / self.block as f64).round() as u64).max(1));
        let key = NoteShape { held: held_blocks, ..shape };
        if bend.is_empty()
            && let Some(known) = self.known.get(&key)
        {
            return Ok(Arc::clone(known));
        }
        let sound = self.synthesise(key, bend, ratio, context)?;
        let sound = Arc::new(self.to_output_rate(sound)?);
        if bend.is_empty() {
            self.known.insert(key, Arc::clone(&sound));
        }
        Ok(sound)
    }

    fn synthesise(
        &mut self,
        shape: NoteShape,
        bend: &[(f64, f32)],
        ratio: f64,
        context: &JobContext,
    ) -> Result<StereoSound> {
        let block = self.block;
        let limit_blocks = (LONGEST_RING_SECONDS * self.inner.hz() / block as f64) as u64;
        let check_every = (0.5 * self.inner.hz() / block as f64) as u64;
        let last = shape.held.unwrap_or(limit_blocks) + limit_blocks;
        self.prepare(shape.preset);
        self.synthesizer.note_on(0, i32::from(shape.key), i32::from(shape.velocity.clamp(1, 127)));
        let mut sound = StereoSound::default();
        let mut peak = 0.0_f32;
        let mut quiet_blocks = 0;
        for index in 0..last {
            if index % check_every == 0 {
                context.check()?;
            }
            if shape.held == Some(index) {
                self.synthesizer.note_off(0, i32::from(shape.key));
            }
            if !bend.is_empty() {
                let middle = (index as f64 + 0.5) * block as f64 / ratio;
                self.bend_to(line_at(bend, middle));
            }
            let from = sound.left.len();
            sound.left.resize(from + block, 0.0);
            sound.right.resize(from + block, 0.0);
            self.synthesizer.render(&mut sound.left[from..], &mut sound.right[from..]);
            let block_peak = sound.left[from..].iter().chain(&sound.right[from..]).fold(0.0_f32, |a, b| a.max(b.abs()));
            peak = peak.max(block_peak);
            quiet_blocks = if block_peak <= SILENCE * peak { quiet_blocks + 1 } else { 0 };
            let let_go = shape.held.is_some_and(|held| index >= held);
            // A key still held may pause (a tremolo, a late attack): wait a quarter of a second before believing it is over.
            if quiet_blocks >= if let_go { 4 } else { check_every / 2 } {
                break;
            }
        }
        let fade = (END_FADE_SECONDS * self.inner.hz()) as usize;
        // The synthesizer drops a voice at once when its level passes a threshold: the fade has to end there.
        let ends = |channel: &[f32]| channel.iter().rposition(|sample| *sample != 0.0).map_or(0, |last| last + 1);
        let end = ends(&sound.left).max(ends(&sound.right));
        for channel in [&mut sound.left, &mut sound.right] {
            channel.truncate(end);
            let length = fade.min(channel.len());
            let start = channel.len() - length;
            for (index, sample) in channel[start..].iter_mut().enumerate() {
                *sample *= 1.0 - (index + 1) as f32 / length as f32;
            }
        }
        Ok(sound)
    }

    /// A fresh block boundary, with every level neutral.
    fn prepare(&mut self, preset: Preset) {
        const CONTROL: i32 = 0xB0;
        self.synthesizer.reset();
        let messages = [
            (CONTROL, 0, i32::from(preset.bank)),
            (0xC0, i32::from(preset.program), 0),
            (CONTROL, 7, 127),
            (CONTROL, 39, 127),
            (CONTROL, 11, 127),
            (CONTROL, 43, 127),
            (CONTROL, 101, 0),
            (CONTROL, 100, 0),
            (CONTROL, 6, BEND_RANGE as i32),
            (CONTROL, 38, 0),
        ];
        for (command, first, second) in messages {
            self.synthesizer.process_midi_message(0, command, first, second);
        }
    }

    fn bend_to(&mut self, semitones: f32) {
        let wheel = (8192.0 + semitones / BEND_RANGE * 8192.0).round().clamp(0.0, 16_383.0) as i32;
        self.synthesizer.process_midi_message(0, 0xE0, wheel & 0x7F, wheel >> 7);
    }

    fn to_output_rate(&self, sound: StereoSound) -> Result<StereoSound> {
        if self.inner == self.rate {
            return Ok(sound);
        }
        let audio = AudioBuffer { rate: self.inner, channels: vec![sound.left, sound.right] };
        let mut channels = resample(&audio, self.rate)?.channels.into_iter();
        Ok(StereoSound { left: channels.next().unwrap_or_default(), right: channels.next().unwrap_or_default() })
    }

    /// The first region of the sound set that a key at a velocity plays.
    fn region(&self, preset: Preset, key: u8, velocity: u8) -> Option<&InstrumentRegion> {
        let (key, velocity) = (i32::from(key), i32::from(velocity));
        let found = self.font.get_presets().iter().find(|candidate| {
            candidate.get_bank_number() == i32::from(preset.bank)
                && candidate.get_patch_number() == i32::from(preset.program)
        })?;
        found.get_regions().iter().filter(|region| region.contains(key, velocity)).find_map(|region| {
            let instrument = self.font.get_instruments().get(region.get_instrument_id())?;
            instrument.get_regions().iter().find(|region| region.contains(key, velocity))
        })
    }

    /// Which sounds of a kit cut each other off: hats, triangles, cuicas, whistles. `None` cuts nothing.
    pub fn choke_group(&self, preset: Preset, key: u8, velocity: u8) -> Option<i32> {
        // Hats choke each other in every kit, also in those whose regions forget to say so.
        const HATS: i32 = 1;
        if matches!(key, 42 | 44 | 46) {
            return Some(HATS);
        }
        let class = self.region(preset, key, velocity)?.get_exclusive_class();
        (class != 0).then_some(1000 + class)
    }

    /// Whether a sound goes on until its key is let go.
    pub fn loops(&self, preset: Preset, key: u8, velocity: u8) -> bool {
        self.region(preset, key, velocity).is_some_and(|region| !matches!(region.get_sample_modes(), LoopMode::NoLoop))
    }
}

/// A polyline's value: straight between points, flat outside.
pub fn line_at(points: &[(f64, f32)], at: f64) -> f32 {
    let after = points.partition_point(|point| point.0 <= at);
    match (after.checked_sub(1).and_then(|index| points.get(index)), points.get(after)) {
        (Some(before), Some(next)) => {
            let share = ((at - before.0) / (next.0 - before.0).max(1e-9)) as f32;
            before.1 + (next.1 - before.1) * share
        }
        (Some(only), None) | (None, Some(only)) => only.1,
        (None, None) => 0.0,
    }
}
