//! The ring, the memory and the ear: nothing lost without a count, nothing kept without a limit.

use super::rig::{Host, Rig, number, numbered};
use crate::allocations::assert_none;
use cantus_engine::capture::collector::{CaptureEvent, CaptureState};
use cantus_engine::capture::cut::CaptureMode;
use cantus_engine::capture::history::{CHUNK_FRAMES, History, Join};
use cantus_engine::capture::ring::{Block, MidiEvent, ring};
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::time::{Beats, Bpm, Metre, SampleRate, Seconds};
use std::time::Duration;

const RATE: SampleRate = SampleRate(48_000);

#[test]
fn a_block_comes_out_as_it_went_in() {
    let (mut recorder, mut reader) = ring(RATE, 2, 1.0);
    let full = TransportStamp {
        playing: true,
        recording: true,
        offline: true,
        tempo: Some(Bpm(123.45)),
        metre: Some(Metre { numerator: 7, denominator: 8 }),
        beats: Some(-3.25),
        seconds: Some(1.0e6 / 3.0),
        bar_start_beats: Some(-4.0),
        loop_beats: Some((-8.0, 1.0 / 3.0)),
    };
    // One option left out at a time, and none at all.
    let stamps = [
        full,
        TransportStamp { tempo: None, ..full },
        TransportStamp { metre: None, ..full },
        TransportStamp { beats: None, playing: false, ..full },
        TransportStamp { seconds: None, recording: false, ..full },
        TransportStamp { bar_start_beats: None, offline: false, ..full },
        TransportStamp { loop_beats: None, ..full },
        TransportStamp::default(),
    ];
    let midi = [
        MidiEvent { frame: 3, key: 60, channel: 15, velocity: 0.7 },
        MidiEvent { frame: 9, key: 127, channel: 0, velocity: 0.0 },
    ];
    let mut block = Block::default();
    for (round, stamp) in stamps.iter().cycle().take(100).enumerate() {
        let frames = 10 + 137 * round % 8192;
        let left: Vec<f32> = (0..frames).map(numbered).collect();
        let right: Vec<f32> = left.iter().map(|sample| -sample).collect();
        recorder.push(stamp, &[&left[..], &right[..]], &midi);
        assert!(reader.read(&mut block));
        let expected =
            Block { stamp: *stamp, lost_frames: 0, frames, channels: vec![left, right], midi: midi.to_vec() };
        assert_eq!(block, expected);
        assert!(!reader.read(&mut block));
    }
}

#[test]
fn what_is_not_a_number_is_heard_as_silence_and_counted() {
    let (mut recorder, mut reader) = ring(RATE, 1, 1.0);
    recorder.push(&TransportStamp::default(), &[[0.5, f32::NAN, f32::INFINITY, -0.5]], &[]);
    let mut block = Block::default();
    assert!(reader.read(&mut block));
    assert_eq!(block.channels, [[0.5, 0.0, 0.0, -0.5]]);
    assert_eq!(reader.non_finite(), 2);
}

#[test]
fn the_largest_stereo_blocks_fit() {
    let (mut recorder, mut reader) = ring(SampleRate(44_100), 2, 0.0);
    let samples = vec![0.1_f32; 8192];
    for _ in 0..4 {
        recorder.push(&TransportStamp::default(), &[&samples, &samples], &[]);
    }
    let mut block = Block::default();
    assert_eq!((0..4).filter(|_| reader.read(&mut block) && block.frames == 8192).count(), 4);
    assert_eq!(reader.overrun_frames(), 0);
}

#[test]
fn an_overrun_is_counted_and_the_time_line_stays_true() {
    let (mut recorder, mut reader) = ring(RATE, 1, 1.0);
    let mut host = Host::new(48_000, 120.0);
    let mut history = History::new(RATE, 1, Seconds(60.0));
    let mut block = Block::default();
    let mut pushed = 0;
    // Three seconds into a ring of one; then it is emptied, twice over.
    for round in 0..600 {
        let (stamp, songs) = host.blocks(480).remove(0);
        let samples: Vec<f32> = (pushed..pushed + songs.len()).map(numbered).collect();
        recorder.push(&TransportStamp { offline: false, ..stamp }, &[samples], &[]);
        pushed += songs.len();
        if round % 300 == 299 {
            while reader.read(&mut block) {
                history.append(&block);
            }
        }
    }
    recorder.push(&host.stamp(), &[[numbered(pushed)]], &[]);
    assert!(reader.read(&mut block));
    history.append(&block);
    assert_eq!(history.end() as usize, pushed + 1, "the time line is as long as what the host played");
    let samples = &history.read(0, history.end())[0];
    let wrong = samples.iter().enumerate().find(|&(at, &sample)| number(sample).is_some_and(|number| number != at));
    assert_eq!(wrong, None, "every frame lies where it was played");
    let silent = samples.iter().filter(|&&sample| sample == 0.0).count() as u64;
    assert!(silent > 48_000);
    assert_eq!((reader.overrun_frames(), history.lost().iter().map(|&(_, frames)| frames).sum()), (silent, silent));
    assert_eq!(history.segments().len(), 1, "the song ran on meanwhile");
}

