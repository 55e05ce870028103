//! Every note starts on its sample, and the audio is as long as its bars.

use super::scores::{note, score, track};
use super::{rendered, stem};
use cantus_engine::generation::score::Role;
use cantus_engine::time::{Beats, SampleRate};

/// The shift of `pattern` at which it fits best into `sound`, searched within `reach` frames of `near`.
fn best_shift(pattern: &[f32], sound: &[f32], near: usize, reach: usize) -> usize {
    let fit =
        |shift: usize| -> f64 { pattern.iter().zip(&sound[shift..]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    (near.saturating_sub(reach)..=near + reach).max_by(|&a, &b| fit(a).total_cmp(&fit(b))).expect("a range")
}

/// The distance between two strokes of one sound at these beats, in samples, against the grid's own.
fn check_distance(program: u8, bank: u8, key: u8, beats: (f64, f64), tempo: f64, rate: u32) {
    let role = if bank == 128 { Role::Drums } else { Role::Lead };
    let mut notes = vec![note(beats.0, 0.5, key, 100), note(beats.1, 0.5, key, 100)];
    if role == Role::Drums {
        // Three strokes of a drum differ by a hair; the fourth is the first again.
        let middle = 0.5 * (beats.0 + beats.1);
        notes.splice(1..1, [note(middle, 0.1, key, 1), note(middle + 0.1, 0.1, key, 1)]);
    }
    let score = score(tempo, 8.0, vec![track(role, "One", bank, program, notes)]);
    let sound = stem(&score, role, rate);
    let frame = |beat: f64| score.grid.frame_of(Beats(beat), SampleRate(rate)).index().expect("in the region");
    let (first, second) = (frame(beats.0), frame(beats.1));
    let pattern = &sound[first..first + rate as usize / 8];
    let found = best_shift(pattern, &sound, second, 200);
    assert_eq!(found - first, second - first, "{bank}:{program} at {beats:?}, {tempo} BPM, {rate} Hz");
    // Nothing sounds before the first stroke, and its very first sample sounds (samples may begin with a zero or two at their own rate).
    assert!(sound[..first].iter().all(|sample| *sample == 0.0), "{rate} Hz: sound before the stroke");
    let begins = sound.iter().position(|sample| *sample != 0.0).expect("sound");
    assert!(begins - first <= rate as usize / 10_000, "{rate} Hz: begins {} frames late", begins - first);
}

#[test]
fn strokes_lie_on_their_samples() {
    for rate in [44_100, 48_000, 96_000] {
        check_distance(0, 0, 60, (0.337, 2.713), 97.3, rate);
        check_distance(0, 128, 38, (1.111, 3.0 + 1.0 / 3.0), 100.0, rate);
        check_distance(11, 0, 72, (0.019, 4.501), 133.7, rate);
    }
}

#[test]
fn the_search_sees_one_sample() {
    let pattern: Vec<f32> = (0..512).map(|index| (index as f32 * 0.31).sin()).collect();
    for late in [0, 1] {
        let mut sound = vec![0.0; 4_000];
        sound[1_000 + late..1_512 + late].copy_from_slice(&pattern);
        assert_eq!(best_shift(&pattern, &sound, 1_000, 200), 1_000 + late);
    }
}

#[test]
fn the_region_is_as_long_as_its_bars() {
    for (tempo, beats, rate) in [(100.0, 8.0, 48_000), (97.3, 7.0, 44_100), (151.7, 3.0, 96_000)] {
        let score = score(tempo, beats, vec![track(Role::Lead, "Piano", 0, 0, vec![note(0.0, 1.0, 60, 90)])]);
        let rendition = rendered(&score, rate);
        let exact = (beats * 60.0 / tempo * f64::from(rate)).round() as i64;
        assert_eq!(rendition.region.0, exact, "{tempo} BPM, {rate} Hz");
        let frames = rendition.mix.frames() as i64;
        assert!(
            frames >= exact && frames <= exact + (2.5 * f64::from(rate)) as i64,
            "tail of {} frames",
            frames - exact
        );
        assert!(rendition.stems.iter().all(|stem| stem.audio.frames() as i64 == frames));
    }
}

#[test]
fn a_region_that_starts_between_samples_keeps_the_songs_frames() {
    let mut shifted = score(100.0, 8.0, vec![track(Role::Lead, "Vibraphone", 0, 11, vec![note(33.7, 1.0, 65, 90)])]);
    shifted.grid.start = Beats(32.0);
    shifted.grid.start_seconds = Beats(32.0).seconds(cantus_engine::time::Bpm(93.1));
    let sound = stem(&shifted, Role::Lead, 44_100);
    let expected = shifted.grid.frame_of(Beats(33.7), SampleRate(44_100)).index().expect("frame");
    let begins = sound.iter().position(|sample| *sample != 0.0).expect("sound");
    assert!((expected..=expected + 4).contains(&begins), "begins at {begins}, not {expected}");
}
