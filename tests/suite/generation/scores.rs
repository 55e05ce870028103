//! Scores of every style over every tune.

use super::checker::{bar_lines, ctnctr, difference, faults, groove_consistency, muddy, track};
use super::tunes::{self, ODE, analysis, grid, major, minor, request, tune};
use cantus_engine::Error;
use cantus_engine::analysis::Analysis;
use cantus_engine::generation::band::{arrange, retempo};
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::job_context::{CancelToken, JobContext};
use cantus_engine::time::Beats;
use std::sync::Arc;

const STYLES: [&str; 3] = ["orchestral", "reggae", "jazz"];

fn score(library: &StyleLibrary, analysis: &Analysis, style: &str, seed: u64) -> Score {
    let written = arrange(&request(analysis, style, seed, 0.0), library, &JobContext::detached());
    written.unwrap_or_else(|error| panic!("{style} {seed}: {error}"))
}

#[test]
fn every_style_keeps_the_rules_over_every_tune_and_seed() {
    let library = StyleLibrary::builtin().unwrap();
    for tune in tunes::all().iter().chain(&tunes::sung()) {
        for style in STYLES {
            for seed in 0..8 {
                for freedom in [0.0, 1.0] {
                    let request = request(&tune.analysis, style, seed, freedom);
                    let score = arrange(&request, &library, &JobContext::detached()).unwrap();
                    let name = format!("{} in {style}, seed {seed}, freedom {freedom}", tune.name);
                    assert_eq!(faults(&score, &tune.analysis), Vec::<String>::new(), "{name}");
                    for role in [Role::Chords, Role::Pad] {
                        let muddy: usize = score.tracks.iter().filter(|track| track.role == role).map(muddy).sum();
                        assert_eq!(muddy, 0, "{name}: {} has muddy chords", role.name());
                    }
                }
            }
        }
    }
}

#[test]
fn the_checker_finds_faults() {
    let library = StyleLibrary::builtin().unwrap();
    let ode = tune("ode", ODE, grid(0.0, 110.0, (4, 4)), major(0), true).analysis;
    let good = score(&library, &ode, "jazz", 0);
    let mut cases: Vec<(&str, Score)> = Vec::new();
    let mut broken = |name: &'static str, change: fn(&mut Score)| {
        let mut score = good.clone();
        change(&mut score);
        cases.push((name, score));
    };
    broken("late note", |score| score.tracks[1].notes.last_mut().unwrap().length = Beats(9.0));
    broken("early note", |score| score.tracks[1].notes[0].start = Beats(-0.01));
    broken("order", |score| score.tracks[1].notes.swap(0, 5));
    broken("key", |score| score.tracks[1].notes[3].key = 127);
    broken("velocity", |score| score.tracks[1].notes[3].velocity = 0);
    broken("not a number", |score| score.tracks[0].notes[3].bend = vec![(0.0, f32::NAN)]);
    broken("chord gap", |score| drop(score.chords.remove(2)));
    broken("no lead", |score| drop(score.tracks.remove(0)));
    for (name, score) in cases {
        assert!(!faults(&score, &ode).is_empty(), "{name} goes unnoticed");
    }
    let mut low = track(&good, Role::Chords).clone();
    for note in &mut low.notes {
        note.key -= 24;
    }
    assert!(muddy(&low) > 0, "muddy chords go unnoticed");
}

