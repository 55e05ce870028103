//! Mood controls: five steps of each, over all styles, several tunes and seeds; more is never less.

use super::probe::directed;
use super::tunes::{self, Tune};
use cantus_engine::generation::direction::{Direction, Moods};
use cantus_engine::generation::score::{ChordSpan, Role, Score, ScoreNote};
use cantus_engine::generation::style::library::StyleLibrary;

const STEPS: [f32; 5] = [-1.0, -0.5, 0.0, 0.5, 1.0];
const SEEDS: [u64; 3] = [0, 3, 8];

/// The scores of the five steps of one control.
fn steps(library: &StyleLibrary, tune: &Tune, style: &str, seed: u64, set: fn(&mut Moods, f32)) -> Vec<Score> {
    let step = |value: f32| {
        let mut direction = Direction::default();
        set(&mut direction.moods, value);
        directed(library, &tune.analysis, style, seed, &direction)
    };
    STEPS.into_iter().map(step).collect()
}

/// Whether figures never fall by more than a tolerance, and end above where they began.
fn rises(figures: &[f64], tolerance: f64) -> bool {
    figures.windows(2).all(|pair| pair[1] >= pair[0] - tolerance) && figures[figures.len() - 1] > figures[0] + tolerance
}

/// A control's figure, as sums over tunes and seeds, must rise over the steps in every style; reversed, it must not.
fn check_rises(name: &str, set: fn(&mut Moods, f32), tolerance: f64, figure: fn(&[Score], usize) -> f64) {
    check_rises_but(name, &[], set, tolerance, figure);
}

/// The same; some styles have nothing to move, and do not.
fn check_rises_but(
    name: &str,
    still: &[&str],
    set: fn(&mut Moods, f32),
    tolerance: f64,
    figure: fn(&[Score], usize) -> f64,
) {
    let library = StyleLibrary::builtin().unwrap();
    let tunes: Vec<Tune> = tunes::all().into_iter().filter(|tune| tune.tonal).take(3).collect();
    for style in library.list() {
        let mut sums = vec![0.0; STEPS.len()];
        for tune in &tunes {
            for seed in SEEDS {
                let scores = steps(&library, tune, &style.name, seed, set);
                for (step, sum) in sums.iter_mut().enumerate() {
                    *sum += figure(&scores, step);
                }
            }
        }
        let scale = sums.iter().copied().fold(0.0, f64::max).abs().max(1e-9);
        println!(
            "{name} in {}: {:?}",
            style.name,
            sums.iter().map(|sum| (sum * 100.0).round() / 100.0).collect::<Vec<_>>()
        );
        if still.contains(&style.name.as_str()) {
            assert!(sums.iter().all(|sum| *sum == sums[0]), "{name} moves in {}: {sums:?}", style.name);
            continue;
        }
        assert!(rises(&sums, tolerance * scale), "{name} in {}: {sums:?}", style.name);
        let reversed: Vec<f64> = sums.into_iter().rev().collect();
        assert!(!rises(&reversed, tolerance * scale), "{name}: falling figures pass");
    }
}

fn accompaniment(score: &Score) -> impl Iterator<Item = &cantus_engine::generation::score::Track> {
    score.tracks.iter().filter(|track| track.role != Role::Lead)
}

#[test]
fn energy_is_weight_and_density() {
    check_rises(
        "energy",
        |moods, value| moods.energy = value,
        0.0,
        |scores, step| {
            accompaniment(&scores[step]).flat_map(|track| &track.notes).map(|note| f64::from(note.velocity)).sum()
        },
    );
}

/// Where a note is written, on a grid finer than any rhythm: humans' looseness makes no new onsets.
fn written(note: &ScoreNote) -> i64 {
    (note.written.unwrap_or(note.start).0 * 48.0).round() as i64
}

#[test]
fn complexity_is_onsets() {
    check_rises(
        "complexity, onsets",
        |moods, value| moods.complexity = value,
        // Other chords may hold a note that was struck before.
        0.005,
        |scores, step| {
            let mut onsets: Vec<(Role, i64)> = accompaniment(&scores[step])
                .flat_map(|track| track.notes.iter().map(|note| (track.role, written(note))))
                .collect();
            onsets.sort_unstable();
            onsets.dedup();
            onsets.len() as f64
        },
    );
}

