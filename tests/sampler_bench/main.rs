//! Thread: main. How many voices a second of processor time buys: the sampler against rustysynth, same notes, one thread.

#[path = "../score/melody/clock.rs"]
mod clock;
mod levels;

use cantus_engine::Error;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::{Preset, Role, ScoreNote, Strip, Track};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::part::PartPlayer;
use cantus_engine::rendition::sampler::voice::{BLOCK, Moves, Touch};
use cantus_engine::rendition::sampler::{NoteShape, Sampler};
use cantus_engine::time::{Beats, Bpm, Metre, SampleRate, SongGrid};
use clock::processor_seconds;
use rustysynth::{SoundFont, Synthesizer, SynthesizerSettings};
use std::io::Cursor;
use std::process::ExitCode;
use std::sync::Arc;

const BAND: &[u8] = include_bytes!("../../assets/soundfont/band.sf2");
const USAGE: &str = "\
cantus-sampler-bench [--levels]

  --levels   prints the table of the presets' levels instead, as the sampler plays them";

const RATE: u32 = 48_000;
/// How long every voice is held.
const HELD_SECONDS: f64 = 4.0;
const ROUNDS: usize = 7;
/// Sounds that last as long as their key is down: nobody's voice ends early.
const PRESETS: [(&str, u8, [u8; 2]); 8] = [
    ("Drawbar Organ", 16, [48, 84]),
    ("Strings", 48, [43, 84]),
    ("French Horns", 60, [41, 72]),
    ("Brass Section", 61, [48, 79]),
    ("Tenor Sax", 66, [46, 74]),
    ("Clarinet", 71, [52, 86]),
    ("Flute", 73, [60, 91]),
    ("Warm Pad", 89, [48, 84]),
];
const KEYS: u8 = 8;

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        None => speed(),
        Some("--levels") => levels::print(),
        Some(_) => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn keys([low, high]: [u8; 2]) -> impl Iterator<Item = u8> {
    (0..KEYS).map(move |step| low + (f32::from(high - low) * f32::from(step) / f32::from(KEYS - 1)) as u8)
}

/// Processor seconds of the sampler for all notes at once, how many voices they took, and a sum that keeps the work real.
fn own(bend: f32) -> Result<(f64, usize, f32), String> {
    let say = |error: Error| error.to_string();
    let sampler = Sampler::new(SampleRate(RATE)).map_err(say)?;
    let mut voices = Vec::new();
    for (_, program, range) in PRESETS {
        for key in keys(range) {
            let shape = NoteShape { preset: Preset { bank: 0, program }, key, velocity: 100, held: None };
            voices.extend(sampler.strike(shape, Touch::default()));
        }
    }
    let count = voices.len();
    let blocks = (HELD_SECONDS * f64::from(RATE)) as usize / BLOCK;
    let (mut left, mut right) = (vec![0.0_f32; blocks * BLOCK], vec![0.0_f32; blocks * BLOCK]);
    let mut block = [0.0_f32; BLOCK];
    let began = processor_seconds();
    for at in (0..blocks).map(|index| index * BLOCK) {
        for voice in &mut voices {
            voice.render(&mut block, |frame| Moves { bend: bend * (frame as f32 * 1e-4).sin(), brightness: None });
            let sides = left[at..at + BLOCK].iter_mut().zip(&mut right[at..at + BLOCK]);
            for ((left, right), sample) in sides.zip(&block) {
                *left += 0.7 * sample;
                *right += 0.7 * sample;
            }
        }
    }
    let spent = processor_seconds() - began;
    if voices.iter().any(|voice| voice.has_ended()) {
        return Err("a voice ended early: the count would be wrong".into());
    }
    Ok((spent, count, left.iter().chain(&right).sum()))
}

