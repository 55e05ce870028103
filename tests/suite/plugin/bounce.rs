//! Bounces: an offline pass is the real-time pass, and it waits for what is on its way.

use super::{HUM_RATE, bundle, instance_with_rendition, left, song_with_hum, turn};
use crate::rendition::scores::{note, score, track};
use cantus_engine::generation::score::Role;
use cantus_engine::session::Session;
use cantus_host::{AudioSetup, Heard, Instance, NoteKind, Pace, Project, Song};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// A project with a rendition of the hum.
static PROJECT: LazyLock<Vec<u8>> = LazyLock::new(|| instance_with_rendition().0.save_state().unwrap());

/// An instance with a project, changed a little, and its song without the hum.
fn reopened(offline: bool, change: impl Fn(&mut Session)) -> (Instance, Song) {
    let mut project = Project::read(&PROJECT).unwrap();
    let mut session = Session::decode_text(&project.session_text()).unwrap();
    change(&mut session);
    project.set_session_text(&session.encode_text().unwrap());
    let mut instance = bundle().instance().unwrap();
    instance.set_offline(offline).unwrap();
    instance.load_state(&project.write()).unwrap();
    instance.activate(&AudioSetup { rate: HUM_RATE, max_block: 512, block_pattern: vec![512, 64, 300] }).unwrap();
    let mut song = song_with_hum();
    song.clips.clear();
    song.clock.stop();
    (instance, song)
}

/// A pass from a frame of the song on, once the stems are there.
fn pass(offline: bool, from_frame: i64, pace: Pace) -> Heard {
    let (mut instance, mut song) = reopened(offline, |_| ());
    let begun = Instant::now();
    loop {
        song.clock.locate_beats(4.0);
        song.clock.play();
        let heard = instance.run(&mut song, 8_192, Pace::Times(8.0)).unwrap();
        song.clock.stop();
        instance.run(&mut song, 8_192, Pace::Times(8.0)).unwrap();
        if (1..=Role::ALL.len()).any(|port| heard.peak(port) > 0.0) {
            break;
        }
        assert!(begun.elapsed() < super::PATIENCE, "the stems never came");
        instance.idle(Duration::from_millis(50));
    }
    song.clock.locate(from_frame);
    song.clock.play();
    instance.run(&mut song, 3 * HUM_RATE as usize, pace).unwrap()
}

#[test]
fn an_offline_bounce_is_the_real_time_pass_to_the_bit() {
    let _turn = turn();
    let from = 3 * HUM_RATE as i64;
    let bits = |heard: &Heard| -> Vec<u32> {
        heard.outputs.iter().flatten().flatten().map(|sample| sample.to_bits()).collect()
    };
    let live = pass(false, from, Pace::Times(1.0));
    assert!(live.peak(0) > 0.05, "nothing sounds");
    let bounced = pass(true, from, Pace::Unbounded);
    assert!(bits(&live) == bits(&bounced), "the bounce differs");
    assert!(bits(&live) != bits(&pass(true, from + 1, Pace::Unbounded)), "the check does not see one frame");
}

#[test]
fn a_bounce_waits_for_a_rendition_that_is_on_its_way() {
    let _turn = turn();
    let without_sound = |session: &mut Session| session.regions[0].variations[0].mix = None;
    for (waits, offline) in [(true, true), (false, true), (true, false)] {
        let (mut instance, mut song) = reopened(offline, without_sound);
        instance.switch("Bounce waits for renditions", waits).unwrap();
        song.clock.locate_beats(4.0);
        song.clock.play();
        let heard = instance.run(&mut song, HUM_RATE as usize / 2, Pace::Unbounded).unwrap();
        let first = left(&heard)[..4_096].iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert_eq!(first > 0.01, waits && offline, "waits {waits}, offline {offline}: a peak of {first}");
    }
}

