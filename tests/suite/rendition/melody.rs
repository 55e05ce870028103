//! The lead plays the tune: its pitch, its bends, its pitch classes.

use super::demo::{STYLES, hum, rendition};
use super::rendered;
use super::scores::{note, score, track};
use super::stem;
use cantus_engine::analysis::chroma::chroma_of;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::score::Role;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{MidiNote, SampleRate};
use std::f64::consts::TAU;

/// Cents of a stretch of sound from a note number: the period that repeats best within a semitone and a half, refined.
pub fn cents_from(sound: &[f32], rate: u32, expected: f32) -> f64 {
    let period = f64::from(rate) / f64::from(MidiNote(expected).hz().0);
    // Several periods at once measure finer than one.
    let periods = (0.025 * f64::from(rate) / period).ceil().max(1.0);
    let length = sound.len() - (periods * period * 1.1) as usize - 2;
    let fit = |lag: usize| -> f64 {
        let (mut cross, mut here, mut there) = (0.0, 1e-20, 1e-20);
        for index in 0..length {
            let (a, b) = (f64::from(sound[index]), f64::from(sound[index + lag]));
            cross += a * b;
            here += a * a;
            there += b * b;
        }
        cross / f64::sqrt(here * there)
    };
    let middle = periods * period;
    // Within a half period of the whole stretch, or the count of periods would be another.
    let reach = (0.09 * middle).min(0.45 * period) as usize;
    let near = middle.round() as usize;
    let best = (near - reach..=near + reach).max_by(|&a, &b| fit(a).total_cmp(&fit(b))).expect("a range");
    let (before, at, after) = (fit(best - 1), fit(best), fit(best + 1));
    let fraction = 0.5 * (before - after) / (before - 2.0 * at + after);
    -1_200.0 * ((best as f64 + fraction) / middle).log2()
}

#[test]
fn the_meter_reads_a_sine() {
    for cents in [-35.0, 0.0, 12.0] {
        let hz = f64::from(MidiNote(69.0 + cents / 100.0).hz().0);
        let sine: Vec<f32> = (0..9_600).map(|frame| (TAU * hz * f64::from(frame) / 48_000.0).sin() as f32).collect();
        let read = cents_from(&sine, 48_000, 69.0);
        assert!((read - f64::from(cents)).abs() < 1.0, "{read} for {cents}");
    }
}

#[test]
fn keys_sound_in_tune_at_every_rate() {
    for rate in [44_100, 48_000, 96_000] {
        for (program, key) in [(0, 60), (66, 62), (73, 76), (48, 67), (22, 66), (60, 57)] {
            let notes = vec![note(0.0, 2.0, key, 100)];
            let sound = stem(&score(120.0, 4.0, vec![track(Role::Lead, "One", 0, program, notes)]), Role::Lead, rate);
            let frame = |seconds: f64| (seconds * f64::from(rate)) as usize;
            let cents = cents_from(&sound[frame(0.3)..frame(0.7)], rate, f32::from(key));
            assert!(cents.abs() <= 20.0, "program {program}, key {key}, {rate} Hz: {cents} cents");
        }
    }
}

#[test]
fn bends_are_followed() {
    for (program, key, bend) in [(73, 72, 0.4_f32), (22, 66, -0.4), (66, 62, 1.0), (27, 64, -1.0)] {
        let played = |curve: Vec<(f32, f32)>| {
            let mut bent = note(0.0, 2.0, key, 100);
            bent.bend = curve;
            stem(&score(120.0, 4.0, vec![track(Role::Lead, "One", 0, program, vec![bent])]), Role::Lead, 48_000)
        };
        let stretch = 14_400..33_600;
        // Bent after the first tenth of a second and held there.
        let bent = cents_from(&played(vec![(0.0, 0.0), (0.2, bend)])[stretch.clone()], 48_000, f32::from(key) + bend);
        let straight = cents_from(&played(vec![])[stretch], 48_000, f32::from(key));
        assert!((bent - straight).abs() < 5.0, "program {program}: {bent} cents off its bend, {straight} off its key");
    }
}

