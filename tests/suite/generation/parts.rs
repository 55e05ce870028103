//! What each part of a style does, on styles made for the purpose.

use super::checker::{bar_lines, muddy, track};
use super::probe::{directed, library, library_with, rounded};
use super::tunes::{self, ODE, grid, major, tune};
use cantus_engine::analysis::Analysis;
use cantus_engine::generation::direction::{Direction, Moods, Pulse};
use cantus_engine::generation::score::{Role, Score, ScoreNote};
use cantus_engine::generation::style::Part;
use cantus_engine::generation::style::library::StyleLibrary;

fn ode() -> Analysis {
    tune("ode", ODE, grid(0.0, 120.0, (4, 4)), major(0), true).analysis
}

fn starts(score: &Score, role: Role) -> Vec<f64> {
    let mut starts: Vec<f64> = track(score, role).notes.iter().map(|note| rounded(note.start.0)).collect();
    starts.dedup();
    starts
}

/// One part of the probe.
fn part(role: &str, preset: &str, rule: &str, more: &str) -> String {
    format!("[[parts]]\nrole = \"{role}\"\npreset = \"{preset}\"\ngain_db = 0\nrule = \"{rule}\"\n{more}\n")
}

fn written(library: &StyleLibrary, seed: u64) -> Score {
    directed(library, &ode(), "probe", seed, &Direction::default())
}

#[test]
fn parts_join_from_their_layer_and_in_their_sections() {
    let comp = |more: &str| {
        part("chords", "0:0", "comp", &format!("patterns = [{{ section = \"a\", steps = \"x . . .\" }}]\n{more}"))
    };
    let bars = |library: &StyleLibrary, energy: f32| -> Vec<usize> {
        let moods = Moods { energy, ..Moods::default() };
        let direction = Direction { moods, ..Direction::default() };
        let score = directed(library, &ode(), "probe", 0, &direction);
        let mut bars: Vec<usize> = starts(&score, Role::Chords).iter().map(|at| (at / 4.0) as usize).collect();
        bars.dedup();
        bars
    };
    let always = library("", &comp(""));
    assert_eq!(bars(&always, -1.0), [0, 1, 2, 3, 4, 5, 6, 7]);
    let full = library("", &comp("layer = 0.9"));
    assert_eq!(bars(&full, 0.0), [4, 5, 6, 7]);
    assert_eq!(bars(&full, -1.0), Vec::<usize>::new());
    assert_eq!(bars(&full, 1.0), [0, 1, 2, 3, 4, 5, 6, 7]);
    let second = library("", &comp("sections = \"b\""));
    assert_eq!(bars(&second, 1.0), [4, 5, 6, 7]);
}

#[test]
fn strums_go_down_and_up_and_are_muted() {
    let strummed = |milliseconds: &str| {
        let more = format!(
            "voices = 4\nstrum_ms = {milliseconds}\nregister = [48, 76]\npatterns = [{{ section = \"a\", steps = \"d u m .\" }}]"
        );
        written(&library("", &part("chords", "0:25", "comp", &more)), 0)
    };
    let score = strummed("30");
    let at = |beat: f64| -> Vec<&ScoreNote> {
        let notes = &track(&score, Role::Chords).notes;
        notes.iter().filter(|note| note.written.is_some_and(|at| (at.0 - beat).abs() < 1e-9)).collect()
    };
    let (down, up, muted) = (at(0.0), at(1.0), at(2.0));
    assert!(down.windows(2).all(|pair| pair[0].start < pair[1].start && pair[0].key < pair[1].key), "{down:?}");
    assert!(up.windows(2).all(|pair| pair[0].start < pair[1].start && pair[0].key > pair[1].key), "{up:?}");
    // 30 ms are 0.06 beats at 120.
    let spread = down.last().unwrap().start.0 - down[0].start.0;
    assert!((spread - 0.06).abs() < 0.005, "the strum takes {spread} beats");
    assert!(muted.iter().all(|note| note.length.0 < 0.12 && note.velocity < down[0].velocity), "{muted:?}");
    let together = strummed("0");
    let first: Vec<f64> = track(&together, Role::Chords).notes.iter().map(|note| note.start.0).take(3).collect();
    assert!(first.iter().all(|start| *start == first[0]), "{first:?}");
}

