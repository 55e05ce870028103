//! Key, tempo, and MIDI takes.

use super::take;
use cantus_engine::analysis::{Key, Mode, Note, analyse, key, rhythm};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::take::TakeNote;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{Bpm, Metre, MidiNote, SampleRate, Seconds, SongGrid};

/// Notes of `(beats, key)` one after the other at a tempo, after `lead_in` seconds.
fn notes(line: &[(f64, u8)], tempo: f64, lead_in: f64) -> Vec<Note> {
    let mut at = lead_in;
    line.iter()
        .map(|&(beats, key)| {
            let onset = Seconds(at);
            at += beats * 60.0 / tempo;
            Note {
                onset,
                offset: Seconds(at - 0.03),
                sung: MidiNote(f32::from(key)),
                key,
                loudness: 1.0,
                confidence: 1.0,
                bend: vec![(0.0, 0.0)],
                level_db: vec![(0.0, 0.0)],
            }
        })
        .collect()
}

const ODE: [(f64, u8); 15] = [
    (1.0, 64),
    (1.0, 64),
    (1.0, 65),
    (1.0, 67),
    (1.0, 67),
    (1.0, 65),
    (1.0, 64),
    (1.0, 62),
    (1.0, 60),
    (1.0, 60),
    (1.0, 62),
    (1.0, 64),
    (1.5, 62),
    (0.5, 60),
    (2.0, 60),
];
const GREENSLEEVES: [(f64, u8); 21] = [
    (1.0, 69),
    (2.0, 72),
    (1.0, 74),
    (1.5, 76),
    (0.5, 78),
    (1.0, 76),
    (2.0, 74),
    (1.0, 71),
    (1.5, 67),
    (0.5, 69),
    (1.0, 71),
    (2.0, 72),
    (1.0, 69),
    (1.5, 69),
    (0.5, 68),
    (1.0, 69),
    (2.0, 71),
    (1.0, 68),
    (2.0, 64),
    (1.0, 68),
    (3.0, 69),
];

#[test]
fn tunes_are_in_their_key_wherever_they_begin() {
    for (name, tune, tonic, mode) in
        [("Ode to Joy", &ODE[..], 0, Mode::Major), ("Greensleeves", &GREENSLEEVES[..], 9, Mode::Minor)]
    {
        for up in 0..12_u8 {
            let moved: Vec<(f64, u8)> = tune.iter().map(|&(beats, key)| (beats, key + up - 5)).collect();
            let grid = SongGrid::at_origin(Bpm(100.0), Metre::default());
            let heard = key::key(&notes(&moved, 100.0, 0.0), &grid, true);
            assert_eq!(
                heard.key,
                Key { tonic: (tonic + up + 7) % 12, mode },
                "{name}, {up} up: {:?}",
                heard.alternatives[0]
            );
            assert_eq!(heard.alternatives.len(), 23);
            assert!(heard.confidence >= heard.alternatives[0].1 && heard.confidence <= 1.0);
        }
    }
}

#[test]
fn no_notes_have_no_key() {
    let heard = key::key(&[], &SongGrid::at_origin(Bpm(100.0), Metre::default()), true);
    assert_eq!((heard.confidence, heard.alternatives.len()), (0.0, 0));
}

#[test]
fn steady_tunes_have_their_tempo() {
    for bpm in [70.0, 92.0, 100.0, 118.0, 140.0] {
        let estimate = rhythm::tempo(&notes(&ODE, bpm, 0.37));
        let ratio = estimate.tempo.0 / bpm;
        let plain = (ratio - 1.0).abs() < 0.01;
        // Half or double is the same pulse felt otherwise, but then it must be said.
        let octave = [0.5, 2.0].iter().any(|octave| (ratio / octave - 1.0).abs() < 0.01) && !estimate.doubts.is_empty();
        assert!(plain || octave, "{bpm} BPM heard as {:?}", estimate);
        let beats = (estimate.beat.0 - 0.37) * estimate.tempo.0 / 60.0;
        assert!(beats.abs() < 0.1, "{bpm} BPM: the first note is heard {beats} beats off the beat");
    }
}

#[test]
fn any_onsets_give_some_tempo() {
    let uneven: Vec<(f64, u8)> = (0..30).map(|index| (0.3 + f64::from(index * index % 17) * 0.09, 60)).collect();
    for line in [&[][..], &[(1.0, 60)], &[(1.0, 60), (1.0, 62)], &uneven] {
        let estimate = rhythm::tempo(&notes(line, 100.0, 0.0));
        assert!((60.0..=180.0).contains(&estimate.tempo.0), "{estimate:?}");
        assert!((0.0..=1.0).contains(&estimate.confidence) && estimate.beat.0.is_finite(), "{estimate:?}");
        assert!(line.len() > 8 || estimate.confidence < 0.3, "sure of a tempo from {} notes", line.len());
    }
}

#[test]
fn a_take_off_the_grid_gets_a_tempo_and_whole_bars() {
    let tune = [60.0, 62.0, 64.0, 65.0, 67.0, 65.0, 64.0, 62.0, 60.0, 62.0, 64.0, 60.0];
    let beat = 60.0 / 90.0;
    let hummed: Vec<_> =
        tune.iter().zip(0..).map(|(&note, at)| (0.3 + beat * f64::from(at), beat * 0.9, note)).collect();
    let mut take = take(super::hum::hum(&hummed, 0.0, 0.5, SampleRate(48_000)));
    take.on_grid = false;
    let analysis = analyse(&take, &JobContext::detached()).expect("analysis");
    assert!((analysis.tempo().0 - 90.0).abs() < 1.5, "{:?}", analysis.tempo());
    assert!(analysis.tempo_confidence > 0.0 && analysis.tempo_confidence < 1.0);
    assert_eq!(analysis.length.0, 16.0, "twelve beats after a pick-up of half a beat");
}

fn played(onset: f64, offset: f64, key: u8) -> TakeNote {
    TakeNote { onset: Seconds(onset), offset: Seconds(offset), key, velocity: 0.8, channel: 0 }
}

#[test]
fn midi_is_the_melody_when_nothing_sounds() {
    let rate = SampleRate(48_000);
    let mut take = take(AudioBuffer::silent(rate, 2, 96_000));
    // A line over a chord, with two notes that overlap a little.
    take.notes = vec![
        played(0.0, 0.52, 72),
        played(0.0, 2.0, 48),
        played(0.0, 2.0, 52),
        played(0.5, 1.0, 74),
        played(1.0, 1.5, 71),
        played(1.6, 1.6, 80),
    ];
    let analysis = analyse(&take, &JobContext::detached()).expect("analysis");
    let line: Vec<(f64, f64, u8)> = analysis.notes.iter().map(|note| (note.onset.0, note.offset.0, note.key)).collect();
    assert_eq!(line, [(0.0, 0.5, 72), (0.5, 1.0, 74), (1.0, 1.5, 71)]);
    assert!(analysis.doubts.iter().any(|doubt| doubt.contains("highest")), "{:?}", analysis.doubts);
    assert_eq!(analysis.tempo_confidence, 1.0);
    let classes: Vec<u8> = [0.2, 0.8, 1.2].map(|at| analysis.chroma.argmax[(at * 32_000.0 / 4096.0) as usize]).into();
    assert_eq!(classes, [0, 2, 11], "chroma is drawn from the notes");

    // With sound, what was sung counts.
    take.audio = super::hum::hum(&super::hum::TUNE, 0.0, 0.5, rate);
    let analysis = analyse(&take, &JobContext::detached()).expect("analysis");
    assert_eq!(analysis.notes.len(), super::hum::TUNE.len());
}
