//! What a musician tells the harmoniser: how far, how many, on which bass, and which other chords.

use super::super::checker::ctnctr;
use super::super::tunes::{ODE, grid, major, minor, tune};
use super::measures::{apart, changes_a_bar};
use super::melodies::{MODES, melody};
use super::{clashes_in, library, mean, score};
use cantus_engine::analysis::{Key, Mode};
use cantus_engine::generation::band::chord_alternatives;
use cantus_engine::generation::direction::{Direction, Ending, Reharmonisation};
use cantus_engine::generation::score::{ChordSpan, Score};
use cantus_engine::generation::song::SongContext;
use cantus_engine::job_context::JobContext;

const LEVELS: [Reharmonisation; 4] =
    [Reharmonisation::Diatonic, Reharmonisation::Style, Reharmonisation::Borrowed, Reharmonisation::Adventurous];

/// Share of the chord time with tones outside a key: the major scale, or the minor one with both sevenths.
fn outside(score: &Score, key: Key) -> f64 {
    let steps: &[u8] = match key.mode {
        Mode::Major => &[0, 2, 4, 5, 7, 9, 11],
        Mode::Minor => &[0, 2, 3, 5, 7, 8, 10, 11],
    };
    let inside = |tone: &u8| steps.contains(&((tone + 12 - key.tonic) % 12));
    let time = |all: bool| -> f64 {
        let chords = score.chords.iter().filter(|chord| all || !chord.tones.iter().all(inside));
        chords.map(|chord| chord.length.0).sum()
    };
    time(false) / time(true)
}

#[test]
fn reharmonisation_goes_as_far_as_it_is_told() {
    let library = library();
    let tunes = [
        tune("ode", ODE, grid(0.0, 100.0, (4, 4)), major(0), true).analysis,
        tune(
            "minor",
            "a4:1 c5 e5 c5 | d5:2 f5 | e5:1 d5 c5 b4 | c5:4 | a4:1 c5 e5 c5 | f5:2 d5 | e5:1 b4 e5 b4 | a4:4",
            grid(0.0, 100.0, (4, 4)),
            minor(9),
            true,
        )
        .analysis,
    ];
    for style in super::STYLES {
        let mut shares = Vec::new();
        let mut chromatic = Vec::new();
        for level in LEVELS {
            let direction = Direction { reharmonisation: level, ..Direction::default() };
            let (mut far, mut fits) = (Vec::new(), Vec::new());
            let mut strange = 0;
            for analysis in &tunes {
                for seed in 0..6 {
                    let score = score(&library, analysis, style, seed, &direction, &SongContext::default());
                    assert_eq!(
                        clashes_in(&library, &score, analysis),
                        Vec::<String>::new(),
                        "{style} {level:?} {seed}"
                    );
                    far.push(outside(&score, analysis.key.key));
                    // Roots a semitone over the tonic or a tritone from it, and diminished sevenths.
                    let tonic = analysis.key.key.tonic;
                    let is_strange = |chord: &&ChordSpan| {
                        matches!((chord.root + 12 - tonic) % 12, 1 | 6) || chord.symbol.ends_with("dim7")
                    };
                    strange += score.chords.iter().filter(is_strange).count();
                    fits.push(ctnctr(&score.chords, analysis));
                }
            }
            println!("{style} {level:?}: {:.3} outside the key, CTnCTR {:.3}", mean(&far), mean(&fits));
            assert!(mean(&fits) >= 0.75, "{style} {level:?}: CTnCTR {:.3}", mean(&fits));
            shares.push(mean(&far));
            chromatic.push(strange);
        }
        assert_eq!(shares[0], 0.0, "{style}: diatonic chords leave the key");
        assert!(shares[2] >= 0.12 && shares[2] > shares[1] + 0.04, "{style}: nothing is borrowed: {shares:?}");
        assert!(shares[3] >= 0.25, "{style}: no adventure: {shares:?}");
        assert!(chromatic[3] > chromatic[2] + 5, "{style}: no substitutes: {chromatic:?}");
    }
}

