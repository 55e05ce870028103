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

#[test]
fn freedom_adds_notes_and_keeps_the_sung_ones() {
    let library = StyleLibrary::builtin().unwrap();
    let mut added = 0;
    for tune in tunes::all().iter().take(9) {
        for seed in 0..4 {
            let plain = lead(&library, tune, "jazz with a saxophone solo", seed, 0.0);
            let free = lead(&library, tune, "jazz with a saxophone solo", seed, 1.0);
            for note in &plain.notes {
                let kept = free.notes.iter().any(|other| other.start == note.start && other.key == note.key);
                assert!(kept, "{}: the note at {} is gone", tune.name, note.start.0);
            }
            for pair in free.notes.windows(2) {
                assert!(pair[0].start.0 + pair[0].length.0 <= pair[1].start.0 + 1e-6, "{}: notes overlap", tune.name);
            }
            assert!(free.notes.len() <= plain.notes.len() * 2, "the tune drowns in ornaments");
            added += free.notes.len() - plain.notes.len();
        }
    }
    assert!(added > 36, "only {added} notes added");
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
