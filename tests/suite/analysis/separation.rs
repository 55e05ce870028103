//! A mix taken apart.

use super::band::{self, Tone};
use cantus_engine::Error;
use cantus_engine::analysis::separation::{self, Stems, lead, separate};
use cantus_engine::analysis::{F0Frame, f0};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::time::{MidiNote, SampleRate, Seconds};
use std::sync::Arc;

fn energy(audio: &[f32]) -> f32 {
    audio.iter().map(|sample| sample * sample).sum()
}

fn part(play: impl Fn(&mut AudioBuffer), rate: SampleRate) -> Vec<f32> {
    let mut audio = band::silence(rate);
    play(&mut audio);
    audio.to_mono()
}

fn apart(mix: &[f32], bass_hz: Option<f32>) -> Stems {
    separate(mix, |_| bass_hz, &JobContext::detached()).expect("stems")
}

#[test]
fn the_parts_add_up_to_the_mix() {
    let mix = band::mix(separation::RATE, 0.08).to_mono();
    let stems = apart(&mix, Some(65.4));
    let worst = (0..mix.len()).fold(0.0_f32, |worst, index| {
        worst.max((stems.drums[index] + stems.bass[index] + stems.rest[index] - mix[index]).abs())
    });
    assert!(worst < 1e-5, "off by {worst}");
    assert!([&stems.drums, &stems.bass, &stems.rest].into_iter().all(|stem| stem.len() == mix.len()));
}

#[test]
fn each_part_goes_where_it_belongs() {
    // A bass note at E2 with all its harmonics, over the border that is bass in any case.
    let bass = part(|audio| band::tones(audio, &[(0.2, 4.0, 52.0)], Tone::Sung, 0.1), separation::RATE);
    let high = part(|audio| band::tones(audio, &[(0.2, 4.0, 75.0)], Tone::Sung, 0.1), separation::RATE);
    let struck = part(|audio| band::drums(audio, 0.5), separation::RATE);
    let hz = MidiNote(52.0).hz().0;
    // What is played, whether its pitch is named as the bass's, and the share of its energy in drums, bass and rest.
    let rows = [
        ("drums", &struck, None, [0.6, 0.0, 0.0]),
        ("a lead", &high, Some(hz), [0.0, 0.0, 0.85]),
        ("a bass", &bass, Some(hz), [0.0, 0.7, 0.0]),
        ("a low voice that is no bass", &bass, None, [0.0, 0.0, 0.85]),
    ];
    for (what, audio, bass_hz, least) in rows {
        let stems = apart(audio, bass_hz);
        for ((stem, least), name) in
            [&stems.drums, &stems.bass, &stems.rest].iter().zip(least).zip(["drums", "bass", "rest"])
        {
            let share = energy(stem) / energy(audio);
            assert!(share >= least, "{what}: only {share} of it is in the {name}");
        }
    }
    assert!(apart(&struck, None).struck_share > 0.5 && apart(&high, None).struck_share < 0.1);
}

#[test]
fn the_lead_is_what_lies_on_its_harmonics() {
    let count = (band::LENGTH * f0::RATE.hz()) as usize / f0::HOP;
    let track = |note: f32| -> Vec<F0Frame> {
        let frame = |index: usize| Seconds((index * f0::HOP) as f64 / f0::RATE.hz());
        (0..count)
            .map(|index| F0Frame { time: frame(index), hz: MidiNote(note).hz().0, confidence: 1.0, voiced: true })
            .collect()
    };
    let tone = part(|audio| band::tones(audio, &[(0.2, 4.0, 69.0)], Tone::Struck, 0.1), f0::RATE);
    let context = JobContext::detached();
    let on = energy(&lead(&tone, &track(69.0), &context).expect("a lead")) / energy(&tone);
    let off = energy(&lead(&tone, &track(72.5), &context).expect("a lead")) / energy(&tone);
    assert!(on > 0.8 && off < 0.1, "{on} of the tone on its pitch, {off} of it beside");
}

#[test]
fn nothing_and_a_little_are_taken_apart_too() {
    for length in [0, 1, 500, 5000] {
        let stems = apart(&vec![0.0; length], None);
        assert_eq!((stems.rest.len(), stems.struck_share), (length, 0.0));
        assert!(stems.rest.iter().all(|sample| sample.is_finite()));
    }
    let cancel = CancelToken::default();
    cancel.cancel();
    let context = JobContext::new(cancel, Arc::new(|_| ()));
    assert_eq!(separate(&[0.1; 50_000], |_| None, &context), Err(Error::Cancelled));
}
