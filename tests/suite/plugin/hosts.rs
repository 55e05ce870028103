//! What real hosts do that a tidy host would not: other ports than declared, rendering without saying so, odd rates, odd orders.

use super::{bundle, capture_hum, generate, instance_with_rendition, left, run_until, session, song_with_hum, turn};
use cantus_engine::capture::steady::SteadyBeats;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::generation::score::Role;
use cantus_engine::time::{Bpm, SampleRate};
use cantus_host::{AudioSetup, Clip, Instance, Pace, Port, Ports, Song, SongClock};
use std::time::Duration;

/// Ports of so many channels each.
fn ports(inputs: &[usize], outputs: &[usize]) -> Ports {
    let port = |&channels: &usize| Port { name: String::new(), channels };
    Ports { inputs: inputs.iter().map(port).collect(), outputs: outputs.iter().map(port).collect() }
}

fn tone(frames: usize) -> Vec<f32> {
    (0..frames).map(|frame| (frame as f32 * 0.05).sin() * 0.5).collect()
}

fn song_with(sound: Vec<f32>, rate: u32) -> Song {
    let mut song = Song::new(SongClock::new(rate, 120.0));
    song.clock.play();
    song.clips.push(Clip::mono_at(0, sound));
    song
}

#[test]
fn other_ports_than_declared_pass_the_track_through_and_are_all_written() {
    let _turn = turn();
    let rows: [(&[usize], &[usize]); 7] = [
        // As qtractor does: the channels of all ports in one.
        (&[4], &[18]),
        (&[2], &[2]),
        (&[2], &[2; 9]),
        (&[2, 2], &[2]),
        (&[1], &[1]),
        (&[1, 1], &[1; 9]),
        (&[2, 2], &[2, 2, 2]),
    ];
    for (inputs, outputs) in rows {
        let mut instance = bundle().instance().unwrap();
        instance.offer(ports(inputs, outputs));
        instance.activate(&AudioSetup { rate: 48_000, max_block: 512, block_pattern: vec![512, 1, 64] }).unwrap();
        let sound = tone(20_000);
        let mut song = song_with(sound.clone(), 48_000);
        let heard = instance.run(&mut song, sound.len(), Pace::Unbounded).unwrap();
        assert_eq!(heard.non_finite_samples, 0, "{inputs:?} {outputs:?}: every channel must be written");
        for channel in heard.main().iter().take(2) {
            assert_eq!(*channel, sound, "{inputs:?} {outputs:?}");
        }
    }
}

#[test]
fn a_host_without_inputs_hears_silence_and_is_not_handed_what_lay_in_its_buffers() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    instance.offer(ports(&[], &[2; 9]));
    instance.activate(&AudioSetup::new(48_000, 512)).unwrap();
    let heard = instance.run(&mut song_with(tone(10_000), 48_000), 10_000, Pace::Unbounded).unwrap();
    assert_eq!(heard.non_finite_samples, 0);
    assert!(heard.main().iter().flatten().all(|&sample| sample == 0.0));
}

#[test]
fn stems_come_out_behind_the_main_channels_where_a_host_rolls_all_ports_into_one() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    instance.offer(ports(&[4], &[18]));
    instance.activate(&AudioSetup::new(super::HUM_RATE, 512)).unwrap();
    let mut song = song_with_hum();
    capture_hum(&mut instance, &mut song);
    let session = generate(&mut instance, &mut song);
    let mix = session.region().variations[0].mix.as_ref().unwrap().unpack().unwrap();
    song.clock.locate_beats(4.0);
    let frames = 4 * super::HUM_RATE as usize;
    let heard = instance.run(&mut song, frames, Pace::Unbounded).unwrap();
    // The first block after a jump fades in.
    assert_eq!(left(&heard)[4_096..frames], mix.channels[0][4_096..frames]);
    let sounding = heard.main()[2..].chunks(2).filter(|stem| stem[0].iter().any(|&sample| sample != 0.0)).count();
    assert!(sounding >= 3, "only {sounding} of {} stems sound", Role::ALL.len());
}

/// Lets a take arrive and gives its first frame in the song, its samples and how many were lost.
fn arrived(instance: &mut Instance, song: &mut Song) -> (f64, Vec<f32>, u64) {
    let session = run_until(instance, song, "the take", |session| session.region().take.is_some());
    let take = session.region().take.clone().unwrap();
    let start = take.facts.grid.start.0 * 60.0 / take.facts.grid.tempo.single().unwrap().0;
    (start * f64::from(instance_rate(&take)), take.take().unwrap().audio.to_mono(), take.facts.lost_frames)
}

fn instance_rate(take: &cantus_engine::session::SavedTake) -> u32 {
    take.take().unwrap().audio.rate.0
}

