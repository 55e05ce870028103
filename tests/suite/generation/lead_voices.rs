//! What a musician may ask of the lead: octaves, second voices, doubling, silence.

use super::checker::faults;
use super::tunes::{self, ODE, Tune, grid, major, request};
use cantus_engine::export::midi::midi_bytes;
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::direction::LeadVoice;
use cantus_engine::generation::score::{ChordSpan, Role, Score, Track};
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::render;
use cantus_engine::time::SampleRate;

const STYLES: [&str; 3] = ["orchestral", "reggae", "jazz"];

fn score(library: &StyleLibrary, tune: &Tune, style: &str, seed: u64, voice: LeadVoice) -> Score {
    let mut request = request(&tune.analysis, style, seed, 0.0);
    request.recipe.direction.lead = voice;
    arrange(&request, library, &JobContext::detached()).unwrap()
}

fn part(score: &Score, role: Role) -> Option<&Track> {
    score.tracks.iter().find(|track| track.role == role)
}

fn tunes() -> Vec<Tune> {
    tunes::all().into_iter().filter(|tune| tune.tonal && tune.analysis.notes.len() > 6).collect()
}

#[test]
fn an_octave_is_an_octave_where_it_can_be_played() {
    let library = StyleLibrary::builtin().unwrap();
    for (voice, octave) in [(LeadVoice::OctaveUp, 12), (LeadVoice::OctaveDown, -12)] {
        let (mut whole, mut scores) = (0, 0);
        for tune in tunes() {
            for style in STYLES {
                for seed in 0..3 {
                    let (plain, moved) = (
                        score(&library, &tune, style, seed, LeadVoice::AsSung),
                        score(&library, &tune, style, seed, voice),
                    );
                    assert_eq!(faults(&moved, &tune.analysis), Vec::<String>::new(), "{} in {style}", tune.name);
                    let (plain, moved) = (part(&plain, Role::Lead).unwrap(), part(&moved, Role::Lead).unwrap());
                    assert_eq!(plain.preset, moved.preset);
                    let keys = library.presets().get(plain.preset).unwrap().keys;
                    let goal = |key: u8| i32::from(key) + octave;
                    let playable = i32::from(keys.0)..=i32::from(keys.1);
                    let fits = plain.notes.iter().all(|note| playable.contains(&goal(note.key)));
                    let pairs = || plain.notes.iter().zip(&moved.notes);
                    assert!(pairs().all(|(a, b)| a.start == b.start && a.key % 12 == b.key % 12));
                    if fits {
                        assert!(pairs().all(|(a, b)| i32::from(b.key) == goal(a.key)), "{} in {style}", tune.name);
                    }
                    // Folded or not, up stays up.
                    let ways = |track: &Track| -> Vec<std::cmp::Ordering> {
                        track.notes.windows(2).map(|pair| pair[1].key.cmp(&pair[0].key)).collect()
                    };
                    assert_eq!(ways(plain), ways(moved), "{} in {style} on {}", tune.name, plain.instrument);
                    (whole, scores) = (whole + usize::from(fits), scores + 1);
                }
            }
        }
        println!("{voice:?}: {whole} of {scores} tunes moved as a whole");
        assert!(whole > 20, "hardly ever an octave");
    }
}

/// What is wrong with a second voice under a tune, and how many of its resting notes are tones of their chord.
fn second_voice(score: &Score, sizes: std::ops::RangeInclusive<i32>) -> Result<(usize, usize), String> {
    let (lead, second) = (part(score, Role::Lead).unwrap(), part(score, Role::Counter).ok_or("no second voice")?);
    if second.preset != lead.preset || second.notes.len() * 10 < lead.notes.len() * 9 {
        return Err(format!("{} of {} notes", second.notes.len(), lead.notes.len()));
    }
    let chord = |at: f64| -> &ChordSpan { score.chords.iter().rev().find(|chord| chord.start.0 <= at + 0.1).unwrap() };
    let (mut tones, mut rests) = (0, 0);
    let mut before: Option<(i32, i32)> = None;
    for note in &second.notes {
        let tune = lead.notes.iter().find(|other| other.start == note.start).ok_or("a note of its own")?;
        let interval = (i32::from(tune.key) - i32::from(note.key)).abs();
        if !sizes.contains(&interval) {
            return Err(format!("an interval of {interval} at {}", note.start.0));
        }
        let now = (i32::from(tune.key), i32::from(note.key));
        if let Some(old) = before {
            let same = (old.0 - old.1).abs() == interval && old != now;
            if same && matches!(interval, 5 | 7 | 12) {
                return Err(format!("open intervals in parallel at {}", note.start.0));
            }
        }
        before = Some(now);
        if note.length.0 >= 0.9 {
            rests += 1;
            tones += usize::from(chord(note.start.0).tones.contains(&(note.key % 12)));
        }
    }
    Ok((tones, rests))
}

