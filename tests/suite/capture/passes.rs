//! The passes of a loop: the last complete one with sound is the take, and none of the good ones is lost.

use super::cuts::record_range;
use super::rig::{Host, Rig, numbered};
use cantus_engine::capture::collector::{CaptureEvent, CaptureState};
use cantus_engine::capture::cut::{CaptureMode, Recall};
use cantus_engine::capture::passes::MOST_PASSES;
use cantus_engine::capture::ring::{MidiEvent, ring};
use cantus_engine::capture::take::Take;
use cantus_engine::time::{Beats, SampleRate};

/// A loop of one bar of two seconds at 120 BPM.
const PASS: usize = 96_000;

fn looping() -> Host {
    let host = Host { loop_beats: Some((4.0, 8.0)), ..Host::new(48_000, 120.0) };
    Host { sample: host.sample_of(4.0), ..host }
}

fn rig(directory: &tempfile::TempDir) -> Rig {
    let mut rig = Rig::new(looping(), 1, directory.path());
    // A room before anybody sings, and the loop from its start.
    rig.host.playing = false;
    rig.play_sound(24_000, &[480], |frame, _| hiss(frame));
    rig.host.playing = true;
    rig.arm(CaptureMode::LoopRegion);
    rig
}

/// A quiet room, at -54 dBFS.
fn hiss(frame: usize) -> f32 {
    if frame.wrapping_mul(2_654_435_761) & 0x8000 == 0 { 0.002 } else { -0.002 }
}

fn sing(rig: &mut Rig, passes: usize) {
    rig.play(PASS * passes, &[480]);
}

fn rest(rig: &mut Rig, passes: usize) {
    rig.play_sound(PASS * passes, &[480], |frame, _| hiss(frame));
}

/// Whether a take is the pass of a number, from 1.
fn is_pass(take: &Take, number: usize) -> bool {
    let first = 24_000 + PASS * (number - 1);
    record_range(take) == Ok((first, first + PASS)) && (take.grid.start, take.length) == (Beats(4.0), Beats(4.0))
}

#[test]
fn the_last_complete_pass_with_sound_is_the_take_and_earlier_ones_can_be_chosen() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = rig(&directory);
    sing(&mut rig, 2);
    let first = rig.take();
    // While the first is the take already, the second has ended but a frame.
    assert!(is_pass(&first, 1) && !is_pass(&first, 2));
    rest(&mut rig, 2);
    let second = rig.take();
    assert!(is_pass(&second, 2), "{:?}", record_range(&second));
    sing(&mut rig, 2);
    assert!(is_pass(&rig.take(), 5), "two passes without sound replaced nothing");
    assert!(matches!(rig.ear.snapshot().capture, CaptureState::Recording { .. } | CaptureState::Armed { .. }));
    // The sixth is complete only when the song begins the seventh, and that one is broken off.
    rig.play(PASS / 2, &[480]);
    assert!(is_pass(&rig.take(), 6));
    rig.host.playing = false;
    rig.play_sound(4_800, &[480], |_, _| 0.0);
    assert!(matches!(rig.event(), CaptureEvent::Ended));
    rig.wait_until("all passes are told", |rig| rig.ear.snapshot().passes == 6);
    let told: Vec<_> = rig.ear.passes().iter().map(|pass| (pass.number, pass.has_sound, pass.is_take)).collect();
    let expected =
        [(1, true, false), (2, true, false), (3, false, false), (4, false, false), (5, true, false), (6, true, true)];
    assert_eq!(told, expected);
    let told = rig.ear.passes()[1];
    assert!(told.start == Beats(4.0) && (told.seconds.0 - 2.0).abs() < 1e-9 && told.level_dbfs < -30.0);
    for number in [2, 4, 1] {
        rig.ear.choose_pass(number);
        let chosen = rig.take();
        // In the fourth there was only the room.
        let right = if number == 4 { chosen.audio.peak() < 0.0021 } else { is_pass(&chosen, number as usize) };
        assert!(right, "pass {number}");
        let is_take = |rig: &Rig| {
            let passes = rig.ear.passes();
            passes.iter().filter(|pass| pass.is_take).map(|pass| pass.number).eq([number])
        };
        rig.wait_until("the choice is told", is_take);
    }
    rig.ear.choose_pass(99);
    let CaptureEvent::Problem(sentence) = rig.event() else { panic!("a pass that never was") };
    assert!(sentence.contains("99"), "{sentence}");
    // All that were kept have a file, and with the ear they go.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 6);
    drop(rig);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn nothing_replaces_a_pass_that_was_kept_or_chosen_or_generated_from() {
    let orders: [(&str, fn(&Rig)); 5] = [
        ("kept", |rig| rig.ear.keep()),
        ("stopped", |rig| rig.ear.stop()),
        ("chosen", |rig| rig.ear.choose_pass(1)),
        ("recalled", |rig| rig.ear.recall(Recall::Bars(1))),
        ("cancelled", |rig| rig.ear.cancel()),
    ];
    for (name, order) in orders {
        let directory = tempfile::tempdir().unwrap();
        let mut rig = rig(&directory);
        sing(&mut rig, 2);
        rig.play(480, &[480]);
        assert!(is_pass(&rig.take(), 1) && is_pass(&rig.take(), 2));
        order(&rig);
        rig.settle();
        sing(&mut rig, 3);
        let later = rig.events_so_far();
        let takes = later.iter().filter(|event| matches!(event, CaptureEvent::TakeFinished(_))).count();
        assert_eq!(takes, usize::from(name == "chosen"), "{name}: {}", later.len());
        assert_eq!(rig.ear.snapshot().capture, CaptureState::Idle, "{name}");
        // Without the order they would have come.
        rig.arm(CaptureMode::LoopRegion);
        sing(&mut rig, 3);
        assert!(rig.events_so_far().iter().filter(|event| matches!(event, CaptureEvent::TakeFinished(_))).count() >= 2);
    }
}

