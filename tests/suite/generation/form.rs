//! Form: endings, longer pieces, places in a song, pickups.

use super::checker::{bar_lines, difference, faults, track};
use super::probe::{directed, library};
use super::tunes::{self, ODE, Tune, analysis, grid, major, tune};
use cantus_engine::generation::direction::{Direction, Ending, Place};
use cantus_engine::generation::score::{Role, Score};
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::time::Beats;

fn four_bars() -> Tune {
    tune("four", "e4:1 e4 f4 g4 | g4 f4 e4 d4 | c4 c4 d4 e4 | d4:2 c4:2", grid(8.0, 100.0, (4, 4)), major(0), true)
}

fn faults_of(score: &Score, tune: &Tune) -> Vec<String> {
    // A longer piece lies where the take begins, and is longer.
    let mut as_long = tune.analysis.clone();
    as_long.length = score.length;
    faults(score, &as_long)
}

fn onsets(score: &Score, from: f64, to: f64) -> usize {
    let others = score.tracks.iter().filter(|track| track.role != Role::Lead);
    others.flat_map(|track| &track.notes).filter(|note| (from..to).contains(&(note.start.0 + 0.1))).count()
}

fn symbols(score: &Score) -> Vec<&str> {
    score.chords.iter().map(|chord| chord.symbol.as_str()).collect()
}

#[test]
fn a_loop_is_as_long_as_the_take_and_an_ending_a_bar_longer_at_most() {
    let library = StyleLibrary::builtin().unwrap();
    let last = Direction { ending: Ending::Final, ..Direction::default() };
    for tune in tunes::all() {
        for style in library.list() {
            let looped = directed(&library, &tune.analysis, &style.name, 2, &Direction::default());
            assert_eq!(looped.length, tune.analysis.length, "{}", tune.name);
            let ended = directed(&library, &tune.analysis, &style.name, 2, &last);
            let name = format!("{} in {}", tune.name, style.name);
            assert_eq!(faults_of(&ended, &tune), Vec::<String>::new(), "{name}");
            let bar = tune.analysis.grid.metre.bar().0;
            let more = ended.length.0 - tune.analysis.length.0;
            assert!((-1e-9..bar + 1e-9).contains(&more), "{name}: {more} beats longer");
            assert_eq!(ended.ending, Ending::Final);
        }
    }
}

/// Where the last chord lies, and what is wrong with it.
fn last_chord_faults(score: &Score) -> Vec<String> {
    let end = score.grid.start.0 + score.length.0;
    let at = end - score.grid.metre.bar().0;
    let chord = score.chords.last().unwrap();
    let mut faults = Vec::new();
    if (chord.start.0 - at).abs() > 1e-6 || chord.root != 0 {
        faults.push(format!("it ends on {} at {}", chord.symbol, chord.start.0));
    }
    for track in score.tracks.iter().filter(|track| track.role != Role::Lead) {
        let after = track.notes.iter().filter(|note| note.start.0 > at + 0.5).count();
        let struck = track.notes.iter().filter(|note| (note.start.0 - at).abs() < 0.3).count();
        // A swell leads into the last chord and is over.
        let swells = matches!((track.preset.bank, track.preset.program), (0, 119) | (120, 40 | 41));
        if after > 0 || (struck == 0 && !swells) {
            faults.push(format!("{}: {struck} notes on the last chord, {after} after it", track.role.name()));
        }
    }
    faults
}

#[test]
fn everybody_ends_together_on_the_tonic() {
    let library = StyleLibrary::builtin().unwrap();
    // The first ends in a bar that is full, the second holds its last note through the last bar.
    let full = tune("full", ODE, grid(0.0, 104.0, (4, 4)), major(0), true);
    let held = tune("held", "e4:1 f4 g4 e4 | d4 e4 d4 b3 | c4:4", grid(0.0, 104.0, (4, 4)), major(0), true);
    for style in library.list() {
        for seed in 0..4 {
            let last = Direction { ending: Ending::Final, ..Direction::default() };
            let score = directed(&library, &full.analysis, &style.name, seed, &last);
            assert_eq!(score.length, Beats(36.0), "{}", style.name);
            assert_eq!(last_chord_faults(&score), Vec::<String>::new(), "{} {seed}", style.name);
            let score = directed(&library, &held.analysis, &style.name, seed, &last);
            assert_eq!(score.length, Beats(12.0), "{}", style.name);
            assert_eq!(last_chord_faults(&score), Vec::<String>::new(), "{} {seed}", style.name);
            // What leads back to its start has no last chord.
            let looped = directed(&library, &full.analysis, &style.name, seed, &Direction::default());
            assert!(!last_chord_faults(&looped).is_empty(), "{}: a loop passes for an ending", style.name);
        }
    }
}