#[test]
fn lost_frames_are_told_of_the_take_they_are_in() {
    let mut history = History::new(RATE, 1, Seconds(60.0));
    for index in 0..100 {
        let stamp = TransportStamp {
            playing: true,
            tempo: Some(Bpm(120.0)),
            beats: Some(index as f64 * 0.06),
            ..Default::default()
        };
        // Every block after the first is preceded by a hole of half its period.
        let lost_frames = if index == 0 { 0 } else { 720 };
        let frames = if index == 0 { 1440 } else { 720 };
        history.append(&Block { stamp, lost_frames, frames, channels: vec![vec![0.1; frames]], midi: Vec::new() });
    }
    let cut =
        cantus_engine::capture::cut::unfinished(&history, CaptureMode::Free, 1440 * 50 + 360, u64::MAX, 0).unwrap();
    let take = cantus_engine::capture::cut::take(&history, &cut, 7).unwrap();
    assert_eq!(take.lost_frames, 360 + 49 * 720);
    let silent = take.audio.channels[0].iter().filter(|&&sample| sample == 0.0).count() as u64;
    assert_eq!(silent, take.lost_frames);
}

#[test]
fn offline_a_slow_reader_loses_nothing() {
    let (mut recorder, mut reader) = ring(RATE, 2, 0.2);
    let seconds = 10;
    let reading = std::thread::spawn(move || {
        let (mut block, mut next) = (Block::default(), 0);
        while next < seconds * 48_000 {
            std::thread::sleep(Duration::from_millis(15));
            while reader.read(&mut block) {
                assert_eq!(block.lost_frames, 0);
                for &sample in &block.channels[1] {
                    assert_eq!(number(sample), Some(next));
                    next += 1;
                }
            }
        }
        reader.overrun_frames()
    });
    let mut host = Host::new(48_000, 120.0);
    let mut pushed = 0;
    while pushed < seconds * 48_000 {
        let (stamp, songs) = host.blocks(512).remove(0);
        let samples: Vec<f32> = (pushed..pushed + songs.len()).map(numbered).collect();
        recorder.push(&stamp, &[&samples, &samples], &[]);
        pushed += songs.len();
    }
    assert_eq!(reading.join().unwrap(), 0);
}

#[test]
fn the_recorder_never_allocates() {
    let (mut recorder, mut reader) = ring(RATE, 2, 0.5);
    let samples = vec![0.1_f32; 8192];
    let mut buffer = [vec![0.2_f32; 100], vec![0.3_f32; 100]];
    let midi = [MidiEvent { frame: 0, key: 60, channel: 0, velocity: 1.0 }; 2000];
    let stamp = Host::new(48_000, 120.0).stamp();
    let realtime = TransportStamp { offline: false, ..stamp };
    let mut block = Block::default();
    for frames in [1, 64, 8192, 333].into_iter().cycle().take(40) {
        assert_none(|| recorder.push(&stamp, &[&samples[..frames], &samples[..frames]], &midi[..2]));
        while reader.read(&mut block) {}
    }
    // Until it is full and drops, in the form the host's own buffers have.
    for _ in 0..2000 {
        let [left, right] = &mut buffer;
        let channels = [left.as_mut_slice(), right.as_mut_slice()];
        assert_none(|| recorder.push(&realtime, &channels, &midi));
    }
    assert!(reader.overrun_frames() > 0);
}

#[test]
fn silence_costs_nothing_and_sound_no_more_than_the_limit() {
    let rate = SampleRate(96_000);
    let mut history = History::new(rate, 2, Seconds(60.0));
    let mut block = Block { frames: 960, channels: vec![vec![0.0; 960]; 2], ..Block::default() };
    for _ in 0..6000 {
        history.append(&block);
    }
    assert_eq!(history.audio_bytes(), 0);
    block.channels = vec![vec![0.1; 960]; 2];
    for _ in 0..18_000 {
        history.append(&block);
    }
    let remembered = history.end() - history.first();
    assert!((60 * 96_000..60 * 96_000 + 2 * CHUNK_FRAMES).contains(&remembered));
    // 46 MB for a minute of stereo at 96 kHz.
    assert!(history.audio_bytes() as u64 <= (60 * 96_000 + 2 * CHUNK_FRAMES) * 8);
    assert_eq!(history.segments().len(), 1);
}

