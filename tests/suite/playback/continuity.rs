//! No start, stop, jump or change makes a step in the sound.

use super::host::*;
use cantus_engine::playback::player::{Player, PlayerSettings};
use std::f64::consts::TAU;

const REGION: Region = Region { rate: 48_000, tempo: 100.0, start_beats: 4.0, length_beats: 8.0 };
const HZ: f64 = 220.0;
/// Amplitude of every sine here.
const AMPLITUDE: f64 = 0.5;

/// The largest difference of neighbours is that of the sine itself plus a tenth of its amplitude.
pub fn check_no_steps(samples: &[f32], hz: f64, rate: u32) -> Result<(), String> {
    let natural = AMPLITUDE * TAU * hz / f64::from(rate);
    let largest = samples.windows(2).map(|pair| f64::from((pair[1] - pair[0]).abs())).enumerate();
    let (at, largest) = largest.max_by(|a, b| a.1.total_cmp(&b.1)).expect("no samples");
    let bound = natural + 0.1 * AMPLITUDE;
    if largest <= bound { Ok(()) } else { Err(format!("a step of {largest:.4} at {at}, more than {bound:.4}")) }
}

/// What happens between two blocks.
type Event = fn(&mut Host, &mut PlayerSettings);

#[test]
fn nothing_that_happens_makes_a_step() {
    let events: [(&str, Event); 14] = [
        ("nothing", |_, _| {}),
        ("locate off a beat", |host, _| host.frame += 12_345),
        ("locate onto a beat", |host, _| host.frame = song_frame(9.0, host.tempo, host.rate)),
        ("locate just before a beat", |host, _| host.frame = song_frame(9.0, host.tempo, host.rate) - 30),
        ("locate just after a beat", |host, _| host.frame = song_frame(9.0, host.tempo, host.rate) + 30),
        ("locate before the region", |host, _| host.frame = song_frame(1.0, host.tempo, host.rate)),
        ("stop", |host, _| host.playing = false),
        ("stop into audition", |host, settings| (host.playing, settings.audition) = (false, true)),
        ("bypass", |_, settings| settings.enabled = false),
        ("wet gain", |_, settings| settings.wet_gain = 0.1),
        ("replace", |_, settings| settings.replace = true),
        ("dry gain", |_, settings| settings.dry_gain = 0.0),
        ("tempo up", |host, _| host.tempo = 110.0),
        ("tempo down", |host, _| host.tempo = 90.0),
    ];
    for (what, event) in events {
        for dry_too in [false, true] {
            // Frames before the event, so that it meets every phase and lies on, before and after beats.
            for before in [0, 28_800 - 4800, 28_800 - 4801, 28_799 - 4800 + 31, 7000, 9999] {
                let (mut player, _sender) = player_with(REGION.rate, 512, REGION.sine(HZ, 0.0));
                let mut host = Host::at(&REGION, REGION.first() + 4800);
                let mut settings = PLAY;
                let mut heard = Heard::default();
                let mut blocks = |host: &mut Host, settings: &PlayerSettings, count: usize, size: usize| {
                    for _ in 0..count {
                        let at = heard.song.len();
                        let dry: Vec<f32> = (at..at + size).map(|frame| dry_sine(frame) * f32::from(dry_too)).collect();
                        host.block(&mut player, settings, &dry, &mut heard);
                    }
                };
                blocks(&mut host, &settings, 1, before);
                event(&mut host, &mut settings);
                blocks(&mut host, &settings, 10, 64);
                blocks(&mut host, &settings, 60, 500);
                // And back again.
                (settings, host.playing) = (PLAY, true);
                blocks(&mut host, &settings, 10, 333);
                let hz = if dry_too { 2.0 * HZ } else { HZ };
                check_no_steps(&heard.left, hz, REGION.rate)
                    .unwrap_or_else(|error| panic!("{what} after {before} frames, dry {dry_too}: {error}"));
            }
        }
    }
}

/// Input at the clip's own pitch: added to it, the natural slope at most doubles.
fn dry_sine(frame: usize) -> f32 {
    (AMPLITUDE * (TAU * HZ * frame as f64 / 48_000.0).sin()) as f32
}

