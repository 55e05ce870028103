//! What hosts do to a transport: positions that are wrong at first, loops that nobody tells of, ramps, metres, and none of it at all.

use super::cuts::record_range;
use super::rig::{Host, Rig, numbered};
use cantus_engine::capture::collector::{CaptureEvent, CaptureState, Collector, EarSettings};
use cantus_engine::capture::cut::{CaptureMode, Recall};
use cantus_engine::capture::ring::ring;
use cantus_engine::capture::take::Take;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::time::{Beats, Bpm, Metre, SampleRate};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Pushes one block of numbered samples under any stamp.
fn push(rig: &mut Rig, stamp: &TransportStamp, frames: usize) {
    let first = rig.pushed.len();
    rig.pushed.extend((first..first + frames).map(|frame| frame as i64));
    let samples: Vec<f32> = (first..first + frames).map(numbered).collect();
    rig.recorder.push(stamp, &[samples], &[]);
}

/// Starts the song at beat 4, with the position of block `wrong` somewhere else, and captures a bar.
fn with_a_wrong_block(wrong: usize, mode: CaptureMode) -> Result<Take, CaptureState> {
    let directory = tempfile::tempdir().unwrap();
    let host = Host { playing: false, sample: 1_000_000, ..Host::new(48_000, 120.0) };
    let mut rig = Rig::new(host, 1, directory.path());
    rig.play(4_800, &[480]);
    rig.arm(mode);
    rig.host.playing = true;
    rig.host.loop_beats = Some((4.0, 8.0)).filter(|_| mode == CaptureMode::LoopRegion);
    for block in 0..250 {
        rig.host.sample = 96_000 + 480 * block as i64;
        let mut stamp = rig.host.stamp();
        if block == wrong {
            stamp = TransportStamp { beats: Some(57.3), seconds: Some(28.65), bar_start_beats: Some(56.0), ..stamp };
        }
        push(&mut rig, &stamp, 480);
    }
    rig.settle();
    if mode == CaptureMode::Free {
        rig.ear.stop();
    }
    match rig.events_so_far().into_iter().next() {
        Some(CaptureEvent::TakeFinished(take)) => Ok(take),
        _ => Err(rig.ear.snapshot().capture),
    }
}

#[test]
fn a_first_block_with_an_old_position_cuts_nothing() {
    for mode in [CaptureMode::Bars(1), CaptureMode::LoopRegion] {
        let take = with_a_wrong_block(0, mode).unwrap();
        assert_eq!(record_range(&take), Ok((4_800, 4_800 + 96_000)), "{mode:?}");
        assert!((take.grid.start.0 - 4.0).abs() < 1e-9 && (take.grid.start_seconds.0 - 2.0).abs() < 1e-9);
        // In the middle of the take it would be a jump, as the same test sees.
        assert!(with_a_wrong_block(3, mode).is_err(), "{mode:?}");
    }
}

/// A host whose song goes round, and which tells neither of the loop nor where in a block it jumps.
fn untold_loop(region: (f64, f64), block: usize, rounds: f64) -> Result<Take, CaptureState> {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    let mut host = Host { loop_beats: Some(region), splits: false, ..rig.host.clone() };
    host.sample = host.sample_of(region.0) - 12_000;
    rig.arm(CaptureMode::LoopRegion);
    let frames = (region.1 - region.0) * rounds * 24_000.0 + 12_000.0;
    while (rig.pushed.len() as f64) < frames {
        let (stamp, songs) = host.blocks(block).remove(0);
        let first = rig.pushed.len();
        let samples: Vec<f32> = (first..first + songs.len()).map(numbered).collect();
        rig.pushed.extend(&songs);
        rig.recorder.push(&TransportStamp { loop_beats: None, bar_start_beats: None, ..stamp }, &[samples], &[]);
    }
    match rig.events_so_far().into_iter().next() {
        Some(CaptureEvent::TakeFinished(take)) => {
            let (first, _) = record_range(&take).unwrap();
            assert_eq!(rig.pushed[first], host.sample_of(take.grid.start.0), "the grid says where the song was");
            Ok(take)
        }
        _ => Err(rig.ear.snapshot().capture),
    }
}

#[test]
fn a_loop_that_no_host_tells_of_is_found_by_its_jumps() {
    for block in [64, 480, 500, 1024, 4096] {
        for region in [(4.0, 8.0), (2.0, 10.0), (3.5, 5.5)] {
            let take = untold_loop(region, block, 3.2).unwrap_or_else(|state| panic!("{block}, {region:?}: {state:?}"));
            assert_eq!((take.grid.start, take.length), (Beats(region.0), Beats(region.1 - region.0)), "{block}");
            let frames = ((region.1 - region.0) * 24_000.0) as usize;
            // The first pass that both its jumps bound.
            assert_eq!(record_range(&take), Ok((12_000 + frames, 12_000 + 2 * frames)), "{block}, {region:?}");
        }
    }
    // One jump is a locate.
    assert!(untold_loop((4.0, 8.0), 480, 1.9).is_err());
}