#[test]
fn second_voices_come_from_the_chords() {
    let library = StyleLibrary::builtin().unwrap();
    for (voice, sizes, fixed) in [(LeadVoice::Thirds, 2..=5, 4), (LeadVoice::Sixths, 7..=10, 9)] {
        let (mut tones, mut rests, mut stiff) = (0, 0, 0);
        for tune in tunes() {
            for style in STYLES {
                for seed in 0..3 {
                    let mut score = score(&library, &tune, style, seed, voice);
                    let name = format!("{} in {style}, seed {seed}", tune.name);
                    assert_eq!(faults(&score, &tune.analysis), Vec::<String>::new(), "{name}");
                    let (fit, of) =
                        second_voice(&score, sizes.clone()).unwrap_or_else(|fault| panic!("{name}: {fault}"));
                    (tones, rests) = (tones + fit, rests + of);
                    // An effect that adds the same interval to every note is not a second voice.
                    let lead = part(&score, Role::Lead).unwrap().clone();
                    let second = score.tracks.iter_mut().find(|track| track.role == Role::Counter).unwrap();
                    for note in &mut second.notes {
                        let tune = lead.notes.iter().find(|other| other.start == note.start).unwrap();
                        note.key = tune.key - fixed;
                    }
                    stiff += second_voice(&score, sizes.clone()).map_or(0, |(fit, _)| fit);
                }
            }
        }
        let share = |tones: usize| tones as f64 / rests as f64;
        println!(
            "{voice:?}: {:.2} of resting notes in their chord, {:.2} with a fixed interval",
            share(tones),
            share(stiff)
        );
        assert!(share(tones) >= 0.7, "{voice:?}: {:.2}", share(tones));
        assert!(share(stiff) < 0.6, "a fixed interval passes with {:.2}", share(stiff));
    }
}

#[test]
fn doubling_is_the_tune_again_on_another_instrument() {
    let library = StyleLibrary::builtin().unwrap();
    for tune in tunes().iter().take(6) {
        for style in STYLES {
            for seed in 0..3 {
                let score = score(&library, tune, style, seed, LeadVoice::Doubled);
                assert_eq!(faults(&score, &tune.analysis), Vec::<String>::new(), "{} in {style}", tune.name);
                let (lead, double) =
                    (part(&score, Role::Lead).unwrap(), part(&score, Role::Counter).expect("a double"));
                assert_ne!(lead.preset, double.preset, "{style}");
                assert_eq!(lead.notes.len(), double.notes.len(), "{} in {style}", tune.name);
                let shift = i32::from(double.notes[0].key) - i32::from(lead.notes[0].key);
                assert_eq!(shift % 12, 0);
                let beat_ms = 60_000.0 / tune.analysis.tempo().0;
                for (a, b) in lead.notes.iter().zip(&double.notes) {
                    assert_eq!(i32::from(b.key) - i32::from(a.key), shift, "{} in {style}", tune.name);
                    assert!((a.start.0 - b.start.0).abs() * beat_ms < 45.0, "the double is apart");
                }
            }
        }
    }
}

#[test]
fn a_band_without_a_lead_leaves_the_tune_to_the_singer() {
    let library = StyleLibrary::builtin().unwrap();
    let place = grid(0.0, 120.0, (4, 4));
    let tune = tunes::tune("ode", ODE.split_at(80).0.rsplit_once('|').unwrap().0, place, major(0), true);
    for style in STYLES {
        let with = score(&library, &tune, style, 1, LeadVoice::AsSung);
        let without = score(&library, &tune, style, 1, LeadVoice::Off);
        assert!(part(&with, Role::Lead).is_some() && part(&without, Role::Lead).is_none(), "{style}");
        let roles = |score: &Score| -> Vec<Role> {
            score.tracks.iter().map(|track| track.role).filter(|role| *role != Role::Lead).collect()
        };
        assert_eq!(roles(&with), roles(&without), "{style}");
        assert_eq!(with.chords, without.chords, "{style}: the harmony is the tune's, played or not");
        let mut request = request(&tune.analysis, style, 1, 0.0);
        request.recipe.direction.lead = LeadVoice::Off;
        let rendition = render(&without, &request, "Off", SampleRate(32_000), &JobContext::detached()).unwrap();
        assert!(rendition.stems.iter().all(|stem| stem.role != Role::Lead));
        assert_eq!(rendition.stems.len(), without.tracks.len());
        assert_eq!(rendition.lead_fidelity(), None, "there is no lead to measure");
        assert!(rendition.mix.peak() > 0.1 && rendition.loudness.integrated_lufs > -30.0, "{style} is silent");
        assert!(!midi_bytes(&without, "Off").unwrap().is_empty());
    }
}
