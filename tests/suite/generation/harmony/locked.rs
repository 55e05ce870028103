//! The song's own chords: nobody alters them, and what rubs against them is said.

use super::super::tunes::{ODE, grid, major, tune};
use super::measures::{at, clashes};
use super::melodies::{MODES, Random, melody};
use super::{library, score};
use cantus_engine::generation::direction::{Direction, Reharmonisation};
use cantus_engine::generation::score::Score;
use cantus_engine::generation::song::symbol::ChordSymbol;
use cantus_engine::generation::song::{SongChord, SongContext};
use cantus_engine::time::{Beats, Metre};

/// Everything that is not as the song has it.
fn broken(score: &Score, song: &SongContext) -> Vec<String> {
    let mut faults = Vec::new();
    let mut locked = 0.0;
    for chord in &song.chords {
        let (start, end) = (chord.start.0, chord.start.0 + chord.length.0);
        let mut position = start + 0.05;
        while position < end.min(score.length.0) - 0.05 {
            let found = at(&score.chords, position);
            if found.tones != chord.tones || found.symbol != chord.symbol || found.bass != chord.bass || !found.locked {
                faults.push(format!("{} at {position:.2} instead of {}", found.symbol, chord.symbol));
            }
            position += 0.1;
        }
        locked += (end.min(score.length.0) - start).max(0.0);
    }
    let marked: f64 = score.chords.iter().filter(|chord| chord.locked).map(|chord| chord.length.0).sum();
    if (marked - locked).abs() > 1e-6 {
        faults.push(format!("{marked} beats are marked as the song's, not {locked}"));
    }
    faults
}

fn random_song(random: &mut Random, metre: Metre) -> SongContext {
    const SYMBOLS: [&str; 14] = [
        "C",
        "Am7",
        "F#m7b5",
        "Bb13",
        "E7#9",
        "Dbmaj7",
        "Gsus4",
        "A5",
        "Ebdim7",
        "F/C",
        "Caug",
        "D9",
        "Bm",
        "Abm(maj7)",
    ];
    let mut chords = Vec::new();
    let mut at = 0.0;
    while at < 8.0 * metre.bar().0 {
        let length = [1.0, 2.0, metre.bar().0, metre.bar().0 / 2.0][random.below(4) as usize];
        if random.below(3) > 0 {
            let symbol = SYMBOLS[random.below(SYMBOLS.len() as u64) as usize];
            let chord = ChordSymbol::parse(symbol).unwrap();
            chords.push(SongChord {
                start: Beats(at),
                length: Beats(length),
                symbol: symbol.to_owned(),
                root: chord.root,
                tones: chord.tones(),
                bass: chord.bass,
            });
        }
        at += length;
    }
    SongContext { key: None, chords, start: Some(Beats(0.0)), repeats_after: None }
}

#[test]
fn given_chords_are_never_altered() {
    let library = library();
    let mut random = Random::new(7);
    let mut ignored = 0;
    for number in 0..200_u64 {
        let analysis = melody(number as usize % MODES.len(), 6000 + number);
        let song = random_song(&mut random, analysis.grid.metre);
        let direction = Direction {
            reharmonisation: [
                Reharmonisation::Diatonic,
                Reharmonisation::Style,
                Reharmonisation::Borrowed,
                Reharmonisation::Adventurous,
            ][random.below(4) as usize],
            chords_per_bar: [None, Some(0.5), Some(2.0), Some(4.0)][random.below(4) as usize],
            pedal: random.below(4) == 0,
            bar_alternatives: vec![(random.below(8) as u32, random.below(5) as u8)],
            ..Direction::default()
        };
        let style = super::STYLES[random.below(4) as usize];
        let score = score(&library, &analysis, style, number, &direction, &song);
        assert_eq!(broken(&score, &song), Vec::<String>::new(), "{style} {number}");
        // What is free does not rub.
        let harmony = &library.get(style).expect("the style").harmony;
        let found = clashes(&score.chords, &analysis, &harmony.tensions, harmony.blue);
        let free: Vec<&(usize, String)> = found.iter().filter(|(chord, _)| !score.chords[*chord].locked).collect();
        assert!(free.is_empty(), "{style} {number}: {free:?}");
        // A harmoniser that knew nothing of the song would be noticed.
        if number % 10 == 0 {
            let unaware = super::score(&library, &analysis, style, number, &direction, &SongContext::default());
            ignored += usize::from(!broken(&unaware, &song).is_empty());
        }
    }
    assert_eq!(ignored, 20, "ignoring the song is noticed in only {ignored} of 20");
}

