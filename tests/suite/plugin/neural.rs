//! A neural variation in the real plugin: made by the worker beside the bundle, saved, reopened, followed in tempo, stopped.

use super::{HUM_BEATS, HUM_RATE, bundle, capture_hum, generate, run_until, session, song_with_hum, turn};
use cantus_engine::generation::EngineKind;
use cantus_engine::generation::choice::MusicGenChoice;
use cantus_engine::generation::musicgen::Precision;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::audio::on_grid;
use cantus_engine::session::{SavedVariation, Session, VariationFacts};
use cantus_engine::time::{Bpm, SampleRate, Seconds, SongGrid, TempoMap};
use cantus_host::{AudioSetup, Instance, Pace, Project, Song};
use std::time::Instant;

/// An instance that makes its variations with the tiny model, in its song, with the hum captured.
fn instance_with_musicgen() -> (Instance, Song) {
    let choice = MusicGenChoice {
        model: crate::worker::tiny_model().to_string_lossy().into_owned(),
        precision: Precision::F32,
        ..MusicGenChoice::default()
    };
    let mut instance = bundle().instance().unwrap();
    let mut project = Project::read(&instance.save_state().unwrap()).unwrap();
    let chosen = Session { engine: EngineKind::MusicGen(choice), ..Session::default() };
    project.set_session_text(&chosen.encode_text().unwrap());
    instance.load_state(&project.write()).unwrap();
    instance.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
    let mut song = song_with_hum();
    capture_hum(&mut instance, &mut song);
    (instance, song)
}

/// What the host hears of the region.
fn heard(instance: &mut Instance, song: &mut Song) -> Vec<f32> {
    song.clips.clear();
    song.clock.play();
    song.clock.locate_beats(4.0);
    instance.run(song, 512, Pace::Unbounded).unwrap();
    song.clock.locate_beats(4.0);
    let frames = song.clock.frame_at(4.0 + HUM_BEATS) - song.clock.frame_at(4.0);
    let heard = instance.run(song, frames as usize, Pace::Unbounded).unwrap();
    // Without the 3 ms in which the jump to its start fades.
    heard.main()[0][HUM_RATE as usize / 250..].to_vec()
}

/// The same but for the numbers, which are given anew.
fn assert_same(mine: &[SavedVariation], saved: &[SavedVariation]) {
    assert_eq!(mine.len(), saved.len());
    for (mine, saved) in mine.iter().zip(saved) {
        assert_eq!(VariationFacts { id: 0, ..mine.facts.clone() }, VariationFacts { id: 0, ..saved.facts.clone() });
        assert!(mine.mix == saved.mix);
    }
}

#[test]
fn a_neural_variation_is_made_saved_and_reopened_sounding_the_same_and_follows_the_tempo() {
    let _turn = turn();
    let (state, before, saved) = {
        let (mut instance, mut song) = instance_with_musicgen();
        generate(&mut instance, &mut song);
        let before = heard(&mut instance, &mut song);
        (instance.save_state().unwrap(), before, session(&mut instance))
    };
    let variation = &saved.region().variations[0];
    let mix = variation.mix.as_ref().expect("its sound is in the project").unpack().unwrap();
    let made = variation.facts.made.as_ref().unwrap();
    assert!(variation.facts.score.is_none() && !made.partial && made.melody.tracks[0].notes.len() > 20);
    assert!(before.iter().any(|sample| sample.abs() > 0.05));
    let faded = HUM_RATE as usize / 250;
    assert!(before == mix.channels[0][faded..faded + before.len()], "the host hears the saved mix");

    let mut instance = bundle().instance().unwrap();
    instance.load_state(&state).unwrap();
    instance.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
    let mut song = song_with_hum();
    assert!(heard(&mut instance, &mut song) == before, "bit for bit, at once");
    let again = session(&mut instance);
    assert_same(&again.region().variations, &saved.region().variations);
    assert_eq!(again.engine, saved.engine, "and the next one is made by the same engine");

    // Another tempo: stretched from what was made, and the project keeps what was made.
    song.clock.stop();
    song.clock.set_tempo_from(0, 110.0);
    song.clock.set_loop(Some((4.0, 4.0 + HUM_BEATS)));
    song.clock.locate_beats(4.0);
    song.clock.play();
    let facts = variation.facts.clone();
    let tempo = Bpm(110.0);
    let grid = SongGrid {
        start_seconds: Seconds(facts.grid.start.seconds(tempo).0),
        tempo: TempoMap::constant(tempo),
        ..facts.grid.clone()
    };
    let expected = on_grid(&facts.with_mix(mix), &grid, SampleRate(HUM_RATE), &JobContext::detached()).unwrap();
    let begun = Instant::now();
    loop {
        instance.run(&mut song, 8_192, Pace::Times(4.0)).unwrap();
        let now = heard(&mut instance, &mut song);
        if now == expected.mix.channels[0][faded..faded + now.len()] {
            break;
        }
        assert!(begun.elapsed() < super::PATIENCE, "never heard at the new tempo");
    }
    // Following a tempo changes no project.
    assert_same(&session(&mut instance).region().variations, &saved.region().variations);
}

#[test]
fn without_a_model_generating_says_how_to_get_one_and_band_still_works() {
    let _turn = turn();
    let (mut instance, mut song) = instance_with_musicgen();
    let mut project = Project::read(&instance.save_state().unwrap()).unwrap();
    let mut there = session(&mut instance);
    there.engine = EngineKind::MusicGen(MusicGenChoice { model: "not-installed".into(), ..MusicGenChoice::default() });
    project.set_session_text(&there.encode_text().unwrap());
    instance.load_state(&project.write()).unwrap();
    instance.switch("Generate", true).unwrap();
    instance.run(&mut song, 8_192, Pace::Times(4.0)).unwrap();
    instance.switch("Generate", false).unwrap();
    instance.run(&mut song, 8_192, Pace::Times(4.0)).unwrap();
    assert!(session(&mut instance).region().variations.is_empty());
    there.engine = EngineKind::Band;
    project.set_session_text(&there.encode_text().unwrap());
    instance.load_state(&project.write()).unwrap();
    let done = generate(&mut instance, &mut song);
    assert!(done.region().variations[0].facts.score.is_some());
}

#[test]
fn the_plugin_goes_quickly_and_leaves_no_process_while_music_is_made() {
    let _turn = turn();
    let before = cantus_host::ThreadCensus::take();
    let (mut instance, mut song) = instance_with_musicgen();
    instance.set_text("Variations", "8").unwrap();
    instance.switch("Generate", true).unwrap();
    run_until(&mut instance, &mut song, "the first of eight", |session| !session.region().variations.is_empty());
    drop(instance);
    let left: Vec<_> =
        cantus_host::ThreadCensus::take().since(&before).into_iter().filter(|name| name.contains("cantus")).collect();
    assert!(left.is_empty(), "{left:?}");
}
