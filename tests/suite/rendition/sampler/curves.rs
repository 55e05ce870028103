//! What moves inside notes and between them: strength that opens the sound, slurs, strokes that differ.

use super::{RATE, amplitude_at, db};
use crate::rendition::scores::{note, score, track};
use crate::rendition::stem;
use cantus_engine::generation::score::{Role, ScoreNote};
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::part::render_part;
use cantus_engine::time::{MidiNote, SampleRate};

/// A line alone, before anything is balanced: the left side.
fn line(program: u8, notes: Vec<ScoreNote>) -> Vec<f32> {
    let score = score(120.0, 8.0, vec![track(Role::Counter, "Line", 0, program, notes)]);
    let (context, frames) = (JobContext::detached(), 5 * RATE as usize);
    let audio = render_part(&score.tracks[0], &score.grid, SampleRate(RATE), 4 * 48_000, frames, &context, &|| Ok(()));
    audio.expect("a part").channels.remove(0)
}

/// Level of the harmonics from the fourth to the eighth against the first two.
fn brightness_db(sound: &[f32], key: u8) -> f64 {
    let hz = f64::from(MidiNote(f32::from(key)).hz().0);
    let power = |harmonics: std::ops::RangeInclusive<u8>| -> f64 {
        harmonics.map(|harmonic| amplitude_at(sound, f64::from(harmonic) * hz, RATE).powi(2)).sum()
    };
    10.0 * (power(4..=8) / power(1..=2).max(1e-18)).log10()
}

#[test]
fn strength_opens_the_sound() {
    for (program, key) in [(66, 58), (56, 67), (40, 67), (71, 64)] {
        let at = |strength: f32| {
            let mut one = note(0.0, 4.0, key, 100);
            one.expression_db = vec![(0.0, strength)];
            let sound = line(program, vec![one]);
            let stretch = &sound[24_000..43_200];
            (brightness_db(stretch, key), db(amplitude_at(stretch, f64::from(MidiNote(f32::from(key)).hz().0), RATE)))
        };
        let (soft, middle, strong) = (at(-18.0), at(-9.0), at(0.0));
        println!("{program}: {soft:?} {middle:?} {strong:?}");
        assert!(soft.0 < middle.0 && middle.0 < strong.0, "{program}: {soft:?} {middle:?} {strong:?}");
        assert!(strong.0 - soft.0 > 1.0, "{program}: strength changes the level alone");
        assert!(soft.1 + 6.0 < middle.1 && middle.1 + 6.0 < strong.1, "{program}: {soft:?} {middle:?} {strong:?}");
    }
}

/// The deepest dip of short-time level around a moment, against the level on both sides of it.
fn dip_db(sound: &[f32], at: usize) -> f64 {
    let level = |from: usize| {
        let power: f64 = sound[from..from + 720].iter().map(|sample| f64::from(*sample).powi(2)).sum();
        10.0 * (power / 720.0 + 1e-18).log10()
    };
    let around = f64::min(level(at - 9_600), level(at + 9_600));
    let lowest = (at - 2_400..at + 3_600).step_by(240).map(level).fold(f64::INFINITY, f64::min);
    around - lowest
}

#[test]
fn touching_notes_of_a_breath_are_slurred() {
    for (program, keys) in [(73, [72, 74]), (71, [64, 67]), (66, [58, 60]), (60, [55, 53]), (42, [50, 52])] {
        let two = |length: f64| line(program, vec![note(0.0, length, keys[0], 100), note(2.0, 2.0, keys[1], 100)]);
        let (slurred, parted) = (dip_db(&two(2.0), 48_000), dip_db(&two(1.7), 48_000));
        println!("{program}: {slurred:.1} dB slurred, {parted:.1} dB parted");
        assert!(slurred < 7.0, "{program}: a dip of {slurred} dB inside a slur");
        assert!(parted > slurred + 3.0, "{program}: notes apart dip {parted} dB only, slurred {slurred} dB");
    }
}

#[test]
fn the_same_key_again_is_struck_again() {
    let again = line(73, vec![note(0.0, 2.0, 72, 100), note(2.0, 2.0, 72, 100)]);
    let dip = dip_db(&again, 48_000);
    assert!(dip > 3.0, "a repeated key dips {dip} dB only");
}

#[test]
fn repeats_are_not_copies() {
    for (bank, program, key, role) in [(128, 0, 38, Role::Drums), (128, 32, 38, Role::Drums), (0, 0, 60, Role::Chords)]
    {
        let strokes = (0..4).map(|index| note(2.0 * f64::from(index), 0.5, key, 100)).collect();
        let sound = stem(&score(120.0, 10.0, vec![track(role, "One", bank, program, strokes)]), role, RATE);
        let stroke = |index: usize| &sound[48_000 * index + 100..48_000 * index + 9_600];
        let apart = |a: &[f32], b: &[f32]| {
            let power: f64 = a.iter().map(|sample| f64::from(*sample).powi(2)).sum();
            let off: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            10.0 * (off / power + 1e-18).log10()
        };
        let next = apart(stroke(0), stroke(1));
        assert!(next > -40.0, "{bank}:{program}: the second stroke is the first to {next} dB");
    }
}
