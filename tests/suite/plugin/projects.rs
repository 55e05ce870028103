//! Saving and restoring: the project sounds the same, and damage loses nothing.

use super::{
    HUM_BEATS, HUM_RATE, bundle, capture_hum, generate, instance_with_hum, instance_with_rendition, session,
    song_with_hum, turn,
};
use crate::session::Draw;
use cantus_host::{AudioSetup, Pace, Project, Song};

/// Plays the region once and returns the main output's left channel, but for the 3 ms in which the jump to its start fades.
fn play_region(instance: &mut cantus_host::Instance, song: &mut Song) -> Vec<f32> {
    song.clips.clear();
    song.clock.play();
    song.clock.locate_beats(4.0);
    let frames = song.clock.frame_at(4.0 + HUM_BEATS) - song.clock.frame_at(4.0);
    instance.run(song, 512, Pace::Unbounded).unwrap();
    song.clock.locate_beats(4.0);
    let heard = instance.run(song, frames as usize, Pace::Unbounded).unwrap();
    heard.main()[0][song.clock.rate() as usize / 250..].to_vec()
}

#[test]
fn a_project_comes_back_sounding_the_same_also_after_fuzzing() {
    let _turn = turn();
    let mut song = song_with_hum();
    let (state, before, saved) = {
        let mut instance = bundle().instance().unwrap();
        instance.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
        capture_hum(&mut instance, &mut song);
        instance.set_text("Style", "jazz").unwrap();
        instance.set_text("Seed", "7").unwrap();
        generate(&mut instance, &mut song);
        let before = play_region(&mut instance, &mut song);
        (instance.save_state().unwrap(), before, session(&mut instance))
    };
    assert!(before.iter().any(|sample| sample.abs() > 0.05), "there is something to compare");

    let mut instance = bundle().instance().unwrap();
    instance.load_state(&state).unwrap();
    instance.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
    let after = play_region(&mut instance, &mut song);
    assert_eq!(before, after, "bit for bit, at once, from what the project holds");
    let restored = session(&mut instance);
    assert_eq!(restored.region().take, saved.region().take);
    assert_eq!(restored.region().analysis, saved.region().analysis);
    assert_eq!(restored.region().variations.len(), saved.region().variations.len());
    assert_eq!(restored.region().variations[0].mix, saved.region().variations[0].mix);
    assert!(Project::read(&state).unwrap().param("seed") == 7, "parameters come back too");
    println!("state with take and active variation: {:.1} MB", state.len() as f64 / 1e6);

    // Random damage: the plugin refuses or survives, and never half-applies.
    let mut draw = Draw::new(3);
    for round in 0..60 {
        let mut damaged = state.clone();
        if round % 2 == 0 {
            damaged.truncate(draw.below(damaged.len()));
        } else {
            for _ in 0..1 + draw.below(20) {
                let at = draw.below(damaged.len());
                damaged[at] = draw.next() as u8;
            }
        }
        // Either answer is right; what matters is what is there afterwards.
        let _ = instance.load_state(&damaged);
        let now = session(&mut instance);
        assert_eq!(now.region().take, saved.region().take, "round {round}: damage changed what was there");
        assert_eq!(now.region().variations.len(), saved.region().variations.len(), "round {round}");
    }
    instance.load_state(&state).unwrap();
    assert_eq!(play_region(&mut instance, &mut song), before, "and the good project still opens afterwards");
}

#[test]
fn a_session_of_a_newer_version_is_kept_and_saved_again_as_it_was() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    let mut project = Project::read(&instance.save_state().unwrap()).unwrap();
    let newer = "Q0FOVFVTDQpjAAAAAAAAAA==";
    project.set_session_text(newer);
    // A refusal and a sentence are both fine; losing it is not.
    let _ = instance.load_state(&project.write());
    let again = Project::read(&instance.save_state().unwrap()).unwrap();
    assert_eq!(again.session_text(), newer);
}

