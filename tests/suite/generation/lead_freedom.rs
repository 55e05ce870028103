//! Freedom: the player's paraphrase grows with it, and stays the tune.

use super::checker::track;
use super::tunes::{self, Tune, request};
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::score::{Role, ScoreNote};
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::job_context::JobContext;
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// Styles whose idioms differ: the shipped ones, and shipped ones under another name.
fn library() -> &'static StyleLibrary {
    static LIBRARY: OnceLock<StyleLibrary> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut library = StyleLibrary::builtin().unwrap();
        let reggae = include_str!("../../../assets/styles/reggae.toml");
        for name in ["blues", "folk", "bossa", "house"] {
            let renamed: Vec<String> = reggae
                .lines()
                .map(|line| match line.split(' ').next() {
                    Some("name") => format!("name = \"{name}\""),
                    Some("words") => format!("words = [\"{name}\"]"),
                    Some("category") => String::new(),
                    _ => line.to_owned(),
                })
                .collect();
            library.add_text(&format!("{name}.toml"), &renamed.join("\n")).unwrap();
        }
        library
    })
}

const STYLES: [&str; 7] = ["jazz", "reggae", "orchestral", "blues", "folk", "bossa", "house"];

fn lead(tune: &Tune, style: &str, seed: u64, freedom: f32) -> Vec<ScoreNote> {
    let request = request(&tune.analysis, style, seed, freedom);
    track(&arrange(&request, library(), &JobContext::detached()).unwrap(), Role::Lead).notes.clone()
}