#[test]
fn the_last_bar_before_the_end_has_its_own_pattern_and_the_styles_last_chord() {
    let parts = r#"
[[parts]]
role = "drums"
preset = "128:0"
gain_db = 0
rule = "kit"
kit = { kick = 36, tom_low = 45, crash = 49 }
patterns = [
    { section = "a", hits.kick = "x . . ." },
    { section = "ending", hits.tom_low = ". . x x" },
]
[[parts]]
role = "pad"
preset = "0:48"
gain_db = 0
rule = "hold"
"#;
    let ode = tune("ode", ODE, grid(0.0, 104.0, (4, 4)), major(0), true).analysis;
    for (last, longest, shortest) in [("hit", 1.2, 0.0), ("ring", 4.0, 3.0)] {
        let library = library(&format!("last = \"{last}\""), parts);
        let final_ = Direction { ending: Ending::Final, ..Direction::default() };
        let score = directed(&library, &ode, "probe", 0, &final_);
        let toms: Vec<f64> =
            track(&score, Role::Drums).notes.iter().filter(|note| note.key == 45).map(|note| note.start.0).collect();
        assert_eq!(toms, [30.0, 31.0], "{last}");
        let held = track(&score, Role::Pad).notes.last().unwrap().length.0;
        assert!((shortest..=longest).contains(&held), "{last}: the last chord lasts {held} beats");
        let looped = directed(&library, &ode, "probe", 0, &Direction::default());
        assert!(track(&looped, Role::Drums).notes.iter().all(|note| note.key != 45), "a loop plays the ending");
    }
}

#[test]
fn four_bars_become_sixteen_without_copying() {
    let library = StyleLibrary::builtin().unwrap();
    let tune = four_bars();
    for style in library.list() {
        for seed in 0..3 {
            let direction = Direction { bars: Some(16), ..Direction::default() };
            let score = directed(&library, &tune.analysis, &style.name, seed, &direction);
            let name = format!("{} {seed}", style.name);
            assert_eq!(score.length, Beats(64.0), "{name}");
            assert_eq!(faults_of(&score, &tune), Vec::<String>::new(), "{name}");
            let lead = &track(&score, Role::Lead).notes;
            assert_eq!(lead.len(), 4 * tune.analysis.notes.len(), "{name}");
            for (index, note) in lead.iter().enumerate() {
                let first = &lead[index % tune.analysis.notes.len()];
                let pass = (index / tune.analysis.notes.len()) as f64;
                assert!((note.start.0 - first.start.0 - 16.0 * pass).abs() < 1e-6, "{name}: note {index}");
            }
            let per_pass = symbols(&score).len() / 4;
            for pass in 1..4 {
                assert_eq!(
                    symbols(&score)[..per_pass],
                    symbols(&score)[pass * per_pass..(pass + 1) * per_pass],
                    "{name}"
                );
            }
            // The accompaniment of each pass, laid over the first.
            let passes: Vec<Score> = (0..4).map(|pass| cut(&score, 8.0 + 16.0 * f64::from(pass), 16.0)).collect();
            assert!(difference(&passes[0], &passes[3]) > 0.05, "{name}: the last pass copies the first");
            assert_eq!(difference(&passes[0], &passes[0].clone()), 0.0);
            let density: Vec<usize> = (0..4).map(|pass| onsets(&passes[pass], 8.0, 24.0)).collect();
            assert!(density[2] + density[3] > density[0] + density[1], "{name}: {density:?} onsets a pass");
        }
    }
}

/// A stretch of a score, moved to beat eight.
fn cut(score: &Score, from: f64, beats: f64) -> Score {
    let mut piece = score.clone();
    for track in &mut piece.tracks {
        track.notes.retain(|note| (from - 0.1..from + beats - 0.1).contains(&note.start.0));
        for note in &mut track.notes {
            note.start = Beats(note.start.0 - from + 8.0);
        }
    }
    piece
}

#[test]
fn any_number_of_bars_is_exact() {
    let library = StyleLibrary::builtin().unwrap();
    let waltz =
        tune("waltz", "c4:1 e4 g4 | a4 g4:2 | f4:1 d4 e4 | c4:3 | r:3", grid(4.0, 90.0, (3, 4)), major(0), true);
    for tune in [four_bars(), waltz] {
        let bar = tune.analysis.grid.metre.bar().0;
        for bars in [1, 2, 3, 5, 6, 7, 9, 11, 13, 24] {
            for ending in [Ending::Loop, Ending::Final] {
                for (style, seed) in [("jazz", 1), ("orchestral", 2), ("reggae", 3)] {
                    let direction = Direction { bars: Some(bars), ending, ..Direction::default() };
                    let score = directed(&library, &tune.analysis, style, seed, &direction);
                    let name = format!("{} as {bars} bars, {ending:?}", tune.name);
                    assert_eq!(faults_of(&score, &tune), Vec::<String>::new(), "{name}");
                    let length = score.length.0 / bar;
                    let longest = if ending == Ending::Final { bars + 1 } else { bars };
                    assert!(
                        (length - f64::from(bars)).abs() < 1e-9 || (length - f64::from(longest)).abs() < 1e-9,
                        "{name}: {length}"
                    );
                }
            }
        }
    }
}

