//! The harmoniser: chords that fit, that differ by seed, and that keep what a musician asked for.

mod levels;
mod locked;
mod measures;
mod melodies;
mod textbook;

use super::checker::ctnctr;
use super::tunes::{self, request};
use cantus_engine::analysis::Analysis;
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::direction::Direction;
use cantus_engine::generation::score::Score;
use cantus_engine::generation::song::SongContext;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::job_context::JobContext;
use measures::{apart, changes_a_bar, chord_tonal_distance, clashes};
use melodies::{MODES, melody};

const STYLES: [&str; 4] = ["plain", "orchestral", "reggae", "jazz"];

/// The styles there are, and one of plain triads.
fn library() -> StyleLibrary {
    let mut library = StyleLibrary::builtin().unwrap();
    library.add_text("plain.toml", include_str!("harmony/plain.toml")).unwrap();
    library
}

fn score(
    library: &StyleLibrary,
    analysis: &Analysis,
    style: &str,
    seed: u64,
    direction: &Direction,
    song: &SongContext,
) -> Score {
    let mut request = request(analysis, style, seed, 0.0);
    request.recipe.direction = direction.clone();
    request.recipe.song = song.clone();
    arrange(&request, library, &JobContext::detached()).unwrap_or_else(|error| panic!("{style} {seed}: {error}"))
}

fn plainly(library: &StyleLibrary, analysis: &Analysis, style: &str, seed: u64) -> Score {
    score(library, analysis, style, seed, &Direction::default(), &SongContext::default())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn clashes_in(library: &StyleLibrary, score: &Score, analysis: &Analysis) -> Vec<String> {
    let harmony = &library.get(&score.style).unwrap().harmony;
    let found = clashes(&score.chords, analysis, &harmony.tensions, harmony.blue);
    found.into_iter().map(|(_, clash)| clash).collect()
}

#[test]
fn no_long_note_rubs_and_most_notes_are_chord_tones_in_every_mode() {
    let library = library();
    for style in STYLES {
        let mut all = Vec::new();
        for (mode, (name, _)) in MODES.iter().enumerate() {
            let mut fits = Vec::new();
            for number in 0..20 {
                let analysis = melody(mode, 1000 + number);
                let score = plainly(&library, &analysis, style, number);
                let found = clashes_in(&library, &score, &analysis);
                assert_eq!(found, Vec::<String>::new(), "{style}, {name} {number}");
                fits.push(ctnctr(&score.chords, &analysis));
            }
            println!("{style} {name}: CTnCTR {:.3}", mean(&fits));
            assert!(mean(&fits) >= 0.72, "{style}, {name}: CTnCTR is {:.3}", mean(&fits));
            all.extend(fits);
        }
        println!("{style}: CTnCTR {:.3}", mean(&all));
        assert!(mean(&all) >= 0.80, "{style}: CTnCTR is {:.3}", mean(&all));
    }
}

#[test]
fn sung_tunes_have_no_clash_either() {
    let library = library();
    for style in STYLES {
        let mut fits = Vec::new();
        let mut rates = Vec::new();
        let mut distances = Vec::new();
        for tune in tunes::all().iter().chain(&tunes::sung()) {
            let score = plainly(&library, &tune.analysis, style, 5);
            let found = clashes_in(&library, &score, &tune.analysis);
            assert_eq!(found, Vec::<String>::new(), "{style}, {}", tune.name);
            if tune.tonal {
                fits.push(ctnctr(&score.chords, &tune.analysis));
                rates.push(changes_a_bar(&score.chords, score.length.0 / score.grid.metre.bar().0));
                distances.push(chord_tonal_distance(&score.chords));
            }
        }
        println!("{style}: CTnCTR {:.3}, {:.2} chords a bar, CTD {:.3}", mean(&fits), mean(&rates), mean(&distances));
        assert!(mean(&fits) >= 0.82, "{style}: CTnCTR is {:.3}", mean(&fits));
    }
}

#[test]
fn seeds_give_different_chords_that_are_all_good() {
    let library = library();
    for (index, style) in STYLES.into_iter().enumerate() {
        let (mut differences, mut worst) = (Vec::new(), Vec::new());
        // Every mode in turn, five melodies a style.
        for number in (index..20).step_by(4) {
            let analysis = melody((number + number / 8) % MODES.len(), 2000 + number as u64);
            let scores: Vec<Score> = (0..10).map(|seed| plainly(&library, &analysis, style, seed)).collect();
            assert_eq!(scores[3].chords, plainly(&library, &analysis, style, 3).chords);
            let fits = scores.iter().map(|score| ctnctr(&score.chords, &analysis));
            worst.push(fits.fold(f64::INFINITY, f64::min));
            for (index, first) in scores.iter().enumerate() {
                assert_eq!(clashes_in(&library, first, &analysis), Vec::<String>::new(), "{style} {number} {index}");
                for second in &scores[index + 1..] {
                    differences.push(apart(&first.chords, &second.chords));
                }
            }
        }
        println!("{style}: chords differ {:.3}, worst seeds' CTnCTR {:.3}", mean(&differences), mean(&worst));
        assert!(mean(&differences) >= 0.2, "{style}: seeds differ in {:.3} of the chords", mean(&differences));
        assert!(mean(&worst) >= 0.75, "{style}: the worst seeds have CTnCTR {:.3}", mean(&worst));
    }
}

#[test]
fn the_measures_notice_chords_of_another_melody() {
    let library = library();
    let (mut own, mut shuffled, mut rubs) = (Vec::new(), Vec::new(), 0);
    for number in 0..20 {
        let analysis = melody(number % MODES.len(), 3000 + number as u64);
        let score = plainly(&library, &analysis, "plain", 1);
        own.push(ctnctr(&score.chords, &analysis));
        // The same notes in another order.
        let mut other = analysis.clone();
        let keys: Vec<u8> = analysis.notes.iter().map(|note| note.key).collect();
        let count = keys.len();
        for (index, note) in other.notes.iter_mut().enumerate() {
            note.key = keys[(index * 7 + 3) % count];
        }
        shuffled.push(ctnctr(&score.chords, &other));
        rubs += clashes_in(&library, &score, &other).len();
    }
    println!("own melody {:.3}, shuffled {:.3}, {rubs} clashes", mean(&own), mean(&shuffled));
    assert!(mean(&own) > mean(&shuffled) + 0.1, "{:.3} against {:.3}", mean(&own), mean(&shuffled));
    assert!(rubs > 10, "only {rubs} clashes are noticed");
}