#[test]
fn loops_make_no_step() {
    for around in [(4.0, 6.0), (4.37, 5.81), (4.99, 6.01), (5.0, 5.999), (5.0, 5.05)] {
        let (mut player, _sender) = player_with(REGION.rate, 1024, REGION.sine(HZ, 0.0));
        let mut host = Host::at(&REGION, REGION.first());
        host.around = Some(around);
        let mut heard = Heard::default();
        host.frame = song_frame(2.0, REGION.tempo, REGION.rate);
        host.blocks(&mut player, mixed_blocks(200_000), &mut heard);
        check_no_steps(&heard.left, HZ, REGION.rate).unwrap_or_else(|error| panic!("{around:?}: {error}"));
    }
}

#[test]
fn swaps_make_no_step_and_a_swap_for_the_same_is_not_heard() {
    for before in [100, 28_800, 28_799, 28_790, 14_400, 5000] {
        let (mut player, mut sender) = player_with(REGION.rate, 512, REGION.sine(HZ, 0.0));
        let mut host = Host::at(&REGION, REGION.first());
        let mut heard = Heard::default();
        host.blocks(&mut player, [before], &mut heard);
        sender.send(boxed(2, REGION.sine(HZ, 2.0)));
        host.blocks(&mut player, [10_000], &mut heard);
        sender.send(None);
        host.blocks(&mut player, [1000], &mut heard);
        check_no_steps(&heard.left, HZ, REGION.rate).unwrap_or_else(|error| panic!("after {before}: {error}"));

        let sine = REGION.sine(HZ, 0.0);
        let (mut player, mut sender) = player_with(REGION.rate, 512, sine.clone());
        let mut host = Host::at(&REGION, REGION.first());
        let mut heard = Heard::default();
        host.blocks(&mut player, [before], &mut heard);
        sender.send(boxed(2, sine.clone()));
        host.blocks(&mut player, [10_000], &mut heard);
        let off = heard.left.iter().zip(&sine.mix.channels[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-6, "a swap for the same clip is off by {off}");
    }
}

#[test]
fn the_step_check_hears_a_hard_cut() {
    let sine: Vec<f32> = REGION.sine(HZ, 1.0).mix.channels.remove(0);
    assert!(check_no_steps(&sine, HZ, REGION.rate).is_ok());
    let started = [&[0.0; 10], &sine[5000..6000]].concat();
    let jumped = [&sine[0..5000], &sine[12_345..13_000]].concat();
    for cut in [started, jumped] {
        assert!(check_no_steps(&cut, HZ, REGION.rate).is_err());
    }
}

#[test]
fn a_click_is_heard_whenever_the_transport_lands_on_it() {
    for tempo in [100.0, 123.45] {
        let region = Region { tempo, ..REGION };
        let beat = |beat: f64| song_frame(beat, tempo, region.rate);
        let landings = [beat(6.0), beat(4.0), beat(6.0) + 1, beat(6.0) + 2, beat(6.0) - 1, beat(6.0) - 100];
        for (stopped_before, landed) in landings.into_iter().flat_map(|landed| [(true, landed), (false, landed)]) {
            // From silence, or out of the middle, or just before or just behind another click.
            for from in [-50, -5, 0, 1, 2, 7000].map(|frames| beat(7.0) + frames) {
                let mut host = Host::at(&region, from - 256);
                host.playing = !stopped_before;
                let (mut player, _sender) = player_with(region.rate, 512, region.clicks(0));
                let mut heard = Heard::default();
                host.blocks(&mut player, [256], &mut heard);
                host.frame = landed;
                host.playing = true;
                host.blocks(&mut player, [512], &mut heard);
                let beats: Vec<i64> = (4..12).map(|number| beat(f64::from(number))).collect();
                let due = |song| beats.contains(&song) && !(stopped_before && song > beats[2]);
                check_clicks(&heard, due).unwrap_or_else(|error| panic!("{tempo} BPM, {from} to {landed}: {error}"));
            }
        }
    }
}

#[test]
fn everything_is_silent_three_milliseconds_after_a_stop() {
    let (mut player, _sender): (Player, _) = player_with(REGION.rate, 512, REGION.sine(HZ, 1.0));
    let mut host = Host::at(&REGION, REGION.first() + 777);
    let mut heard = Heard::default();
    host.blocks(&mut player, [5000], &mut heard);
    host.playing = false;
    host.blocks(&mut player, [512], &mut heard);
    let after = &heard.left[5000..];
    assert!(after[..100].iter().any(|sample| sample.abs() > 0.01), "it was cut hard");
    assert!(after[144..].iter().all(|sample| *sample == 0.0), "it rang on");
    assert_eq!(player.telemetry().position(0), -1);
}
