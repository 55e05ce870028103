//! Keys: which, how spelled, where they move, and what lies outside.

use super::tunes::{Manner, note, tune, tunes};
use cantus_engine::analysis::key::{Scale, key};
use cantus_engine::analysis::{Key, KeyEstimate, Mode, Note, analyse};
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::take::TakeNote;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{Bpm, Metre, SampleRate, SongGrid};

fn grid() -> SongGrid {
    SongGrid::at_origin(Bpm(100.0), Metre::default())
}

fn heard(notes: &[Note]) -> KeyEstimate {
    key(notes, &grid(), false)
}

fn key_of(tonic: u8, mode: Mode) -> Key {
    Key { tonic, mode }
}

fn relative(key: Key) -> Key {
    match key.mode {
        Mode::Major => key_of((key.tonic + 9) % 12, Mode::Minor),
        Mode::Minor => key_of((key.tonic + 3) % 12, Mode::Major),
    }
}

/// Share of the tunes heard in their key, and in it or its relative.
fn shares(change: impl Fn(&mut Note)) -> (f64, f64) {
    let (mut exact, mut either, mut count) = (0.0, 0.0, 0.0);
    for (index, tune) in tunes().iter().enumerate() {
        for round in 0..2_u64 {
            let seed = index as u64 * 10 + round;
            let manner =
                Manner { bpm: 105.0, careless: 0.02, seconds: 9.0 + 5.0 * round as f64, seed, ..Manner::default() };
            let mut notes = manner.perform(&tune.line);
            notes.iter_mut().for_each(&change);
            let found = heard(&notes).key;
            exact += f64::from(u8::from(found == tune.key));
            either += f64::from(u8::from(found == tune.key || found == relative(tune.key)));
            count += 1.0;
        }
    }
    (exact / count, either / count)
}

#[test]
fn tunes_are_in_their_key() {
    let (exact, either) = shares(|_| ());
    assert!(exact >= 0.88 && either >= 0.94, "exact {exact}, or relative {either}");
    // Broken on purpose: every note a second time as long as it is high says nothing of the key.
    let (exact, either) = shares(|note| note.key = 60 + note.key % 5);
    assert!(exact < 0.5 && either < 0.6, "wrong notes still pass: {exact}, {either}");
}

#[test]
fn transposing_the_notes_transposes_the_key() {
    for name in ["god_save_the_king", "bella_ciao", "clementine", "symphony_40", "korobeiniki"] {
        let line = tune(name).line;
        let low = heard(&Manner { up: -6, ..Manner::default() }.perform(&line));
        for up in 1..12_u8 {
            let moved = heard(&Manner { up: i32::from(up) - 6, ..Manner::default() }.perform(&line));
            let expected = key_of((low.key.tonic + up) % 12, low.key.mode);
            assert_eq!(moved.key, expected, "{name}, {up} up");
            assert!((moved.confidence - low.confidence).abs() < 1e-4 && moved.scale == low.scale, "{name}, {up} up");
        }
    }
}

/// The same through the whole stage, from MIDI.
#[test]
fn midi_in_all_keys_is_in_all_keys() {
    let line = Manner::default().perform(&tune("bella_ciao").line);
    for up in 0..12_u8 {
        let mut take = super::take(AudioBuffer::silent(SampleRate(8_000), 1, 80_000));
        let played = line.iter().map(|note| TakeNote {
            onset: note.onset,
            offset: note.offset,
            key: note.key + up - 6,
            velocity: 0.8,
            channel: 0,
        });
        take.notes = played.collect();
        let analysis = analyse(&take, &JobContext::detached()).expect("analysis");
        assert_eq!(analysis.key.key, key_of((9 + up + 6) % 12, Mode::Minor), "{up} up");
        // The leading note is spelled as one: two letters below the third.
        let leading = analysis.key.key.spell_class((analysis.key.key.tonic + 11) % 12);
        let tonic = analysis.key.key.spell_class(analysis.key.key.tonic);
        assert_ne!(leading.as_bytes()[0], tonic.as_bytes()[0], "{tonic} minor leads from {leading}");
    }
}