#[test]
fn a_song_that_is_moved_about_is_no_loop() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.arm(CaptureMode::LoopRegion);
    for beats in [0.0, 8.0, 4.0, 4.0, 1.0, 12.0, 12.0] {
        rig.host.sample = rig.host.sample_of(beats);
        rig.play(((beats + 2.0) * 12_000.0) as usize, &[480]);
    }
    assert!(rig.events_so_far().is_empty());
}

#[test]
fn a_loop_shorter_than_a_block_is_one_take_and_no_flood() {
    for (region, frames) in [((2.0, 2.02), 480), ((2.0, 2.3), 7_200)] {
        let directory = tempfile::tempdir().unwrap();
        let host = Host { loop_beats: Some(region), splits: false, sample: 40_000, ..Host::new(48_000, 120.0) };
        let mut rig = Rig::new(host, 1, directory.path());
        rig.arm(CaptureMode::LoopRegion);
        rig.play(96_000, &[8_192]);
        let takes = rig.events_so_far();
        let [CaptureEvent::TakeFinished(take)] = takes.as_slice() else { panic!("{} events", takes.len()) };
        assert_eq!(take.audio.frames(), frames);
        assert_eq!(rig.ear.snapshot().capture, CaptureState::Idle);
    }
}

/// The song frame of each beat of a ramp from 100 to 140 BPM over 16 beats, told in blocks; and the take of two bars of it.
fn ramp(block: usize) -> (Take, Vec<f64>) {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 100.0), 1, directory.path());
    rig.arm(CaptureMode::Bars(2));
    let (mut beats, mut beat_frames) = (-0.5, Vec::new());
    while beats < 14.0 {
        let tempo: f64 = (100.0 + 2.5 * f64::max(beats, 0.0)).min(140.0);
        let next = beats + block as f64 / 48_000.0 * tempo / 60.0;
        if beats.ceil() < next {
            beat_frames.push(rig.pushed.len() as f64 + (beats.ceil() - beats) * 60.0 / tempo * 48_000.0);
        }
        let stamp = TransportStamp {
            playing: true,
            tempo: Some(Bpm(tempo)),
            metre: Some(Metre::default()),
            beats: Some(beats),
            seconds: Some(1.0 + rig.pushed.len() as f64 / 48_000.0),
            bar_start_beats: Some((beats / 4.0).floor() * 4.0),
            offline: true,
            ..TransportStamp::default()
        };
        push(&mut rig, &stamp, block);
        beats = next;
    }
    (rig.take(), beat_frames)
}

#[test]
fn a_take_follows_a_ramp_of_tempo_to_the_frame() {
    for block in [64, 480, 2048] {
        let (take, beat_frames) = ramp(block);
        let check = |take: &Take| {
            let (first, end) = record_range(take)?;
            let rate = SampleRate(48_000);
            (0..=8).try_for_each(|beat| {
                let is = first as f64 + take.grid.frame_of(Beats(f64::from(beat)), rate).0 as f64;
                let should = beat_frames[beat as usize];
                if (is - should).abs() <= 1.0 { Ok(()) } else { Err(format!("beat {beat} at {is}, not {should}")) }
            })?;
            let should = beat_frames[8];
            if (end as f64 - should).abs() <= 1.0 { Ok(()) } else { Err(format!("ends at {end}, not {should}")) }
        };
        assert_eq!(check(&take), Ok(()), "blocks of {block}");
        assert_eq!((take.grid.start, take.length), (Beats(0.0), Beats(8.0)));
        // One tempo for all of it is some thousand frames off.
        let mut flat = take.clone();
        flat.grid.tempo = cantus_engine::time::TempoMap::constant(Bpm(100.0));
        assert!(check(&flat).is_err());
    }
}

#[test]
fn bars_are_those_of_the_metre_that_is_in_force() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.play(48_000, &[480]);
    rig.arm(CaptureMode::Bars(2));
    rig.play(48_000, &[480]);
    // From beat 4 on in three: the bars that are taken begin there.
    rig.host.metre = Metre { numerator: 3, denominator: 4 };
    for block in 0..400 {
        let beats = rig.host.beats();
        let line = 4.0 + ((beats - 4.0) / 3.0 + 1e-9).floor() * 3.0;
        let stamp = TransportStamp { bar_start_beats: Some(line), ..rig.host.stamp() };
        push(&mut rig, &stamp, 480);
        rig.host.sample += 480;
        // What was just hummed ends on the lines of the new metre, and reaches back over the change in bars of the old one.
        if block == 310 {
            rig.settle();
        }
    }
    let take = rig.take();
    assert_eq!(record_range(&take), Ok((96_000, 96_000 + 6 * 24_000)));
    assert_eq!((take.grid.metre.numerator, take.length), (3, Beats(6.0)));
    // At beat 12 now, two beats into the third bar of three: from 10 back over two of three, and one of four.
    let take = rig.recall(Recall::Bars(3)).unwrap();
    assert_eq!(record_range(&take), Ok((0, 10 * 24_000)));
    assert_eq!((take.grid.start, take.length), (Beats(0.0), Beats(10.0)));
}

