//! At another tempo than the clip's, every host beat still begins with the clip's beat.

use super::host::*;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::playback::player::Player;
use cantus_engine::time::Bpm;

const REGION: Region = Region { rate: 48_000, tempo: 100.0, start_beats: 4.0, length_beats: 8.0 };

fn beat_frames(tempo: f64) -> Vec<i64> {
    (4..12).map(|beat| song_frame(f64::from(beat), tempo, REGION.rate)).collect()
}

fn play(player: &mut Player, tempo: f64, from_beats: f64, around: Option<(f64, f64)>) -> Heard {
    let mut host = Host::at(&REGION, song_frame(from_beats, tempo, REGION.rate));
    (host.tempo, host.around) = (tempo, around);
    let mut heard = Heard::default();
    host.blocks(player, mixed_blocks(400_000), &mut heard);
    heard
}

#[test]
fn every_host_beat_begins_with_the_clips_beat() {
    for tempo in [60.0, 93.7, 99.99, 100.01, 123.45, 180.0] {
        for from in [2.0, 4.0, 5.3, 5.999] {
            for around in [None, Some((5.0, 7.0)), Some((4.5, 6.1))] {
                let (mut player, _sender) = player_with(REGION.rate, 512, REGION.clicks(0));
                let heard = play(&mut player, tempo, from, around);
                assert!(player.telemetry().slicing(0));
                let beats = beat_frames(tempo);
                let clicks = check_clicks(&heard, |song| beats.contains(&song))
                    .unwrap_or_else(|error| panic!("{tempo} BPM from {from}, loop {around:?}: {error}"));
                assert!(clicks >= 4);
            }
        }
    }
    // The same check refuses a clip that is one frame late.
    let (mut player, _sender) = player_with(REGION.rate, 512, REGION.clicks(1));
    let heard = play(&mut player, 123.45, 2.0, None);
    assert!(check_clicks(&heard, |song| beat_frames(123.45).contains(&song)).is_err());
}

#[test]
fn a_new_clip_at_the_hosts_tempo_ends_the_slices() {
    let (mut player, mut sender) = player_with(REGION.rate, 512, REGION.clicks(0));
    let (tempo, telemetry) = (120.0, player.telemetry());
    let mut host = Host::at(&REGION, song_frame(4.0, tempo, REGION.rate));
    host.tempo = tempo;
    let mut heard = Heard::default();
    host.blocks(&mut player, mixed_blocks(50_000), &mut heard);
    assert!(telemetry.slicing(0));
    sender.send(boxed(2, Region { tempo, ..REGION }.clicks(0)));
    host.blocks(&mut player, mixed_blocks(100_000), &mut heard);
    assert!(!telemetry.slicing(0));
    let clicks = check_clicks(&heard, |song| beat_frames(tempo).contains(&song)).expect("a click is not on its sample");
    assert!(clicks >= 6);
}

#[test]
fn slices_are_cut_through_the_fade() {
    // Sines with whole periods a beat, so that the attack of each beat, at full gain, is no step in itself.
    for tempo in [70.0, 99.0, 101.0, 150.0] {
        let (mut player, _sender) = player_with(REGION.rate, 512, REGION.sine(200.0, 0.0));
        let heard = play(&mut player, tempo, 4.0, None);
        super::continuity::check_no_steps(&heard.left, 200.0, REGION.rate)
            .unwrap_or_else(|error| panic!("{tempo} BPM: {error}"));
        let silent = heard.left.iter().filter(|sample| **sample == 0.0).count();
        let gap = 1.0 - tempo / REGION.tempo;
        let share = silent as f64 / heard.left.len() as f64;
        assert!(gap < 0.02 || (share - gap).abs() < 0.02, "{tempo} BPM: {share} of it silent, gaps are {gap}");
    }
}

#[test]
fn through_a_tempo_ramp_beats_stay_and_the_sound_between_them_has_no_seam() {
    // Quiet between the clicks, so that the fades at each beat cannot hide one.
    let mut rendition = REGION.sine(330.0, 0.0);
    rendition.mix.channels.iter_mut().flatten().for_each(|sample| *sample *= 0.05);
    for beat in 4..12 {
        let frame = (song_frame(f64::from(beat), REGION.tempo, REGION.rate) - REGION.first()) as usize;
        rendition.mix.channels[0][frame] = CLICK;
    }
    let whole = rendition.mix.channels[0].clone();
    let (mut player, _sender) = player_with(REGION.rate, 512, rendition);
    let (mut beats, mut heard, mut due) = (3.9, Vec::new(), Vec::new());
    for block in 0..2500 {
        let tempo = 101.0 + 0.003 * f64::from(block);
        let per_beat = 60.0 / tempo * 48_000.0;
        let offset = (f64::ceil(beats) - beats) * per_beat;
        if offset.round() < 64.0 && beats < 11.5 {
            due.push((f64::ceil(beats), heard.len() + offset.round() as usize));
        }
        let stamp =
            TransportStamp { playing: true, tempo: Some(Bpm(tempo)), beats: Some(beats), ..TransportStamp::default() };
        let mut main = [vec![0.0_f32; 64], vec![0.0; 64]];
        player.process(&stamp, &PLAY, &mut main);
        heard.extend_from_slice(&main[0]);
        beats += 64.0 / per_beat;
    }
    assert!(due.len() >= 5);
    for (beat, at) in due {
        let first = (song_frame(beat, REGION.tempo, REGION.rate) - REGION.first()) as usize;
        assert!(heard[at] > HEARD, "beat {beat} is not at {at}");
        let length = 20_000.min(heard.len() - at);
        assert!(heard[at + 144..at + length] == whole[first + 144..first + length], "a seam after beat {beat}");
    }
}
