//! Tests of the headless host itself: its clock, its blocks and its bookkeeping. They need no plugin.

use cantus_host::compare::{compare, find};
use cantus_host::cost::percentile;
use cantus_host::heard::Stretch;
use cantus_host::{Block, BlockCost, Clip, Heard, Piece, Placement, Song, SongClock, SongNote, ThreadCensus};
use std::sync::Arc;
use std::time::Duration;

/// Every frame's song position over `blocks` blocks.
fn walk(clock: &mut SongClock, block: usize, blocks: usize) -> Vec<i64> {
    let spans = (0..blocks).map(|_| clock.advance(block));
    let frames = |piece: Piece| (0..piece.frames as i64).map(move |frame| piece.song_frame + frame);
    spans.flat_map(|span| span.pieces.into_iter().flat_map(frames).collect::<Vec<_>>()).collect()
}

#[test]
fn beats_and_frames_agree_at_any_tempo_and_rate() {
    for (rate, bpm) in [(44_100, 100.0), (48_000, 120.0), (96_000, 93.7), (22_050, 61.3)] {
        let mut clock = SongClock::new(rate, bpm);
        for beat in 0..2_000 {
            let frame = clock.frame_at(f64::from(beat));
            let exact = f64::from(beat) * 60.0 * f64::from(rate) / bpm;
            assert!((frame as f64 - exact).abs() <= 0.5, "{rate} {bpm} beat {beat}: {frame} for {exact}");
            assert!((clock.beats_at(frame) - f64::from(beat)).abs() <= bpm / (120.0 * f64::from(rate)) + 1e-9);
        }
        clock.locate_beats(3.0);
        assert_eq!(clock.position(), clock.frame_at(3.0));
    }
}

#[test]
fn the_position_is_continuous_over_blocks_of_any_size() {
    for block in [1, 17, 64, 480, 4_096] {
        let mut clock = SongClock::new(48_000, 120.0);
        clock.play();
        let frames = walk(&mut clock, block, 50);
        assert_eq!(frames, (0..block as i64 * 50).collect::<Vec<_>>(), "block {block}");
    }
}

#[test]
fn a_stopped_song_stands_still() {
    let mut clock = SongClock::new(48_000, 120.0);
    clock.locate(1_000);
    let span = clock.advance(64);
    assert!(!span.playing && span.frames == 64 && clock.position() == 1_000);
}

#[test]
fn the_loop_is_the_same_song_whether_blocks_are_split_or_not() {
    // One beat at 120 BPM is 24,000 frames; the loop is beats 1 to 1.125: 3,000 frames.
    for block in [1, 64, 333, 512, 7_000] {
        let walked = [true, false].map(|split| {
            let mut clock = SongClock::new(48_000, 120.0);
            clock.set_loop(Some((1.0, 1.125)));
            clock.split_at_loop = split;
            clock.locate(24_000 - 100);
            clock.play();
            let mut frames = Vec::new();
            while frames.len() < 20_000 {
                frames.extend(walk(&mut clock, block, 1));
            }
            frames.truncate(20_000);
            frames
        });
        let expected: Vec<i64> = (0..20_000)
            .map(|frame| if frame < 100 { 23_900 + frame } else { 24_000 + (frame - 100) % 3_000 })
            .collect();
        assert!(walked[0] == expected, "split, block {block}");
        assert!(walked[1] == expected, "whole, block {block}");
    }
}

#[test]
fn blocks_are_split_only_when_asked_to() {
    let wraps = |split: bool| {
        let mut clock = SongClock::new(48_000, 120.0);
        clock.set_loop(Some((0.0, 0.125)));
        clock.split_at_loop = split;
        clock.locate(2_900);
        clock.play();
        clock.advance(512)
    };
    assert_eq!(wraps(true).pieces, [Piece { song_frame: 2_900, frames: 100 }]);
    assert_eq!(wraps(false).pieces, [Piece { song_frame: 2_900, frames: 100 }, Piece { song_frame: 0, frames: 412 }]);
    assert_eq!(wraps(false).frames, 512);
}

#[test]
fn a_song_behind_the_loop_plays_on() {
    let mut clock = SongClock::new(48_000, 120.0);
    clock.set_loop(Some((0.0, 1.0)));
    clock.locate(30_000);
    clock.play();
    assert_eq!(walk(&mut clock, 100, 3), (30_000..30_300).collect::<Vec<_>>());
}

#[test]
fn a_tempo_change_keeps_the_beat_and_ends_the_block() {
    let mut clock = SongClock::new(48_000, 120.0);
    clock.set_tempo_from(48_000, 60.0);
    assert_eq!(clock.beats_at(48_000), 2.0);
    assert_eq!(clock.frame_at(3.0), 96_000);
    assert_eq!(clock.beats_at(clock.frame_at(7.5)), 7.5);
    clock.locate(47_900);
    clock.play();
    let (before, after) = (clock.advance(512), clock.advance(512));
    assert_eq!((before.frames, before.bpm), (100, 120.0));
    assert_eq!((after.frames, after.bpm, after.beats), (512, 60.0, 2.0));
}

#[test]
fn bars_follow_the_metre() {
    let mut clock = SongClock::new(48_000, 120.0);
    assert_eq!(clock.bar_at(7.9), (4.0, 1));
    clock.set_metre(6, 8);
    assert_eq!(clock.bar_at(7.9), (6.0, 2));
    assert_eq!(clock.bar_at(3.0 - 1e-12), (3.0, 1));
}