#[test]
fn a_free_take_is_cut_where_capture_was_switched_however_fast_the_host_renders() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    instance.set_text("Capture mode", "Free").unwrap();
    instance.flush().unwrap();
    instance.activate(&AudioSetup::new(48_000, 500)).unwrap();
    let sound = tone(400_000);
    let mut song = song_with(sound.clone(), 48_000);
    let capture = instance.find_param("Capture").unwrap();
    instance.set_at(&capture, capture.max, 5_000);
    instance.set_at(&capture, capture.min, 305_000);
    instance.run(&mut song, sound.len(), Pace::Unbounded).unwrap();
    let (start, samples, lost) = arrived(&mut instance, &mut song);
    assert_eq!((start.round(), samples.len(), lost), (5_000.0, 300_000, 0));
    assert_eq!(samples, sound[5_000..305_000]);
}

#[test]
fn capture_switched_on_at_a_bar_line_takes_that_bar_and_not_the_next() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    instance.set_text("Capture mode", "Next bars").unwrap();
    instance.set_text("Capture bars", "1").unwrap();
    instance.flush().unwrap();
    instance.activate(&AudioSetup::new(48_000, 480)).unwrap();
    // A bar is 96 000 frames long.
    let sound = tone(400_000);
    let mut song = song_with(sound.clone(), 48_000);
    let capture = instance.find_param("Capture").unwrap();
    instance.set_at(&capture, capture.max, 96_000);
    instance.run(&mut song, sound.len(), Pace::Times(30.0)).unwrap();
    let (start, samples, _) = arrived(&mut instance, &mut song);
    assert_eq!(start.round(), 96_000.0);
    assert_eq!(samples, sound[96_000..192_000]);
}

#[test]
fn a_host_that_renders_without_saying_so_loses_nothing_of_a_capture() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    instance.set_text("Capture mode", "Free").unwrap();
    instance.flush().unwrap();
    // A low rate makes the same machine render more seconds in one.
    instance.activate(&AudioSetup::new(8_000, 8_000)).unwrap();
    let sound = tone(55 * 8_000);
    let mut song = song_with(sound.clone(), 8_000);
    instance.switch("Capture", true).unwrap();
    instance.run(&mut song, sound.len(), Pace::Unbounded).unwrap();
    instance.switch("Capture", false).unwrap();
    instance.run(&mut song, 8_000, Pace::Unbounded).unwrap();
    let (start, samples, lost) = arrived(&mut instance, &mut song);
    assert_eq!((start.round(), samples.len(), lost), (0.0, sound.len(), 0));
    assert!(samples == sound);
}

#[test]
fn rates_from_8_to_192_khz_and_blocks_from_one_frame_on_pass_the_track_through() {
    let _turn = turn();
    for rate in [8_000, 11_025, 88_200, 192_000] {
        for blocks in [vec![1, 3, 2], vec![16_384], vec![777, 16_384, 1]] {
            let mut instance = bundle().instance().unwrap();
            instance.activate(&AudioSetup { rate, max_block: 16_384, block_pattern: blocks }).unwrap();
            let sound = tone(30_000);
            let mut song = song_with(sound.clone(), rate);
            let heard = instance.run(&mut song, sound.len(), Pace::Unbounded).unwrap();
            assert_eq!(left(&heard), sound);
            assert_eq!(heard.non_finite_samples, 0);
        }
    }
}

#[test]
fn parameters_set_while_inactive_hold_through_fifty_activations_and_resets() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    instance.set_text("Seed", "77").unwrap();
    instance.set_text("Capture bars", "3").unwrap();
    instance.flush().unwrap();
    for round in 0..50 {
        let rate = if round % 2 == 0 { 44_100 } else { 48_000 };
        instance.activate(&AudioSetup::new(rate, 256)).unwrap();
        assert!(instance.activate(&AudioSetup::new(rate, 256)).is_err(), "active already");
        instance.reset().unwrap();
        let mut song = song_with(tone(1_000), rate);
        let heard = instance.run(&mut song, 1_000, Pace::Unbounded).unwrap();
        assert_eq!(left(&heard), tone(1_000));
        instance.deactivate().unwrap();
    }
    for (name, text) in [("Seed", "77"), ("Capture bars", "3 bars")] {
        let param = instance.find_param(name).unwrap();
        let value = instance.value(&param).unwrap();
        assert_eq!(instance.text_of(&param, value).unwrap(), text);
    }
}

