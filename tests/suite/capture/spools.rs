//! A growing take on disk: it outlives a killed host, a full memory and an unwritable disk.

use super::rig::{Host, Rig, number, numbered};
use cantus_engine::capture::collector::{CaptureEvent, CaptureState};
use cantus_engine::capture::cut::CaptureMode;
use cantus_engine::capture::ring::MidiEvent;
use cantus_engine::capture::spool::{discard, recover};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn spool_bytes(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Set in the child process: the folder it spools to.
const CHILD: &str = "CANTUS_TEST_SPOOL_CHILD";

/// The child: a host that records until it is killed.
fn record_for_ever(directory: &Path) -> ! {
    let mut rig = Rig::new(Host { sample: 24_000, ..Host::new(48_000, 120.0) }, 1, directory);
    rig.arm(CaptureMode::Free);
    rig.push_midi(480, &[MidiEvent { frame: 100, key: 62, channel: 1, velocity: 0.5 }]);
    rig.push_midi(480, &[MidiEvent { frame: 100, key: 62, channel: 1, velocity: 0.0 }]);
    loop {
        rig.play(4_800, &[480]);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_growing_take_survives_kill_9() {
    if let Some(directory) = std::env::var_os(CHILD) {
        record_for_ever(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "capture::spools::a_growing_take_survives_kill_9"])
        .env(CHILD, directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while spool_bytes(directory.path()) < 2 * 48_000 * 4 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the child does not spool");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(recover(directory.path()).is_empty(), "a spool whose owner lives is not to recover");
    // SIGKILL on Unix.
    child.kill().unwrap();
    child.wait().unwrap();

    let recovered = recover(directory.path());
    assert_eq!(recovered.len(), 1);
    let take = &recovered[0].take;
    let samples = &take.audio.channels[0];
    let whole = samples.len();
    assert!(samples.len() >= 90_000, "only {} frames", samples.len());
    let wrong = samples.iter().enumerate().find(|&(at, &sample)| number(sample) != Some(at));
    assert_eq!(wrong, None);
    assert!(take.on_grid);
    assert_eq!((take.grid.start.0, take.grid.start_seconds.0), (1.0, 0.5));
    let notes: Vec<_> = take.notes.iter().map(|note| (note.key, note.channel, note.velocity)).collect();
    assert_eq!(notes, [(62, 1, 0.5)]);
    assert!((take.notes[0].onset.0 - 100.0 / 48_000.0).abs() < 1e-9);
    assert!((take.notes[0].offset.0 - 580.0 / 48_000.0).abs() < 1e-9);

    // A torn end costs the last record and no more.
    let path = std::fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&path).unwrap();
    drop(recovered);
    std::fs::write(&path, &bytes[..bytes.len() - 7]).unwrap();
    let mut torn = recover(directory.path());
    let shorter = torn[0].take.audio.frames();
    assert!(shorter < whole && shorter + 16_384 >= whole);
    let torn = torn.remove(0);
    discard(&torn).unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_take_longer_than_the_memory_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(8_000, 120.0), 1, directory.path());
    rig.play(8_000, &[80]);
    let armed_at = rig.pushed.len();
    rig.arm(CaptureMode::Free);
    rig.play(8_000 * 200, &[800]);
    rig.ear.stop();
    let take = rig.take();
    assert_eq!(take.audio.frames(), 8_000 * 200);
    let wrong = take.audio.channels[0].iter().enumerate().find(|&(at, &sample)| sample != numbered(armed_at + at));
    assert_eq!(wrong, None);
    // Then memory is a minute again.
    rig.play(8_000 * 2, &[800]);
    rig.wait_until("trimmed", |rig| (60.0..61.2).contains(&rig.ear.snapshot().history_seconds));
}

#[test]
fn a_spool_stays_until_it_is_released_or_the_ear_goes() {
    let directory = tempfile::tempdir().unwrap();
    let spools = || std::fs::read_dir(directory.path()).unwrap().count();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    let mut record = || {
        rig.arm(CaptureMode::Free);
        rig.play(48_000, &[480]);
        rig.ear.stop();
        rig.take()
    };
    let (first, second) = (record(), record());
    let _ = (first, second);
    assert_eq!(spools(), 2);
    rig.arm(CaptureMode::Free);
    rig.play(48_000, &[480]);
    rig.ear.cancel();
    assert!(matches!(rig.event(), CaptureEvent::Cancelled));
    assert_eq!(spools(), 2, "a cancelled take leaves nothing");
    drop(rig);
    assert_eq!(spools(), 0);
}

#[test]
fn an_unwritable_disk_is_told_and_the_take_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    // A file where the folder should be.
    let blocked = directory.path().join("blocked");
    std::fs::write(&blocked, b"").unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, &blocked);
    rig.arm(CaptureMode::Free);
    rig.play(48_000, &[480]);
    assert!(matches!(rig.ear.snapshot().capture, CaptureState::Recording { .. }));
    rig.ear.stop();
    let CaptureEvent::Problem(sentence) = rig.event() else { panic!() };
    assert!(sentence.contains("in memory"), "{sentence}");
    let take = rig.take();
    assert_eq!((take.audio.frames(), number(take.audio.channels[0][47_999])), (48_000, Some(47_999)));
}
