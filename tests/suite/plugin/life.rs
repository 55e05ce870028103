//! Being created, looked at, opened and closed.

use super::{bundle, turn};
use cantus_host::{AudioSetup, Instance, Pace, Song, SongClock, ThreadCensus};
use std::fmt::Write;
use std::time::{Duration, Instant};

const PINNED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/plugin/parameters.txt");

#[test]
fn parameter_ids_ranges_and_names_are_pinned() {
    let _turn = turn();
    let instance = bundle().instance().unwrap();
    let mut text = String::new();
    for param in instance.params() {
        writeln!(
            text,
            "{:>10}  {:<18} {} .. {}  default {:.6}{}{}{}",
            param.id.get(),
            param.name,
            param.min,
            param.max,
            param.default,
            if param.stepped { "  stepped" } else { "" },
            if param.hidden { "  hidden" } else { "" },
            if param.automatable { "" } else { "  not automatable" },
        )
        .unwrap();
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(PINNED, &text).unwrap();
    }
    let pinned = std::fs::read_to_string(PINNED).unwrap_or_default();
    assert_eq!(text, pinned, "songs and automation refer to these: they never change, new ones are added at the end");
}

#[test]
fn buses_are_there_by_name() {
    let _turn = turn();
    let instance = bundle().instance().unwrap();
    let names = |ports: &[cantus_host::Port]| -> Vec<(String, usize)> {
        ports.iter().map(|port| (port.name.clone(), port.channels)).collect()
    };
    let stereo = |name: &str| (name.to_owned(), 2);
    let inputs = names(&instance.ports().inputs);
    assert_eq!(inputs.len(), 2);
    assert_eq!(inputs[1], stereo("Sidechain"));
    let outputs = names(&instance.ports().outputs);
    let stems = ["Lead", "Counter", "Chords", "Pad", "Bass", "Drums", "Percussion", "Colour"].map(stereo);
    assert_eq!(outputs[0].1, 2);
    assert_eq!(outputs[1..], stems);
}

/// What a host does when a song with many tracks is loaded and closed.
fn open_and_close(count: usize) -> Duration {
    let bundle = bundle();
    let begun = Instant::now();
    let mut instances: Vec<Instance> = (0..count).map(|_| bundle.instance().unwrap()).collect();
    for instance in &mut instances {
        instance.activate(&AudioSetup::new(48_000, 512)).unwrap();
        instance.run(&mut Song::new(SongClock::new(48_000, 120.0)), 1_024, Pace::Unbounded).unwrap();
    }
    drop(instances);
    begun.elapsed()
}

#[test]
fn twenty_instances_come_and_go_quickly_and_leave_no_thread() {
    let _turn = turn();
    let before = ThreadCensus::take();
    let took = open_and_close(20);
    assert!(took < Duration::from_secs(2), "{took:?}");
    let left: Vec<_> = ThreadCensus::take().since(&before).into_iter().filter(|name| name.contains("cantus")).collect();
    assert!(left.is_empty(), "threads left behind: {left:?}");
    println!("20 instances created, opened, closed in {:.0} ms", took.as_secs_f64() * 1e3);
}

#[test]
fn instances_that_are_only_looked_at_start_no_thread() {
    let _turn = turn();
    let bundle = bundle();
    let before = ThreadCensus::take();
    let instances: Vec<Instance> = (0..20).map(|_| bundle.instance().unwrap()).collect();
    let started: Vec<_> =
        ThreadCensus::take().since(&before).into_iter().filter(|name| name.contains("cantus")).collect();
    assert!(started.is_empty(), "{started:?}");
    drop(instances);
}

#[test]
fn an_active_instance_has_threads_which_the_census_sees() {
    let _turn = turn();
    let before = ThreadCensus::take();
    let mut instance = bundle().instance().unwrap();
    instance.activate(&AudioSetup::new(48_000, 512)).unwrap();
    // A thread names itself a moment after it was started.
    instance.idle(Duration::from_millis(200));
    let ours = ThreadCensus::take().since(&before).into_iter().filter(|name| name.contains("cantus")).count();
    assert!(ours >= 3, "the check that finds threads left behind must be able to find one");
}

#[test]
fn bypass_and_an_empty_plugin_pass_the_track_through_bit_for_bit() {
    let _turn = turn();
    for bypass in [false, true] {
        let mut instance = bundle().instance().unwrap();
        instance.activate(&AudioSetup::new(44_100, 333)).unwrap();
        instance.switch("Bypass", bypass).unwrap();
        let mut song = Song::new(SongClock::new(44_100, 120.0));
        song.clock.play();
        let sound: Vec<f32> = (0..20_000).map(|frame| (frame as f32 * 0.05).sin() * 0.5).collect();
        song.clips.push(cantus_host::Clip::mono_at(0, sound.clone()));
        let heard = instance.run(&mut song, sound.len(), Pace::Unbounded).unwrap();
        assert_eq!(heard.main()[0], sound);
        assert_eq!(heard.main()[1], sound);
        assert_eq!(heard.non_finite_samples, 0, "every output must be written, stems too");
    }
}
