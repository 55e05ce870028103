//! Locking, re-rolling, muting and swapping parts: what is settled about one part never reaches another.

use super::checker::{difference, faults};
use super::probe::directed;
use super::tunes::{ODE, grid, major, tune};
use cantus_engine::analysis::Analysis;
use cantus_engine::generation::direction::{Direction, PartChoice};
use cantus_engine::generation::score::{Role, Score, ScoreNote};
use cantus_engine::generation::style::library::StyleLibrary;

fn ode() -> Analysis {
    tune("ode", ODE, grid(0.0, 104.0, (4, 4)), major(0), true).analysis
}

fn choice(role: Role) -> PartChoice {
    PartChoice { role, seed: None, preset: None, muted: false }
}

fn notes(score: &Score, role: Role) -> Option<&[ScoreNote]> {
    score.tracks.iter().find(|track| track.role == role).map(|track| track.notes.as_slice())
}

/// The names of the styles, few enough for a debug build.
fn styles(library: &StyleLibrary) -> Vec<String> {
    library.list().iter().map(|style| style.name.clone()).collect()
}

#[test]
fn a_locked_part_stays_when_everything_else_is_rolled_again() {
    let library = StyleLibrary::builtin().unwrap();
    let ode = ode();
    let (mut changed, mut pairs) = (0, 0);
    for style in styles(&library) {
        for seed in [1, 6] {
            let first = directed(&library, &ode, &style, seed, &Direction::default());
            for locked in first.tracks.iter().map(|track| track.role) {
                let direction = Direction {
                    harmony_seed: Some(seed),
                    parts: vec![PartChoice { seed: Some(seed), ..choice(locked) }],
                    ..Direction::default()
                };
                for other in [seed + 1, seed + 77] {
                    let again = directed(&library, &ode, &style, other, &direction);
                    let name = format!("{style} {seed} to {other}, {} locked", locked.name());
                    assert_eq!(notes(&again, locked), notes(&first, locked), "{name}");
                    assert_eq!(again.chords, first.chords, "{name}");
                    let others = first.tracks.iter().filter(|track| track.role != locked && track.role != Role::Lead);
                    for track in others {
                        pairs += 1;
                        changed += usize::from(notes(&again, track.role) != Some(&track.notes));
                    }
                }
            }
        }
    }
    println!("{changed} of {pairs} unlocked parts changed");
    assert!(changed * 10 >= pairs * 9, "only {changed} of {pairs} unlocked parts changed");
}

#[test]
fn an_unlocked_part_would_not_have_stayed() {
    // Without the lock, the same comparison must fail: that is what makes the test above one.
    let library = StyleLibrary::builtin().unwrap();
    let ode = ode();
    let first = directed(&library, &ode, "jazz", 1, &Direction::default());
    let direction = Direction { harmony_seed: Some(1), ..Direction::default() };
    let again = directed(&library, &ode, "jazz", 78, &direction);
    assert_ne!(notes(&again, Role::Bass), notes(&first, Role::Bass));
    assert_ne!(notes(&again, Role::Drums), notes(&first, Role::Drums));
}

#[test]
fn muting_rolling_or_swapping_one_part_leaves_every_other() {
    let library = StyleLibrary::builtin().unwrap();
    let ode = ode();
    for style in styles(&library) {
        let seed = 4;
        let plain = directed(&library, &ode, &style, seed, &Direction::default());
        for track in &plain.tracks {
            let other_sound = library
                .presets()
                .all()
                .iter()
                .map(|info| info.preset)
                .find(|preset| *preset != track.preset && preset.is_kit() == track.preset.is_kit());
            let changes = [
                ("muted", PartChoice { muted: true, ..choice(track.role) }),
                ("rolled", PartChoice { seed: Some(99), ..choice(track.role) }),
                ("swapped", PartChoice { preset: other_sound, ..choice(track.role) }),
            ];
            for (what, change) in changes {
                let direction = Direction { parts: vec![change], ..Direction::default() };
                let score = directed(&library, &ode, &style, seed, &direction);
                assert_eq!(notes(&score, track.role).is_none(), what == "muted", "{style}: {what}");
                for other in plain.tracks.iter().filter(|other| other.role != track.role) {
                    let name = format!("{style}: {} {what}, {} changed", track.role.name(), other.role.name());
                    assert_eq!(notes(&score, other.role), Some(other.notes.as_slice()), "{name}");
                }
            }
        }
    }
}

#[test]
fn every_part_can_be_swapped_for_whatever_can_play_it() {
    let library = StyleLibrary::builtin().unwrap();
    let ode = ode();
    for style in ["jazz", "orchestral"] {
        let plain = directed(&library, &ode, style, 2, &Direction::default());
        for track in &plain.tracks {
            for info in library.presets().all().iter().step_by(3) {
                let swap = PartChoice { preset: Some(info.preset), ..choice(track.role) };
                let direction = Direction { parts: vec![swap], ..Direction::default() };
                let score = directed(&library, &ode, style, 2, &direction);
                let name = format!("{style}: {} on {}", track.role.name(), info.name);
                let wrong: Vec<String> =
                    faults(&score, &ode).into_iter().filter(|fault| !fault.contains("no preset")).collect();
                assert_eq!(wrong, Vec::<String>::new(), "{name}");
                let swapped = score.tracks.iter().find(|other| other.role == track.role).unwrap();
                if info.preset.is_kit() == track.preset.is_kit() {
                    assert_eq!(swapped.preset, info.preset, "{name}");
                    assert!(score.remarks.is_empty(), "{name}: {:?}", score.remarks);
                } else {
                    assert_eq!(swapped.preset, track.preset, "{name}");
                    assert_eq!(score.remarks.len(), 1, "{name}");
                }
                assert!(!swapped.notes.is_empty(), "{name} plays nothing");
            }
        }
    }
}

#[test]
fn seeds_give_other_accompaniments() {
    let library = StyleLibrary::builtin().unwrap();
    let ode = ode();
    for style in styles(&library) {
        let scores: Vec<Score> =
            (0..6).map(|seed| directed(&library, &ode, &style, seed, &Direction::default())).collect();
        let mut shares = Vec::new();
        for (index, first) in scores.iter().enumerate() {
            shares.extend(scores[index + 1..].iter().map(|second| difference(first, second)));
        }
        let least = shares.iter().copied().fold(1.0, f64::min);
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        println!("{style}: two seeds differ in {mean:.2} of the events, {least:.2} at least");
        assert!(least >= 0.2, "{style}: two seeds differ in only {least:.2} of the events");
        assert_eq!(difference(&scores[0], &scores[0]), 0.0);
    }
}