#[test]
fn a_song_before_its_first_bar_is_a_song() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.host.sample = rig.host.sample_of(-8.0);
    rig.arm(CaptureMode::Bars(1));
    rig.play(48_000 * 3, &[480]);
    let take = rig.take();
    assert_eq!(record_range(&take), Ok((0, 96_000)));
    assert_eq!((take.grid.start, take.grid.start_seconds.0), (Beats(-8.0), -4.0));
    let take = rig.recall(Recall::Bars(1)).unwrap();
    assert_eq!((take.grid.start, take.grid.start_seconds.0), (Beats(-8.0), -4.0));
}

#[test]
fn a_host_without_a_transport_can_be_hummed_to() {
    let nothing = TransportStamp { offline: true, ..TransportStamp::default() };
    let playing = TransportStamp { playing: true, ..nothing };
    let tempo = TransportStamp { tempo: Some(Bpm(90.0)), ..playing };
    for stamp in [nothing, playing, tempo] {
        for mode in [CaptureMode::Free, CaptureMode::Bars(1), CaptureMode::LoopRegion] {
            let directory = tempfile::tempdir().unwrap();
            let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
            rig.arm(mode);
            for size in [64, 1, 511, 8_192, 480].repeat(12) {
                push(&mut rig, &stamp, size);
            }
            let frames = rig.pushed.len();
            rig.settle();
            rig.ear.stop();
            let event = rig.event();
            match mode {
                CaptureMode::Free => {
                    let CaptureEvent::TakeFinished(take) = event else { panic!("{event:?}") };
                    assert_eq!(record_range(&take), Ok((0, frames)));
                    assert!(!take.on_grid && take.grid.start.0 == 0.0);
                }
                // There is no bar to wait for, and no loop.
                _ => assert!(matches!(event, CaptureEvent::Cancelled), "{mode:?}: {event:?}"),
            }
            let take = rig.recall(Recall::Bars(1)).unwrap();
            assert!(!take.on_grid && record_range(&take).unwrap().1 == frames);
        }
    }
}

/// Records ten seconds faster than time while the collector is kept busy by another instance, with a ring of a fifth of a second.
fn beside_a_slow_collector(offline: bool) -> Take {
    let collector = Collector::start().unwrap();
    let (mut recorder, reader) = ring(SampleRate(48_000), 1, 0.2);
    let (_other, other_reader) = ring(SampleRate(48_000), 1, 0.2);
    let settings = || EarSettings { spool_dir: None, ..EarSettings::default() };
    let (sender, events) = channel();
    let ear = collector.add(reader, settings(), Box::new(move |event| drop(sender.send(event))));
    // Whatever it is told takes its time.
    let slow = collector.add(other_reader, settings(), Box::new(|_| std::thread::sleep(Duration::from_millis(50))));
    ear.arm(CaptureMode::Free);
    let begun = Instant::now();
    while ear.snapshot().capture == CaptureState::Idle {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut host = Host::new(48_000, 120.0);
    let mut pushed = 0;
    while pushed < 480_000 {
        if pushed % 48_000 == 0 {
            slow.recall(Recall::Bars(1));
        }
        let (stamp, songs) = host.blocks(480).remove(0);
        let samples: Vec<f32> = (pushed..pushed + songs.len()).map(numbered).collect();
        recorder.push(&TransportStamp { offline, ..stamp }, &[samples], &[]);
        pushed += songs.len();
    }
    ear.stop();
    loop {
        match events.recv_timeout(Duration::from_secs(20)).unwrap() {
            CaptureEvent::TakeFinished(take) => return take,
            CaptureEvent::Problem(sentence) => panic!("{sentence}"),
            _ => {}
        }
    }
}

#[test]
fn a_capture_while_the_host_renders_loses_nothing() {
    let take = beside_a_slow_collector(true);
    assert_eq!((take.lost_frames, record_range(&take)), (0, Ok((0, 480_000))));
    // Without the wait the same ring is too small.
    let take = beside_a_slow_collector(false);
    assert_ne!(record_range(&take), Ok((0, 480_000)));
}
