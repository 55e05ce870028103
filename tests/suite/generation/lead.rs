//! The lead plays the sung melody.

use super::checker::{playable_keys, track};
use super::tunes::{self, Tune, analysis, grid, major, request};
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::score::{Role, Track};
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::job_context::JobContext;

fn lead(library: &StyleLibrary, tune: &Tune, prompt: &str, seed: u64, freedom: f32) -> Track {
    let request = request(&tune.analysis, prompt, seed, freedom);
    track(&arrange(&request, library, &JobContext::detached()).unwrap(), Role::Lead).clone()
}

/// Sung onsets in beats and keys of the notes that start inside the take.
fn sung(tune: &Tune) -> Vec<(f64, u8)> {
    let end = tune.analysis.grid.start.0 + tune.analysis.length.0 - 0.02;
    let notes = tune.analysis.notes.iter().map(|note| (tune.analysis.beat_at(note.onset).0, note.key));
    notes.filter(|(at, _)| *at < end).collect()
}

#[test]
fn without_freedom_the_lead_is_the_melody() {
    let library = StyleLibrary::builtin().unwrap();
    for tune in tunes::all().iter().chain(&tunes::sung()) {
        for style in ["orchestral", "reggae", "jazz"] {
            for seed in 0..4 {
                let lead = lead(&library, tune, style, seed, 0.0);
                let sung = sung(tune);
                let name = format!("{} in {style}, seed {seed}", tune.name);
                assert_eq!(lead.notes.len(), sung.len(), "{name}");
                for (note, (at, key)) in lead.notes.iter().zip(&sung) {
                    assert_eq!(note.start.0, *at, "{name}: an onset moved");
                    assert_eq!(note.key % 12, key % 12, "{name}: a pitch class changed");
                }
                // Wherever the instrument can play the whole tune in some octave, the tune moves as a whole.
                let preset = (u64::from(lead.preset.bank), u64::from(lead.preset.program));
                let (low, high) = playable_keys()[&preset];
                let fits = |octave: i64| {
                    sung.iter().all(|(_, key)| (low as i64..=high as i64).contains(&(i64::from(*key) + 12 * octave)))
                };
                if (-6..=6).any(fits) {
                    let shifts: Vec<i32> = lead
                        .notes
                        .iter()
                        .zip(&sung)
                        .map(|(note, (_, key))| i32::from(note.key) - i32::from(*key))
                        .collect();
                    assert!(shifts.iter().all(|shift| *shift == shifts[0]), "{name}: octaves are {shifts:?}");
                }
            }
        }
    }
}

#[test]
fn bends_follow_the_singer_but_stay_on_the_key() {
    let library = StyleLibrary::builtin().unwrap();
    let tune = &tunes::all()[0];
    let lead = lead(&library, tune, "jazz with a saxophone solo", 0, 0.0);
    for note in &lead.notes {
        assert!(note.bend.len() > 8, "the vibrato is lost: {} points", note.bend.len());
        let length = note.length.0 as f32;
        let inner: Vec<f32> = note
            .bend
            .iter()
            .filter(|(at, _)| (0.25 * length..0.75 * length).contains(at))
            .map(|(_, bend)| *bend)
            .collect();
        assert!(inner.iter().all(|bend| bend.abs() < 0.45), "the chroma would change: {inner:?}");
        // The tune is sung 15 cents sharp with a scoop: the first is taken off, the second is kept.
        let mean = inner.iter().sum::<f32>() / inner.len() as f32;
        assert!(mean.abs() < 0.1, "the note's centre lies {mean} off");
        assert!(note.bend[0].1 < -0.2, "the scoop is lost: {:?}", note.bend[0]);
        assert!(note.expression_db.iter().all(|(_, level)| (-12.0..=0.0).contains(level)));
        assert!(note.expression_db.last().unwrap().1 < -2.0, "the fading is lost");
    }
    let plucked = self::lead(&library, tune, "jazz with a piano solo", 0, 0.0);
    assert!(
        plucked.notes.iter().all(|note| note.bend.is_empty() && note.expression_db.is_empty()),
        "a piano does not bend"
    );
}