#[test]
fn certainties_are_ranked_and_few_notes_are_unsure() {
    let whole = heard(&Manner::default().perform(&tune("god_save_the_king").line));
    assert_eq!(whole.alternatives.len(), 23);
    let all = whole.confidence + whole.alternatives.iter().map(|other| other.1).sum::<f32>();
    assert!(whole.confidence >= whole.alternatives[0].1 && all <= 1.0 + 1e-4, "{whole:?}");
    let two = heard(&Manner { seconds: 1.3, ..Manner::default() }.perform(&tune("god_save_the_king").line));
    assert!(two.confidence < 0.5 * whole.confidence, "{} and {}", two.confidence, whole.confidence);
    let none = heard(&[]);
    assert_eq!((none.confidence, none.alternatives.len(), none.doubts(&[]).len()), (0.0, 0, 0));
}

#[test]
fn scales_are_named_where_the_notes_show_them() {
    // Degrees of a tune on D, with beats.
    let line = |degrees: &[u8]| -> Vec<Note> {
        let long = [0, 7];
        let mut at = 0.0;
        let twice = degrees.iter().chain(degrees);
        twice
            .map(|&degree| {
                let beats = if long.contains(&degree) { 2.0 } else { 1.0 };
                at += beats * 0.6;
                note(at - beats * 0.6, at - 0.02, 62 + degree, 1.0)
            })
            .collect()
    };
    let rows: [(&[u8], Mode, Scale); 8] = [
        (&[0, 2, 4, 5, 7, 9, 11, 7, 4, 0], Mode::Major, Scale::Major),
        (&[0, 4, 7, 10, 9, 7, 5, 4, 10, 7, 2, 0], Mode::Major, Scale::Mixolydian),
        (&[0, 2, 4, 7, 9, 7, 4, 2, 0], Mode::Major, Scale::MajorPentatonic),
        (&[0, 2, 3, 5, 7, 8, 10, 7, 3, 0], Mode::Minor, Scale::NaturalMinor),
        (&[0, 3, 7, 9, 10, 9, 7, 5, 3, 2, 0], Mode::Minor, Scale::Dorian),
        (&[0, 2, 3, 7, 8, 7, 11, 0, 3, 5, 11, 0], Mode::Minor, Scale::HarmonicMinor),
        (&[0, 1, 3, 5, 7, 8, 7, 3, 1, 0], Mode::Minor, Scale::Phrygian),
        (&[0, 3, 5, 6, 5, 3, 0, 7, 10, 7, 6, 3, 0], Mode::Minor, Scale::Blues),
    ];
    for (degrees, mode, scale) in rows {
        let estimate = heard(&line(degrees));
        assert_eq!((estimate.key, estimate.scale), (key_of(2, mode), scale), "{}: {estimate:?}", scale.name());
        assert_eq!(estimate.outside(&line(degrees)), [] as [usize; 0], "{}", scale.name());
    }
    // A few notes show nothing.
    assert_eq!(heard(&line(&[0, 2, 4])).scale, Scale::Major);
}

/// Sixteen bars of quarters: eight in one key, eight in another, each with its own cadences.
fn moving(from: u8, to: u8) -> Vec<Note> {
    let phrase = [0, 2, 4, 5, 7, 4, 0, 7, 9, 5, 4, 2, 11, 7, 2, 0, 4, 5, 7, 9, 11, 7, 4, 0, 5, 9, 7, 4, 2, 11, 0, 0];
    let notes = phrase.iter().map(|degree| from + degree).chain(phrase.iter().map(|degree| to + degree));
    notes.enumerate().map(|(index, key)| note(0.6 * index as f64, 0.6 * index as f64 + 0.55, key, 0.9)).collect()
}