#[test]
fn diatonic_chords_stay_in_the_key_under_any_tune() {
    let library = library();
    let direction = Direction { reharmonisation: Reharmonisation::Diatonic, ..Direction::default() };
    let mut checked = 0;
    for number in 0..40 {
        let mut analysis = melody([0, 3, 4, 6][number % 4], 4000 + number as u64);
        analysis.key.alternatives.clear();
        analysis.key.segments.clear();
        let scale = cantus_engine::analysis::key::Scale::HarmonicMinor;
        let key = analysis.key.key;
        let holds = |degree: u8| match key.mode {
            Mode::Major => [0, 2, 4, 5, 7, 9, 11].contains(&degree),
            Mode::Minor => scale.holds(degree),
        };
        if !analysis.notes.iter().all(|note| holds((note.key + 12 - key.tonic) % 12)) {
            continue;
        }
        checked += 1;
        // One note leaves the key.
        let middle = analysis.notes.len() / 2;
        analysis.notes[middle].key += 1;
        let song = SongContext { key: Some(analysis.key.key), ..SongContext::default() };
        for style in super::STYLES {
            let score = score(&library, &analysis, style, 1, &direction, &song);
            assert_eq!(outside(&score, analysis.key.key), 0.0, "{style} {number}: {:?}", symbols(&score));
        }
    }
    assert!(checked >= 8, "only {checked} melodies lie in one key");
}

fn symbols(score: &Score) -> Vec<&str> {
    score.chords.iter().map(|chord| chord.symbol.as_str()).collect()
}

#[test]
fn chords_come_as_often_as_asked() {
    let library = library();
    let text = "c4:.5 e4 g4 e4 f4 a4 c5 a4 | g4 b4 d5 b4 c5 g4 e4 c4 | ".repeat(4);
    let analysis =
        tune("arpeggios", text.trim_end_matches([' ', '|']), grid(0.0, 100.0, (4, 4)), major(0), true).analysis;
    for style in super::STYLES {
        let mut rates = Vec::new();
        for wished in [0.25, 0.5, 1.0, 2.0, 4.0] {
            let direction = Direction { chords_per_bar: Some(wished), ..Direction::default() };
            let rate: Vec<f64> = (0..4)
                .map(|seed| {
                    changes_a_bar(
                        &score(&library, &analysis, style, seed, &direction, &SongContext::default()).chords,
                        8.0,
                    )
                })
                .collect();
            rates.push(mean(&rate));
        }
        println!("{style}: {rates:?} chords a bar");
        assert!(rates.windows(2).all(|pair| pair[0] < pair[1]), "{style}: {rates:?}");
        assert!(rates[0] <= 0.3 && rates[1] <= 0.6, "{style}: held chords change: {rates:?}");
        assert!((0.8..=1.3).contains(&rates[2]), "{style}: one a bar is {}", rates[2]);
        assert!((1.5..=2.1).contains(&rates[3]) && rates[4] >= 2.6, "{style}: {rates:?}");
    }
}

#[test]
fn held_chords_still_do_not_rub() {
    let library = library();
    for number in 0..12 {
        let analysis = melody(number % MODES.len(), 5000 + number as u64);
        for wished in [0.25, 0.5, 4.0] {
            let direction = Direction { chords_per_bar: Some(wished), ..Direction::default() };
            for style in ["plain", "jazz"] {
                let score = score(&library, &analysis, style, 1, &direction, &SongContext::default());
                assert_eq!(clashes_in(&library, &score, &analysis), Vec::<String>::new(), "{style} {number} {wished}");
            }
        }
    }
}

#[test]
fn a_pedal_keeps_the_tonic_in_the_bass() {
    let library = library();
    let analysis = tune("ode", ODE, grid(0.0, 100.0, (4, 4)), major(5), true).analysis;
    let direction = Direction { pedal: true, ..Direction::default() };
    for style in super::STYLES {
        let score = score(&library, &analysis, style, 2, &direction, &SongContext::default());
        let tonic = score.chords.iter().find_map(|chord| chord.bass).unwrap();
        assert!(
            score.chords.iter().all(|chord| chord.bass.unwrap_or(chord.root) == tonic),
            "{style}: {:?}",
            symbols(&score)
        );
        assert!(score.chords.iter().any(|chord| chord.symbol.ends_with("/F")), "{style}: {:?}", symbols(&score));
        // A style may choose a pedal by itself, but not by every seed.
        let moves = |seed: u64| {
            let score = super::plainly(&library, &analysis, style, seed);
            score.chords.iter().any(|chord| chord.bass.unwrap_or(chord.root) != tonic)
        };
        assert!((0..6).filter(|seed| moves(*seed)).count() >= 3, "{style}");
    }
}