#[test]
fn louder_notes_are_played_louder() {
    let library = StyleLibrary::builtin().unwrap();
    let mut tune = tunes::tune("two", "c4:1 e4 g4 e4", grid(0.0, 100.0, (4, 4)), major(0), true);
    tune.analysis.notes[1].loudness = 0.2;
    tune.analysis.notes[2].loudness = 1.0;
    let lead = lead(&library, &tune, "reggae", 0, 0.0);
    assert!(lead.notes[2].velocity > lead.notes[1].velocity + 20);
}

#[test]
fn octave_leaps_are_kept() {
    let library = StyleLibrary::builtin().unwrap();
    let tune = tunes::tune("leaps", "c4:1 c5 g4:2 | g4:1 c4 c5:2", grid(0.0, 100.0, (4, 4)), major(0), true);
    for style in ["orchestral", "reggae", "jazz"] {
        let lead = lead(&library, &tune, style, 1, 0.0);
        assert_eq!(i32::from(lead.notes[1].key) - i32::from(lead.notes[0].key), 12, "{style}");
        assert_eq!(i32::from(lead.notes[4].key) - i32::from(lead.notes[5].key), -12, "{style}");
    }
}

/// Leaps that go the wrong way, among those of a tune.
fn wrong_ways(lead: &[u8], sung: &[(f64, u8)]) -> usize {
    let way = |a: u8, b: u8| i32::from(b).cmp(&i32::from(a));
    let pairs = lead.windows(2).zip(sung.windows(2));
    pairs.filter(|(played, sung)| way(played[0], played[1]) != way(sung[0].1, sung[1].1)).count()
}

#[test]
fn every_leap_keeps_its_direction() {
    let library = StyleLibrary::builtin().unwrap();
    let mut tunes = tunes::all();
    tunes.extend(tunes::sung());
    // Wider than most instruments.
    tunes.push(tunes::tune(
        "wide",
        "c3:1 c5 g3 e5 | a5 b3 d6 g2 | c4 e6 c3 g5",
        grid(0.0, 100.0, (4, 4)),
        major(0),
        false,
    ));
    let (mut wrong, mut leaps) = (0, 0);
    for tune in &tunes {
        for style in ["orchestral", "reggae", "jazz"] {
            for seed in 0..6 {
                let lead = lead(&library, tune, style, seed, 0.0);
                let keys: Vec<u8> = lead.notes.iter().map(|note| note.key).collect();
                let ways = wrong_ways(&keys, &sung(tune));
                let (low, high) = library.presets().get(lead.preset).unwrap().keys;
                let playable = i32::from(low)..=i32::from(high);
                let fits =
                    |octave: i32| sung(tune).iter().all(|(_, key)| playable.contains(&(i32::from(*key) + 12 * octave)));
                let wide = !(-6..=6).any(fits);
                // What is wider than the instrument cannot keep every leap: three Cs need three octaves.
                let most = if wide { keys.len() / 6 } else { 0 };
                assert!(ways <= most, "{} in {style}, seed {seed} on {}: {keys:?}", tune.name, lead.instrument);
                (wrong, leaps) = (wrong + ways, leaps + keys.len());
            }
        }
    }
    println!("{wrong} of {leaps} leaps go the wrong way");
    // Bringing each note into a range by itself is what fails.
    let folded: Vec<u8> = sung(tunes.last().unwrap()).iter().map(|(_, key)| 60 + key % 12).collect();
    assert!(wrong_ways(&folded, &sung(tunes.last().unwrap())) > 0);
}

/// A tune whose notes have a loudness each and sound straight.
fn straight(text: &str, loudness: &[f32]) -> Tune {
    let mut tune = tunes::tune("straight", text, grid(0.0, 60.0, (4, 4)), major(0), true);
    for (note, loudness) in tune.analysis.notes.iter_mut().zip(loudness.iter().cycle()) {
        note.loudness = *loudness;
        note.bend.iter_mut().for_each(|point| point.1 = 0.0);
        note.level_db.iter_mut().for_each(|point| point.1 = 0.0);
    }
    tune
}

