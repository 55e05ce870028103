//! At another tempo than the clip's, every host beat still begins with the clip's beat.

use super::host::*;
use cantus_engine::playback::player::Player;

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
                assert!(player.telemetry().slicing());
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
    assert!(telemetry.slicing());
    sender.send(boxed(2, Region { tempo, ..REGION }.clicks(0)));
    host.blocks(&mut player, mixed_blocks(100_000), &mut heard);
    assert!(!telemetry.slicing());
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
