//! What decides where in a region its rendition is: the song, a count of its own, or a key.

use super::host::*;
use cantus_engine::capture::ring::MidiEvent;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::playback::player::{PlayMode, Player, PlayerSettings, TempoWish};
use cantus_engine::time::Bpm;

const RATES: [u32; 5] = [44_100, 48_000, 88_200, 96_000, 192_000];
const LOOP: PlayerSettings = PlayerSettings { mode: PlayMode::Loop, ..PLAY };
const TRIGGER: PlayerSettings = PlayerSettings { mode: PlayMode::Trigger, trigger_note: 36, ..PLAY };

fn region(rate: u32) -> Region {
    Region { rate, tempo: 100.0, start_beats: 4.0, length_beats: 2.0 }
}

/// A block over silence; the output's left channel.
fn block(player: &mut Player, stamp: &TransportStamp, settings: &PlayerSettings, size: usize) -> Vec<f32> {
    let mut main = [vec![0.0_f32; size], vec![0.0; size]];
    player.process(stamp, settings, &mut main);
    let [left, _] = main;
    left
}

fn loud(samples: &[f32]) -> Vec<usize> {
    (0..samples.len()).filter(|&frame| samples[frame].abs() > HEARD).collect()
}

#[test]
fn a_free_loop_goes_round_while_the_song_plays_wherever_it_is() {
    for rate in RATES {
        let region = region(rate);
        let (mut player, mut senders) = band(rate, 8_192);
        senders[2].send(boxed(1, region.clicks(0)));
        // Another region is not heard, though the song is in it.
        senders[0].send(boxed(2, Region { length_beats: 64.0, ..region }.sine(200.0, 0.0)));
        let settings = PlayerSettings { chosen_seat: 2, ..LOOP };
        let mut host = Host::at(&region, song_frame(5.37, 100.0, rate));
        host.playing = false;
        assert_eq!(
            block(&mut player, &host.stamp(), &settings, 4_096),
            vec![0.0; 4_096],
            "it sounds while the song stands"
        );
        host.playing = true;
        let mut heard = Vec::new();
        for (index, size) in mixed_blocks(rate as usize * 4).into_iter().enumerate() {
            // The song jumps about.
            host.frame = if index % 4 == 0 { host.frame / 2 } else { host.frame + size as i64 };
            heard.extend(block(&mut player, &host.stamp(), &settings, size));
        }
        let beat = region.frames() / 2;
        let due: Vec<usize> = (0..heard.len()).step_by(beat).collect();
        assert_eq!(loud(&heard), due, "{rate} Hz");
        host.playing = false;
        let stopped = block(&mut player, &host.stamp(), &settings, 4_096);
        assert!(stopped[rate as usize / 200..].iter().all(|&sample| sample == 0.0), "it goes on when the song stands");
    }
}

fn key(frame: u32, key: u8, velocity: f32) -> MidiEvent {
    MidiEvent { frame, key, channel: 3, velocity }
}

#[test]
fn keys_play_regions_from_their_start_on_the_frame_of_the_stroke() {
    for (rate, sizes) in RATES.into_iter().zip([&[64, 777, 8_192][..], &[1, 64, 8_192], &[777], &[8_192], &[512]]) {
        for &size in sizes {
            let region = region(rate);
            let (mut player, mut senders) = band(rate, 8_192);
            senders[0].send(boxed(1, region.clicks(0)));
            senders[5].send(boxed(2, Region { start_beats: 40.0, ..region }.clicks(0)));
            // Down and up by the frame, once while the song plays and once while it stands.
            let strokes =
                [(5_000, 36, 0.01), (9_000, 40, 1.0), (20_001, 36, 0.0), (30_011, 41, 1.0), (31_000, 41, 0.7)];
            let mut heard = Vec::new();
            while heard.len() < 40_000 {
                let from = heard.len();
                let notes: Vec<_> = strokes
                    .iter()
                    .filter(|(frame, ..)| (from..from + size).contains(frame))
                    .map(|&(frame, note, velocity)| key((frame - from) as u32, note, velocity))
                    .collect();
                let stamp = TransportStamp { playing: from > 15_000, beats: Some(77.0), ..TransportStamp::default() };
                player.hear_keys(&notes, &TRIGGER);
                heard.extend(block(&mut player, &stamp, &TRIGGER, size));
            }
            // A beat after the first stroke the key is up again.
            assert_eq!(loud(&heard), [5_000, 30_011, 31_000], "{rate} Hz, blocks of {size}");
            assert_eq!(heard[4_999], 0.0);
        }
    }
}