#[test]
fn loudness_is_mapped_by_the_takes_own_distribution() {
    let library = StyleLibrary::builtin().unwrap();
    let text = "c4:1 e4 g4 e4 | c4:1 e4 g4 e4";
    let velocities = |loudness: &[f32]| -> Vec<u8> {
        let lead = lead(&library, &straight(text, loudness), "jazz with a flute solo", 0, 0.0);
        lead.notes.iter().map(|note| note.velocity).collect()
    };
    let (shy, loud) = (velocities(&[0.2, 0.3, 0.4, 0.5]), velocities(&[0.7, 0.8, 0.9, 1.0]));
    assert_eq!(shy, loud, "a shy take is played as lively as a loud one");
    assert!(shy[0] < shy[1] && shy[1] < shy[2] && shy[2] < shy[3], "{shy:?}");
    assert!(shy[3] - shy[0] >= 25, "{shy:?}");
    // What hardly differs is not torn apart.
    let even = velocities(&[0.80, 0.81, 0.82, 0.83]);
    assert!(even.iter().max().unwrap() - even.iter().min().unwrap() < 8, "{even:?}");
}

#[test]
fn a_long_straight_note_gets_the_instruments_own_vibrato() {
    let library = StyleLibrary::builtin().unwrap();
    let swing = |note: &cantus_engine::generation::score::ScoreNote, from: f32, to: f32| {
        let inside = note.bend.iter().filter(|(at, _)| (from..to).contains(at));
        inside.fold(0.0_f32, |most, (_, bend)| most.max(bend.abs()))
    };
    let lead_of = |tune: &Tune, prompt: &str| lead(&library, tune, prompt, 0, 0.0).notes;
    let held = straight("c5:3 r:1 g4:.5 a4:.5 e4:2", &[0.8]);
    let violin = lead_of(&held, "orchestral with a violin solo");
    assert!(swing(&violin[0], 0.0, 0.9) < 0.02, "the vibrato does not wait");
    assert!(swing(&violin[0], 1.6, 2.5) > 0.12, "no vibrato on a violin's long note: {:?}", violin[0].bend);
    assert!(violin[1].bend.is_empty(), "a short note has none");
    for straight in ["jazz with a piano solo", "jazz with a clarinet solo", "jazz with a vibraphone solo"] {
        assert!(lead_of(&held, straight).iter().all(|note| note.bend.is_empty()), "{straight}");
    }
    // A voice that has its own keeps it, and gets no second one on top.
    let sung = tunes::tune("sung", "c5:3 r:1", grid(0.0, 60.0, (4, 4)), major(0), true);
    let own = &lead_of(&sung, "orchestral with a violin solo")[0];
    let crossings =
        own.bend.windows(2).filter(|pair| pair[0].0 > 0.5 && pair[0].1.signum() != pair[1].1.signum()).count();
    let expected = 2.0 * 34.0 / std::f64::consts::TAU * 2.29;
    assert!((crossings as f64 - expected).abs() < 4.0, "{crossings} crossings, not {expected:.0}");
}

#[test]
fn connected_notes_touch_and_breaths_stay() {
    let library = StyleLibrary::builtin().unwrap();
    // At 60 a minute a beat is a second: gaps of 20 and 90 ms.
    let notes = [(0.0, 0.98, 60), (1.0, 1.91, 62), (2.0, 2.6, 64), (3.0, 3.99, 62)];
    let analysis = analysis(&notes, grid(0.0, 60.0, (4, 4)), 4.0, major(0));
    let tune = Tune { name: "breaths".to_owned(), analysis, tonal: true };
    let lead = lead(&library, &tune, "jazz", 0, 0.0);
    let gap = |index: usize| lead.notes[index + 1].start.0 - lead.notes[index].start.0 - lead.notes[index].length.0;
    assert!(gap(0).abs() < 1e-9, "{}", gap(0));
    assert!((gap(1) - 0.09).abs() < 1e-6 && (gap(2) - 0.4).abs() < 1e-6, "{} {}", gap(1), gap(2));
}

#[test]
fn a_pickup_before_the_take_is_played_where_it_was_sung() {
    let library = StyleLibrary::builtin().unwrap();
    let notes = [(-0.5, -0.05, 67), (0.0, 1.9, 72), (2.0, 3.9, 76)];
    let tune = Tune {
        name: "pickup".to_owned(),
        analysis: analysis(&notes, grid(16.0, 100.0, (4, 4)), 4.0, major(0)),
        tonal: true,
    };
    let lead = lead(&library, &tune, "jazz", 0, 0.0);
    assert!((lead.notes[0].start.0 - 15.5).abs() < 1e-9);
}
