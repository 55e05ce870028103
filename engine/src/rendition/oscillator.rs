//! Thread: worker. The oscillator engine: sounds that no sample has, made from waveforms, noise, filters and envelopes.
//!
//! What the sounds of banks 120 and 121 are made of stands in `assets/synth/patches.toml`, for musicians to read. Each note is made by
//! itself: [`tables`] holds waveforms without aliases, [`voice`] plays a pitched patch, [`drums`] a stroke of a kit.

mod drums;
mod envelope;
mod noise;
pub mod patch;
mod tables;
mod voice;

use super::effects;
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::generation::score::Preset;
use crate::job_context::JobContext;
use crate::resample;
use crate::time::SampleRate;
use patch::Sounds;

/// Frames in which everything but the oscillators and filters themselves moves in straight lines: a third of a millisecond.
const BLOCK: usize = 16;
const CHECK_BLOCKS: usize = 4096;
/// How long a pitched key is held when nobody says how long.
const HELD_SECONDS: f64 = 1.0;
/// Longest note there is: an hour.
const LONGEST_SECONDS: f64 = 3_600.0;
/// What is softer than this share of a note's peak is left off at its end: -82 dB.
const SILENCE: f32 = 8e-5;
/// Fade of what is left there.
const END_FADE_SECONDS: f64 = 0.005;

/// What to play: a key of a patch or kit, how hard and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OscillatorNote {
    /// A sound of bank 120 or 121.
    pub preset: Preset,
    /// MIDI key.
    pub key: u8,
    /// 1 to 127.
    pub velocity: u8,
    /// Frames until the key is let go. Drums ring out by themselves, whatever stands here.
    pub held_frames: Option<u64>,
}

/// Two sides under construction.
#[derive(Default)]
struct Stereo {
    sides: [Vec<f32>; 2],
}

/// One note as stereo audio at a rate, its first frame at the key's stroke; its end is where it has died away.
///
/// `bend` is the pitch curve: frames from the note's start, and semitones from the key; straight between points, flat outside.
/// The same note is the same audio, to the bit. Level goes with velocity as 40·log10(velocity / 127) dB.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::OutOfRange`] for a rate no audio device has or a sound there is not.
pub fn play(note: &OscillatorNote, bend: &[(f64, f32)], rate: SampleRate, context: &JobContext) -> Result<AudioBuffer> {
    if !resample::RATES.contains(&rate.0) {
        return Err(Error::OutOfRange {
            what: "The sample rate",
            got: format!("{} Hz", rate.0),
            expected: "between 8000 and 192000 Hz".into(),
        });
    }
    let note = &OscillatorNote { key: note.key.min(127), velocity: note.velocity.clamp(1, 127), ..*note };
    let sounds = Sounds::shipped()?;
    let (mut audio, level_db) = if note.preset.bank == Preset::OSCILLATOR_KITS {
        let Some(drum) = sounds.drum(note.preset.program, note.key) else {
            return known_kit(sounds, note).map(|()| AudioBuffer::silent(rate, 2, 0));
        };
        let sound = drums::play(drum, note, rate, context)?;
        let mut audio = saturated(sound, drum.drive, rate, context)?;
        if drum.crush > 0.0 {
            effects::crush(&mut audio, drum.crush, context)?;
        }
        (audio, drum.level_db)
    } else {
        let patch = sounds.patch(note.preset.program).filter(|_| note.preset.bank == Preset::OSCILLATORS);
        let Some(patch) = patch else { return Err(unknown(note.preset)) };
        let held = note.held_frames.map_or(HELD_SECONDS, |frames| frames as f64 / rate.hz());
        let held = held.clamp(1.0 / rate.hz(), LONGEST_SECONDS);
        let sound = voice::play(patch, note, held, bend, rate, context)?;
        let mut audio = saturated(sound, patch.drive, rate, context)?;
        if patch.ensemble > 0.0 {
            // What the copies delay needs room after the end.
            let ring = (0.03 * rate.hz()) as usize;
            audio.channels.iter_mut().for_each(|channel| channel.resize(channel.len() + ring, 0.0));
            effects::modulation::chorus(&mut audio, patch.ensemble, context)?;
        }
        (audio, patch.level_db)
    };
    let velocity_db = 40.0 * (f32::from(note.velocity) / 127.0).log10();
    finish(&mut audio, super::part::db(level_db + velocity_db));
    Ok(audio)
}

/// A kit has keys without a drum; a kit that is not there has none at all.
fn known_kit(sounds: &Sounds, note: &OscillatorNote) -> Result<()> {
    let known = sounds.kits.iter().any(|kit| kit.program == note.preset.program);
    if known { Ok(()) } else { Err(unknown(note.preset)) }
}

fn unknown(preset: Preset) -> Error {
    Error::OutOfRange {
        what: "The sound",
        got: format!("{}:{}", preset.bank, preset.program),
        expected: "a sound of the oscillator engine, bank 120 or 121".into(),
    }
}

/// A note through the saturation that its patch asks for.
fn saturated(sound: Stereo, drive: f32, rate: SampleRate, context: &JobContext) -> Result<AudioBuffer> {
    let alike = sound.sides[0] == sound.sides[1];
    let mut audio = AudioBuffer { rate, channels: sound.sides.into() };
    if drive > 0.0 {
        let input = 0.25 * 24.0_f32.powf(drive);
        let settings = (input, 0.3 * drive, 1.0 / input.sqrt());
        let [left, right] = audio.channels.as_mut_slice() else { return Ok(audio) };
        effects::saturate(left, settings, rate, context)?;
        if alike {
            right.copy_from_slice(left);
        } else {
            effects::saturate(right, settings, rate, context)?;
        }
    }
    Ok(audio)
}

/// Sets the level, leaves off what is silent at the end and fades what remains there.
fn finish(audio: &mut AudioBuffer, gain: f32) {
    let floor = SILENCE * audio.peak();
    let loud = |channel: &Vec<f32>| channel.iter().rposition(|sample| sample.abs() > floor).map_or(0, |last| last + 1);
    let end = audio.channels.iter().map(loud).max().unwrap_or(0);
    let fade = ((END_FADE_SECONDS * audio.rate.hz()) as usize).min(end);
    for channel in &mut audio.channels {
        channel.truncate(end);
        channel.iter_mut().for_each(|sample| *sample = if sample.is_finite() { *sample * gain } else { 0.0 });
        for (index, sample) in channel[end - fade..].iter_mut().enumerate() {
            *sample *= 1.0 - (index + 1) as f32 / fade as f32;
        }
    }
}