#[test]
fn a_typed_song_repeats_under_the_tune_and_its_key_is_used() {
    let library = library();
    let analysis = tune("ode", ODE, grid(16.0, 100.0, (4, 4)), major(0), true).analysis;
    let metre = analysis.grid.metre;
    let song = SongContext::typed("C Am7 | F/C G7", metre, Some(major(0))).unwrap();
    let score = score(&library, &analysis, "jazz", 4, &Direction::default(), &song);
    let symbols: Vec<&str> = score.chords.iter().map(|chord| chord.symbol.as_str()).collect();
    assert_eq!(symbols, ["C", "Am7", "F/C", "G7"].repeat(4));
    assert!(score.chords.iter().all(|chord| chord.locked && chord.length == Beats(2.0)));
    assert_eq!(score.chords[2].bass, Some(0));
    // A free bar in the middle is filled and leads on.
    let holes = SongContext::typed("C | N.C. | F | G", metre, Some(major(0))).unwrap();
    let filled = super::score(&library, &analysis, "plain", 4, &Direction::default(), &holes);
    assert!(!at(&filled.chords, 20.5).locked && at(&filled.chords, 24.5).locked);
    // The key the song has goes before the key that was heard.
    let in_a_flat =
        SongContext { key: Some(cantus_engine::analysis::Key { tonic: 8, ..major(0) }), ..SongContext::default() };
    let other = super::score(&library, &analysis, "plain", 4, &Direction::default(), &in_a_flat);
    assert!(other.chords.iter().any(|chord| chord.root == 8), "nothing of A flat major is heard");
}

#[test]
fn a_tune_that_rubs_against_a_given_chord_is_told_of() {
    let library = library();
    let analysis = tune("rubs", "e4:4 | c4:4 | f4:4 | e4:4", grid(0.0, 100.0, (4, 4)), major(0), true).analysis;
    let song = SongContext::typed("C | Am | E7 | C", analysis.grid.metre, None).unwrap();
    let score = score(&library, &analysis, "plain", 0, &Direction::default(), &song);
    assert_eq!(score.remarks, ["Bar 3: the tune's F rubs against your E7."]);
    let fitting = SongContext::typed("C | Am | F | C", analysis.grid.metre, None).unwrap();
    let quiet = super::score(&library, &analysis, "plain", 0, &Direction::default(), &fitting);
    assert_eq!(quiet.remarks, Vec::<String>::new());
}

#[test]
fn strange_songs_do_no_harm() {
    let library = library();
    let analysis = tune("ode", ODE, grid(0.0, 100.0, (4, 4)), major(0), true).analysis;
    let chord = |start: f64, length: f64, root: u8, tones: Vec<u8>| SongChord {
        start: Beats(start),
        length: Beats(length),
        symbol: String::new(),
        root,
        tones,
        bass: Some(200),
    };
    let rows = [
        vec![chord(f64::NAN, 4.0, 0, vec![0, 4, 7])],
        vec![chord(0.0, f64::INFINITY, 0, vec![0, 4, 7])],
        vec![chord(0.0, -4.0, 0, vec![0, 4, 7])],
        vec![chord(0.0, 4.0, 99, vec![])],
        vec![chord(0.0, 4.0, 99, vec![200, 201, 200])],
        vec![chord(2.0, 8.0, 0, vec![0, 4]), chord(0.0, 8.0, 5, vec![5, 9])],
        vec![chord(1e18, 4.0, 0, vec![0, 4, 7])],
        vec![chord(0.001, 0.01, 0, vec![0, 4, 7])],
    ];
    for chords in rows {
        for (start, repeats) in
            [(None, None), (Some(f64::NAN), Some(f64::NAN)), (Some(-1e6), Some(0.0)), (Some(3.3), Some(7.7))]
        {
            let song = SongContext {
                key: None,
                chords: chords.clone(),
                start: start.map(Beats),
                repeats_after: repeats.map(Beats),
            };
            let score = score(&library, &analysis, "jazz", 0, &Direction::default(), &song);
            let end = score.chords.iter().fold(0.0, |end: f64, chord| {
                assert!(
                    (chord.start.0 - end).abs() < 1e-6 && chord.length.0 > 0.0 && chord.root < 12,
                    "{:?}",
                    score.chords
                );
                end + chord.length.0
            });
            assert!((end - score.length.0).abs() < 1e-6);
        }
    }
}