#[test]
fn another_sample_rate_renders_the_same_notes_again() {
    let _turn = turn();
    let (mut instance, _) = instance_with_rendition();
    instance.deactivate().unwrap();
    for rate in [96_000, 48_000] {
        instance.activate(&AudioSetup::new(rate, 512)).unwrap();
        let mut clock = cantus_host::SongClock::new(rate, 100.0);
        clock.set_loop(Some((4.0, 4.0 + HUM_BEATS)));
        clock.locate_beats(4.0);
        clock.play();
        let mut song = Song::new(clock);
        let there = super::run_until(&mut instance, &mut song, "the new rate", |session| {
            session.region().variations[0].mix.as_ref().is_some_and(|mix| mix.unpack().unwrap().rate.0 == rate)
        });
        let mix = there.region().variations[0].mix.as_ref().unwrap().unpack().unwrap();
        let heard = play_region(&mut instance, &mut song);
        let faded = rate as usize / 250;
        assert_eq!(heard, mix.channels[0][faded..faded + heard.len()]);
        instance.deactivate().unwrap();
    }
}

#[test]
fn opening_a_project_orders_nothing_and_keeps_its_input_offset() {
    let _turn = turn();
    let (mut instance, mut song) = instance_with_rendition();
    // Saved in the middle of everything: all switches on, an offset set.
    for name in ["Capture", "Generate", "Cancel"] {
        instance.switch(name, true).unwrap();
    }
    instance.set_text("Input offset", "20").unwrap();
    instance.run(&mut song, 512, Pace::Unbounded).unwrap();
    instance.switch("Cancel", true).unwrap();
    let state = instance.save_state().unwrap();

    let mut opened = bundle().instance().unwrap();
    opened.load_state(&state).unwrap();
    opened.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
    let variations = session(&mut opened).region().variations.len();
    let mut song = song_with_hum();
    opened.run(&mut song, 20 * 512, Pace::Times(4.0)).unwrap();
    // Also into a running instance.
    opened.load_state(&state).unwrap();
    opened.run(&mut song, 20 * 512, Pace::Times(4.0)).unwrap();
    opened.idle(std::time::Duration::from_millis(500));
    assert_eq!(session(&mut opened).region().variations.len(), variations, "opening a project generated something");

    // The offset is in force without being touched: what is sung 20 ms late is taken from 20 ms later.
    song.clock.locate_beats(3.0);
    for clip in &mut song.clips {
        clip.delay = i64::from(HUM_RATE / 50);
    }
    let captured = capture_hum(&mut opened, &mut song);
    let recorded = captured.region().take.as_ref().unwrap().take().unwrap().audio.to_mono();
    let sung = super::hum();
    let inside = sung.len() - HUM_RATE as usize / 10;
    assert_eq!(recorded[..inside], sung[..inside]);
}

#[test]
fn what_was_being_made_never_meets_the_project_that_replaced_it() {
    let _turn = turn();
    let (mut instance, mut song) = instance_with_hum();
    let before = generate(&mut instance, &mut song);
    let state = instance.save_state().unwrap();
    instance.set_text("Variations", "4").unwrap();
    instance.switch("Generate", true).unwrap();
    instance.run(&mut song, 2_048, Pace::Times(1.0)).unwrap();
    instance.load_state(&state).unwrap();
    instance.idle(std::time::Duration::from_secs(2));
    let after = session(&mut instance);
    assert_eq!(after.region().variations.len(), before.region().variations.len());
    assert_eq!(after.region().variations[0].mix, before.region().variations[0].mix);
    assert_eq!(after.region().active, Some(after.region().variations[0].facts.id));
}

#[test]
fn a_step_back_in_the_host_is_not_heard_where_nothing_changed() {
    let _turn = turn();
    let (mut instance, mut song) = instance_with_rendition();
    let first = instance.save_state().unwrap();
    song.clips.clear();
    song.clock.play();
    song.clock.locate_beats(4.0);
    instance.run(&mut song, 512, Pace::Unbounded).unwrap();
    let listen = |instance: &mut cantus_host::Instance, song: &mut Song, undo: Option<&[u8]>| -> Vec<f32> {
        song.clock.locate_beats(8.0);
        let mut heard = Vec::new();
        for part in 0..4 {
            if let Some(state) = undo.filter(|_| part == 2) {
                instance.load_state(state).unwrap();
            }
            heard.extend_from_slice(&instance.run(song, 20_480, Pace::Times(4.0)).unwrap().main()[0]);
        }
        // The fade that the jump crosses comes from wherever the song was before.
        heard.split_off(1_000)
    };
    // Stems may still be on their way, with the same mix.
    instance.idle(std::time::Duration::from_millis(300));
    let whole = listen(&mut instance, &mut song, None);
    let undone = listen(&mut instance, &mut song, Some(&first));
    let difference = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(whole[39_960..].iter().any(|sample| sample.abs() > 0.02), "there is something to hear");
    assert!(difference(&whole, &undone) < 1e-5, "{}", difference(&whole, &undone));
    // A state without the rendition falls silent, so that the comparison could have failed.
    let empty = bundle().instance().unwrap().save_state().unwrap();
    let silenced = listen(&mut instance, &mut song, Some(&empty));
    assert!(difference(&whole, &silenced) > 0.02);
    instance.load_state(&first).unwrap();
    assert_eq!(session(&mut instance).region().variations.len(), 1);
}

