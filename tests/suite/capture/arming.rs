//! Bars that are counted before a take, and takes that arm themselves when the song starts.

use super::cuts::{ODD, check_take, record_range};
use super::rig::{Host, Rig};
use cantus_engine::capture::collector::{CaptureEvent, CaptureState};
use cantus_engine::capture::cut::CaptureMode;
use cantus_engine::capture::ring::MidiEvent;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::time::{Beats, Bpm, Metre};

#[test]
fn bars_are_counted_after_the_line_where_it_was_armed() {
    let three_four = Metre { numerator: 3, denominator: 4 };
    let base = Host::new(48_000, 120.0);
    let odd = Host { metre: three_four, ..Host::new(44_100, 123.45) };
    // Where it is armed, in which metre, and where the bar line after that is.
    for (host, armed, line) in [(&base, 1.3, 4.0), (&base, 4.0, 4.0), (&base, -6.5, -4.0), (&odd, 1.3, 3.0)] {
        for bars in 0..=4 {
            let bar = host.metre.bar().0;
            let directory = tempfile::tempdir().unwrap();
            let host = Host { sample: host.sample_of(armed) - i64::from(host.rate), ..host.clone() };
            let mut rig = Rig::new(host, 1, directory.path());
            rig.play(rig.host.rate as usize, &[rig.host.rate as usize / 100]);
            let armed_at = rig.pushed.len();
            rig.ear.set_count_in(bars);
            rig.arm(CaptureMode::Bars(1));
            rig.play(480, &[480]);
            let left = line - rig.host.beats() + bar * f64::from(bars);
            if left > 0.0 {
                let is_left = |rig: &Rig| rig.ear.snapshot().starts_in.is_some_and(|told| (told.0 - left).abs() < 1e-3);
                rig.wait_until(&format!("{left} beats are left"), is_left);
            }
            rig.play((f64::from(rig.host.rate) * 14.0) as usize, ODD);
            let take = rig.take();
            let from = line + bar * f64::from(bars);
            assert_eq!(check_take(&rig, &take, armed_at, from, bar), Ok(()), "{bars} bars from {armed}");
            // A bar earlier or later is not it.
            assert!(check_take(&rig, &take, armed_at, from + bar, bar).is_err());
        }
    }
}

#[test]
fn a_free_take_begins_when_the_count_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.ear.set_count_in(2);
    rig.play(12_000, &[480]);
    rig.arm(CaptureMode::Free);
    rig.play(480_000, ODD);
    rig.ear.stop();
    let take = rig.take();
    assert_eq!(record_range(&take).map(|range| range.0), Ok(3 * 96_000));
    assert!(take.on_grid && (take.grid.start.0 - 12.0).abs() < 1e-6);
}

#[test]
fn the_count_goes_round_a_loop_and_begins_anew_where_the_song_jumps() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host { loop_beats: Some((4.0, 8.0)), sample: 96_000, ..Host::new(48_000, 120.0) };
    let mut rig = Rig::new(host, 1, directory.path());
    rig.play(12_000, &[480]);
    rig.ear.set_count_in(2);
    rig.arm(CaptureMode::Bars(1));
    rig.play(96_000 * 5, ODD);
    assert_eq!(record_range(&rig.take()), Ok((3 * 96_000, 4 * 96_000)));

    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.ear.set_count_in(1);
    rig.arm(CaptureMode::Bars(1));
    rig.play(72_000, &[480]);
    rig.host.sample = rig.host.sample_of(41.0);
    let located_at = rig.pushed.len();
    rig.play(96_000 * 4, &[480]);
    assert_eq!(check_take(&rig, &rig.take(), located_at, 48.0, 4.0), Ok(()));
}

#[test]
fn a_count_without_a_song_lasts_what_its_tempo_says() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host { playing: false, ..Host::new(48_000, 120.0) }, 1, directory.path());
    rig.ear.set_count_in(1);
    rig.play(4_800, &[480]);
    rig.arm(CaptureMode::Free);
    rig.play(48_000, &[480]);
    rig.wait_until("half is left", |rig| rig.ear.snapshot().starts_in.is_some_and(|left| (left.0 - 2.0).abs() < 1e-6));
    rig.play(96_000, &[480]);
    rig.settle();
    rig.ear.stop();
    let take = rig.take();
    assert_eq!(record_range(&take), Ok((4_800 + 96_000, 4_800 + 144_000)));
}

