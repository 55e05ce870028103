//! Mood controls: five steps of each, over all styles, several tunes and seeds; more is never less.

use super::probe::directed;
use super::tunes::{self, Tune};
use cantus_engine::generation::direction::{Direction, Moods};
use cantus_engine::generation::score::{Role, Score};
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

#[test]
fn complexity_is_onsets() {
    check_rises(
        "complexity, onsets",
        |moods, value| moods.complexity = value,
        0.0,
        |scores, step| {
            let mut onsets: Vec<(Role, i64)> = accompaniment(&scores[step])
                .flat_map(|track| track.notes.iter().map(|note| (track.role, (note.start.0 * 8.0).round() as i64)))
                .collect();
            onsets.sort_unstable();
            onsets.dedup();
            onsets.len() as f64
        },
    );
}

#[test]
fn complexity_is_richer_chords() {
    check_rises(
        "complexity, tones beyond the triad",
        |moods, value| moods.complexity = value,
        0.01,
        |scores, step| {
            let score = &scores[step];
            let chords = score.tracks.iter().filter(|track| matches!(track.role, Role::Chords | Role::Pad));
            let (mut beyond, mut all) = (0.0, 0.0);
            for note in chords.flat_map(|track| &track.notes) {
                let Some(chord) = score.chords.iter().rev().find(|chord| chord.start.0 <= note.start.0 + 0.1) else {
                    continue;
                };
                let over = (note.key % 12 + 12 - chord.root) % 12;
                all += 1.0;
                beyond += if matches!(over, 0 | 3 | 4 | 6 | 7 | 8) { 0.0 } else { 1.0 };
            }
            if all > 0.0 { beyond / all } else { 0.0 }
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
    check_rises(
        "swing",
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