#[test]
fn a_melody_that_moves_to_another_key_is_said_to() {
    for (from, to, words) in [
        (60, 62, "from C major to D major at bar 9"),
        (65, 63, "from F major to Eb major at bar 9"),
        (60, 64, "from C major to E major at bar 9"),
    ] {
        let notes = moving(from, to);
        let estimate = heard(&notes);
        let keys: Vec<u8> = estimate.segments.iter().map(|segment| segment.key.tonic).collect();
        assert_eq!(keys, [from % 12, to % 12], "{:?}", estimate.segments);
        let off = estimate.segments[1].first_note.abs_diff(32);
        assert!(off <= 3, "the move is heard {off} notes off: {:?}", estimate.segments);
        let doubts = estimate.doubts(&notes);
        assert!(doubts.iter().any(|doubt| doubt.contains(words)) || off > 0, "{doubts:?}");
        assert_eq!(estimate.outside(&notes).len(), 0, "notes at home in the second key are not outside");
    }
    // What stays is not said to move.
    assert!(heard(&moving(60, 60)).segments.is_empty());
    for tune in tunes() {
        let estimate = heard(&Manner { seconds: 60.0, ..Manner::default() }.perform(&tune.line));
        assert!(estimate.segments.is_empty(), "{} is said to move: {:?}", tune.name, estimate.segments);
    }
}

#[test]
fn notes_outside_the_key_are_marked_and_not_moved() {
    let mut notes = Manner::default().perform(&tune("wenceslas").line);
    assert_eq!(heard(&notes).outside(&notes), [] as [usize; 0]);
    notes[5].key = 68;
    notes[9].key = 61;
    let keys: Vec<u8> = notes.iter().map(|note| note.key).collect();
    let estimate = heard(&notes);
    assert_eq!(estimate.key, key_of(7, Mode::Major));
    assert_eq!(estimate.outside(&notes), [5, 9]);
    let doubts = estimate.doubts(&notes);
    let words =
        doubts.iter().find(|doubt| doubt.starts_with("Outside G major")).unwrap_or_else(|| panic!("{doubts:?}"));
    assert!(words.contains("G#4") && words.contains("C#4") && words.contains("kept as sung"), "{words}");
    assert_eq!(keys, notes.iter().map(|note| note.key).collect::<Vec<_>>());
}

#[test]
fn names_are_spelled_as_the_key_writes_them() {
    let rows = [
        (key_of(0, Mode::Major), "C major", [(61, "C#4"), (63, "Eb4"), (66, "F#4"), (70, "Bb4"), (60, "C4")]),
        (key_of(9, Mode::Minor), "A minor", [(68, "G#4"), (66, "F#4"), (70, "Bb4"), (61, "C#4"), (63, "D#4")]),
        (key_of(0, Mode::Minor), "C minor", [(63, "Eb4"), (68, "Ab4"), (70, "Bb4"), (71, "B4"), (66, "F#4")]),
        (key_of(4, Mode::Major), "E major", [(68, "G#4"), (63, "D#4"), (61, "C#4"), (60, "C4"), (70, "A#4")]),
        (key_of(1, Mode::Major), "Db major", [(66, "Gb4"), (68, "Ab4"), (63, "Eb4"), (60, "C4"), (70, "Bb4")]),
        (key_of(6, Mode::Major), "F# major", [(65, "E#4"), (66, "F#4"), (70, "A#4"), (71, "B4"), (61, "C#4")]),
        (key_of(3, Mode::Minor), "Eb minor", [(71, "Cb5"), (66, "Gb4"), (62, "D4"), (65, "F4"), (63, "Eb4")]),
        (key_of(8, Mode::Minor), "G# minor", [(68, "G#4"), (71, "B4"), (63, "D#4"), (66, "F#4"), (70, "A#4")]),
    ];
    for (key, name, notes) in rows {
        assert_eq!(key.name(), name);
        for (note, spelled) in notes {
            assert_eq!(key.spell(note), spelled, "{name}");
        }
    }
    for tonic in 0..12 {
        for mode in [Mode::Major, Mode::Minor] {
            let key = key_of(tonic, mode);
            assert!((-6..=6).contains(&key.signature()), "{}", key.name());
            // The seven notes of the scale have seven letters.
            let mut letters: Vec<char> = Scale::usual(mode)
                .degrees()
                .iter()
                .map(|degree| key.spell_class((tonic + degree) % 12).chars().next().expect("a letter"))
                .collect();
            letters.sort_unstable();
            assert_eq!(letters, ['A', 'B', 'C', 'D', 'E', 'F', 'G'], "{}", key.name());
        }
    }
}