#[test]
fn a_song_that_changes_tempo_while_it_counts_is_counted_in_its_own_bars() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.ear.set_count_in(1);
    rig.play(480, &[480]);
    rig.arm(CaptureMode::Bars(1));
    rig.play(96_000 + 12_000 - 480, &[480]);
    // At beat 4.5 the tempo halves; the line at 8 comes 168,000 frames later.
    let (tempo, changed_at) = (60.0, rig.pushed.len());
    for block in 0..1_000 {
        let beats = 4.5 + f64::from(block) * 480.0 / 48_000.0;
        let stamp = TransportStamp {
            tempo: Some(Bpm(tempo)),
            beats: Some(beats),
            seconds: None,
            bar_start_beats: None,
            ..rig.host.stamp()
        };
        let first = rig.pushed.len();
        rig.pushed.extend((0..480).map(|frame| first as i64 + frame));
        let samples: Vec<f32> = (first..first + 480).map(super::rig::numbered).collect();
        rig.recorder.push(&stamp, &[samples], &[]);
    }
    let take = rig.take();
    let first = changed_at + 168_000;
    assert_eq!(record_range(&take), Ok((first, first + 192_000)));
    assert_eq!((take.grid.start, take.length), (Beats(8.0), Beats(4.0)));
}

#[test]
fn a_capture_arms_itself_when_the_song_starts() {
    let modes = [CaptureMode::Bars(1), CaptureMode::LoopRegion, CaptureMode::Free];
    for mode in modes {
        let directory = tempfile::tempdir().unwrap();
        let host = Host { playing: false, loop_beats: Some((8.0, 12.0)), ..Host::new(48_000, 120.0) };
        let mut rig = Rig::new(host, 1, directory.path());
        rig.ear.set_auto_arm(Some(mode));
        rig.play(24_000, &[480]);
        rig.settle();
        assert_eq!(rig.ear.snapshot().capture, CaptureState::Idle);
        for round in 0..2 {
            rig.host.sample = rig.host.sample_of(8.0);
            rig.host.playing = true;
            let started_at = rig.pushed.len();
            rig.play(96_000 + 4_800, &[480]);
            rig.host.playing = false;
            rig.play(9_600, &[480]);
            let take = rig.take();
            let end = if mode == CaptureMode::Free { started_at + 100_800 } else { started_at + 96_000 };
            assert_eq!(record_range(&take), Ok((started_at, end)), "{mode:?}, round {round}");
            assert!(take.on_grid && (take.grid.start.0 - 8.0).abs() < 1e-6);
            rig.settle();
            let over = rig.events_so_far();
            assert_eq!(over.len(), usize::from(mode == CaptureMode::LoopRegion), "{mode:?}: {over:?}");
            assert_eq!(rig.ear.snapshot().capture, CaptureState::Idle);
        }
        // To listen to the song is no take, and to switch it off leaves the song alone.
        rig.host.sample = rig.host.sample_of(8.0);
        rig.host.playing = true;
        rig.play_sound(96_000 + 4_800, &[480], |_, _| 0.0);
        rig.host.playing = false;
        rig.play_sound(9_600, &[480], |_, _| 0.0);
        assert!(matches!(rig.events_so_far().as_slice(), [CaptureEvent::Ended]), "{mode:?}");
        rig.ear.set_auto_arm(None);
        rig.settle();
        rig.host.playing = true;
        rig.play(96_000, &[480]);
        assert!(rig.events_so_far().is_empty());
        assert_eq!(rig.ear.snapshot().capture, CaptureState::Idle);
    }
}

#[test]
fn notes_are_taken_in_every_mode() {
    let note = |frame, velocity| MidiEvent { frame, key: 64, channel: 3, velocity };
    for mode in [CaptureMode::Free, CaptureMode::Bars(1), CaptureMode::LoopRegion] {
        let directory = tempfile::tempdir().unwrap();
        let host = Host { loop_beats: Some((0.0, 4.0)), ..Host::new(48_000, 120.0) };
        let mut rig = Rig::new(host, 1, directory.path());
        rig.arm(mode);
        rig.push_midi(480, &[]);
        rig.push_midi(480, &[note(120, 0.5)]);
        rig.push_midi(480, &[note(240, 0.0)]);
        rig.play_sound(96_000 - 1_440, &[480], |_, _| 0.0);
        rig.play_sound(4_800, &[480], |_, _| 0.0);
        if mode == CaptureMode::Free {
            rig.settle();
            rig.ear.stop();
        }
        let take = rig.take();
        let frames: Vec<_> =
            take.notes.iter().map(|note| ((note.onset.0 * 48e3).round(), (note.offset.0 * 48e3).round())).collect();
        assert_eq!(frames, [(600.0, 1_200.0)], "{mode:?}");
        assert_eq!((take.notes[0].key, take.notes[0].channel, take.notes[0].velocity), (64, 3, 0.5));
    }
}