#[test]
fn verse_and_chorus_share_their_chords_and_a_bridge_leads_away() {
    let library = StyleLibrary::builtin().unwrap();
    let ode = tune("ode", ODE, grid(0.0, 104.0, (4, 4)), major(0), true).analysis;
    let mut away = 0;
    let mut all = 0;
    for style in library.list() {
        for seed in 0..4 {
            let at = |place| {
                let direction = Direction { place, ..Direction::default() };
                directed(&library, &ode, &style.name, seed, &direction)
            };
            let (verse, chorus, bridge) = (at(Place::Verse), at(Place::Chorus), at(Place::Bridge));
            assert_eq!(symbols(&verse), symbols(&chorus), "{} {seed}", style.name);
            let weight = |score: &Score| {
                let others = score.tracks.iter().filter(|track| track.role != Role::Lead);
                others.flat_map(|track| &track.notes).map(|note| u64::from(note.velocity)).sum::<u64>()
            };
            println!("{} {seed}: verse {} chorus {}", style.name, weight(&verse), weight(&chorus));
            assert!(weight(&verse) < weight(&chorus), "{} {seed}: the verse is not lighter", style.name);
            assert!(weight(&bridge) < weight(&chorus), "{} {seed}: the bridge is not lighter", style.name);
            all += 1;
            away += usize::from(symbols(&bridge) != symbols(&verse));
        }
    }
    assert!(away * 4 >= all * 3, "only {away} of {all} bridges have other chords");
}

#[test]
fn a_pickup_plays_alone_and_comes_round_in_a_loop() {
    let library = StyleLibrary::builtin().unwrap();
    // Sung before the take: it belongs to the end of a loop, where the tune leaves it room.
    let notes = [(-1.0, -0.55, 67), (-0.5, -0.05, 69), (0.0, 1.9, 72), (2.0, 3.9, 76), (4.0, 6.5, 72)];
    let early = analysis(&notes, grid(16.0, 100.0, (4, 4)), 8.0, major(0));
    let lead = |direction: &Direction| {
        let score = directed(&library, &early, "jazz", 0, direction);
        track(&score, Role::Lead).notes.iter().map(|note| (note.start.0, note.key % 12)).collect::<Vec<_>>()
    };
    let looped = lead(&Direction::default());
    for (at, class) in [(15.0, 7), (15.5, 9), (23.0, 7), (23.5, 9)] {
        assert!(looped.iter().any(|note| (note.0 - at).abs() < 1e-6 && note.1 == class), "{at}: {looped:?}");
    }
    let ended = lead(&Direction { ending: Ending::Final, ..Direction::default() });
    assert_eq!(ended.len(), 5, "a piece that ends has no pickup at its end");
    // A take that begins with one: the band waits for the first bar line.
    let off_bar = tunes::all().into_iter().find(|tune| tune.name == "off the bar").unwrap();
    for style in library.list() {
        let score = directed(&library, &off_bar.analysis, &style.name, 1, &Direction::default());
        assert!(onsets(&score, 7.0, 7.9) == 0, "{}: the band plays in the pickup", style.name);
        assert!(onsets(&score, 8.0, 12.0) > 0);
    }
    // Nine bars whose first holds only an upbeat.
    let upbeat = format!("r:3 g3:1 | {ODE}");
    let nine = tune("nine", &upbeat, grid(0.0, 104.0, (4, 4)), major(0), true);
    let score = directed(&library, &nine.analysis, "reggae", 1, &Direction::default());
    assert_eq!(onsets(&score, 0.0, 3.9), 0, "the band plays under the upbeat");
    assert_eq!(bar_lines(&score).len(), 9);
    let longer = Direction { bars: Some(16), ..Direction::default() };
    let score = directed(&library, &nine.analysis, "reggae", 1, &longer);
    assert_eq!(score.length, Beats(68.0), "sixteen bars and the upbeat");
    assert_eq!(onsets(&score, 0.0, 3.9), 0, "the band plays under the upbeat of the longer piece");
    let starts: Vec<f64> = track(&score, Role::Lead).notes.iter().map(|note| note.start.0).collect();
    assert!((starts[1] - 4.0).abs() < 1e-6 && starts.iter().any(|at| (at - 36.0).abs() < 1e-6), "{starts:?}");
}
