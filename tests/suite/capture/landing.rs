//! A hum and its recorded clip: what was sung to a beat comes back on that beat.

use super::rig::{Host, Rig};
use crate::playback::host::bare;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::cut::{CaptureMode, Recall};
use cantus_engine::capture::take::Take;
use cantus_engine::playback::clip::Clip;
use cantus_engine::playback::handoff::handoffs;
use cantus_engine::playback::player::{Player, PlayerSettings};
use cantus_engine::time::{SampleRate, Seconds};
use std::sync::Arc;

const PLAY: PlayerSettings = PlayerSettings { dry_gain: 0.0, ..PlayerSettings::PLAIN };
/// The bar, in seconds.
const LANDING: f64 = 0.005;
/// How long the singer's sound is on its way.
const LATE: f64 = 0.043;
/// What is sung, in beats of the song.
const SUNG: [f64; 9] = [4.25, 4.75, 5.25, 6.0, 6.66, 7.5, 8.0, 9.125, 11.0];

/// A tone that begins hard and dies away, as sung from a number of frames ago.
fn tone(age: i64, rate: u32) -> f32 {
    if age < 0 {
        return 0.0;
    }
    let seconds = age as f32 / rate as f32;
    0.5 * (-seconds * 40.0).exp() * (seconds * 440.0 * std::f32::consts::TAU).cos()
}

/// What a singer sings to the song, as the host's input has it: late by what was on its way.
fn sung(rate: u32, tempo: f64, offset: f64, how: impl Fn(&mut Rig) -> Take) -> Take {
    let directory = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(Host::new(rate, tempo), 1, directory.path());
    rig.set_input_offset(Seconds(offset));
    how(&mut rig)
}

fn sing(rig: &mut Rig, beats: f64) {
    let (rate, host) = (rig.host.rate, rig.host.clone());
    let late = (LATE * f64::from(rate)).round() as usize;
    let onsets: Vec<i64> = SUNG.iter().map(|&beat| host.sample_of(beat)).collect();
    let sound = |frame: usize, songs: &[i64]| {
        let Some(song) = frame.checked_sub(late).map(|heard| songs[heard]) else { return 0.0 };
        onsets.iter().map(|onset| tone(song - onset, rate)).sum()
    };
    rig.play_sound(host.sample_of(beats) as usize, &[480, 31, 512], sound);
}

/// The take itself as what plays, from its own place.
fn clip(take: &Take) -> Box<Clip> {
    let mono = take.audio.channels[0].clone();
    let mix = AudioBuffer { rate: take.audio.rate, channels: vec![mono.clone(), mono] };
    let rendition = bare(take.grid.clone(), take.audio.length(), mix);
    Box::new(Clip::from_rendition(1, Arc::new(rendition)))
}

/// The song frames at which tones begin when the clip is played in the song.
fn played(take: &Take, tempo: f64) -> Vec<i64> {
    let rate = take.audio.rate;
    let (mut senders, inboxes) = handoffs();
    senders[0].send(Some(clip(take)));
    let mut player = Player::new(inboxes, SampleRate(rate.0), 512);
    let mut host = Host::new(rate.0, tempo);
    let mut output: Vec<f32> = Vec::new();
    while output.len() < host.sample_of(14.0) as usize {
        let (stamp, songs) = host.blocks(512).remove(0);
        let mut channels = [vec![0.0; songs.len()], vec![0.0; songs.len()]];
        player.process(&stamp, &PLAY, &mut channels);
        output.extend(&channels[0]);
    }
    // A tone begins where the sound jumps up to its height at once.
    let jumps = output.windows(2).enumerate().filter(|(_, pair)| pair[1] - pair[0] > 0.3);
    jumps.map(|(at, _)| at as i64 + 1).collect()
}

fn check(take: &Take, tempo: f64) -> Result<(), String> {
    let rate = take.audio.rate.0;
    let expected: Vec<i64> = SUNG.iter().map(|&beat| Host::new(rate, tempo).sample_of(beat)).collect();
    let landed = played(take, tempo);
    let near = |(is, should): (&i64, &i64)| ((is - should) as f64 / f64::from(rate)).abs() <= LANDING;
    if landed.len() == expected.len() && landed.iter().zip(&expected).all(near) {
        Ok(())
    } else {
        Err(format!("landed at {landed:?}, sung at {expected:?}"))
    }
}

#[test]
fn a_hum_and_its_recorded_clip_land_together() {
    let captures: [(&str, fn(&mut Rig) -> Take); 3] = [
        ("bars", |rig| {
            rig.arm(CaptureMode::Bars(2));
            // From the line at beat 4 on.
            rig.host.sample = rig.host.sample_of(1.0);
            sing(rig, 13.0);
            rig.take()
        }),
        ("free", |rig| {
            rig.arm(CaptureMode::Free);
            sing(rig, 13.0);
            rig.settle();
            rig.ear.stop();
            rig.take()
        }),
        ("recalled", |rig| {
            sing(rig, 13.0);
            rig.recall(Recall::Bars(3)).unwrap()
        }),
    ];
    for (rate, tempo) in [(48_000, 120.0), (44_100, 93.7), (96_000, 141.0)] {
        for (name, capture) in captures {
            let take = sung(rate, tempo, LATE, capture);
            assert_eq!(check(&take, tempo), Ok(()), "{name} at {rate}, {tempo} BPM");
            // Without the offset it lands late by what the sound was on its way.
            let late = sung(rate, tempo, 0.0, capture);
            assert!(check(&late, tempo).is_err(), "{name} at {rate}");
        }
    }
}
