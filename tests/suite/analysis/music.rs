//! MIDI takes.

use super::take;
use cantus_engine::analysis::analyse;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::take::TakeNote;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{SampleRate, Seconds};

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
