//! What styles promise, on every style: the judges are those of the score program, so that both say the same.

#[path = "../../score/band/facts.rs"]
mod facts;
#[path = "../../score/band/fit.rs"]
mod fit;
#[path = "../../score/band/lead.rs"]
mod lead;
#[path = "../../score/band/variety.rs"]
mod variety;

use super::tunes::{self, Tune, request};
use cantus_engine::generation::band::arrange;
use cantus_engine::generation::score::{Role, Score, ScoreNote};
use cantus_engine::generation::style::Style;
use cantus_engine::generation::style::facts::{Fact, Promise};
use cantus_engine::generation::style::library::StyleLibrary;
use cantus_engine::job_context::JobContext;
use cantus_engine::time::Beats;

/// Seeds that every style plays here; the score program plays more of everything.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=2;

fn melodies() -> Vec<Tune> {
    tunes::sung().into_iter().filter(|tune| tune.tonal && tune.analysis.length.0 >= 16.0).take(4).collect()
}

fn played(library: &StyleLibrary, style: &Style, tune: &Tune, seed: u64) -> Score {
    arrange(&request(&tune.analysis, &style.name, seed, 0.0), library, &JobContext::detached()).expect("a score")
}

#[test]
fn every_style_keeps_what_it_promises() {
    let library = StyleLibrary::builtin().expect("styles");
    let mut faults = Vec::new();
    let mut chord_tones = Vec::new();
    for style in library.list() {
        assert!(style.facts.len() >= 3, "{} promises too little", style.name);
        for tune in melodies() {
            let notes = fit::sung(&tune.analysis);
            for seed in SEEDS {
                let score = played(&library, style, &tune, seed);
                let measured = facts::measure(style, &score, &tune.analysis);
                let mut found = facts::broken(style, &score);
                found.extend(facts::outside(style, &measured));
                found.extend(fit::clashes(&score, &notes, &style.harmony));
                found.extend(lead::turned(&score, &notes));
                if lead::events(&score, &notes) < 1.0 {
                    found.push("the lead does not play the melody".to_owned());
                }
                chord_tones.push(fit::chord_tone_ratio(&score, &notes));
                faults.extend(found.into_iter().map(|fault| format!("{}, {}, {seed}: {fault}", style.name, tune.name)));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let mean = chord_tones.iter().sum::<f64>() / chord_tones.len() as f64;
    assert!(mean >= 0.8, "chords hold {mean:.3} of the melodies");
}

/// Breaks one promise by hand; `None` where nobody plays what it is about, or where there is nothing to break.
fn spoilt(style: &Style, score: &Score, fact: &Fact) -> Option<Score> {
    let mut spoilt = score.clone();
    let metre = score.grid.metre;
    let tempo = score.grid.tempo.tempo_at(score.grid.start).0;
    let role = Role::ALL.into_iter().find(|role| role.name() == fact.what);
    let keys: Vec<u8> = style
        .parts
        .iter()
        .flat_map(|part| part.kit.iter().filter(|(voice, _)| *voice == fact.what).map(|(_, key)| *key))
        .collect();
    let mut hit = false;
    for track in &mut spoilt.tracks {
        let speaks = |note: &ScoreNote| keys.contains(&note.key) && track.preset.is_kit();
        let about: Vec<usize> = (0..track.notes.len())
            .filter(|&index| role.map_or_else(|| speaks(&track.notes[index]), |role| role == track.role))
            .collect();
        if about.is_empty() {
            continue;
        }
        hit = true;
        match &fact.promise {
            Promise::Never(places) => {
                let model = track.notes[about[0]].clone();
                for bar in 0..(score.length.0 / metre.bar().0) as usize {
                    let start = Beats(score.grid.start.0 + bar as f64 * metre.bar().0 + places[0].0);
                    track.notes.push(ScoreNote { start, ..model.clone() });
                }
            }
            Promise::Always(..) | Promise::Only(..) => {
                about.iter().for_each(|&index| track.notes[index].start = track.notes[index].start + Beats(0.19));
            }
            Promise::Late(_, high) => {
                let late = Beats(f64::from(high.abs() + 25.0) * tempo / 60_000.0);
                about.iter().for_each(|&index| track.notes[index].start = track.notes[index].start + late);
            }
            Promise::Density(..) => {
                let crowd: Vec<ScoreNote> = about.iter().map(|&index| track.notes[index].clone()).collect();
                (0..12).for_each(|_| track.notes.extend(crowd.iter().cloned()));
            }
            Promise::Swing(..) | Promise::Repeats(_) => return None,
        }
        track.notes.sort_by(|a, b| a.start.0.total_cmp(&b.start.0));
    }
    hit.then_some(spoilt)
}

#[test]
fn a_broken_promise_is_found() {
    let library = StyleLibrary::builtin().expect("styles");
    let tune =
        melodies().into_iter().max_by(|a, b| a.analysis.length.0.total_cmp(&b.analysis.length.0)).expect("a tune");
    let (mut tried, mut missed) = (0, Vec::new());
    for style in library.list() {
        for seed in SEEDS {
            let score = played(&library, style, &tune, seed);
            for fact in style.facts.iter().filter(|fact| fact.metre == score.grid.metre) {
                let alone = Style { facts: vec![fact.clone()], ..style.clone() };
                let tempo = score.grid.tempo.tempo_at(score.grid.start).0 as f32;
                let Some(spoilt) =
                    spoilt(style, &score, fact).filter(|_| (fact.tempo.0..fact.tempo.1).contains(&tempo))
                else {
                    continue;
                };
                tried += 1;
                if facts::broken(&alone, &spoilt).is_empty() {
                    missed.push(format!("{} {}: {:?}", style.name, fact.what, fact.promise));
                }
            }
        }
    }
    assert!(tried > 2 * library.list().len(), "only {tried} promises were broken");
    // A part that rests in all groove bars, or plays on every sixteenth, gives nothing to find.
    assert!(
        missed.len() * 10 <= tried,
        "{} of {tried} broken promises were not found:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

#[test]
fn wrong_chords_and_wrong_leads_are_found() {
    let library = StyleLibrary::builtin().expect("styles");
    let style = library.get("reggae").expect("reggae");
    let tune = &melodies()[0];
    let notes = fit::sung(&tune.analysis);
    let score = played(&library, style, tune, 1);
    let mut moved = score.clone();
    for chord in &mut moved.chords {
        chord.root = (chord.root + 1) % 12;
        chord.tones.iter_mut().for_each(|tone| *tone = (*tone + 1) % 12);
    }
    assert!(!fit::clashes(&moved, &notes, &style.harmony).is_empty(), "chords a semitone off clash");
    assert!(fit::chord_tone_ratio(&moved, &notes) < fit::chord_tone_ratio(&score, &notes));
    let mut wrong = score.clone();
    let track = wrong.tracks.iter_mut().find(|track| track.role == Role::Lead).expect("a lead");
    let top = track.notes.iter().map(|note| note.key).max().expect("notes");
    track.notes.iter_mut().filter(|note| note.key == top).for_each(|note| note.key -= 12);
    assert!(lead::events(&wrong, &notes) < 1.0, "an octave leap is another melody");
    assert!(!lead::turned(&wrong, &notes).is_empty(), "a leap in the wrong direction");
    assert!(variety::difference(&score, &moved) < 1e-9, "the same notes");
    let mut again = score.clone();
    again
        .tracks
        .iter_mut()
        .for_each(|track| track.notes.iter_mut().for_each(|note| note.start = note.start + Beats(0.5)));
    assert!(variety::difference(&score, &again) > 0.3, "notes elsewhere are other notes");
}
