//! Many instances in one song: what is heard comes first.

use super::{HUM_RATE, bundle, instance_with_rendition, session, turn};
use cantus_engine::session::Session;
use cantus_engine::time::{Beats, Seconds};
use cantus_host::{AudioSetup, Instance, Pace, Project};
use std::time::{Duration, Instant};

/// A project whose region, with all its notes, lies later in the song.
fn moved(project: &Project, beats: f64) -> Session {
    let mut session = Session::decode_text(&project.session_text()).unwrap();
    for variation in session.regions.iter_mut().flat_map(|region| &mut region.variations) {
        let facts = &mut variation.facts;
        facts.grid.start = Beats(facts.grid.start.0 + beats);
        facts.grid.start_seconds = Seconds(facts.grid.start.0 * 60.0 / super::HUM_BPM);
        let Some(score) = &mut facts.score else { continue };
        score.grid = facts.grid.clone();
        score.chords.iter_mut().for_each(|chord| chord.start = Beats(chord.start.0 + beats));
        score.sections.iter_mut().for_each(|section| section.start = Beats(section.start.0 + beats));
        for note in score.tracks.iter_mut().flat_map(|track| &mut track.notes) {
            note.start = Beats(note.start.0 + beats);
            note.written = note.written.map(|written| Beats(written.0 + beats));
        }
    }
    session
}

/// Whether an instance's rendition has come at a tempo.
fn is_at(instance: &mut Instance, tempo: f64) -> bool {
    let grid = &session(instance).regions[0].variations[0].facts.grid;
    grid.tempo.single().is_some_and(|own| (own.0 - tempo).abs() < 1e-9)
}

#[test]
fn after_a_tempo_change_the_region_that_plays_is_rendered_before_those_that_do_not() {
    let _turn = turn();
    let count = 12;
    let audible = 7;
    let (mut first, mut song) = instance_with_rendition();
    let project = Project::read(&first.save_state().unwrap()).unwrap();
    drop(first);
    song.clips.clear();
    song.clock.set_loop(None);
    let mut instances: Vec<Instance> = (0..count)
        .map(|index| {
            let mut instance = bundle().instance().unwrap();
            let mut own = Project::read(&project.write()).unwrap();
            own.set_session_text(&moved(&project, 64.0 * f64::from(index)).encode_text().unwrap());
            instance.load_state(&own.write()).unwrap();
            instance.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
            instance
        })
        .collect();
    // Stems come first; then nothing is under way any more.
    std::thread::sleep(Duration::from_secs(3));
    let tempo = 117.0;
    song.clock.stop();
    song.clock.locate(0);
    song.clock.set_tempo_from(0, tempo);
    // All instances are told the tempo, those whose regions are far away first, while the song plays in the region of one.
    song.clock.locate_beats(64.0 * f64::from(audible) + 5.0);
    song.clock.play();
    let begun = Instant::now();
    while !is_at(&mut instances[audible as usize], tempo) {
        assert!(begun.elapsed() < super::PATIENCE, "it never came");
        let from = song.clock.clone();
        for instance in &mut instances {
            song.clock = from.clone();
            instance.run(&mut song, 2_048, Pace::Unbounded).unwrap();
        }
        std::thread::sleep(Duration::from_millis(40));
    }
    let took = begun.elapsed();
    let before =
        (0..instances.len()).filter(|&index| index != audible as usize && is_at(&mut instances[index], tempo)).count();
    println!(
        "{count} instances, a new tempo: the audible one after {:.2} s, {before} others before it",
        took.as_secs_f64()
    );
    // One that was begun already may have to end first.
    assert!(before <= 2, "{before} that nobody hears came first");
}