/// Share of chroma frames inside the hum's true notes whose loudest class is the note's, and how many frames there are.
fn agreement(audio: &AudioBuffer, notes: &[(f64, f64, u8)]) -> (f64, usize) {
    let chroma = chroma_of(audio, &JobContext::detached()).expect("chroma");
    let (mut agree, mut frames) = (0, 0);
    for (frame, class) in chroma.argmax.iter().enumerate() {
        let centre = frame as f64 * 4_096.0 / 32_000.0;
        if let Some((.., key)) = notes.iter().find(|(onset, offset, _)| (*onset..*offset).contains(&centre)) {
            frames += 1;
            agree += usize::from(*class == key % 12);
        }
    }
    (agree as f64 / frames as f64, frames)
}

/// Onset, offset and key of the demo hum's notes, from its ground truth.
fn true_notes() -> Vec<(f64, f64, u8)> {
    let truth: serde_json::Value =
        serde_json::from_str(include_str!("../../../assets/demo/hum.json")).expect("the ground truth");
    let notes = truth["notes"].as_array().expect("notes");
    let number = |note: &serde_json::Value, name: &str| note[name].as_f64().expect("a number");
    notes
        .iter()
        .map(|note| (number(note, "onset"), number(note, "offset"), number(note, "midi_nominal") as u8))
        .collect()
}

#[test]
fn the_lead_keeps_the_hums_pitch_classes() {
    let notes = true_notes();
    let rate = 48_000.0;
    let mut sines = vec![0.0_f32; (19.2 * rate) as usize];
    for (onset, offset, key) in &notes {
        let hz = f64::from(MidiNote(f32::from(*key) + 12.0).hz().0);
        let first = (onset * rate) as usize;
        for (index, sample) in sines[first..(offset * rate) as usize].iter_mut().enumerate() {
            let time = (first + index) as f64 / rate;
            let edge = (time - onset).min(offset - time) / 0.01;
            *sample = ((TAU * hz * time).sin() * edge.clamp(0.0, 1.0)) as f32;
        }
    }
    let (ideal, frames) = agreement(&AudioBuffer::mono(SampleRate(48_000), sines), &notes);
    assert!(frames > 100 && ideal > 0.9, "{frames} frames, {ideal}");
    for style in STYLES {
        let rendition = rendition(style);
        let lead = &rendition.stems.iter().find(|stem| stem.role == Role::Lead).expect("lead").audio;
        let (kept, _) = agreement(lead, &notes);
        println!("{style}: lead {kept:.3} of {ideal:.3}, mix {:.3}", agreement(&rendition.mix, &notes).0);
        assert!(kept >= ideal - 0.05, "{style}: {kept} of {ideal}");
        assert!(
            (f64::from(rendition.fidelity.lead_chroma) - kept).abs() < 0.05,
            "{style}: says {:?}",
            rendition.fidelity
        );
        assert!(
            rendition.fidelity.onset > 0.9 && rendition.fidelity.octave > 0.95,
            "{style}: {:?}",
            rendition.fidelity
        );
    }
    assert!(hum().notes.len() >= 28);
}

#[test]
fn a_wrong_tune_is_measured_as_wrong() {
    let tune = |shift: u8| {
        let notes =
            (0..8).map(|step| note(f64::from(step), 0.95, 60 + [0, 2, 4, 5, 7, 5, 4, 2][step as usize] + shift, 90));
        score(100.0, 8.0, vec![track(Role::Lead, "Flute", 0, 73, notes.collect())])
    };
    let right = rendered(&tune(0), 48_000).fidelity;
    assert!(right.lead_chroma > 0.9 && right.onset > 0.99 && right.octave > 0.99, "{right:?}");
    // What was sung stays; what is played lies a semitone higher, and then half a beat late.
    let request = super::scores::request_for(&tune(0));
    let play = |score: &cantus_engine::generation::score::Score| {
        let context = cantus_engine::job_context::JobContext::detached();
        cantus_engine::rendition::render(score, &request, "Test", SampleRate(48_000), &context)
            .expect("rendition")
            .fidelity
    };
    let sharp = play(&tune(1));
    assert!(sharp.lead_chroma < 0.2, "{sharp:?}");
    let mut late = tune(0);
    late.tracks[0].notes.iter_mut().for_each(|note| note.start.0 += 0.3);
    assert!(play(&late).onset < 0.2, "{:?}", play(&late));
}
