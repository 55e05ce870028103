//! Quantisation: what was meant is found again behind how it was sung, and nothing is moved that was not asked for.

use super::tunes::{Chance, Manner, note, tune};
use cantus_engine::analysis::quantise::{Subdivision, suggest};
use cantus_engine::analysis::rhythm::on_grid;
use cantus_engine::analysis::{Analysis, Note, key};
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::generation::{EngineKind, Recipe, Request, Timing};
use cantus_engine::job_context::JobContext;
use cantus_engine::time::{Beats, Bpm, Metre, SongGrid};

/// Notes at song positions on a grid of 120 BPM from its origin, sung `late` seconds late and up to `careless` off.
fn sung(positions: &[f64], late: f64, careless: f64, seed: u64) -> Vec<Note> {
    let mut chance = Chance(seed);
    let mut notes: Vec<Note> = Vec::new();
    for (index, &position) in positions.iter().enumerate() {
        let until = positions.get(index + 1).copied().unwrap_or(position + 1.0);
        let onset = position * 0.5 + late + careless * chance.between(-1.0, 1.0);
        let end = onset + 0.88 * (until - position) * 0.5;
        notes.push(note(onset, end, 60 + (index % 5) as u8, 0.8));
    }
    notes
}

fn grid(metre: (u8, u8)) -> SongGrid {
    SongGrid::at_origin(Bpm(120.0), Metre { numerator: metre.0, denominator: metre.1 })
}

/// Two bars of a rhythm, from its places in one bar of `bar` beats, `times` over.
fn repeated(places: &[f64], bar: f64, times: usize) -> Vec<f64> {
    (0..times).flat_map(|index| places.iter().map(move |place| 1.0 + bar * index as f64 + place)).collect()
}

const THIRD: f64 = 1.0 / 3.0;

#[test]
fn what_was_meant_is_found_behind_how_it_was_sung() {
    let straight = repeated(&[0.0, 1.0, 1.5, 2.0, 2.5, 3.0], 4.0, 4);
    let sixteenths = repeated(&[0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 1.75, 2.0, 3.0], 4.0, 4);
    let triplets = repeated(&[0.0, THIRD, 2.0 * THIRD, 1.0, 1.0 + THIRD, 1.0 + 2.0 * THIRD, 2.0, 3.0], 4.0, 4);
    let dotted = repeated(&[0.0, 0.75, 1.0, 2.0, 2.75, 3.0], 4.0, 4);
    let rows = [
        ("eighths", &straight, Subdivision::Eighths, (4, 4)),
        ("sixteenths", &sixteenths, Subdivision::Sixteenths, (4, 4)),
        ("triplets", &triplets, Subdivision::Triplets, (4, 4)),
        ("dotted", &dotted, Subdivision::Sixteenths, (4, 4)),
    ];
    for (name, places, subdivision, metre) in rows {
        for (late, careless) in [(0.0, 0.0), (0.0, 0.025), (0.045, 0.02), (-0.03, 0.02)] {
            let notes = sung(places, late, careless, 5);
            let found = suggest(&notes, &grid(metre), Some(Beats(64.0)));
            let off =
                found.notes.iter().zip(places).filter(|(note, place)| (note.start.0 - **place).abs() > 1e-6).count();
            assert!(off * 20 <= places.len(), "{name}, {late} s late: {off} of {} notes are misplaced", places.len());
            assert_eq!(found.subdivision(), subdivision, "{name}");
            assert_eq!(found.swing, None, "{name}");
            assert!((found.lag.0 - late).abs() < 0.012, "{name}: {late} s late is heard as {}", found.lag.0);
            // Held notes last until the next.
            let gaps = found
                .notes
                .windows(2)
                .filter(|pair| (pair[0].start.0 + pair[0].length.0 - pair[1].start.0).abs() > 1e-6);
            assert!(gaps.count() * 20 <= places.len(), "{name}: held notes have gaps");
        }
    }
}

#[test]
fn lateness_on_the_grid_is_told() {
    let places = repeated(&[0.0, 1.0, 1.5, 2.0, 3.0], 4.0, 4);
    let grid = grid((4, 4));
    for (late, told) in [(0.0, None), (0.08, Some("late")), (-0.07, Some("early"))] {
        let notes = sung(&places, late, 0.015, 6);
        let rhythm = on_grid(&notes, &grid, Beats(64.0));
        assert!((f64::from(rhythm.lag_ms) - 1e3 * late).abs() < 12.0, "{late} s: {} ms", rhythm.lag_ms);
        assert_eq!((rhythm.tempo, rhythm.confidence, rhythm.metre), (Bpm(120.0), 1.0, grid.metre));
        // The first note is sung on beat 1 of a bar of four: the next line is three beats on.
        assert_eq!(rhythm.pickup, Beats(3.0));
        let doubts = rhythm.doubts(notes.len());
        assert_eq!(doubts.len(), usize::from(told.is_some()), "{doubts:?}");
        assert!(told.is_none_or(|side| doubts[0].contains(side)), "{doubts:?}");
    }
}