#[test]
fn a_bar_takes_another_chord_of_its_list() {
    let library = library();
    let analysis = tune("ode", ODE, grid(0.0, 100.0, (4, 4)), major(0), true).analysis;
    for style in super::STYLES {
        let request = super::super::tunes::request(&analysis, style, 3, 0.0);
        let lists = chord_alternatives(&request, &library, &JobContext::detached()).unwrap();
        assert_eq!(lists.len(), 8);
        let best = super::plainly(&library, &analysis, style, 3);
        for (bar, list) in lists.iter().enumerate() {
            assert!(list.len() >= 3, "{style}: bar {bar} has {list:?}");
            assert!(
                list.iter()
                    .enumerate()
                    .all(|(index, row)| list[..index].iter().all(|other| other.symbol != row.symbol))
            );
            for rank in 1..list.len().min(3) {
                let direction = Direction { bar_alternatives: vec![(bar as u32, rank as u8)], ..Direction::default() };
                let other = score(&library, &analysis, style, 3, &direction, &SongContext::default());
                let inside = |score: &Score, inside: bool| -> Vec<(f64, Vec<u8>)> {
                    let (from, to) = (4.0 * bar as f64, 4.0 * (bar + 1) as f64);
                    let chords = score.chords.iter().filter(|chord| (from..to).contains(&chord.start.0) == inside);
                    chords.map(|chord| (chord.start.0, chord.tones[..1].to_vec())).collect()
                };
                assert_eq!(inside(&best, false), inside(&other, false), "{style}: other bars change with bar {bar}");
                assert_ne!(
                    best.chords.iter().map(|chord| &chord.tones).collect::<Vec<_>>(),
                    other.chords.iter().map(|chord| &chord.tones).collect::<Vec<_>>(),
                    "{style}: bar {bar} keeps its chord"
                );
                assert_eq!(clashes_in(&library, &other, &analysis), Vec::<String>::new(), "{style} {bar} {rank}");
            }
        }
        // A choice beyond the list takes its last row, and a bar beyond the score none.
        let wild = Direction { bar_alternatives: vec![(2, 250), (4_000_000, 1)], ..Direction::default() };
        let other = score(&library, &analysis, style, 3, &wild, &SongContext::default());
        assert!(apart(&other.chords, &best.chords) > 0.0);
    }
}

#[test]
fn a_piece_that_ends_comes_home_and_one_that_loops_leads_back() {
    let library = library();
    let text = "c4:1 e4 g4 e4 | f4 a4 c5 a4 | g4 b4 d5 b4 | c5:1 g4 e4 c4 | c4:1 e4 g4 e4 | f4 a4 c5 a4 | d4:.5 f4 d4 f4 d4 f4 d4 f4 | g4:.5 d4 g4 d4 r:2";
    let open = tune("open", text, grid(0.0, 100.0, (4, 4)), major(0), true).analysis;
    let (mut back, mut home) = (0, 0);
    for seed in 0..10 {
        let looped = super::plainly(&library, &open, "plain", seed);
        back += usize::from(looped.chords.last().unwrap().root == 7);
        let closing =
            tune("home", &text.replace("g4:.5 d4 g4 d4 r:2", "c4:4"), grid(0.0, 100.0, (4, 4)), major(0), true)
                .analysis;
        let direction = Direction { ending: Ending::Final, ..Direction::default() };
        let ended = score(&library, &closing, "plain", seed, &direction, &SongContext::default());
        home += usize::from(ended.chords.last().unwrap().root == 0);
    }
    assert!(back >= 8, "{back} of 10 loops lead back with the dominant");
    assert_eq!(home, 10, "{home} of 10 endings come home");
}

#[test]
fn the_chords_keep_their_own_seed() {
    let library = library();
    let analysis = melody(0, 77);
    let direction = Direction { harmony_seed: Some(9), ..Direction::default() };
    let own = score(&library, &analysis, "jazz", 1, &direction, &SongContext::default());
    let other = score(&library, &analysis, "jazz", 2, &direction, &SongContext::default());
    assert_eq!(own.chords, other.chords);
    assert_eq!(own.chords, super::plainly(&library, &analysis, "jazz", 9).chords);
}
