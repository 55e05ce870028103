//! Typed and played chords.

use super::tunes::{grid, major, minor};
use cantus_engine::Error;
use cantus_engine::analysis::{Analysis, Note};
use cantus_engine::generation::song::recogniser::{PlayedNote, chords};
use cantus_engine::generation::song::sheet::{parse, write};
use cantus_engine::generation::song::symbol::ChordSymbol;
use cantus_engine::generation::song::{SongChord, SongContext, division};
use cantus_engine::time::{Beats, Metre};

fn metre(numerator: u8, denominator: u8) -> Metre {
    Metre { numerator, denominator }
}

#[test]
fn symbols_name_their_tones() {
    let rows: [(&str, &[u8], Option<u8>); 62] = [
        ("C", &[0, 4, 7], None),
        ("Cmaj", &[0, 4, 7], None),
        ("Am", &[9, 0, 4], None),
        ("A-", &[9, 0, 4], None),
        ("Amin", &[9, 0, 4], None),
        ("Ami7", &[9, 0, 4, 7], None),
        ("Am7", &[9, 0, 4, 7], None),
        ("A-7", &[9, 0, 4, 7], None),
        ("G7", &[7, 11, 2, 5], None),
        ("B♭7", &[10, 2, 5, 8], None),
        ("F♯m", &[6, 9, 1], None),
        ("Ebb", &[2, 6, 9], None),
        ("C##", &[2, 6, 9], None),
        ("Cmaj7", &[0, 4, 7, 11], None),
        ("CM7", &[0, 4, 7, 11], None),
        ("CΔ", &[0, 4, 7, 11], None),
        ("CΔ7", &[0, 4, 7, 11], None),
        ("Cma7", &[0, 4, 7, 11], None),
        ("Cm(maj7)", &[0, 3, 7, 11], None),
        ("CmM7", &[0, 3, 7, 11], None),
        ("CmΔ", &[0, 3, 7, 11], None),
        ("Bm7b5", &[11, 2, 5, 9], None),
        ("Bm7(b5)", &[11, 2, 5, 9], None),
        ("Bø", &[11, 2, 5, 9], None),
        ("Bø7", &[11, 2, 5, 9], None),
        ("Bdim", &[11, 2, 5], None),
        ("B°", &[11, 2, 5], None),
        ("B°7", &[11, 2, 5, 8], None),
        ("Bdim7", &[11, 2, 5, 8], None),
        ("Caug", &[0, 4, 8], None),
        ("C+", &[0, 4, 8], None),
        ("C+7", &[0, 4, 8, 10], None),
        ("C7#5", &[0, 4, 8, 10], None),
        ("Csus", &[0, 5, 7], None),
        ("Csus4", &[0, 5, 7], None),
        ("Csus2", &[0, 2, 7], None),
        ("G7sus4", &[7, 0, 2, 5], None),
        ("G9sus4", &[7, 0, 2, 5, 9], None),
        ("C5", &[0, 7], None),
        ("C6", &[0, 4, 7, 9], None),
        ("Cm6", &[0, 3, 7, 9], None),
        ("C6/9", &[0, 4, 7, 9, 2], None),
        ("C69", &[0, 4, 7, 9, 2], None),
        ("C6/9/E", &[0, 4, 7, 9, 2], Some(4)),
        ("Cadd9", &[0, 4, 7, 2], None),
        ("Cm(add9)", &[0, 3, 7, 2], None),
        ("C9", &[0, 4, 7, 10, 2], None),
        ("Cmaj9", &[0, 4, 7, 11, 2], None),
        ("Cm11", &[0, 3, 7, 10, 2, 5], None),
        ("C11", &[0, 7, 10, 2, 5], None),
        ("C13", &[0, 4, 7, 10, 2, 9], None),
        ("Cmaj13", &[0, 4, 7, 11, 2, 9], None),
        ("E7#9", &[4, 8, 11, 2, 7], None),
        ("E7(b9,#11)", &[4, 8, 11, 2, 5, 10], None),
        ("C13b9", &[0, 4, 7, 10, 9, 1], None),
        ("C7b13", &[0, 4, 7, 10, 8], None),
        ("C7alt", &[0, 4, 10, 1, 3, 8], None),
        ("Cmaj7#11", &[0, 4, 7, 11, 6], None),
        ("F/C", &[5, 9, 0], Some(0)),
        ("D/F#", &[2, 6, 9], Some(6)),
        ("Am7/G", &[9, 0, 4, 7], Some(7)),
        ("C/C", &[0, 4, 7], None),
    ];
    for (text, tones, bass) in rows {
        let chord = ChordSymbol::parse(text).unwrap_or_else(|reason| panic!("{text}: {reason}"));
        assert_eq!(chord.tones(), tones, "{text}");
        assert_eq!(chord.bass, bass, "{text}");
        // Its own name reads back as the same tones, in every key.
        for tonic in 0..12 {
            for key in [major(tonic), minor(tonic)] {
                let name = ChordSymbol::name(chord.root, &chord.tones(), chord.bass, key);
                let again = ChordSymbol::parse(&name).unwrap_or_else(|reason| panic!("{text} as {name}: {reason}"));
                let sorted = |chord: &ChordSymbol| {
                    let mut tones = chord.tones();
                    tones.sort_unstable();
                    (chord.root, tones, chord.bass)
                };
                assert_eq!(sorted(&again), sorted(&chord), "{text} as {name}");
            }
        }
    }
}