#[test]
fn a_regions_division_is_its_own() {
    let mut places = repeated(&[0.0, 0.5, 1.0, 1.5, 2.0, 3.0], 4.0, 2);
    let thirds = [0.0, THIRD, 2.0 * THIRD, 1.0, 1.0 + THIRD, 1.0 + 2.0 * THIRD, 2.0, 3.0];
    places.extend(repeated(&thirds, 4.0, 2).iter().map(|place| place + 8.0));
    let found = suggest(&sung(&places, 0.02, 0.02, 9), &grid((4, 4)), Some(Beats(64.0)));
    let off = found.notes.iter().zip(&places).filter(|(note, place)| (note.start.0 - **place).abs() > 1e-6).count();
    assert!(off <= 1, "{off} notes are misplaced");
    let count = |wanted: Subdivision| found.notes.iter().filter(|note| note.subdivision == wanted).count();
    assert!(count(Subdivision::Triplets) >= 8 && count(Subdivision::Sixteenths) == 0, "{found:?}");
}

#[test]
fn swing_is_measured() {
    for swing in [0.60, 0.64, 0.70] {
        let places = repeated(&[0.0, 1.0, 1.0 + swing, 2.0, 2.0 + swing, 3.0, 3.0 + swing], 4.0, 4);
        let found = suggest(&sung(&places, 0.0, 0.012, 3), &grid((4, 4)), Some(Beats(64.0)));
        let measured = f64::from(found.swing.unwrap_or_else(|| panic!("{swing} is not heard as swing: {found:?}")));
        assert!((measured - swing).abs() < 0.03, "{swing} is heard as {measured}");
        assert_eq!(found.subdivision(), Subdivision::Swung);
    }
}

#[test]
fn thirds_of_a_beat_are_at_home_in_compound_time() {
    let places = repeated(&[0.0, 0.5, 1.0, 1.5, 2.5], 3.0, 6).iter().map(|place| place + 0.5).collect::<Vec<_>>();
    let found = suggest(&sung(&places, 0.01, 0.02, 2), &grid((6, 8)), Some(Beats(60.0)));
    assert!(found.notes.iter().zip(&places).all(|(note, place)| (note.start.0 - place).abs() < 1e-6), "{found:?}");
    assert_eq!(found.subdivision(), Subdivision::Eighths);
}

#[test]
fn strength_pulls_as_far_as_it_says() {
    let places = repeated(&[0.0, 1.0, 1.5, 2.0, 3.0], 4.0, 3);
    let notes = sung(&places, 0.0, 0.03, 4);
    let grid = grid((4, 4));
    let found = suggest(&notes, &grid, Some(Beats(64.0)));
    for (index, note) in notes.iter().enumerate() {
        let sung = (grid.beat_at(note.onset).0, grid.beat_at(note.offset).0);
        assert_eq!(found.pulled(index, sung, 0.0), sung);
        assert_eq!(found.pulled(index, sung, f32::NAN), sung);
        let (start, end) = found.pulled(index, sung, 1.0);
        assert!((start - places[index]).abs() < 1e-9 && end > start);
        let half = found.pulled(index, sung, 0.5);
        assert!((half.0 - 0.5 * (sung.0 + start)).abs() < 1e-9 && (half.1 - 0.5 * (sung.1 + end)).abs() < 1e-9);
    }
}

#[test]
fn nothing_and_nonsense_have_suggestions_too() {
    let grid = grid((4, 4));
    assert_eq!(suggest(&[], &grid, None).notes.len(), 0);
    let together: Vec<Note> = (0..10).map(|_| note(1.0, 1.1, 60, 0.5)).collect();
    let found = suggest(&together, &grid, Some(Beats(8.0)));
    assert!(found.notes.iter().all(|note| note.start.0.is_finite() && note.length.0 > 0.0), "{found:?}");
}

/// The lead of a score keeps the sung timing unless it is asked not to; then it lies on the grid, with the same keys.
#[test]
fn a_rendition_plays_the_timing_it_was_asked_for() {
    let tune = tune("wenceslas");
    let notes =
        Manner { bpm: 100.0, lead_in: 0.0, careless: 0.04, seconds: 30.0, ..Manner::default() }.perform(&tune.line);
    let lead = |timing: Timing| -> Vec<(f64, u8)> {
        let grid = SongGrid::at_origin(Bpm(100.0), Metre::default());
        let key = key::key(&notes, &grid, true);
        let analysis = Analysis { notes: notes.clone(), length: Beats(32.0), key, ..Analysis::unheard(grid) };
        let recipe = Recipe {
            engine: EngineKind::Band,
            prompt: "reggae".into(),
            seed: 1,
            freedom: 0.0,
            timing,
            direction: Default::default(),
            song: Default::default(),
            engine_version: 1,
        };
        let library = StyleLibrary::builtin().expect("styles");
        let score = arrange(&Request { analysis, recipe }, &library, &JobContext::detached()).expect("a score");
        score.tracks[0].notes.iter().map(|note| (note.start.0, note.key)).collect()
    };
    let off = |notes: &[(f64, u8)]| {
        notes.iter().map(|(start, _)| (2.0 * start - (2.0 * start).round()).abs() / 2.0).fold(0.0, f64::max)
    };
    let (sung, tight, on_grid) = (lead(Timing::AsSung), lead(Timing::TIGHTENED), lead(Timing::ON_GRID));
    assert_eq!(sung.len(), on_grid.len());
    assert!(sung.iter().zip(&on_grid).all(|(a, b)| a.1 == b.1), "keys changed");
    assert!(off(&sung) > 0.04, "the sung timing is lost: {}", off(&sung));
    assert!(off(&on_grid) < 1e-6, "not on the grid: {}", off(&on_grid));
    assert!(off(&tight) < 0.7 * off(&sung) && off(&tight) > 0.005, "not between: {}", off(&tight));
}