/// The same notes as the product plays them: eight parts with gain, place and their own streams.
fn as_parts() -> Result<(f64, f32), String> {
    let say = |error: Error| error.to_string();
    let grid = SongGrid::at_origin(Bpm(60.0), Metre::default());
    let frames = (HELD_SECONDS * f64::from(RATE)) as usize;
    let notes = |range| {
        let note = |key| ScoreNote {
            written: None,
            start: Beats(0.0),
            length: Beats(2.0 * HELD_SECONDS),
            key,
            velocity: 100,
            bend: Vec::new(),
            expression_db: Vec::new(),
        };
        keys(range).map(note).collect()
    };
    let tracks = PRESETS.map(|(name, program, range)| Track {
        role: Role::Chords,
        instrument: name.into(),
        preset: Preset { bank: 0, program },
        gain_db: 0.0,
        pan: 0.2,
        reverb: 0.0,
        strip: Strip::default(),
        notes: notes(range),
    });
    let context = JobContext::detached();
    let mut audio = AudioBuffer::silent(SampleRate(RATE), 2, frames);
    let (mut spent, mut sum) = (0.0, 0.0);
    for track in &tracks {
        audio.channels.iter_mut().for_each(|channel| channel.fill(0.0));
        let began = processor_seconds();
        let region = i64::try_from(frames).map_err(|error| error.to_string())?;
        let mut player = PartPlayer::new(track, &grid, SampleRate(RATE), region, &context).map_err(say)?;
        player.render(&mut audio, frames, &context, &|| Ok(())).map_err(say)?;
        spent += processor_seconds() - began;
        sum += audio.peak();
    }
    Ok((spent, sum))
}

fn rustysynth(font: &Arc<SoundFont>) -> Result<(f64, f32), String> {
    let mut settings = SynthesizerSettings::new(RATE as i32);
    settings.maximum_polyphony = 256;
    settings.enable_reverb_and_chorus = false;
    let mut synthesizer = Synthesizer::new(font, &settings).map_err(|error| error.to_string())?;
    for (channel, (_, program, range)) in PRESETS.iter().enumerate() {
        synthesizer.process_midi_message(channel as i32, 0xC0, i32::from(*program), 0);
        for key in keys(*range) {
            synthesizer.note_on(channel as i32, i32::from(key), 100);
        }
    }
    let blocks = (HELD_SECONDS * f64::from(RATE)) as usize / BLOCK;
    let (mut left, mut right) = (vec![0.0_f32; blocks * BLOCK], vec![0.0_f32; blocks * BLOCK]);
    let began = processor_seconds();
    synthesizer.render(&mut left, &mut right);
    Ok((processor_seconds() - began, left.iter().chain(&right).sum()))
}

fn speed() -> Result<(), String> {
    let font = Arc::new(SoundFont::new(&mut Cursor::new(BAND)).map_err(|error| error.to_string())?);
    let (mut ours, mut bent, mut theirs) = (f64::INFINITY, f64::INFINITY, f64::INFINITY);
    let mut parts = f64::INFINITY;
    let (mut voices, mut sums) = (0, 0.0);
    // Taking turns, each meets the same machine; the best round is the least disturbed one.
    for _ in 0..ROUNDS {
        let (spent, count, sum) = own(0.0)?;
        let (spent_bent, _, sum_bent) = own(0.3)?;
        let (spent_parts, sum_parts) = as_parts()?;
        parts = parts.min(spent_parts);
        let (spent_theirs, sum_theirs) = rustysynth(&font)?;
        (ours, bent, theirs) = (ours.min(spent), bent.min(spent_bent), theirs.min(spent_theirs));
        voices = count;
        sums += sum + sum_bent + sum_parts + sum_theirs;
    }
    let seconds = voices as f64 * HELD_SECONDS;
    let line = |name: &str, spent: f64| {
        let frame = 1e9 * spent / (seconds * f64::from(RATE));
        println!("{name:<28} {:>7.0} voices in real time, {frame:>5.1} ns a frame of a voice", seconds / spent);
    };
    println!("{voices} voices held {HELD_SECONDS} s at {RATE} Hz, one thread, best of {ROUNDS} rounds (sum {sums:.0})");
    line("rustysynth, linear", theirs);
    line("own, windowed sinc", ours);
    line("own, every voice bent", bent);
    line("own, as eight whole parts", parts);
    println!("own to rustysynth            {:>7.2} times as many voices", theirs / ours);
    Ok(())
}