#[test]
fn clips_sound_where_they_lie() {
    let mut song = Song::new(SongClock::new(48_000, 120.0));
    song.clips.push(Clip { delay: 2, ..Clip::mono_at(10, vec![1.0, 2.0, 3.0]) });
    let live = Placement::Live(100);
    song.clips.push(Clip { placement: live, channels: Arc::new(vec![vec![10.0], vec![20.0]]), delay: 0, port: 1 });
    let hear = |port, channel, playing, live_frame| {
        let mut buffer = [0.0; 6];
        song.mix_into(port, channel, Piece { song_frame: 10, frames: 6 }, playing, live_frame, &mut buffer);
        buffer
    };
    assert_eq!(hear(0, 0, true, 0), [0.0, 0.0, 1.0, 2.0, 3.0, 0.0]);
    assert_eq!(hear(0, 1, true, 0), hear(0, 0, true, 0), "a mono clip goes to both channels");
    assert_eq!(hear(0, 0, false, 0), [0.0; 6], "a stopped song is silent");
    assert_eq!(hear(1, 1, false, 99), [0.0, 20.0, 0.0, 0.0, 0.0, 0.0], "a microphone is not");
}

#[test]
fn notes_start_and_end_inside_the_block_that_holds_them() {
    let mut song = Song::new(SongClock::new(48_000, 120.0));
    let note = |start, end, key| SongNote { start, end, key, velocity: 1.0, channel: 0 };
    song.notes = vec![note(5, 8, 60), note(8, 20, 62), note(100, 101, 64)];
    let edges = song.note_edges(Piece { song_frame: 4, frames: 10 });
    let seen: Vec<_> = edges.iter().map(|(offset, starts, note)| (*offset, *starts, note.key)).collect();
    assert_eq!(seen, [(1, true, 60), (4, false, 60), (4, true, 62)], "an end comes before a start on the same frame");
}

#[test]
fn passes_of_the_loop_are_found_again() {
    let stretch = |run_frame, song_frame, frames| Stretch { run_frame, song_frame, frames };
    let block =
        Block { run_frame: 0, frames: 30, cost: BlockCost { cpu: Duration::from_micros(10), ..BlockCost::default() } };
    let one = Heard {
        rate: 1_000,
        outputs: vec![vec![vec![0.5; 30]]],
        blocks: vec![block],
        stretches: vec![stretch(0, 90, 10), stretch(10, 50, 20)],
        ..Heard::default()
    };
    let mut both = one.clone();
    both.append(one);
    assert_eq!(both.passes_of(55), [15, 45]);
    assert_eq!(both.passes_of(70), [0; 0]);
    assert_eq!((both.frames(), both.main()[0].len()), (60, 60));
    assert_eq!(both.cut(0, 50, 100)[0].len(), 10);
    // 10 µs in a block of 30 ms.
    assert!((both.cpu_percentile(1.0) - 100.0 * 10.0 / 30_000.0).abs() < 1e-9);
}

#[test]
fn percentiles_are_values_that_occurred() {
    let values: Vec<f64> = (1..=1_000).rev().map(f64::from).collect();
    assert_eq!([0.5, 0.99, 0.9999, 1.0].map(|share| percentile(&values, share)), [500.0, 990.0, 1_000.0, 1_000.0]);
    assert_eq!(percentile(&[], 0.5), 0.0);
}

#[test]
fn a_thread_that_stays_is_seen() {
    let census = |names: &[&str]| ThreadCensus { names: names.iter().map(|name| (*name).to_owned()).collect() };
    let before = census(&["main", "worker"]);
    assert_eq!(census(&["main", "worker", "worker", "cantus"]).since(&before), ["worker", "cantus"]);
    assert!(before.since(&census(&["main", "worker", "gone"])).is_empty());
    if cfg!(target_os = "linux") {
        assert!(!ThreadCensus::take().names.is_empty());
    }
}

/// A melody-like sound, different everywhere.
fn sound_to_compare() -> Vec<f32> {
    (0..24_000_u32).map(|frame| ((frame as f32 * 0.05).sin() + (frame as f32 * 0.0731).sin()) * 0.2).collect()
}

#[test]
fn a_comparison_finds_one_frame_of_delay_and_one_sample_of_difference() {
    let meant = sound_to_compare();
    let same = compare(&meant, &meant, 6_000);
    assert_eq!((same.windows, same.largest_shift, same.residual_db), (4, 0, f64::NEG_INFINITY));
    for shift in [1, 40] {
        let mut late = vec![0.0; shift];
        late.extend(&meant);
        assert_eq!(compare(&late, &meant, 6_000).largest_shift, shift as i64);
    }
    let mut touched = meant.clone();
    touched[9_000] += 1e-4;
    let found = compare(&touched, &meant, 6_000);
    assert!(found.largest_shift == 0 && (-81.0..-79.0).contains(&found.residual_db), "{found:?}");
    touched[9_000] = f32::NAN;
    assert_eq!(compare(&touched, &meant, 6_000).residual_db, f64::INFINITY, "what is no number is no match");
}

#[test]
fn a_sound_is_found_where_it_is_and_only_there() {
    let meant = sound_to_compare();
    let mut longer = vec![0.0; 777];
    longer.extend(&meant);
    assert_eq!(find(&longer, &meant[..12_000]), Some(777));
    longer[5_000] += 0.01;
    assert_eq!(find(&longer, &meant[..12_000]), None);
}