#[test]
fn a_project_loaded_again_and_again_while_it_plays_sounds_the_same_afterwards() {
    let _turn = turn();
    let (mut instance, mut song) = instance_with_rendition();
    let state = instance.save_state().unwrap();
    let saved = session(&mut instance);
    let listen = |instance: &mut Instance, song: &mut Song| {
        instance.run(song, 4_096, Pace::Times(1.0)).unwrap();
        song.clock.locate_beats(3.0);
        let heard = instance.run(song, 3 * super::HUM_RATE as usize, Pace::Unbounded).unwrap();
        // What sounded before the jump fades out at first.
        let fade = 4_096;
        (0..heard.outputs.len()).map(|port| heard.cut(port, fade, heard.frames() - fade)).collect::<Vec<_>>()
    };
    let before = listen(&mut instance, &mut song);
    for _ in 0..5 {
        instance.run(&mut song, 3_000, Pace::Times(4.0)).unwrap();
        instance.load_state(&state).unwrap();
    }
    // The stems are rendered again from the notes.
    instance.idle(Duration::from_secs(3));
    assert_eq!(session(&mut instance).region().variations[0].mix, saved.region().variations[0].mix);
    assert!(listen(&mut instance, &mut song) == before);
}

/// A song as Ardour tells it: seconds true to the frame, beats in whole ticks, 1920 in a beat.
fn in_ticks(frame: i64, tempo: f64, offset_beats: f64) -> TransportStamp {
    let seconds = frame as f64 / 48_000.0;
    let beats = seconds * tempo / 60.0 + offset_beats;
    TransportStamp {
        playing: true,
        tempo: Some(Bpm(tempo)),
        seconds: Some(seconds),
        beats: Some((beats * 1_920.0).floor() / 1_920.0),
        ..TransportStamp::default()
    }
}

/// The largest error of mended beats over a stretch of song, in frames, after the first blocks.
fn largest_error(frames: impl Iterator<Item = i64>, block: usize, stamp: impl Fn(i64) -> (TransportStamp, f64)) -> f64 {
    let mut steady = SteadyBeats::default();
    let mut largest = 0.0_f64;
    for (number, frame) in frames.enumerate() {
        let (told, truth) = stamp(frame);
        let mended = steady.mend(&told, block, SampleRate(48_000));
        let off = (mended.beats.unwrap() - truth) * 60.0 / told.tempo.unwrap().0 * 48_000.0;
        if number >= 3 {
            largest = largest.max(off.abs());
        }
    }
    largest
}

#[test]
fn beats_that_a_host_rounds_to_its_ticks_are_true_to_the_frame_again_also_across_jumps() {
    let song = |frame: i64| (in_ticks(frame, 100.0, 0.0), frame as f64 / 28_800.0);
    // Two passes of a loop that begins at bar 2.
    let looped = || (0..900).chain(0..900).map(|block| 115_200 + block * 1_024);
    assert!(largest_error(looped(), 1_024, song) < 1e-6);
    let literal = looped().map(|frame| (song(frame).0.beats.unwrap() - song(frame).1) * 28_800.0);
    assert!(literal.map(f64::abs).fold(0.0, f64::max) > 10.0, "what the host said was off by many frames");
}

#[test]
fn exact_beats_pass_as_they_are_and_jumps_and_tempo_changes_are_followed_at_once() {
    let mut steady = SteadyBeats::default();
    let mut stamp = |frame: i64, tempo: f64, offset: f64| {
        let seconds = frame as f64 / 48_000.0;
        let beats = seconds * tempo / 60.0 + offset;
        let told = TransportStamp { beats: Some(beats), ..in_ticks(frame, tempo, 0.0) };
        assert_eq!(steady.mend(&told, 512, SampleRate(48_000)), told);
    };
    for block in 0..50 {
        stamp(block * 512, 100.0, 0.0);
    }
    // A small jump of the song against its seconds, a large one, another tempo in mid-song.
    stamp(1_000_000, 100.0, 0.25);
    stamp(1_000_512, 100.0, 0.25);
    stamp(7, 100.0, 0.0);
    stamp(519, 133.0, -3.7);
    stamp(1_031, 133.0, -3.7);
}

#[test]
fn after_a_tempo_change_rounded_beats_keep_the_place_of_their_first_block() {
    // The offset that a tempo change leaves behind can be no finer than the host's tick, but it must not move.
    let stamp = |frame: i64| (in_ticks(frame, 133.0, 1.377), frame as f64 / 48_000.0 * 133.0 / 60.0 + 1.377);
    let tick_frames = 48_000.0 * 60.0 / 133.0 / 1_920.0;
    assert!(largest_error((0..500).map(|block| block * 512), 512, stamp) <= tick_frames + 1e-6);
    let mut steady = SteadyBeats::default();
    let mended: Vec<f64> =
        (0..500).map(|block| steady.mend(&stamp(block * 512).0, 512, SampleRate(48_000)).beats.unwrap()).collect();
    let step = 512.0 / 48_000.0 * 133.0 / 60.0;
    assert!(mended[3..].windows(2).all(|pair| (pair[1] - pair[0] - step).abs() < 1e-9));
}
