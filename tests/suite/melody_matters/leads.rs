//! Every instrument that a style may choose to lead carries the demo hum as a plain tone would.

use super::{STYLES, TrueNote, agreement, rendered};
use crate::rendition::demo::hum;
use cantus_engine::analysis::chroma::chroma_of;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::score::{Preset, Role};
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe, Request, Timing};
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{MidiNote, SampleRate};
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::TAU;

/// How far a lead's chroma agreement may stay behind that of sines.
const BEHIND: f64 = 0.05;
const RATE: SampleRate = SampleRate(48_000);

/// The hum's true notes, from its ground truth.
fn truth() -> Vec<TrueNote> {
    let truth: serde_json::Value =
        serde_json::from_str(include_str!("../../../assets/demo/hum.json")).expect("the ground truth");
    let number = |note: &serde_json::Value, name: &str| note[name].as_f64().expect("a number");
    let note =
        |note: &serde_json::Value| (number(note, "onset"), number(note, "offset"), number(note, "midi_nominal") as u8);
    truth["notes"].as_array().expect("notes").iter().map(note).collect()
}

/// Notes as sines, `late_seconds` after their time.
fn sines(notes: &[TrueNote], late_seconds: f64) -> AudioBuffer {
    let frame = |seconds: f64| (seconds * RATE.hz()) as usize;
    let end = notes.iter().map(|note| note.1).fold(0.0, f64::max) + late_seconds;
    let mut sound = vec![0.0_f32; frame(end) + frame(0.5)];
    for (onset, offset, key) in notes {
        let hz = f64::from(MidiNote(f32::from(*key) + 12.0).hz().0);
        let length = frame(offset - onset);
        let first = frame(onset + late_seconds);
        for (index, sample) in sound[first..first + length].iter_mut().enumerate() {
            let seconds = index as f64 / RATE.hz();
            let edge = (index.min(length - index) as f64 / RATE.hz() / 0.01).min(1.0);
            *sample = (0.5 * edge * (TAU * hz * seconds).sin()) as f32;
        }
    }
    AudioBuffer::mono(RATE, sound)
}

fn agreement_of(audio: &AudioBuffer, notes: &[TrueNote]) -> f64 {
    agreement(&chroma_of(audio, &JobContext::detached()).expect("chroma"), notes).0
}

/// Bank and program.
fn place(preset: Preset) -> (u8, u8) {
    (preset.bank, preset.program)
}

/// For each lead of a style, the first seed that chooses it.
fn seeds(library: &StyleLibrary, style: &str) -> BTreeMap<(u8, u8), u64> {
    let mut seeds = BTreeMap::new();
    for seed in 1..60 {
        let recipe = Recipe {
            engine: EngineKind::Band,
            prompt: style.to_owned(),
            seed,
            freedom: 0.0,
            timing: Timing::AsSung,
            direction: Default::default(),
            song: Default::default(),
            engine_version: 1,
        };
        let request = Request { analysis: hum().clone(), recipe };
        let score = arrange(&request, library, &JobContext::detached()).expect("a score");
        let lead = score.tracks.iter().find(|track| track.role == Role::Lead).expect("a lead");
        seeds.entry(place(lead.preset)).or_insert(seed);
    }
    seeds
}

#[test]
fn every_lead_carries_the_hum() {
    let library = StyleLibrary::builtin().expect("styles");
    let notes = truth();
    let ideal = agreement_of(&sines(&notes, 0.0), &notes);
    assert!(ideal > 0.95, "sines reach {ideal}");
    let mut behind = Vec::new();
    for style in STYLES {
        let seeds = seeds(&library, style);
        let parts = &library.get(style).expect("the style").parts;
        let leads: BTreeSet<(u8, u8)> =
            parts.iter().filter(|part| part.role == Role::Lead).map(|part| place(part.preset)).collect();
        assert_eq!(seeds.keys().copied().collect::<BTreeSet<_>>(), leads, "{style}: seeds do not reach every lead");
        for (preset, seed) in seeds {
            let rendition = rendered(hum(), style, seed, RATE);
            let lead = rendition.stems.iter().find(|stem| stem.role == Role::Lead).expect("a lead");
            let (kept, mixed) = (agreement_of(&lead.audio, &notes), agreement_of(&rendition.mix, &notes));
            println!("{style}, {} (seed {seed}): lead {kept:.3} of {ideal:.3}, mix {mixed:.3}", lead.instrument);
            if kept < ideal - BEHIND || mixed < 0.5 {
                behind.push(format!("{style}, {} ({preset:?}): lead {kept:.3}, mix {mixed:.3}", lead.instrument));
            }
        }
    }
    assert!(behind.is_empty(), "sines reach {ideal:.3}, but {behind:#?}");
}

#[test]
fn a_lead_that_is_late_or_wrong_is_found_out() {
    let notes = truth();
    let ideal = agreement_of(&sines(&notes, 0.0), &notes);
    // As late as a player who only strikes when the note should already sound.
    let late = agreement_of(&sines(&notes, 0.1), &notes);
    assert!(late < ideal - BEHIND, "100 ms late is not seen: {late} of {ideal}");
    let fifth: Vec<TrueNote> = notes.iter().map(|(onset, offset, key)| (*onset, *offset, key + 7)).collect();
    assert!(agreement_of(&sines(&fifth, 0.0), &notes) < 0.5, "fifths are not seen");
}
