//! Textbook melodies, whose chords everybody agrees on.

use super::super::tunes::{ODE, grid, major, minor, tune};
use super::measures::at;
use super::{clashes_in, library, plainly};
use cantus_engine::analysis::{Analysis, Key, KeySegment, Mode, key};
use cantus_engine::generation::score::Score;

/// Roots above the tonic of the chord on each bar line.
fn degrees(score: &Score, key: Key) -> Vec<u8> {
    let bar = score.grid.metre.bar().0;
    let bars = (score.length.0 / bar).round() as usize;
    (0..bars).map(|index| (at(&score.chords, index as f64 * bar).root + 12 - key.tonic) % 12).collect()
}

/// A tune whose bars allow some degrees each: most seeds must keep to them.
fn check_degrees(name: &str, text: &str, metre: (u8, u8), key: Key, allowed: &[&[u8]]) {
    let library = library();
    let analysis = tune(name, text, grid(0.0, 100.0, metre), key, true).analysis;
    let (mut kept, mut all) = (0, 0);
    let mut seen = Vec::new();
    for seed in 0..8 {
        let score = plainly(&library, &analysis, "plain", seed);
        let degrees = degrees(&score, key);
        assert_eq!(degrees.len(), allowed.len(), "{name}");
        kept += degrees.iter().zip(allowed).filter(|(degree, allowed)| allowed.contains(degree)).count();
        all += allowed.len();
        seen.push(score.chords.iter().map(|chord| chord.symbol.clone()).collect::<Vec<_>>().join(" "));
    }
    assert!(kept * 10 >= all * 8, "{name}: {kept} of {all} bars are as expected: {seen:#?}");
}

#[test]
fn textbook_melodies_have_textbook_chords() {
    let at_home: &[u8] = &[0, 9];
    let away: &[u8] = &[7, 2, 5, 11];
    let any: &[u8] = &[0, 2, 4, 5, 7, 9];
    check_degrees(
        "ode",
        ODE,
        (4, 4),
        major(0),
        &[&[0, 9, 4], any, at_home, &[0, 7, 9], &[0, 9, 4], any, at_home, &[7, 0]],
    );
    check_degrees(
        "dominant",
        "c4:1 e4 g4 e4 | g4:2 b4 | d5:1 b4 g4:2 | c5:4",
        (4, 4),
        major(0),
        &[at_home, &[7, 4], away, at_home],
    );
    check_degrees(
        "subdominant",
        "g4:2 e4 | a4:2 f4 | b4:2 d5 | c5:4",
        (4, 4),
        major(0),
        &[&[0, 4], &[5, 2], &[7], at_home],
    );
    // The leading note of a minor key wants the major dominant.
    check_degrees(
        "leading note",
        "a4:2 c5 | d5:2 f5 | e5:2 g#4 | a4:4",
        (4, 4),
        minor(9),
        &[&[0, 3, 8], &[5, 2], &[7], &[0, 8]],
    );
    check_degrees(
        "waltz",
        "e4:2 g4:1 | f4:2 a4:1 | d4:2 b4:1 | c5:3",
        (3, 4),
        major(0),
        &[&[0, 4, 9], &[5, 2], &[7], at_home],
    );
}

#[test]
fn a_dorian_tune_keeps_its_high_sixth() {
    let library = library();
    let text = "d4:1 f4 a4 b4 | a4:2 b4 | c5:1 b4 a4 g4 | b4:2 a4 | f4:1 g4 a4 b4 | g4:2 b4 | a4:1 g4 f4 e4 | d4:4";
    let mut analysis = tune("dorian", text, grid(0.0, 100.0, (4, 4)), minor(2), true).analysis;
    let (mut fourth, mut low_sixth) = (0, 0);
    for seed in 0..10 {
        let score = plainly(&library, &analysis, "plain", seed);
        fourth += score.chords.iter().filter(|chord| chord.root == 7 && chord.tones.contains(&11)).count();
        low_sixth += score.chords.iter().filter(|chord| chord.tones.contains(&10)).count();
    }
    // The style knows no IV in minor; the tune brings it.
    assert!(fourth >= 6, "IV is heard {fourth} times in ten scores");
    assert_eq!(low_sixth, 0, "a low sixth under a high one");
    // The same tune with a low sixth is natural minor.
    for note in analysis.notes.iter_mut().filter(|note| note.key % 12 == 11) {
        note.key -= 1;
    }
    let natural = plainly(&library, &analysis, "plain", 0);
    assert!(natural.chords.iter().any(|chord| chord.tones.contains(&10)), "no low sixth in natural minor");
}

#[test]
fn mixolydian_tunes_keep_their_low_seventh() {
    let library = library();
    let text = "g4:1 b4 d5 f5 | f5:2 d5 | e5:1 f5 d5 c5 | d5:4 | f5:1 e5 d5 c5 | f5:2 e5 | d5:1 c5 b4 a4 | g4:4";
    let mut analysis = tune("mixolydian", text, grid(0.0, 100.0, (4, 4)), major(7), true).analysis;
    analysis.key = key::key(&analysis.notes, &analysis.grid, true);
    let mut high = 0;
    for seed in 0..10 {
        let score = plainly(&library, &analysis, "plain", seed);
        assert_eq!(clashes_in(&library, &score, &analysis), Vec::<String>::new());
        high += score.chords.iter().filter(|chord| chord.tones.contains(&6)).count();
    }
    assert!(high <= 6, "{high} chords have a high seventh against the tune's low one");
}