#[test]
fn a_voice_of_a_kit_lies_where_its_push_says() {
    let more = "kit = { kick = 36, snare = 38 }\nvoice_push_ms = { snare = 20 }\npush_ms = 5\npatterns = [{ section = \"a\", hits.kick = \"x . . .\", hits.snare = \"x x . x\" }]";
    let score = written(&library("crash = false", &part("drums", "128:0", "kit", more)), 0);
    for note in &track(&score, Role::Drums).notes {
        let late = note.start.0 - note.written.unwrap().0;
        let expected = if note.key == 38 { 0.05 } else { 0.01 };
        assert!((late - expected).abs() < 1e-9, "key {} is {late} beats late", note.key);
    }
}

#[test]
fn arpeggios_play_their_voices() {
    let more = "voices = 3\nregister = [48, 84]\npatterns = [{ section = \"a\", steps = \"1 2 3 4\" }]";
    let score = written(&library("", &part("chords", "0:46", "arp", more)), 0);
    for bar in track(&score, Role::Chords).notes.chunks(4) {
        let keys: Vec<u8> = bar.iter().map(|note| note.key).collect();
        assert!(keys[0] < keys[1] && keys[1] < keys[2] && keys[3] == keys[0] + 12, "{keys:?}");
    }
    let more = "voices = 4\nregister = [48, 84]\npatterns = [{ section = \"a\", steps = \"xx xx xx xx\" }]";
    let library = library("", &part("chords", "0:46", "arp", more));
    let orders: std::collections::BTreeSet<Vec<bool>> = (0..12)
        .map(|seed| {
            let score = written(&library, seed);
            track(&score, Role::Chords).notes[..8].windows(2).map(|pair| pair[0].key < pair[1].key).collect()
        })
        .collect();
    assert!(orders.len() >= 3, "all seeds go the same way");
}

#[test]
fn degrees_are_where_they_are_written() {
    let more = "register = [28, 67]\npatterns = [{ section = \"a\", steps = \"12 34 56 78\" }, { section = \"b\", steps = \"L X x o\" }]";
    let score = written(&library("", &part("bass", "0:0", "degrees", more)), 0);
    let scale = [0, 2, 4, 5, 7, 9, 11];
    let bass = &track(&score, Role::Bass).notes;
    for chord in score.chords.iter().filter(|chord| chord.start.0 < 16.0) {
        let bar: Vec<&ScoreNote> =
            bass.iter().filter(|note| (chord.start.0 - 0.01..chord.start.0 + 3.99).contains(&note.start.0)).collect();
        assert_eq!(bar.len(), 8);
        let over: Vec<u8> = bar.iter().map(|note| (note.key % 12 + 12 - chord.root) % 12).collect();
        assert!(over[0] == 0 && over[7] == 0 && bar[7].key == bar[0].key + 12, "{}: {over:?}", chord.symbol);
        assert!(matches!(over[2], 3 | 4) && over[4] == 7, "{}: {over:?}", chord.symbol);
        for (place, choices) in [(1, [1, 2]), (3, [5, 6]), (5, [8, 9])] {
            assert!(choices.contains(&over[place]), "{}: {over:?}", chord.symbol);
            assert!(scale.contains(&(bar[place].key % 12)), "{}: {over:?}", chord.symbol);
        }
    }
    let low = bass.iter().find(|note| note.start.0 >= 16.0).unwrap();
    assert_eq!(low.key + 12, bass.iter().find(|note| note.start.0 >= 17.0).unwrap().key);
}

#[test]
fn a_riff_stays_itself_as_far_as_the_chords_allow() {
    let more = "register = [28, 55]\npatterns = [{ section = \"a\", steps = \"1. .5 1. 35\" }]";
    let score = written(&library("", &part("bass", "0:33", "riff", more)), 1);
    let notes = &track(&score, Role::Bass).notes;
    let bars: Vec<&[ScoreNote]> = notes.chunks(5).collect();
    assert_eq!(bars.len(), 8);
    let (mut same, mut all) = (0, 0);
    for bar in &bars {
        for (note, first) in bar.iter().zip(bars[0]) {
            all += 1;
            same += usize::from(note.key == first.key);
            assert!(
                note.key.abs_diff(first.key) <= 3 || note.key.abs_diff(first.key) >= 9,
                "{} from {}",
                note.key,
                first.key
            );
            let chord = score.chords.iter().rev().find(|chord| chord.start <= note.start).unwrap();
            let strong = note.start.0.rem_euclid(2.0) < 1e-6;
            assert!(!strong || chord.tones.contains(&(note.key % 12)), "{} under {}", note.key, chord.symbol);
        }
    }
    assert!(same * 2 >= all, "only {same} of {all} notes stay");
}