#[test]
fn a_pass_that_is_broken_by_a_locate_is_no_pass() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = rig(&directory);
    sing(&mut rig, 1);
    rig.play(PASS / 2, &[480]);
    assert!(is_pass(&rig.take(), 1));
    rig.host.sample = rig.host.sample_of(5.0);
    let located_at = rig.pushed.len();
    rig.play(PASS * 2, &[480]);
    let take = rig.take();
    let first = located_at + PASS * 3 / 4;
    assert_eq!(record_range(&take), Ok((first, first + PASS)));
    rig.settle();
    assert_eq!(rig.ear.passes().len(), 2);
}

#[test]
fn notes_of_a_keyboard_are_sound() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = rig(&directory);
    sing(&mut rig, 1);
    rest(&mut rig, 1);
    let note = |frame, velocity| MidiEvent { frame, key: 62, channel: 0, velocity };
    rig.host.sample = rig.host.sample_of(4.0);
    rig.push_midi(480, &[note(100, 0.8)]);
    rig.push_midi(480, &[note(100, 0.0)]);
    rig.play_sound(PASS, &[480], |_, _| 0.0);
    assert!(is_pass(&rig.take(), 1));
    let take = rig.take();
    assert_eq!(take.notes.iter().map(|note| note.key).collect::<Vec<_>>(), [62]);
    rig.settle();
    let told: Vec<_> = rig.ear.passes().iter().map(|pass| (pass.number, pass.has_sound)).collect();
    assert_eq!(told, [(1, true), (2, false), (3, true)]);
}

#[test]
fn passes_are_bounded_and_the_take_is_never_let_go() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host { loop_beats: Some((4.0, 8.0)), ..Host::new(8_000, 240.0) };
    let mut rig = Rig::new(Host { sample: host.sample_of(4.0), ..host }, 1, directory.path());
    rig.arm(CaptureMode::LoopRegion);
    // Passes of a second; the second half of them is silent.
    for number in 0..60 {
        rig.play_sound(8_000, &[80], |frame, _| if number < 30 { numbered(frame) * 4.0 } else { 0.0 });
    }
    rig.settle();
    let passes = rig.ear.passes();
    assert_eq!(passes.len(), MOST_PASSES);
    let heard: Vec<_> = passes.iter().filter(|pass| pass.has_sound).map(|pass| pass.number).collect();
    assert_eq!(heard, (16..=30).collect::<Vec<_>>(), "silent passes push no pass with sound out, but for the newest");
    assert!(passes.iter().any(|pass| pass.is_take && pass.number == 30));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), MOST_PASSES, "and their files");
}

#[test]
fn another_rate_ends_a_loop_and_keeps_its_takes() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = rig(&directory);
    sing(&mut rig, 1);
    rig.play(PASS / 2, &[480]);
    assert!(is_pass(&rig.take(), 1));
    let (recorder, reader) = ring(SampleRate(44_100), 1, 4.0);
    rig.settle();
    rig.ear.replace_reader(reader);
    rig.recorder = recorder;
    assert!(matches!(rig.event(), CaptureEvent::Ended));
    rig.ear.choose_pass(1);
    assert!(is_pass(&rig.take(), 1), "at the rate it was captured at");
}