#[test]
fn the_song_is_followed_through_every_jump() {
    let mut history = History::new(RATE, 1, Seconds(60.0));
    let mut host = Host { playing: false, ..Host::new(48_000, 120.0) };
    let mut play = |host: &mut Host, blocks: usize| {
        for _ in 0..blocks {
            for (stamp, songs) in host.blocks(480) {
                let frames = songs.len();
                history.append(&Block { stamp, frames, channels: vec![vec![0.0; frames]], ..Block::default() });
            }
        }
    };
    play(&mut host, 10);
    host.playing = true;
    play(&mut host, 10);
    host.sample = 1_000_000;
    play(&mut host, 10);
    host.loop_beats = Some((host.beats(), host.beats() + 0.3));
    play(&mut host, 20);
    host.loop_beats = None;
    host.tempo = 100.0;
    host.sample = (host.sample as f64 * 1.2) as i64;
    play(&mut host, 10);
    host.playing = false;
    play(&mut host, 10);
    let joins: Vec<_> = history.segments().iter().map(|segment| (segment.start, segment.join)).collect();
    let expected = [
        (0, Join::Jump),
        (4_800, Join::Jump),
        (9_600, Join::Jump),
        (14_400, Join::Continues),
        (21_600, Join::LoopWrap),
        (24_000, Join::Continues),
        (28_800, Join::Jump),
    ];
    assert_eq!(joins, expected);
}

#[test]
fn midi_is_paired_and_moved_with_the_sound() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.set_input_offset(Seconds(0.01));
    let event = |frame, key, velocity| MidiEvent { frame, key, channel: 2, velocity };
    rig.play(48_000, &[480]);
    rig.arm(CaptureMode::Bars(1));
    rig.play(48_000 - 480, &[480]);
    // The bar begins 480 frames from here, its sound 480 later. Key 60 is struck 20 ms early.
    rig.push_midi(480, &[event(0, 60, 0.5)]);
    rig.push_midi(4_800, &[event(1_000, 60, 0.0), event(1_200, 64, 0.9), event(1_500, 64, 0.4)]);
    rig.push_midi(4_800, &[event(100, 64, 0.0), event(200, 67, 1.0)]);
    rig.play(100_000, &[480]);
    let take = rig.take();
    let notes: Vec<_> = take
        .notes
        .iter()
        .map(|note| {
            let frames = |seconds: Seconds| (seconds.0 * 48_000.0).round() as i64;
            (note.key, frames(note.onset), frames(note.offset), note.velocity, note.channel)
        })
        .collect();
    let expected = [
        (60, 0, 520, 0.5, 2),
        (64, 720, 1_020, 0.9, 2),
        // Struck again while held, so the first ends there.
        (64, 1_020, 4_420, 0.4, 2),
        // Held beyond the end.
        (67, 4_520, 96_000, 1.0, 2),
    ];
    assert_eq!(notes, expected);
}

#[test]
fn the_snapshot_shows_level_position_and_state() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.play_sound(48_000, &[480], |_, _| 0.5);
    rig.wait_until("heard", |rig| rig.ear.snapshot().history_seconds >= 1.0);
    let snapshot = rig.ear.snapshot();
    assert!((snapshot.level_dbfs + 6.02).abs() < 0.01, "{snapshot:?}");
    assert!((snapshot.stamp.seconds.unwrap() - 0.99).abs() < 1e-9);
    assert_eq!((snapshot.overruns, snapshot.non_finite, snapshot.capture), (0, 0, CaptureState::Idle));
    rig.arm(CaptureMode::Bars(2));
    rig.play_sound(4_800, &[480], |_, _| 0.0);
    // The bar line was met exactly.
    rig.wait_until("recording", |rig| matches!(rig.ear.snapshot().capture, CaptureState::Armed { .. }));
    rig.play_sound(96_000, &[480], |_, _| 0.0);
    rig.wait_until("recording", |rig| match rig.ear.snapshot().capture {
        CaptureState::Recording { mode, recorded, target } => {
            mode == CaptureMode::Bars(2) && target == Some(Beats(8.0)) && (recorded.0 - 1.1).abs() < 1e-6
        }
        _ => false,
    });
    assert_eq!(rig.ear.snapshot().level_dbfs, -120.0);
    rig.ear.cancel();
    assert!(matches!(rig.event(), CaptureEvent::Cancelled));
    rig.wait_until("idle", |rig| rig.ear.snapshot().capture == CaptureState::Idle);
}

#[test]
fn a_change_of_rate_finishes_the_take_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.arm(CaptureMode::Bars(4));
    rig.play(48_000, &[480]);
    let (recorder, reader) = ring(SampleRate(44_100), 1, 4.0);
    rig.settle();
    rig.ear.replace_reader(reader);
    rig.recorder = recorder;
    let take = rig.take();
    assert_eq!((take.audio.rate, take.audio.frames(), take.length), (RATE, 48_000, Beats(2.0)));
    rig.host = Host::new(44_100, 120.0);
    rig.pushed.clear();
    rig.arm(CaptureMode::Free);
    rig.play(44_100, &[441]);
    rig.ear.stop();
    let take = rig.take();
    assert_eq!((take.audio.rate, take.audio.frames()), (SampleRate(44_100), 44_100));
    assert_eq!(number(take.audio.channels[0][0]), Some(0));
}

#[test]
fn stopping_before_the_first_frame_cancels() {
    let directory = tempfile::tempdir().unwrap();
    let rig = Rig::new(Host::new(48_000, 120.0), 1, directory.path());
    rig.arm(CaptureMode::Bars(1));
    rig.ear.stop();
    assert!(matches!(rig.event(), CaptureEvent::Cancelled));
}