#[test]
fn chords_fit_the_melody() {
    let library = StyleLibrary::builtin().unwrap();
    let mut tunes = tunes::all();
    tunes.extend(tunes::sung());
    for style in STYLES {
        let (mut fits, mut shifted, mut worst) = (Vec::new(), Vec::new(), (1.0, String::new()));
        for tune in tunes.iter().filter(|tune| tune.tonal) {
            for seed in 0..8 {
                let score = score(&library, &tune.analysis, style, seed);
                let fit = ctnctr(&score.chords, &tune.analysis);
                fits.push(fit);
                if fit < worst.0 {
                    worst = (fit, format!("{} seed {seed}", tune.name));
                }
                // A harmoniser that is a semitone off must fail this bar.
                let mut broken = score.chords;
                for chord in &mut broken {
                    chord.tones.iter_mut().for_each(|tone| *tone = (*tone + 1) % 12);
                }
                shifted.push(ctnctr(&broken, &tune.analysis));
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        println!(
            "{style}: CTnCTR {:.3}, worst {:.3} ({}), a semitone off {:.3}",
            mean(&fits),
            worst.0,
            worst.1,
            mean(&shifted)
        );
        assert!(mean(&fits) >= 0.85, "{style}: CTnCTR is {:.3}", mean(&fits));
        assert!(worst.0 >= 0.5, "{style}: {} has CTnCTR {:.3}", worst.1, worst.0);
        assert!(mean(&shifted) < 0.6, "{style}: chords a semitone off pass with {:.3}", mean(&shifted));
    }
}

#[test]
fn the_same_request_gives_the_same_score_and_seeds_differ() {
    let library = StyleLibrary::builtin().unwrap();
    let mut shares = Vec::new();
    for tune in tunes::all().iter().filter(|tune| tune.analysis.length.0 >= 16.0).take(8) {
        for style in STYLES {
            let scores: Vec<Score> = (0..4).map(|seed| score(&library, &tune.analysis, style, seed)).collect();
            assert_eq!(scores[2], score(&library, &tune.analysis, style, 2));
            for (index, first) in scores.iter().enumerate() {
                for second in &scores[index + 1..] {
                    let share = difference(first, second);
                    shares.push(share);
                    assert!(share > 0.1, "{} in {style}: two seeds differ in only {share:.2} of the notes", tune.name);
                }
            }
        }
    }
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    println!("notes that differ between two seeds: {mean:.2}");
    assert!(mean > 0.4, "seeds differ in only {mean:.2} of the notes");
}

#[test]
fn another_melody_gives_another_harmony() {
    let library = StyleLibrary::builtin().unwrap();
    let place = || grid(0.0, 100.0, (4, 4));
    let first = tune("first", "c4:2 e4 | f4 a4 | g4 b4 | c5:4", place(), major(0), true).analysis;
    let second = tune("second", "a4:2 c5 | d5 f4 | e4 g4 | a4:4", place(), major(0), true).analysis;
    for style in STYLES {
        let symbols = |analysis| {
            let score = score(&library, analysis, style, 1);
            score.chords.iter().map(|chord| chord.symbol.clone()).collect::<Vec<_>>()
        };
        assert_ne!(symbols(&first), symbols(&second), "{style}");
    }
}

#[test]
fn the_tonic_is_found_and_named() {
    let library = StyleLibrary::builtin().unwrap();
    let place = || grid(0.0, 100.0, (4, 4));
    let rows = [
        ("c4:1 e4 g4 c5 | f4:1 a4 c5 a4 | g4 b4 d5 b4 | c5:4", major(0), "C"),
        ("eb4:1 g4 bb4 eb5 | ab4:1 c5 eb5 c5 | bb4 d5 f5 d5 | eb5:4", major(3), "Eb"),
        ("a4:1 c5 e5 c5 | d5 f5 d5 a4 | e5 b4 e4 b4 | a4:4", minor(9), "Am"),
    ];
    for (text, key, tonic) in rows {
        let analysis = tune("cadence", text, place(), key, true).analysis;
        let mut home = 0;
        for seed in 0..8 {
            for style in STYLES {
                let score = score(&library, &analysis, style, seed);
                let rest = score.chords[0].symbol.strip_prefix(tonic);
                home += usize::from(rest.is_some_and(|rest| rest.starts_with("maj") || !rest.starts_with('m')));
                let last = &score.chords.last().unwrap();
                assert!(last.tones.contains(&key.tonic), "{style} ends {text} on {}", last.symbol);
            }
        }
        // Jazz may open on the second degree and film music on the sixth, but home is the rule.
        assert!(home >= 14, "only {home} of 24 scores of {text} open on {tonic}");
    }
}

/// Positions within the bar at which a part strikes, on a grid of `per_beat` and clear of human looseness.
fn struck(score: &Score, role: Role, per_beat: f64) -> Vec<i64> {
    let bar = score.grid.metre.bar().0;
    let mut at: Vec<i64> = track(score, role)
        .notes
        .iter()
        .map(|note| (((note.start.0 - score.grid.start.0 + 0.05).rem_euclid(bar) - 0.05) * per_beat).round() as i64)
        .collect();
    at.sort_unstable();
    at.dedup();
    at
}

#[test]
fn a_walking_bass_plays_one_note_a_beat() {
    let library = StyleLibrary::builtin().unwrap();
    for (metre, text) in [((4, 4), ODE), ((3, 4), "c4:1 e4 g4 | a4:2 g4:1 | f4 e4 d4 | c4:3")] {
        let analysis = tune("walk", text, grid(0.0, 120.0, metre), major(0), true).analysis;
        for seed in 0..8 {
            let score = score(&library, &analysis, "jazz", seed);
            let bass = track(&score, Role::Bass);
            let mut beats = vec![0; analysis.length.0 as usize];
            for note in &bass.notes {
                beats[note.start.0.round() as usize] += 1;
                let off = (note.start.0 - note.start.0.round()).abs();
                assert!(off < 0.08, "a bass note is {off} beats off the beat");
            }
            assert!(beats.iter().all(|count| *count == 1), "seed {seed}: {beats:?}");
            let on_chord = score.chords.iter().filter(|chord| {
                let first = bass.notes.iter().find(|note| (note.start.0 - chord.start.0).abs() < 0.1);
                first.is_some_and(|note| chord.tones.contains(&(note.key % 12)))
            });
            assert_eq!(on_chord.count(), score.chords.len(), "every chord starts on one of its tones");
            let leaps = bass.notes.windows(2).filter(|pair| pair[0].key.abs_diff(pair[1].key) > 9).count();
            assert!(leaps * 8 <= bass.notes.len(), "seed {seed}: {leaps} wide leaps in {} notes", bass.notes.len());
        }
    }
}

#[test]
fn reggae_skanks_off_the_beat() {
    let library = StyleLibrary::builtin().unwrap();
    for (tempo, allowed) in [(76.0, vec![1, 3, 5, 7]), (150.0, vec![2, 6])] {
        let analysis = tune("ode", ODE, grid(0.0, tempo, (4, 4)), major(0), true).analysis;
        for seed in 0..8 {
            let score = score(&library, &analysis, "reggae", seed);
            let struck = struck(&score, Role::Chords, 2.0);
            assert!(struck.iter().all(|eighth| allowed.contains(eighth)), "seed {seed} at {tempo}: {struck:?}");
            let kick = track(&score, Role::Drums).notes.iter().filter(|note| note.key == 36).count();
            assert!(kick >= 8, "there is a drop in every bar");
        }
    }
}

#[test]
fn jazz_rides_the_swing() {
    let library = StyleLibrary::builtin().unwrap();
    let analysis = tune("ode", ODE, grid(0.0, 120.0, (4, 4)), major(0), true).analysis;
    for seed in 0..8 {
        let score = score(&library, &analysis, "jazz", seed);
        let offbeats: Vec<f64> = score
            .tracks
            .iter()
            .filter(|track| matches!(track.role, Role::Drums | Role::Chords))
            .flat_map(|track| track.notes.iter().map(|note| note.start.0.rem_euclid(1.0)))
            .filter(|phase| (0.4..0.9).contains(phase))
            .collect();
        let mean = offbeats.iter().sum::<f64>() / offbeats.len() as f64;
        assert!((0.62..0.70).contains(&mean), "seed {seed}: the off-beat lies at {mean:.3} of the beat");
    }
}

#[test]
fn the_orchestra_has_its_sections() {
    let library = StyleLibrary::builtin().unwrap();
    let analysis = tune("ode", ODE, grid(0.0, 110.0, (4, 4)), major(0), true).analysis;
    for seed in 0..8 {
        let score = score(&library, &analysis, "orchestral", seed);
        for role in [Role::Lead, Role::Chords, Role::Pad, Role::Bass, Role::Drums, Role::Percussion] {
            assert!(track(&score, role).notes.len() >= 4, "seed {seed}: {} hardly plays", role.name());
        }
        assert_eq!(track(&score, Role::Percussion).instrument, "Timpani");
        // Chords a brass fanfare or horns play are whole chords.
        let strikes = struck(&score, Role::Chords, 4.0).len();
        assert!(strikes >= 1);
    }
}

#[test]
fn drums_hold_a_groove_and_fill_at_the_end() {
    let library = StyleLibrary::builtin().unwrap();
    let analysis = tune("ode", ODE, grid(0.0, 100.0, (4, 4)), major(0), true).analysis;
    for style in STYLES {
        for seed in 0..8 {
            let score = score(&library, &analysis, style, seed);
            let drums = track(&score, Role::Drums);
            let lines = bar_lines(&score);
            // Bars inside a phrase, clear of the opening cymbal and the fill.
            for groove in [&lines[1..3], &lines[5..7]] {
                let (likeness, shared) = groove_consistency(drums, groove, 4.0);
                assert!(likeness > 0.9, "{style}, seed {seed}: groove consistency {likeness:.3}");
                assert!(shared > 0.75, "{style}, seed {seed}: bars share {shared:.3} of their hits");
                // A drummer who is an eighth late in every other bar must fail this bar.
                let mut broken = drums.clone();
                for note in broken.notes.iter_mut().filter(|note| note.start.0 > groove[1] - 0.1) {
                    note.start = note.start + Beats(0.5);
                }
                let (_, shared) = groove_consistency(&broken, groove, 4.0);
                assert!(shared < 0.75, "{style}, seed {seed}: a shifted bar shares {shared:.3} of its hits");
            }
            let (_, last_bar) = groove_consistency(drums, &lines[6..8], 4.0);
            let (_, steady) = groove_consistency(drums, &lines[5..7], 4.0);
            assert!(last_bar < steady - 0.1, "{style}, seed {seed}: no fill, {last_bar:.3} against {steady:.3}");
            let crash = [49, 57, 59];
            let opens = drums.notes.iter().any(|note| note.start.0 < 0.1 && crash.contains(&note.key));
            assert!(opens || track(&score, Role::Drums).preset.program == 40, "{style}, seed {seed}: no cymbal on one");
        }
    }
}

#[test]
fn the_fill_lies_in_the_last_whole_bar() {
    let library = StyleLibrary::builtin().unwrap();
    let mut late = tune("late", ODE, grid(0.0, 100.0, (4, 4)), major(0), true).analysis;
    let whole = score(&library, &late, "reggae", 1);
    late.length = Beats(32.6);
    let ragged = score(&library, &late, "reggae", 1);
    let fill = |score: &Score| -> Vec<u8> {
        let last_bar = track(score, Role::Drums).notes.iter().filter(|note| (27.9..31.9).contains(&note.start.0));
        last_bar.map(|note| note.key).collect()
    };
    assert_eq!(fill(&ragged), fill(&whole));
}

#[test]
fn accompaniment_leaves_room_for_the_lead() {
    let library = StyleLibrary::builtin().unwrap();
    let mut share = Vec::new();
    for tune in tunes::all().iter().filter(|tune| tune.tonal) {
        for style in STYLES {
            for seed in 0..4 {
                let score = score(&library, &tune.analysis, style, seed);
                let lead = track(&score, Role::Lead);
                let chords = track(&score, Role::Chords);
                let below = chords.notes.iter().filter(|note| {
                    let sung = lead.notes.iter().filter(|sung| {
                        sung.start.0 < note.start.0 + note.length.0 && sung.start.0 + sung.length.0 > note.start.0
                    });
                    sung.map(|sung| sung.key).min().is_none_or(|lowest| note.key <= lowest)
                });
                share.push(below.count() as f64 / chords.notes.len() as f64);
            }
        }
    }
    let mean = share.iter().sum::<f64>() / share.len() as f64;
    println!("chord notes below the tune: {mean:.3}");
    assert!(mean > 0.8, "only {mean:.2} of the chord notes lie below the tune");
}

#[test]
fn chords_move_by_small_steps() {
    let library = StyleLibrary::builtin().unwrap();
    let mut moves = Vec::new();
    for tune in tunes::all().iter().filter(|tune| tune.tonal) {
        for style in STYLES {
            let score = score(&library, &tune.analysis, style, 2);
            let chords = track(&score, Role::Chords);
            let mut tops: Vec<(f64, u8)> = Vec::new();
            for note in &chords.notes {
                match tops.last_mut() {
                    Some((at, top)) if (*at - note.start.0).abs() < 0.01 => *top = (*top).max(note.key),
                    _ => tops.push((note.start.0, note.key)),
                }
            }
            let changes = tops.windows(2).filter(|pair| pair[0].1 != pair[1].1);
            moves.extend(changes.map(|pair| f64::from(pair[0].1.abs_diff(pair[1].1))));
        }
    }
    let mean = moves.iter().sum::<f64>() / moves.len() as f64;
    println!("the top voice moves by {mean:.2} semitones when it moves");
    assert!(mean < 4.0, "the top voice moves by {mean:.2} semitones when it moves");
}

#[test]
fn an_empty_melody_is_refused_with_the_doubt() {
    let library = StyleLibrary::builtin().unwrap();
    let mut silent = analysis(&[], grid(0.0, 120.0, (4, 4)), 16.0, major(0));
    silent.doubts = vec!["only noise".to_owned()];
    let refused = arrange(&request(&silent, "jazz", 0, 0.0), &library, &JobContext::detached());
    assert_eq!(refused, Err(Error::NoMelody { reason: "only noise".to_owned() }));
}

#[test]
fn strange_takes_are_refused_or_arranged_but_never_panic() {
    let library = StyleLibrary::builtin().unwrap();
    let ode = tune("ode", ODE, grid(0.0, 110.0, (4, 4)), major(0), true).analysis;
    let changes: [fn(&mut Analysis); 9] = [
        |analysis| analysis.length = Beats(0.0),
        |analysis| analysis.length = Beats(f64::NAN),
        |analysis| analysis.length = Beats(1e9),
        |analysis| analysis.length = Beats(0.3),
        |analysis| analysis.grid = grid(0.0, 0.0, (4, 4)),
        |analysis| analysis.grid = grid(0.0, 110.0, (0, 0)),
        |analysis| analysis.grid = grid(-8.0, 110.0, (255, 255)),
        |analysis| analysis.notes.iter_mut().for_each(|note| note.loudness = f32::NAN),
        |analysis| analysis.key.key.tonic = 200,
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut strange = ode.clone();
        change(&mut strange);
        for style in STYLES {
            match arrange(&request(&strange, style, 3, 0.5), &library, &JobContext::detached()) {
                Ok(score) => assert_eq!(faults(&score, &strange), Vec::<String>::new(), "change {index}"),
                Err(error) => assert!(matches!(error, Error::OutOfRange { .. } | Error::NoMelody { .. }), "{error}"),
            }
        }
    }
}

#[test]
fn cancelling_stops_the_arranger() {
    let library = StyleLibrary::builtin().unwrap();
    let ode = tune("ode", ODE, grid(0.0, 110.0, (4, 4)), major(0), true).analysis;
    let cancel = CancelToken::default();
    cancel.cancel();
    let context = JobContext::new(cancel, Arc::new(|_| ()));
    assert_eq!(arrange(&request(&ode, "jazz", 0, 0.0), &library, &context), Err(Error::Cancelled));
}

#[test]
fn another_tempo_keeps_the_beats() {
    let library = StyleLibrary::builtin().unwrap();
    let ode = tune("ode", ODE, grid(16.0, 110.0, (4, 4)), major(0), true).analysis;
    let score = score(&library, &ode, "reggae", 5);
    let place = grid(48.0, 87.0, (4, 4));
    let moved = retempo(&score, place.clone());
    assert_eq!(moved.grid, place);
    assert_eq!(moved.length, score.length);
    let starts = |score: &Score| -> Vec<f64> {
        let notes = score.tracks.iter().flat_map(|track| &track.notes);
        notes.map(|note| note.start.0 - score.grid.start.0).collect()
    };
    let worst = starts(&score).iter().zip(starts(&moved)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-9, "beats moved by {worst}");
    assert_eq!(moved.chords[0].start, Beats(48.0));
}
