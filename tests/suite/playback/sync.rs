//! Every beat on the host's own sample.

use super::host::*;
use cantus_engine::capture::host_clock::pieces;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::playback::sync::{exact_position, settle};
use cantus_engine::time::{Bpm, SampleRate, Seconds};
use std::collections::BTreeSet;

const RATES: [u32; 3] = [44_100, 48_000, 96_000];

/// Song frames of the region's beats, counted by the host alone.
fn beat_frames(region: &Region) -> BTreeSet<i64> {
    (0..)
        .map(|beat| region.start_beats.ceil() + f64::from(beat))
        .take_while(|&beat| beat < region.start_beats + region.length_beats)
        .map(|beat| song_frame(beat, region.tempo, region.rate))
        .collect()
}

struct Case {
    region: Region,
    from_beats: f64,
    around: Option<(f64, f64)>,
    tells: Tells,
    late: i64,
    max_block: usize,
}

fn play(case: &Case) -> Result<usize, String> {
    let Region { rate, tempo, .. } = case.region;
    let (mut player, _sender) = player_with(rate, case.max_block, case.region.clicks(case.late));
    let mut host = Host::at(&case.region, song_frame(case.from_beats, tempo, rate));
    (host.around, host.tells) = (case.around, case.tells);
    let mut heard = Heard::default();
    host.blocks(&mut player, mixed_blocks(rate as usize * 5 / 2), &mut heard);
    let beats = beat_frames(&case.region);
    check_clicks(&heard, |song| beats.contains(&song))
}

fn check_case(case: &Case, what: &str) {
    let clicks = play(case).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(clicks >= 2, "{what}: only {clicks} clicks were due, so nothing was tested");
}

#[test]
fn every_beat_sounds_on_the_hosts_sample() {
    for rate in RATES {
        for tempo in [100.0, 123.45] {
            // At 123.45 BPM no start but zero lies on a whole sample; -8 puts the region before the song's origin.
            for start_beats in [0.0, 4.0, 7.0, -8.0, 2.37] {
                let region = Region { rate, tempo, start_beats, length_beats: 8.0 };
                // From the start, from before it, from between two beats, from exactly on a later beat.
                for from in [0.0, -1.5, 1.777, 3.0] {
                    let (from_beats, max_block) = (start_beats + from, if from == 0.0 { 64 } else { 8192 });
                    let case = Case { region, from_beats, around: None, tells: ALL, late: 0, max_block };
                    check_case(&case, &format!("{rate} Hz, {tempo} BPM, region at {start_beats}, from {from}"));
                }
            }
        }
    }
}

#[test]
fn a_clip_one_frame_late_fails_the_same_check() {
    for late in [1, -1] {
        let region = Region { rate: 48_000, tempo: 123.45, start_beats: 3.5, length_beats: 8.0 };
        let case = Case { region, from_beats: 4.5, around: None, tells: ALL, late, max_block: 512 };
        assert!(play(&case).is_err());
    }
}

#[test]
fn hosts_that_tell_less_are_followed_as_exactly() {
    for rate in RATES {
        for tempo in [100.0, 123.45] {
            let region = Region { rate, tempo, start_beats: 4.0, length_beats: 8.0 };
            for (beats, seconds, told_tempo) in
                [(true, false, true), (true, false, false), (false, true, true), (false, true, false)]
            {
                let tells = Tells { beats, seconds, tempo: told_tempo };
                let case = Case { region, from_beats: 3.3, around: None, tells, late: 0, max_block: 1024 };
                check_case(&case, &format!("{rate} Hz, {tempo} BPM, {tells:?}"));
            }
        }
    }
}

#[test]
fn a_loop_wraps_on_the_hosts_sample() {
    // On beats, off beats, ending a hair before or after a beat, on a sixteenth, and shorter than a block.
    let loops: [(f64, f64); 8] =
        [(4.0, 8.0), (5.5, 7.25), (4.13, 5.998), (4.998, 6.001), (5.0, 6.75), (5.0, 5.1), (5.93, 6.07), (6.0, 6.02)];
    for rate in RATES {
        for tempo in [100.0, 123.45] {
            for around in loops {
                let (from_beats, around) = (around.0 - 0.5, Some(around));
                for start_beats in [4.0, 3.21, 0.0] {
                    let region = Region { rate, tempo, start_beats, length_beats: 8.0 };
                    let tells_less = [Tells { seconds: false, ..ALL }, Tells { tempo: false, ..ALL }];
                    for tells in [ALL].into_iter().chain(tells_less.into_iter().filter(|_| start_beats == 4.0)) {
                        let case = Case { region, from_beats, around, tells, late: 0, max_block: 2048 };
                        check_case(&case, &format!("{rate} Hz, {tempo} BPM, loop {around:?}, start {start_beats}"));
                    }
                }
            }
        }
    }
    let region = Region { rate: 44_100, tempo: 123.45, start_beats: 4.0, length_beats: 8.0 };
    let around = Some((5.0, 5.1));
    let case = Case { region, from_beats: 4.9, around, tells: ALL, late: 1, max_block: 2048 };
    assert!(play(&case).is_err(), "a clip one frame late passed");
}