#[test]
fn complexity_is_richer_chords() {
    // Punk has roots and fifths, and stays with them.
    check_rises_but(
        "complexity, tones beyond the triad",
        &["punk"],
        |moods, value| moods.complexity = value,
        // A voicing has only so many voices: a richer chord may leave one of its colours out.
        0.03,
        |scores, step| {
            // Classes that are played of each chord: how often they are struck is another control's affair.
            let score = &scores[step];
            let played = |chord: &ChordSpan| {
                let parts = score.tracks.iter().filter(|track| matches!(track.role, Role::Chords | Role::Pad));
                let inside = |note: &&ScoreNote| {
                    let at = note.written.unwrap_or(note.start).0 + 0.05;
                    (chord.start.0..chord.start.0 + chord.length.0).contains(&at)
                };
                let notes = parts.flat_map(|track| track.notes.iter().filter(inside));
                let mut over: Vec<u8> = notes.map(|note| (note.key % 12 + 12 - chord.root) % 12).collect();
                over.sort_unstable();
                over.dedup();
                over.into_iter().filter(|class| !matches!(class, 0 | 3 | 4 | 6 | 7 | 8)).count() as f64 * chord.length.0
            };
            score.chords.iter().map(played).sum::<f64>() / score.length.0
        },
    );
}

#[test]
fn brightness_is_the_strips_tilt() {
    check_rises(
        "brightness",
        |moods, value| moods.brightness = value,
        0.0,
        |scores, step| scores[step].tracks.iter().map(|track| f64::from(track.strip.tilt_db)).sum::<f64>() + 1000.0,
    );
}

#[test]
fn swing_delays_what_is_off_the_beat() {
    // Ambient plays nothing off the beat.
    check_rises_but(
        "swing",
        &["ambient"],
        |moods, value| moods.swing = value,
        1e-4,
        |scores, step| {
            // Against the straight score of the same request, whose notes are the same ones.
            let late = accompaniment(&scores[step]).flat_map(|track| &track.notes).filter_map(|note| {
                let written = note.written?.0;
                let off_beat =
                    (written.rem_euclid(1.0) - 0.5).abs() < 0.01 || (written.rem_euclid(0.5) - 0.25).abs() < 0.01;
                off_beat.then_some(note.start.0 - written)
            });
            let late: Vec<f64> = late.collect();
            late.iter().sum::<f64>() / late.len().max(1) as f64 + 10.0
        },
    );
}

#[test]
fn humanise_is_the_spread_of_the_timing() {
    check_rises(
        "humanise",
        |moods, value| moods.humanise = value,
        0.0,
        |scores, step| {
            let mut squares = Vec::new();
            for (track, machine) in accompaniment(&scores[step]).zip(accompaniment(&scores[0])) {
                let exact = |note: &cantus_engine::generation::score::ScoreNote| {
                    let same =
                        machine.notes.iter().filter(|other| other.key == note.key && other.written == note.written);
                    same.map(|other| note.start.0 - other.start.0).next()
                };
                squares.extend(track.notes.iter().filter_map(exact).map(|late| late * late));
            }
            f64::sqrt(squares.iter().sum::<f64>() / squares.len().max(1) as f64)
        },
    );
}

#[test]
fn reverb_is_the_sends() {
    check_rises(
        "reverb",
        |moods, value| moods.reverb = value,
        0.0,
        |scores, step| scores[step].tracks.iter().map(|track| f64::from(track.reverb)).sum(),
    );
}

#[test]
fn a_gentle_prompt_is_an_energy() {
    let library = StyleLibrary::builtin().unwrap();
    let tune = &tunes::all()[0];
    let weight = |prompt: &str| {
        let score = directed(&library, &tune.analysis, prompt, 1, &Direction::default());
        accompaniment(&score).flat_map(|track| &track.notes).map(|note| u32::from(note.velocity)).sum::<u32>()
    };
    assert!(weight("gentle jazz") < weight("jazz"), "gentle is not softer");
    assert!(weight("thundering orchestral") > weight("orchestral"), "thundering is not louder");
}