#[test]
fn parts_go_out_as_notes_on_their_channels_beside_the_hosts_own() {
    let _turn = turn();
    // A melody of quarters over a long bass note, in place of what the band wrote.
    let (mut instance, mut song) = reopened(false, |session| {
        let facts = &mut session.regions[0].variations[0].facts;
        let melody = (0..8).map(|beat| note(4.0 + f64::from(beat), 0.5, 60 + beat as u8, 100)).collect();
        let tracks = vec![
            track(Role::Lead, "Flute", 0, 73, melody),
            track(Role::Bass, "Bass", 0, 32, vec![note(4.0, 30.0, 36, 80)]),
        ];
        let grid = facts.grid.clone();
        facts.score = Some(cantus_engine::generation::score::Score { grid, ..score(super::HUM_BPM, 32.0, tracks) });
    });
    instance.switch("Lead as MIDI", true).unwrap();
    instance.switch("Bass as MIDI", true).unwrap();
    song.clock.set_loop(None);
    song.clock.locate_beats(3.5);
    let beat = |beats: f64| song.clock.frame_at(beats) - song.clock.frame_at(3.5);
    let frames = [4.0, 4.5, 5.0, 5.5, 6.0].map(beat);
    let own = (song.clock.position() + 1_000, song.clock.position() + frames[2]);
    song.notes = vec![cantus_host::SongNote { start: own.0, end: own.1, key: 90, velocity: 0.5, channel: 15 }];
    instance.run(&mut song, 64, Pace::Unbounded).unwrap();
    song.clock.play();
    let heard = instance.run(&mut song, frames[4] as usize - 100, Pace::Unbounded).unwrap();
    let told: Vec<_> =
        heard.notes.iter().map(|note| (note.run_frame as i64, note.kind, note.channel, note.key)).collect();
    let (on, off) = (NoteKind::On, NoteKind::Off);
    let expected = [
        (1_000, on, 15, 90),
        (frames[0], on, 0, 60),
        (frames[0], on, 4, 36),
        (frames[1], off, 0, 60),
        (frames[2], off, 15, 90),
        (frames[2], on, 0, 61),
        (frames[3], off, 0, 61),
    ];
    assert_eq!(told, expected);
    // A locate in the middle of the bass note, and the stop.
    song.notes.clear();
    song.clock.locate_beats(14.2);
    let heard = instance.run(&mut song, 1_000, Pace::Unbounded).unwrap();
    let kinds: Vec<_> = heard.notes.iter().map(|note| (note.run_frame, note.kind, note.key)).collect();
    assert_eq!(kinds, [(0, off, 36), (0, on, 36)]);
    song.clock.stop();
    let heard = instance.run(&mut song, 1_000, Pace::Unbounded).unwrap();
    let kinds: Vec<_> = heard.notes.iter().map(|note| (note.run_frame, note.kind, note.key)).collect();
    assert_eq!(kinds, [(0, off, 36)]);
}

#[test]
fn what_another_activation_left_sounding_ends() {
    let _turn = turn();
    let (mut instance, mut song) = reopened(false, |_| ());
    instance.switch("Lead as MIDI", true).unwrap();
    instance.switch("Pad as MIDI", true).unwrap();
    instance.switch("Bass as MIDI", true).unwrap();
    song.clock.locate_beats(4.0);
    song.clock.play();
    let mut down = std::collections::BTreeSet::new();
    let mut hear = |heard: &Heard| {
        for note in &heard.notes {
            match note.kind {
                NoteKind::On => assert!(down.insert((note.channel, note.key)), "{note:?} twice"),
                _ => assert!(down.remove(&(note.channel, note.key)), "{note:?} needlessly"),
            }
        }
        down.len()
    };
    let mut sounding = 0;
    for _ in 0..40 {
        sounding = hear(&instance.run(&mut song, 2_048, Pace::Unbounded).unwrap());
        if sounding > 0 {
            break;
        }
    }
    assert!(sounding > 0, "nothing was sent out");
    instance.deactivate().unwrap();
    song.clock.stop();
    instance.activate(&AudioSetup::new(HUM_RATE, 256)).unwrap();
    assert_eq!(hear(&instance.run(&mut song, 256, Pace::Unbounded).unwrap()), 0, "a note hangs");
}