#[test]
fn a_song_whose_tempo_changed_before_the_region_keeps_its_samples() {
    // 90 BPM up to beat 4, then 123.45: from there on no beat lies a whole number of frames from the song's origin.
    let (rate, tempo, change) = (44_100, 123.45, 4.0);
    let seconds = |beats: f64| change * 60.0 / 90.0 + (beats - change) * 60.0 / tempo;
    let frame_of = |beats: f64| (seconds(beats) * f64::from(rate)).round() as i64;
    let region = Region { rate, tempo, start_beats: 8.0, length_beats: 8.0 };
    let clip = |late: i64| {
        let mut rendition = region.rendition(|_, _| 0.0);
        rendition.grid.start_seconds = Seconds(seconds(8.0));
        for beat in 8..16 {
            let frame = (frame_of(f64::from(beat)) - frame_of(8.0) + late) as usize;
            rendition.mix.channels.iter_mut().for_each(|channel| channel[frame] = CLICK);
        }
        rendition
    };
    let loops = (0..24).map(f64::from).map(|step| (8.3 + 0.0173 * step, 9.05 + 0.0311 * step));
    let loops = loops.chain([(9.0, 10.0), (9.97, 10.02)]).map(|around| (around, 0));
    for (around, late) in loops.chain([((8.3, 9.77), 1)]) {
        let (mut player, _sender) = player_with(rate, 512, clip(late));
        let mut frame = frame_of(8.25);
        let mut heard = Heard::default();
        for size in mixed_blocks(80_000) {
            let now = frame as f64 / f64::from(rate);
            let stamp = TransportStamp {
                playing: true,
                tempo: Some(Bpm(tempo)),
                beats: Some(change + (now - seconds(change)) * tempo / 60.0),
                seconds: Some(now),
                loop_beats: Some(around),
                ..TransportStamp::default()
            };
            let mut main = [vec![0.0_f32; size], vec![0.0; size]];
            player.process(&stamp, &PLAY, &mut main);
            heard.left.extend(&main[0]);
            for _ in 0..size {
                heard.song.push(frame);
                frame = if frame + 1 == frame_of(around.1) { frame_of(around.0) } else { frame + 1 };
            }
        }
        let clicks = check_clicks(&heard, |song| (8..16).any(|beat| song == frame_of(f64::from(beat))));
        match late {
            0 => assert!(clicks.expect("a click is not on its sample") >= 2),
            _ => assert!(clicks.is_err(), "a clip one frame late passed"),
        }
    }
}

#[test]
fn a_block_is_cut_where_the_loop_wraps() {
    // 120 BPM at 48 kHz: 24,000 frames a beat. Loop from beat 1 to 1.25, 6,000 frames; the block begins 1,000 before its end.
    let stamp = TransportStamp {
        playing: true,
        tempo: Some(Bpm(120.0)),
        beats: Some(29_000.0 / 24_000.0),
        seconds: Some(29_000.0 / 48_000.0),
        loop_beats: Some((1.0, 1.25)),
        ..TransportStamp::default()
    };
    let cut = |stamp: &TransportStamp, frames| -> Vec<(usize, usize, f64)> {
        pieces(stamp, SampleRate(48_000), frames)
            .map(|piece| {
                (piece.offset, piece.frames, (piece.stamp.beats.expect("no beats") * 24_000.0 * 1e6).round() / 1e6)
            })
            .collect()
    };
    assert_eq!(cut(&stamp, 1000), [(0, 1000, 29_000.0)]);
    assert_eq!(cut(&stamp, 1001), [(0, 1000, 29_000.0), (1000, 1, 24_000.0)]);
    let three = [(0, 1000, 29_000.0), (1000, 6000, 24_000.0), (7000, 1192, 24_000.0)];
    assert_eq!(cut(&stamp, 8192), three);
    let second = pieces(&stamp, SampleRate(48_000), 8192).nth(1).expect("one piece");
    assert!((second.stamp.seconds.expect("no seconds") - 0.5).abs() < 1e-9, "seconds follow the beats");

    // A loop that starts between two frames starts, for the host, on the nearer one.
    let between = TransportStamp { loop_beats: Some((1.0 + 0.4 / 24_000.0, 1.25 - 0.4 / 24_000.0)), ..stamp };
    assert_eq!(cut(&between, 8192), three);

    // Nothing wraps when stopped, behind the loop, without beats, or round an empty loop.
    for stamp in [
        TransportStamp { playing: false, ..stamp },
        TransportStamp { beats: Some(1.25), ..stamp },
        TransportStamp { beats: None, ..stamp },
        TransportStamp { loop_beats: Some((1.25, 1.0)), ..stamp },
        TransportStamp { loop_beats: Some((1.0, 1.0)), ..stamp },
        TransportStamp { loop_beats: None, ..stamp },
    ] {
        assert_eq!(pieces(&stamp, SampleRate(48_000), 8192).count(), 1, "{stamp:?}");
    }
    assert_eq!(pieces(&stamp, SampleRate(48_000), 0).count(), 0);
}