#[test]
fn a_key_let_go_fades_and_a_late_one_is_found() {
    let region = region(48_000);
    let (mut player, mut sender) = player_with(48_000, 512, region.rendition(|_, _| 0.5));
    let stamp = TransportStamp::default();
    let mut heard = Vec::new();
    for turn in 0..20 {
        let notes = match turn {
            2 => vec![key(100, 36, 1.0)],
            10 => vec![key(200, 36, 0.0)],
            _ => Vec::new(),
        };
        player.hear_keys(&notes, &TRIGGER);
        heard.extend(block(&mut player, &stamp, &TRIGGER, 512));
    }
    let (down, up) = (2 * 512 + 100, 10 * 512 + 200);
    assert!(heard[..down].iter().all(|&sample| sample == 0.0));
    assert!((heard[down + 144..up].iter()).all(|&sample| sample == 0.5), "it does not sound while it is held");
    assert!(heard[up + 144..].iter().all(|&sample| sample == 0.0), "it rings on");
    let largest = heard[down + 1..].windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(largest < 0.05, "a step of {largest}");

    // It ends by itself, and only once the region and its tail are over.
    sender.send(boxed(1, region.clicks(0)));
    player.hear_keys(&[key(0, 36, 1.0)], &TRIGGER);
    let heard = block(&mut player, &stamp, &TRIGGER, 512 * 400);
    assert_eq!(loud(&heard), [0, 28_800]);
    assert_eq!(player.telemetry().position(0), 0);
    block(&mut player, &stamp, &TRIGGER, 512);
    assert_eq!(player.telemetry().position(0), -1, "it did not end");

    // Outside of this mode a key plays nothing.
    player.hear_keys(&[key(0, 36, 1.0)], &PLAY);
    assert!(loud(&block(&mut player, &stamp, &PLAY, 512)).is_empty());
}

#[test]
fn a_loop_keeps_its_place_when_a_rendition_at_another_tempo_comes() {
    let region = region(48_000);
    let (mut player, mut sender) = player_with(48_000, 512, region.clicks(0));
    let stamp =
        |tempo| TransportStamp { playing: true, tempo: Some(Bpm(tempo)), beats: Some(0.0), ..Default::default() };
    // Half a beat at 100 BPM.
    let mut heard = block(&mut player, &stamp(100.0), &LOOP, 14_400);
    assert_eq!(player.wants_tempo(&stamp(100.0), &LOOP), None);
    assert_eq!(player.wants_tempo(&stamp(120.0), &LOOP), Some(TempoWish::Soon));
    sender.send(boxed(1, Region { tempo: 120.0, ..region }.clicks(0)));
    heard.extend(block(&mut player, &stamp(120.0), &LOOP, 48_000));
    // The other half of the beat at 120 BPM, then whole beats of 24,000 frames.
    assert_eq!(loud(&heard), [0, 14_400 + 12_000, 14_400 + 36_000]);
}

#[test]
fn hosts_without_any_position_hear_the_chosen_region_only() {
    let region = region(48_000);
    let (mut player, mut senders) = band(48_000, 512);
    senders[0].send(boxed(1, region.rendition(|_, _| 0.25)));
    senders[1].send(boxed(2, region.rendition(|_, _| 0.5)));
    let stamp = TransportStamp { playing: true, ..TransportStamp::default() };
    let heard = block(&mut player, &stamp, &PlayerSettings { chosen_seat: 1, ..PLAY }, 2_048);
    assert!(heard[144..].iter().all(|&sample| sample == 0.5));
}

#[test]
fn auditioning_a_region_is_hearing_it_alone() {
    let region = region(48_000);
    let (mut player, mut senders) = band(48_000, 512);
    senders[0].send(boxed(1, region.rendition(|_, _| 0.25)));
    senders[1].send(boxed(2, region.rendition(|_, _| 0.5)));
    let host = Host::at(&region, region.first() + 1_000);
    let settings = PlayerSettings { chosen_seat: 1, audition: true, ..PLAY };
    let heard = block(&mut player, &host.stamp(), &settings, 2_048);
    assert!(heard[144..].iter().all(|&sample| sample == 0.5));
}