#[test]
fn saving_is_quick_and_regions_mark_the_project_dirty() {
    let _turn = turn();
    let (mut instance, mut song) = instance_with_rendition();
    instance.set_text("Variations", "2").unwrap();
    instance.switch("Generate", true).unwrap();
    super::run_until(&mut instance, &mut song, "three variations", |session| session.region().variations.len() == 3);
    let mut text = session(&mut instance);
    text.region_mut().variations.iter_mut().for_each(|variation| variation.facts.starred = true);
    let mut project = Project::read(&instance.save_state().unwrap()).unwrap();
    project.set_session_text(&text.encode_text().unwrap());
    instance.load_state(&project.write()).unwrap();
    instance.idle(std::time::Duration::from_secs(3));
    let mut times: Vec<std::time::Duration> = Vec::new();
    let mut length = 0;
    for _ in 0..15 {
        let begun = std::time::Instant::now();
        length = instance.save_state().unwrap().len();
        times.push(begun.elapsed());
    }
    times.sort();
    println!(
        "8 bars, 3 starred at 44.1 kHz: state of {:.1} MB saved in {:?} p50, {:?} at most",
        length as f64 / 1e6,
        times[times.len() / 2],
        times[times.len() - 1]
    );
    let again = session(&mut instance);
    assert!(again.region().variations.iter().all(|variation| variation.facts.starred));
}

/// Set in the child process: the folder of its data.
const CHILD: &str = "CANTUS_TEST_KILLED_HOST";

#[test]
fn what_a_killed_host_had_not_saved_is_offered_by_the_plugin() {
    if std::env::var_os(CHILD).is_some() {
        // The plugin finds its folder in the environment, as the test set it.
        let folder = std::env::var("CANTUS_BUNDLE").unwrap();
        let plugin = cantus_host::Bundle::load(&std::path::Path::new(&folder).join("Cantus.clap")).unwrap();
        let mut instance = plugin.instance().unwrap();
        instance.activate(&AudioSetup::new(HUM_RATE, 512)).unwrap();
        let mut song = song_with_hum();
        instance.set_text("Capture mode", "Loop region").unwrap();
        instance.switch("Capture", true).unwrap();
        let frames = (HUM_BEATS + 3.0) * 60.0 / super::HUM_BPM * f64::from(HUM_RATE);
        instance.run(&mut song, frames as usize, Pace::Times(20.0)).unwrap();
        loop {
            instance.idle(std::time::Duration::from_millis(100));
        }
    }
    let _turn = turn();
    let data = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "plugin::projects::what_a_killed_host_had_not_saved_is_offered_by_the_plugin"])
        .env(CHILD, "yes")
        .env("CANTUS_DATA_DIR", data.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let journal = data.path().join("journal");
    let begun = std::time::Instant::now();
    let index =
        || Some(std::fs::read_dir(&journal).ok()?.flatten().next()?.path().join("index")).filter(|path| path.exists());
    while index().is_none() {
        assert!(begun.elapsed() < super::PATIENCE, "the child keeps no journal");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let found = cantus_engine::session::journal::recover(&journal);
    assert_eq!(found.len(), 1);
    assert!((found[0].about.bars - HUM_BEATS / 4.0).abs() < 0.01, "{}", found[0].describe());
    let recovered = found[0].session().unwrap();
    let recorded = recovered.region().take.as_ref().unwrap().take().unwrap().audio.to_mono();
    let sung = super::hum();
    let inside = sung.len() - HUM_RATE as usize / 10;
    assert_eq!(recorded[..inside], sung[..inside], "the take is whole");
}