#[test]
fn beats_win_over_seconds_and_nothing_is_no_position() {
    let region = Region { rate: 48_000, tempo: 120.0, start_beats: 4.0, length_beats: 4.0 };
    let grid = region.rendition(|_, _| 0.0).grid;
    let stamp = |beats, seconds| TransportStamp { beats, seconds, ..TransportStamp::default() };
    for (beats, seconds, expected) in [
        (Some(5.0), Some(99.0), Some(24_000.0)),
        (Some(3.0), None, Some(-24_000.0)),
        (None, Some(2.25), Some(12_000.0)),
        (None, None, None),
    ] {
        assert_eq!(exact_position(&stamp(beats, seconds), &grid, SampleRate(48_000)), expected);
    }
}

#[test]
fn counting_goes_on_through_a_position_that_trembles() {
    for (exact, next, expected) in [
        (100.0, Some(100), 100),
        (100.74, Some(100), 100),
        (99.26, Some(100), 100),
        (100.76, Some(100), 101),
        (99.24, Some(100), 99),
        (-3.4, None, -3),
        (250.0, Some(100), 250),
    ] {
        assert_eq!(settle(exact, next), expected, "{exact} after {next:?}");
    }
    // A host whose positions are off by up to 0.7 frames plays the clip without a seam; one off by two does not.
    let region = Region { rate: 48_000, tempo: 100.0, start_beats: 0.0, length_beats: 8.0 };
    let sine = region.sine(440.0, 0.0);
    let whole = sine.mix.channels[0].clone();
    for (tremble, seamless) in [(0.7, true), (2.0, false)] {
        let (mut player, _sender) = player_with(48_000, 512, sine.clone());
        let mut heard = Vec::new();
        for (block, off) in [0.0, 1.0, -1.0, 0.3, -0.7, 1.0, -1.0, 0.0].into_iter().cycle().take(200).enumerate() {
            let seconds = Some((block as f64 * 64.0 + off * tremble) / 48_000.0);
            let stamp = TransportStamp { playing: true, seconds, ..TransportStamp::default() };
            let mut main = [vec![0.0_f32; 64], vec![0.0; 64]];
            player.process(&stamp, &PLAY, &mut main);
            heard.extend_from_slice(&main[0]);
        }
        assert_eq!(heard == whole[..heard.len()], seamless, "{tremble}");
    }
}

#[test]
fn without_any_position_the_region_plays_from_its_start_when_the_song_starts() {
    let region = Region { rate: 48_000, tempo: 100.0, start_beats: 4.0, length_beats: 8.0 };
    let (mut player, _sender) = player_with(48_000, 512, region.clicks(0));
    let mut host = Host::at(&region, 0);
    host.tells = Tells { beats: false, seconds: false, tempo: false };
    host.playing = false;
    let mut heard = Heard::default();
    host.blocks(&mut player, [512; 3], &mut heard);
    assert_eq!(heard.left.iter().filter(|sample| **sample != 0.0).count(), 0, "it sounded before the start");
    host.playing = true;
    let mut heard = Heard::default();
    host.blocks(&mut player, mixed_blocks(100_000), &mut heard);
    let clicks = check_clicks(&heard, |frame| frame % 28_800 == 0).expect("a click is not on its sample");
    assert!(clicks >= 4);
}

#[test]
fn absurd_positions_are_silent_and_harmless() {
    let region = Region { rate: 48_000, tempo: 100.0, start_beats: 0.0, length_beats: 8.0 };
    let (mut player, _sender) = player_with(48_000, 512, region.sine(440.0, 0.0));
    for value in [f64::NAN, f64::INFINITY, -1e300, 1e300, 8e8, -8e8] {
        for tempo in [f64::NAN, 0.0, -3.0, 1e-300, 1e300, 100.0, 1.0] {
            for loop_beats in [None, Some((value, 4.0)), Some((0.0, value)), Some((0.0, 1e-12))] {
                let stamp = TransportStamp {
                    playing: true,
                    tempo: Some(Bpm(tempo)),
                    beats: Some(value),
                    seconds: Some(value),
                    loop_beats,
                    ..TransportStamp::default()
                };
                let mut main = [vec![0.0_f32; 700], vec![0.0; 700]];
                player.process(&stamp, &PLAY, &mut main);
                assert!(main.iter().flatten().all(|sample| sample.abs() <= 1.0));
            }
        }
    }
}