#[test]
fn a_riser_rises_into_each_phrase() {
    let score = written(&library("", &part("colour", "120:40", "riser", "")), 0);
    let notes = &track(&score, Role::Colour).notes;
    let spans: Vec<(f64, f64)> = notes.iter().map(|note| (note.start.0, note.start.0 + note.length.0)).collect();
    assert_eq!(spans, [(12.0, 16.0), (28.0, 32.0)]);
}

/// The chords of a part: keys struck together.
fn struck(score: &Score, role: Role) -> Vec<Vec<u8>> {
    let mut chords: Vec<(f64, Vec<u8>)> = Vec::new();
    for note in &track(score, role).notes {
        match chords.last_mut() {
            Some((at, keys)) if (*at - note.start.0).abs() < 1e-6 => keys.push(note.key),
            _ => chords.push((note.start.0, vec![note.key])),
        }
    }
    chords.into_iter().map(|(_, keys)| keys).collect()
}

#[test]
fn voicings_are_what_they_are_called() {
    let voiced = |voicing: &str, voices: usize, seed: u64| {
        // Far from the tune, so that nothing is left out for it.
        let more = format!(
            "voicing = \"{voicing}\"\nvoices = {voices}\nregister = [40, 62]\npatterns = [{{ section = \"a\", steps = \"x . . .\" }}]"
        );
        written(&library("", &part("chords", "0:0", "comp", &more)), seed)
    };
    for seed in 0..4 {
        for (voicing, voices) in
            [("drop2", 4), ("quartal", 3), ("rootless", 4), ("shell", 3), ("spread", 4), ("close", 4), ("power", 2)]
        {
            let score = voiced(voicing, voices, seed);
            assert_eq!(muddy(track(&score, Role::Chords)), 0, "{voicing} {seed}");
            let chords = struck(&score, Role::Chords);
            for (keys, chord) in chords.iter().zip(&score.chords) {
                let name = format!("{voicing}, {}: {keys:?}", chord.symbol);
                let roots = keys.iter().filter(|key| **key % 12 == chord.root).count();
                match voicing {
                    "quartal" if keys.len() == 3 && keys.windows(2).all(|pair| pair[1] - pair[0] >= 4) => {
                        assert!(keys.windows(2).all(|pair| (4..=6).contains(&(pair[1] - pair[0]))), "{name}");
                    }
                    "rootless" if chord.tones.len() >= 4 => assert_eq!(roots, 0, "{name}"),
                    "power" => {
                        assert!(keys.iter().all(|key| matches!((key % 12 + 12 - chord.root) % 12, 0 | 7)), "{name}")
                    }
                    "close" => assert!(keys[keys.len() - 1] - keys[0] <= 12, "{name}"),
                    "drop2" if keys.len() == 4 => {
                        // The lowest voice an octave higher makes it a close chord again.
                        let mut close = [keys[0] + 12, keys[1], keys[2], keys[3]];
                        close.sort_unstable();
                        assert!(close[3] - close[0] < 12, "{name}");
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn nobody_fills_over_a_moving_tune() {
    // The toms are struck in fills only, on every eighth of them.
    let more = "kit = { kick = 36, tom_low = 45 }\npatterns = [{ section = \"a\", hits.kick = \"x . . .\" }, { section = \"fill\", hits.tom_low = \"xx xx xx xx\" }]";
    let library = library("fill_every = 1", &part("drums", "128:0", "kit", more));
    let fills_over_tune = |score: &Score, melody: &Analysis| -> (usize, usize) {
        let toms = track(score, Role::Drums).notes.iter().filter(|note| note.key == 45);
        let onsets: Vec<f64> = melody.notes.iter().map(|note| melody.beat_at(note.onset).0).collect();
        let over = |note: &&ScoreNote| {
            let bar = score.grid.metre.bar().0;
            let end = score.grid.start.0 + ((note.start.0 - score.grid.start.0) / bar + 1e-6).floor() * bar + bar;
            onsets.iter().any(|at| *at > note.start.0 + 0.3 && *at < end - 0.25)
        };
        (toms.clone().filter(over).count(), toms.count())
    };
    let (mut fills, mut broken) = (0, 0);
    for tune in tunes::all()
        .iter()
        .filter(|tune| tune.analysis.grid.metre.numerator == 4 && tune.analysis.length.0 % 4.0 == 0.0)
    {
        for seed in 0..3 {
            let score = directed(&library, &tune.analysis, "probe", seed, &Direction::default());
            let (over, all) = fills_over_tune(&score, &tune.analysis);
            assert_eq!(over, 0, "{} {seed}: {over} of {all} strokes of fills over a moving tune", tune.name);
            fills += all;
            // A drummer who listens to another tune is found out.
            let other = tunes::all().swap_remove(5).analysis;
            broken += fills_over_tune(&score, &other).0;
        }
    }
    assert!(fills > 50, "there are only {fills} strokes of fills");
    assert!(broken > 20, "fills under another tune pass");
}

#[test]
fn a_style_without_crash_never_crashes() {
    let more = "kit = { kick = 36, snare = 38, crash = 49 }\npatterns = [{ section = \"a\", hits.kick = \"x . x .\" }, { section = \"fill\", hits.snare = \"x x x x\" }]";
    let crashes = |form: &str| {
        let score = written(&library(form, &part("drums", "128:0", "kit", more)), 0);
        track(&score, Role::Drums).notes.iter().filter(|note| note.key == 49).count()
    };
    assert_eq!(crashes("crash = false"), 0);
    assert!(crashes("crash = true") >= 2);
}

#[test]
fn half_and_double_time_are_feels_over_the_same_tune() {
    let more = "kit = { kick = 36, snare = 38 }\npatterns = [{ section = \"a\", hits.kick = \"x . x .\", hits.snare = \". x . x\" }]";
    let library = library_with(
        "swing = 0.5\nhumanise_ms = 0\nhumanise_velocity = 0",
        "crash = false",
        &part("drums", "128:0", "kit", more),
    );
    let at = |pulse: Pulse| directed(&library, &ode(), "probe", 0, &Direction { pulse, ..Direction::default() });
    let snares = |score: &Score| -> Vec<f64> {
        let snare = track(score, Role::Drums).notes.iter().filter(|note| note.key == 38 && note.start.0 < 8.0);
        snare.map(|note| note.start.0).collect()
    };
    let (normal, half, double) = (at(Pulse::Normal), at(Pulse::Half), at(Pulse::Double));
    assert_eq!(snares(&normal), [1.0, 3.0, 5.0, 7.0]);
    assert_eq!(snares(&half), [2.0, 6.0]);
    assert_eq!(snares(&double), (0..8).map(|beat| f64::from(beat) + 0.5).collect::<Vec<_>>());
    for other in [&half, &double] {
        assert_eq!(track(other, Role::Lead).notes, track(&normal, Role::Lead).notes);
        assert_eq!(other.grid, normal.grid);
        assert_eq!(other.length, normal.length);
    }
}

#[test]
fn odd_metres_keep_a_styles_character() {
    let builtin = StyleLibrary::builtin().unwrap();
    for metre in [(3, 4), (5, 4), (7, 4), (6, 8), (9, 8), (12, 8), (7, 8), (5, 8), (2, 4), (2, 2)] {
        let bar = f64::from(metre.0) * 4.0 / f64::from(metre.1);
        let notes: Vec<(f64, f64, u8)> = (0..4)
            .flat_map(|at| {
                [(0, 60), (1, 64)].map(|(half, key)| {
                    (
                        bar * (f64::from(at) + 0.5 * f64::from(half)),
                        bar * (f64::from(at) + 0.5 * f64::from(half) + 0.4),
                        key,
                    )
                })
            })
            .collect();
        let melody = tunes::analysis(&notes, grid(0.0, 112.0, metre), 4.0 * bar, major(0));
        for style in builtin.list() {
            for seed in 0..4 {
                let score = directed(&builtin, &melody, &style.name, seed, &Direction::default());
                let Some(drums) = score.tracks.iter().find(|track| track.role == Role::Drums) else { continue };
                let name = format!("{metre:?} in {}, seed {seed}", style.name);
                let lines = bar_lines(&score);
                assert_eq!(lines.len(), 4, "{name}");
                for line in &lines[..3] {
                    let inside: Vec<&ScoreNote> = drums
                        .notes
                        .iter()
                        .filter(|note| (line - 0.1..line + bar - 0.1).contains(&note.start.0))
                        .collect();
                    let beyond_one = inside.iter().filter(|note| note.start.0 > line + 0.3).count();
                    assert!(beyond_one >= 1, "{name}: {} strokes in a bar", inside.len());
                }
                // Half a bar at a time, what lies on three lies on one. A style's own patterns in the metre are its own affair.
                let own = |part: &Part| part.patterns.iter().any(|pattern| pattern.metre == score.grid.metre);
                let made = !style.parts.iter().any(|part| part.role == Role::Drums && own(part));
                if made && style.name != "orchestral" && metre != (2, 4) {
                    // What strikes one in the style's own bar, a clave or a brush that stirs, is no backbeat.
                    let played = style.parts.iter().filter(|part| part.preset == drums.preset);
                    let on_one: Vec<u8> = played
                        .clone()
                        .flat_map(|part| &part.patterns)
                        .flat_map(|pattern| &pattern.lines)
                        .filter(|line| line.bars.iter().flatten().any(|step| step.at.0 < 0.01))
                        .map(|line| line.key)
                        .collect();
                    let named = |(voice, key): &&(String, u8)| {
                        matches!(voice.as_str(), "snare" | "rim" | "clap") && !on_one.contains(key)
                    };
                    let keys: Vec<u8> =
                        played.flat_map(|part| part.kit.iter().filter(named).map(|row| row.1)).collect();
                    let accents = drums.notes.iter().filter(|note| keys.contains(&note.key) && note.velocity > 60);
                    let on_one =
                        accents.filter(|note| lines[..3].iter().any(|line| (note.start.0 - line).abs() < 0.1)).count();
                    assert_eq!(on_one, 0, "{name}: the backbeat lies on one");
                }
            }
        }
    }
}

/// Pairs of voices that run in fifths or octaves over the changes of a part's held chords, and the changes.
fn running_fifths(score: &Score, role: Role) -> (usize, usize) {
    let sounding = |at: f64| -> Vec<u8> {
        let notes = track(score, role).notes.iter();
        let mut keys: Vec<u8> =
            notes.filter(|note| note.start.0 < at && note.start.0 + note.length.0 > at).map(|note| note.key).collect();
        keys.sort_unstable();
        keys
    };
    let chords: Vec<Vec<u8>> =
        score.chords.iter().map(|chord| sounding(chord.start.0 + chord.length.0 / 2.0)).collect();
    let (mut running, mut changes) = (0, 0);
    for pair in chords.windows(2).filter(|pair| pair[0].len() == pair[1].len() && pair[0] != pair[1]) {
        changes += 1;
        for low in 0..pair[0].len() {
            for high in low + 1..pair[0].len() {
                let size = |keys: &[u8]| (keys[high] - keys[low]) % 12;
                let moved = pair[0][low] != pair[1][low] && pair[0][high] != pair[1][high];
                running += usize::from(moved && size(&pair[0]) == size(&pair[1]) && matches!(size(&pair[0]), 0 | 7));
            }
        }
    }
    (running, changes)
}

#[test]
fn pads_hardly_run_in_fifths() {
    let builtin = StyleLibrary::builtin().unwrap();
    let (mut running, mut changes, mut broken) = (0, 0, 0);
    for tune in tunes::all().iter().filter(|tune| tune.tonal && tune.analysis.length.0 >= 12.0) {
        for seed in 0..4 {
            let mut score = directed(&builtin, &tune.analysis, "orchestral", seed, &Direction::default());
            let (found, of) = running_fifths(&score, Role::Pad);
            running += found;
            changes += of;
            // A player who shifts one shape up and down is found out.
            let (first, chords) = (score.chords[0].root, score.chords.clone());
            let pad = score.tracks.iter_mut().find(|track| track.role == Role::Pad).unwrap();
            let shape = |chord: &cantus_engine::generation::score::ChordSpan| {
                [0, 7, 16].map(|up| ScoreNote {
                    start: chord.start,
                    length: chord.length,
                    key: 48 + (chord.root + 12 - first) % 12 + up,
                    ..pad.notes[0].clone()
                })
            };
            pad.notes = chords.iter().flat_map(shape).collect();
            broken += running_fifths(&score, Role::Pad).0;
        }
    }
    println!("{running} parallel fifths and octaves in {changes} changes; shifting one shape makes {broken}");
    assert!(running * 8 < changes, "{running} parallel fifths and octaves in {changes} changes");
    assert!(broken * 2 > changes, "shifted shapes pass with {broken} of {changes}");
}