#[test]
fn a_blue_style_holds_its_blue_notes_over_dominants() {
    let mut library = library();
    let blue = include_str!("plain.toml")
        .replace("name = \"plain\"", "name = \"blue\"")
        .replace("words = [\"plain\"]", "words = [\"blue\"]")
        .replace("temperature = 0.6", "temperature = 0.6\nblue = true");
    library.add_text("blue.toml", &blue).unwrap();
    let text =
        "c4:1 eb4 e4 g4 | bb4:2 g4 | f4:1 eb4 c4:2 | eb4:3 c4:1 | f4:1 ab4 c5 eb5 | eb5:2 c5 | g4:1 bb4 g4 f4 | c4:4";
    let analysis = tune("lick", text, grid(0.0, 100.0, (4, 4)), major(0), true).analysis;
    let (mut at_home, mut elsewhere) = (0, 0);
    for seed in 0..8 {
        let score = plainly(&library, &analysis, "blue", seed);
        let plain = plainly(&library, &analysis, "plain", seed);
        // The held low third of the fourth bar sits on the tonic only where it is a blue note.
        at_home += usize::from(at(&score.chords, 12.5).tones.starts_with(&[0, 4]));
        elsewhere += usize::from(at(&plain.chords, 12.5).tones.starts_with(&[0, 4]));
        assert_eq!(clashes_in(&library, &score, &analysis), Vec::<String>::new());
        assert_eq!(clashes_in(&library, &plain, &analysis), Vec::<String>::new());
    }
    assert!(at_home >= 3, "the blue third is held over the tonic in only {at_home} of 8 scores");
    assert_eq!(elsewhere, 0, "a style without blue notes holds one over the tonic");
}

#[test]
fn a_tune_that_moves_takes_its_chords_along() {
    let library = library();
    let here = "c5:1 e5 g5 e5 | f5 a5 g5 f5 | e5 d5 c5 b4 | c5:4";
    let there = "e5:1 g#5 b5 g#5 | a5 c#6 b5 a5 | g#5 f#5 e5 d#5 | e5:4";
    let mut analysis = tune("moving", &format!("{here} | {there}"), grid(0.0, 100.0, (4, 4)), major(0), true).analysis;
    let second = analysis.notes.iter().position(|note| analysis.beat_at(note.onset).0 > 15.9).unwrap();
    let from = analysis.notes[second].onset;
    analysis.key.segments = vec![
        KeySegment { first_note: 0, bar: 1, from: analysis.notes[0].onset, key: major(0) },
        KeySegment { first_note: second, bar: 5, from, key: major(4) },
    ];
    for style in super::STYLES {
        for seed in 0..4 {
            let score = plainly(&library, &analysis, style, seed);
            assert_eq!(clashes_in(&library, &score, &analysis), Vec::<String>::new());
            let outside = |from: f64, to: f64, scale: [u8; 7]| {
                let chords = score.chords.iter().filter(|chord| (from..to).contains(&chord.start.0));
                let tones: Vec<u8> = chords.flat_map(|chord| chord.tones.clone()).collect();
                tones.iter().filter(|tone| !scale.contains(tone)).count() as f64 / tones.len() as f64
            };
            let e_major = [4, 6, 8, 9, 11, 1, 3];
            assert!(outside(0.0, 16.0, [0, 2, 4, 5, 7, 9, 11]) < 0.2, "{style} {seed}: the first half is not in C");
            assert!(outside(16.0, 32.0, e_major) < 0.2, "{style} {seed}: the second half is not in E");
        }
    }
}

#[test]
fn chords_change_on_the_groups_of_odd_metres() {
    let library = library();
    let rows: [((u8, u8), &[f64]); 6] = [
        ((5, 4), &[0.0, 3.0]),
        ((7, 8), &[0.0, 2.0]),
        ((6, 8), &[0.0, 1.5]),
        ((12, 8), &[0.0, 3.0]),
        ((3, 4), &[0.0, 2.0]),
        ((4, 4), &[0.0, 2.0]),
    ];
    for (metre, places) in rows {
        let bar = f64::from(metre.0) * 4.0 / f64::from(metre.1);
        // Short notes, which force no cut, in two chords a bar.
        let text = "c4:.5 e4 g4 e4 f4 a4 c5 a4 g4 b4 d5 b4 ".repeat(7);
        let analysis = tune("odd", &text, grid(0.0, 100.0, metre), major(0), true).analysis;
        let direction =
            cantus_engine::generation::direction::Direction { chords_per_bar: Some(2.0), ..Default::default() };
        for style in super::STYLES {
            let score = super::score(&library, &analysis, style, 1, &direction, &Default::default());
            for chord in &score.chords {
                let place = chord.start.0.rem_euclid(bar);
                assert!(places.iter().any(|at| (at - place).abs() < 1e-6), "{style} {metre:?}: a chord at {place}");
            }
            let inner = score.chords.iter().filter(|chord| chord.start.0.rem_euclid(bar) > 0.1).count();
            assert!(inner >= 2, "{style} {metre:?}: no chord changes inside a bar");
        }
    }
}

#[test]
fn chromatic_lines_find_chords() {
    let library = library();
    let rising = "c4:1 c#4 d4 d#4 | e4 f4 f#4 g4 | g#4 a4 bb4 b4 | c5:4";
    let held = "c4:4 | c#4:4 | d4:4 | eb4:4 | f#4:2 g#4 | a#4:4 | b4:4 | c5:4";
    for text in [rising, held] {
        let analysis: Analysis = tune("chromatic", text, grid(0.0, 100.0, (4, 4)), major(0), false).analysis;
        for style in super::STYLES {
            for seed in 0..4 {
                let score = plainly(&library, &analysis, style, seed);
                assert_eq!(clashes_in(&library, &score, &analysis), Vec::<String>::new(), "{style} {seed}");
            }
        }
    }
    assert_eq!(minor(0).mode, Mode::Minor);
}
