//! The oracle: rustysynth plays the same notes. It knows no modulators, interpolates linearly and starts notes at its own blocks.

use cantus_engine::generation::score::Preset;
use rustysynth::{SoundFont, Synthesizer, SynthesizerSettings};
use std::io::Cursor;
use std::sync::{Arc, LazyLock};

pub const BLOCK: usize = 64;

static FONT: LazyLock<Arc<SoundFont>> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/soundfont/band.sf2");
    let bytes = std::fs::read(path).expect("the sound set");
    Arc::new(SoundFont::new(&mut Cursor::new(bytes)).expect("a sound set"))
});

/// A synthesizer of the built-in set, a preset chosen.
pub fn synthesizer_of_the_set(preset: Preset, rate: u32) -> Synthesizer {
    synthesizer(&FONT, preset, rate)
}

fn synthesizer(font: &Arc<SoundFont>, preset: Preset, rate: u32) -> Synthesizer {
    let mut settings = SynthesizerSettings::new(i32::try_from(rate).expect("a rate"));
    settings.block_size = BLOCK;
    settings.enable_reverb_and_chorus = false;
    let mut synthesizer = Synthesizer::new(font, &settings).expect("a synthesizer");
    synthesizer.set_master_volume(1.0);
    let messages = [
        (0xB0, 0, i32::from(preset.bank)),
        (0xC0, i32::from(preset.program), 0),
        (0xB0, 7, 127),
        (0xB0, 39, 127),
        (0xB0, 11, 127),
        (0xB0, 43, 127),
    ];
    for (command, first, second) in messages {
        synthesizer.process_midi_message(0, command, first, second);
    }
    synthesizer
}

/// A note, let go after some seconds, heard for two more: the mean of both sides.
pub fn played(preset: Preset, key: u8, velocity: u8, held_seconds: f64, rate: u32) -> Vec<f32> {
    play_with(synthesizer(&FONT, preset, rate), key, velocity, held_seconds, rate)
}

/// The same of another set, given as a file.
pub fn played_from(file: &[u8], key: u8, velocity: u8, held_seconds: f64, rate: u32) -> Vec<f32> {
    let font = Arc::new(SoundFont::new(&mut Cursor::new(file)).expect("a sound set"));
    play_with(synthesizer(&font, Preset { bank: 0, program: 0 }, rate), key, velocity, held_seconds, rate)
}

fn play_with(mut synthesizer: Synthesizer, key: u8, velocity: u8, held_seconds: f64, rate: u32) -> Vec<f32> {
    let blocks = |seconds: f64| (seconds * f64::from(rate)) as usize / BLOCK * BLOCK;
    synthesizer.note_on(0, i32::from(key), i32::from(velocity));
    let mut sides = [vec![0.0; blocks(held_seconds)], vec![0.0; blocks(held_seconds)]];
    let mut rest = [vec![0.0; blocks(2.0)], vec![0.0; blocks(2.0)]];
    let [left, right] = &mut sides;
    synthesizer.render(left, right);
    synthesizer.note_off(0, i32::from(key));
    let [left, right] = &mut rest;
    synthesizer.render(left, right);
    let [left, right] = sides;
    let mean = |left: &[f32], right: &[f32]| left.iter().zip(right).map(|(a, b)| 0.5 * (a + b)).collect::<Vec<f32>>();
    let mut sound = mean(&left, &right);
    sound.extend(mean(&rest[0], &rest[1]));
    sound
}