#[test]
fn any_set_of_tones_has_a_name_that_reads_back() {
    for set in 0..2048_u16 {
        let tones: Vec<u8> = std::iter::once(0).chain((1..12).filter(|bit| set >> (bit - 1) & 1 == 1)).collect();
        let name = ChordSymbol::name(0, &tones, None, major(0));
        let mut again =
            ChordSymbol::parse(&name).unwrap_or_else(|reason| panic!("{tones:?} as {name}: {reason}")).tones();
        again.sort_unstable();
        assert_eq!(again, tones, "{name}");
    }
}

#[test]
fn roots_are_spelled_as_the_key_writes_them() {
    let rows = [
        (major(0), 1, "Db"),
        (major(0), 10, "Bb"),
        (major(0), 6, "F#"),
        (major(4), 8, "G#"),
        (major(4), 0, "C"),
        (major(8), 1, "Db"),
        (minor(9), 8, "G#"),
        (minor(0), 8, "Ab"),
        (minor(0), 3, "Eb"),
        (major(11), 3, "D#"),
    ];
    for (key, root, name) in rows {
        let tones = [root, (root + 4) % 12, (root + 7) % 12];
        assert_eq!(ChordSymbol::name(root, &tones, None, key), name, "{}", key.name());
    }
}

/// Text, metre, the chords it means with start and length, and its length.
type SheetRow = (&'static str, Metre, &'static [(&'static str, f64, f64)], f64);

#[test]
fn sheets_are_read_bar_by_bar() {
    let rows: [SheetRow; 14] = [
        ("C Am7 | F G", metre(4, 4), &[("C", 0.0, 2.0), ("Am7", 2.0, 2.0), ("F", 4.0, 2.0), ("G", 6.0, 2.0)], 8.0),
        ("Bm7b5 E7#9 | Am", metre(4, 4), &[("Bm7b5", 0.0, 2.0), ("E7#9", 2.0, 2.0), ("Am", 4.0, 4.0)], 8.0),
        ("| C | % | F |", metre(4, 4), &[("C", 0.0, 4.0), ("C", 4.0, 4.0), ("F", 8.0, 4.0)], 12.0),
        ("C F G", metre(4, 4), &[("C", 0.0, 4.0), ("F", 4.0, 4.0), ("G", 8.0, 4.0)], 12.0),
        ("C | N.C. | F", metre(4, 4), &[("C", 0.0, 4.0), ("F", 8.0, 4.0)], 12.0),
        (
            "C / / G | F . Em .",
            metre(4, 4),
            &[("C", 0.0, 3.0), ("G", 3.0, 1.0), ("F", 4.0, 2.0), ("Em", 6.0, 2.0)],
            8.0,
        ),
        ("C F G |", metre(4, 4), &[("C", 0.0, 2.0), ("F", 2.0, 1.0), ("G", 3.0, 1.0)], 4.0),
        ("C G | Am", metre(3, 4), &[("C", 0.0, 2.0), ("G", 2.0, 1.0), ("Am", 3.0, 3.0)], 6.0),
        ("C G | Am", metre(5, 4), &[("C", 0.0, 3.0), ("G", 3.0, 2.0), ("Am", 5.0, 5.0)], 10.0),
        ("C G |", metre(7, 8), &[("C", 0.0, 2.0), ("G", 2.0, 1.5)], 3.5),
        ("C D G |", metre(7, 8), &[("C", 0.0, 1.0), ("D", 1.0, 1.0), ("G", 2.0, 1.5)], 3.5),
        (
            "|: C | F :| G",
            metre(4, 4),
            &[("C", 0.0, 4.0), ("F", 4.0, 4.0), ("C", 8.0, 4.0), ("F", 12.0, 4.0), ("G", 16.0, 4.0)],
            20.0,
        ),
        ("|: C :| x3 | G", metre(4, 4), &[("C", 0.0, 4.0), ("C", 4.0, 4.0), ("C", 8.0, 4.0), ("G", 12.0, 4.0)], 16.0),
        ("F/C\nB♭", metre(4, 4), &[("F/C", 0.0, 4.0), ("B♭", 4.0, 4.0)], 8.0),
    ];
    for (text, metre, expected, length) in rows {
        let sheet = parse(text, metre).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found: Vec<(&str, f64, f64)> =
            sheet.chords.iter().map(|chord| (chord.symbol.as_str(), chord.start.0, chord.length.0)).collect();
        assert_eq!(found, expected, "{text}");
        assert_eq!(sheet.length, Beats(length), "{text}");
        let written = write(&sheet.chords, sheet.length, metre, major(0));
        let again =
            parse(&(written.clone() + " |"), metre).unwrap_or_else(|error| panic!("{text} as {written}: {error}"));
        assert_eq!(again, sheet, "{text} as {written}");
    }
    assert_eq!(parse("", metre(4, 4)).unwrap().length, Beats(0.0));
    assert_eq!(SongContext::typed("  ", metre(4, 4), None).unwrap(), SongContext::default());
}

#[test]
fn a_wrong_word_is_named_with_its_place() {
    let rows = [
        ("C | H7 | F", "H7", 2, 5, "write B"),
        ("C Xm", "Xm", 2, 3, "from A to G"),
        ("C | am | F", "am", 2, 5, "write A"),
        ("C | F G7q", "G7q", 2, 7, "\"q\""),
        ("C/H |", "C/H", 1, 1, "\"H\" after the slash"),
        ("% | C", "%", 1, 1, "no bar before it"),
        ("/ C |", "/", 1, 1, "no chord before it"),
        ("C | F %", "%", 2, 7, "whole bar"),
        ("C | Fadd | G", "Fadd", 2, 5, "add"),
        ("B♭♭ | Ü", "Ü", 2, 7, "from A to G"),
        ("C | C8", "C8", 2, 5, "\"8\""),
        ("x3 | C", "x3", 1, 1, "from A to G"),
    ];
    for (text, expected, in_bar, at, says) in rows {
        match parse(text, metre(4, 4)) {
            Err(Error::Chords { word, bar, character, reason }) => {
                assert_eq!((word.as_str(), bar, character), (expected, in_bar, at), "{text}: {reason}");
                assert!(reason.contains(says), "{text}: {reason}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    // Nothing typed panics or hangs.
    let letters: Vec<char> = "CAb#m7j/|:%.(9)+-°ø x3\nΔ♭sudiag,N".chars().collect();
    let mut state = 1_u64;
    for _ in 0..3000 {
        let mut text = String::new();
        for _ in 0..(state % 23) + 1 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push(letters[(state >> 33) as usize % letters.len()]);
        }
        let _ = parse(&text, metre(4, 4));
    }
    let many = "|: C :| x64 ".repeat(64);
    assert!(matches!(parse(&many, metre(4, 4)), Err(Error::Chords { .. })));
}

#[test]
fn bars_divide_on_their_groups() {
    let rows: [(Metre, usize, &[f64]); 10] = [
        (metre(4, 4), 2, &[0.0, 2.0]),
        (metre(4, 4), 3, &[0.0, 2.0, 3.0]),
        (metre(4, 4), 4, &[0.0, 1.0, 2.0, 3.0]),
        (metre(3, 4), 2, &[0.0, 2.0]),
        (metre(6, 8), 2, &[0.0, 1.5]),
        (metre(12, 8), 2, &[0.0, 3.0]),
        (metre(5, 4), 2, &[0.0, 3.0]),
        (metre(7, 8), 2, &[0.0, 2.0]),
        (metre(7, 8), 3, &[0.0, 1.0, 2.0]),
        (metre(2, 4), 2, &[0.0, 1.0]),
    ];
    for (metre, chords, expected) in rows {
        assert_eq!(division::starts(metre, chords), expected, "{metre:?} {chords}");
    }
}

/// Notes of chords given as keys, a bar of 4/4 each.
fn played(bars: &[&[u8]]) -> Vec<PlayedNote> {
    let bar = |(number, keys): (usize, &&[u8])| {
        let start = Beats(4.0 * number as f64);
        keys.iter()
            .map(move |&key| PlayedNote { start, end: Beats(start.0 + 3.7), key, weight: 1.0 })
            .collect::<Vec<_>>()
    };
    bars.iter().enumerate().flat_map(bar).collect()
}

fn names(chords: &[SongChord]) -> Vec<&str> {
    chords.iter().map(|chord| chord.symbol.as_str()).collect()
}

#[test]
fn played_chords_are_recognised() {
    let rows: [(&[&[u8]], &[&str]); 8] = [
        (&[&[48, 60, 64, 67], &[45, 60, 64, 69], &[41, 60, 65, 69], &[43, 59, 62, 67]], &["C", "Am", "F", "G"]),
        (&[&[50, 60, 65, 69], &[43, 59, 65, 62], &[48, 59, 64, 67]], &["Dm7", "G7", "Cmaj7"]),
        (&[&[52, 60, 67], &[48, 65, 69]], &["C/E", "F/C"]),
        (&[&[47, 57, 62, 65], &[44, 50, 59, 65]], &["Bm7b5", "G#dim7"]),
        (&[&[43, 60, 62, 67], &[43, 59, 62, 67]], &["Gsus4", "G"]),
        (&[&[48, 52, 55, 57], &[45, 48, 52, 55]], &["C6", "Am7"]),
        (&[&[48, 55, 64], &[48, 64, 67]], &["C", "C"]),
        (&[], &[]),
    ];
    for (bars, expected) in rows {
        let found = chords(&played(bars), metre(4, 4), minor(9));
        let named = names(&found);
        assert_eq!(named, expected, "{bars:?}");
        assert!(found.iter().enumerate().all(|(index, chord)| (chord.start.0 - 4.0 * index as f64).abs() < 1e-9));
    }
    // Broken chords, two a bar, with a passing note.
    let keys = [48, 55, 60, 64, 41, 53, 57, 60, 43, 55, 59, 62, 48, 52, 55, 53];
    let broken: Vec<PlayedNote> = keys
        .iter()
        .enumerate()
        .map(|(index, &key)| PlayedNote {
            start: Beats(index as f64 / 2.0),
            end: Beats(index as f64 / 2.0 + 0.5),
            key,
            weight: 1.0,
        })
        .collect();
    assert_eq!(names(&chords(&broken, metre(4, 4), major(0))), ["C", "F", "G", "C"]);
    // One voice is no chord, and silence none either.
    let line: Vec<PlayedNote> = (0..4)
        .map(|beat| PlayedNote {
            start: Beats(f64::from(beat)),
            end: Beats(f64::from(beat) + 0.9),
            key: 60,
            weight: 1.0,
        })
        .collect();
    assert_eq!(chords(&line, metre(4, 4), major(0)), Vec::new());
    let strange = [PlayedNote { start: Beats(f64::NAN), end: Beats(f64::INFINITY), key: 200, weight: f32::NAN }];
    assert_eq!(chords(&strange, metre(4, 4), major(0)), Vec::new());
}

#[test]
fn a_keyboard_take_gives_the_song_its_chords() {
    let mut take: Analysis =
        super::tunes::analysis(&[(8.0, 11.5, 76), (12.0, 15.5, 77)], grid(8.0, 120.0, (4, 4)), 8.0, major(0));
    let second = |beats: f64| Beats(beats).seconds(cantus_engine::time::Bpm(120.0));
    take.notes.iter_mut().for_each(|note| {
        note.onset.0 -= second(8.0).0;
        note.offset.0 -= second(8.0).0;
    });
    let voice =
        |start: f64, key: u8| Note { onset: second(start), offset: second(start + 3.8), key, ..take.notes[0].clone() };
    let harmony: Vec<Note> = [(0.0, [48, 60, 64, 67]), (4.0, [41, 60, 65, 69])]
        .iter()
        .flat_map(|(at, keys)| keys.map(|key| voice(*at, key)))
        .collect();
    take.harmony = harmony;
    let song = SongContext::played(&take, None);
    assert_eq!(names(&song.chords), ["C", "F"]);
    assert_eq!(song.start, Some(Beats(8.0)));
    take.harmony.clear();
    assert_eq!(SongContext::played(&take, None).chords, Vec::new());
}