/// Levenshtein distance of two lines as places on a fine grid and keys.
fn distance(a: &[ScoreNote], b: &[ScoreNote]) -> usize {
    let tokens = |notes: &[ScoreNote]| -> Vec<(i64, u8)> {
        notes.iter().map(|note| ((note.start.0 * 24.0).round() as i64, note.key)).collect()
    };
    let (a, b) = (tokens(a), tokens(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, token) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = index + 1;
        for (other, candidate) in b.iter().enumerate() {
            let replaced = corner + usize::from(token != candidate);
            corner = row[other + 1];
            row[other + 1] = replaced.min(row[other] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

fn tunes() -> Vec<Tune> {
    tunes::all().into_iter().filter(|tune| tune.tonal && tune.analysis.length.0 >= 12.0).take(8).collect()
}

#[test]
fn more_freedom_is_another_line_and_never_less_of_one() {
    let freedoms = [0.0, 0.25, 0.5, 0.75, 1.0];
    for style in STYLES {
        let mut sums = [0.0; 5];
        let mut notes = 0;
        for tune in tunes() {
            for seed in 0..5 {
                let plain = lead(&tune, style, seed, 0.0);
                let distances = freedoms.map(|freedom| distance(&plain, &lead(&tune, style, seed, freedom)));
                assert_eq!(distances[0], 0);
                assert!(
                    distances.windows(2).all(|pair| pair[1] + 1 >= pair[0]),
                    "{} in {style}: {distances:?}",
                    tune.name
                );
                sums.iter_mut().zip(distances).for_each(|(sum, distance)| *sum += distance as f64);
                notes += plain.len();
            }
        }
        let shares = sums.map(|sum| sum / notes as f64);
        println!("{style}: edits a sung note at freedoms {freedoms:?}: {shares:.2?}");
        assert!(shares.windows(2).all(|pair| pair[1] > pair[0]), "{style}: {shares:?}");
        assert!((0.2..1.8).contains(&shares[4]), "{style}: {shares:?}");
    }
}

/// What is wrong with a paraphrase of a line.
fn faults(plain: &[ScoreNote], free: &[ScoreNote], strength: impl Fn(f64) -> f64) -> Vec<String> {
    let mut faults = Vec::new();
    let end = |note: &ScoreNote| note.start.0 + note.length.0;
    for note in plain {
        let structural = note.length.0 >= 1.4 || note.length.0 >= 0.9 && strength(note.start.0) >= 0.6;
        // As far as an eighth and what a grid's rounding adds.
        let near = free.iter().any(|other| other.key == note.key && (other.start.0 - note.start.0).abs() <= 0.501);
        if !near && structural {
            let around = free.iter().filter(|other| (other.start.0 - note.start.0).abs() < 1.0);
            let around: Vec<String> = around.map(|other| format!("{:.2} {}", other.start.0, other.key)).collect();
            faults.push(format!("the note {} at {:.2} is gone: {around:?}", note.key, note.start.0));
        } else if !near
            && !free.iter().any(|other| other.key == note.key && (other.start.0 - note.start.0).abs() <= 0.75)
        {
            faults.push(format!("the short note at {:.2} is gone", note.start.0));
        }
    }
    if let Some(pair) = free.windows(2).find(|pair| end(&pair[0]) > pair[1].start.0 + 1e-6) {
        faults.push(format!("notes overlap at {:.2}", pair[1].start.0));
    }
    if free.iter().any(|note| note.length.0 < 0.03 || note.velocity == 0) {
        faults.push("a note of no length".to_owned());
    }
    if free.len() > plain.len() * 5 / 2 + 8 {
        faults.push(format!("{} notes of {}", free.len(), plain.len()));
    }
    let (low, high) = plain.iter().fold((127, 0), |(low, high), note| (note.key.min(low), note.key.max(high)));
    if free.iter().any(|note| note.key + 14 < low || note.key > high + 14) {
        faults.push("an added note is far from the tune".to_owned());
    }
    faults
}

#[test]
fn a_paraphrase_keeps_every_note_that_carries_the_tune() {
    for tune in tunes() {
        let grid = &tune.analysis.grid;
        let count = if grid.metre.denominator == 8 { 1.5 } else { 1.0 };
        // Strong: on a count.
        let strength = |at: f64| {
            let within = (at - grid.start.0) / count;
            if (within - within.round()).abs() < 0.1 { 0.6 } else { 0.2 }
        };
        for style in STYLES {
            for seed in 0..5 {
                let plain = lead(&tune, style, seed, 0.0);
                let free = lead(&tune, style, seed, 1.0);
                assert_eq!(
                    faults(&plain, &free, strength),
                    Vec::<String>::new(),
                    "{} in {style}, seed {seed}",
                    tune.name
                );
                let mut broken = free.clone();
                broken.iter_mut().for_each(|note| note.start.0 += 0.8);
                assert!(!faults(&plain, &broken, strength).is_empty(), "a line that is late goes unnoticed");
            }
        }
    }
}

#[test]
fn seeds_paraphrase_differently() {
    let tune = &tunes()[0];
    for style in STYLES {
        let lines: BTreeSet<String> = (0..6).map(|seed| format!("{:?}", lead(tune, style, seed, 1.0))).collect();
        assert!(lines.len() >= 5, "{style}");
        assert_eq!(lead(tune, style, 3, 0.7), lead(tune, style, 3, 0.7), "{style}: not the same twice");
    }
}

const MELODIES: usize = 20;

/// A line as the pitch class that sounds at each sixteenth.
fn sampled(notes: &[(f64, f64, u8)], length: f64) -> Vec<Option<u8>> {
    let at = |step: usize| step as f64 / 4.0 + 0.1;
    let sounding =
        |step: usize| notes.iter().rev().find(|note| note.0 <= at(step) && at(step) < note.1).map(|note| note.2 % 12);
    (0..(length * 4.0) as usize).map(sounding).collect()
}

/// Share of a melody's steps that a line agrees with in its best transposition.
fn agreement(line: &[Option<u8>], melody: &[Option<u8>]) -> f64 {
    let sung = melody.iter().flatten().count().max(1);
    let agrees = |shift: u8| {
        let pairs =
            melody.iter().enumerate().filter_map(|(step, class)| Some((class.as_ref()?, line.get(step)?.as_ref()?)));
        pairs.filter(|(class, played)| (**class + shift) % 12 == **played).count()
    };
    (0..12).map(agrees).max().unwrap_or(0) as f64 / sung as f64
}

/// Share of lines whose melody is the best of twenty: as they are, and with the others' keys in its own rhythm.
fn retrieved(freedom: f32, made_from: impl Fn(usize) -> usize) -> [f64; 2] {
    let rows: serde_json::Value = serde_json::from_str(include_str!("../../data/sung_melodies.json")).unwrap();
    let (made_up, mut chosen): (Vec<_>, Vec<_>) =
        tunes::sung().into_iter().enumerate().partition(|(index, _)| rows[*index]["tune"] == "random");
    // Every tune once, and of the lines made up at random as many as are missing.
    let mut known = BTreeSet::from(["octaves".to_owned()]);
    chosen.retain(|(index, _)| known.insert(rows[*index]["tune"].as_str().unwrap().to_owned()));
    let chosen: Vec<Tune> = chosen.into_iter().chain(made_up).take(MELODIES).map(|(_, tune)| tune).collect();
    assert_eq!(chosen.len(), MELODIES);
    let melody = |tune: &Tune| -> Vec<(f64, f64, u8)> {
        let notes = tune.analysis.notes.iter();
        notes
            .map(|note| (tune.analysis.beat_at(note.onset).0, tune.analysis.beat_at(note.offset).0, note.key))
            .collect()
    };
    let (mut first, mut count) = ([0, 0], 0);
    for style in STYLES {
        for index in 0..MELODIES {
            let played = lead(&chosen[made_from(index)], style, index as u64 + 40, freedom);
            let notes: Vec<(f64, f64, u8)> =
                played.iter().map(|note| (note.start.0, note.start.0 + note.length.0, note.key)).collect();
            let own = melody(&chosen[index]);
            let length = own.last().unwrap().1.ceil();
            let line = sampled(&notes, length);
            let fit = |notes: &[(f64, f64, u8)]| agreement(&line, &sampled(notes, length));
            let right = fit(&own);
            let others = (0..MELODIES).filter(|other| *other != index).map(|other| melody(&chosen[other]));
            let others: Vec<Vec<(f64, f64, u8)>> = others.collect();
            let in_rhythm = |other: &[(f64, f64, u8)]| -> Vec<(f64, f64, u8)> {
                own.iter().zip(other.iter().cycle()).map(|(place, note)| (place.0, place.1, note.2)).collect()
            };
            first[0] += usize::from(others.iter().all(|other| fit(other) < right));
            first[1] += usize::from(others.iter().all(|other| fit(&in_rhythm(other)) < right));
            count += 1;
        }
    }
    first.map(|first| first as f64 / count as f64)
}

#[test]
fn the_tune_is_found_in_its_paraphrase() {
    let (exact, free) = (retrieved(0.0, |index| index), retrieved(1.0, |index| index));
    println!("best of twenty at freedom 0: {exact:.3?}, at freedom 1: {free:.3?} (melodies, same rhythm)");
    assert!(exact.iter().all(|share| *share >= 0.95), "{exact:?}");
    assert!(free.iter().all(|share| *share >= 0.8), "{free:?}");
    let another = retrieved(1.0, |index| (index + 1) % MELODIES);
    assert!(another.iter().all(|share| *share < 0.2), "any line passes: {another:?}");
}
