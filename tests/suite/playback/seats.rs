//! Several regions, each at its own place in the song, and the sum of them.

use super::host::*;
use crate::allocations::counted;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::generation::score::Role;
use cantus_engine::playback::clip::Clip;
use cantus_engine::playback::player::{MOST_REGIONS, PlayerSettings};

const VERSE: Region = Region { rate: 48_000, tempo: 100.0, start_beats: 4.0, length_beats: 4.0 };
const CHORUS: Region = Region { start_beats: 8.0, ..VERSE };
const REPLACE: PlayerSettings = PlayerSettings { replace: true, ..PLAY };

/// Plays a stretch of song over the input in mixed blocks.
fn play(host: &mut Host, player: &mut cantus_engine::playback::player::Player, settings: &PlayerSettings) -> Heard {
    let mut heard = Heard::default();
    for size in mixed_blocks(400_000) {
        host.block(player, settings, &vec![0.125; size], &mut heard);
    }
    heard
}

/// A level for so many frames from a place in what was heard.
fn check_level(heard: &Heard, range: std::ops::Range<i64>, level: f32) -> Result<(), String> {
    let off = heard
        .song
        .iter()
        .zip(&heard.left)
        .find(|(song, sample)| range.contains(song) && (**sample - level).abs() > 1e-6);
    off.map_or(Ok(()), |(song, sample)| Err(format!("{sample} at {song} instead of {level}")))
}

#[test]
fn regions_play_at_their_own_places_and_the_tail_of_one_rings_over_the_next() {
    for (verse, chorus) in [(0, 1), (7, 3)] {
        let (mut player, mut senders) = band(VERSE.rate, 512);
        senders[verse].send(boxed(11, VERSE.rendition(|_, _| 0.25)));
        senders[chorus].send(boxed(12, CHORUS.rendition(|_, _| 0.5)));
        let mut host = Host::at(&VERSE, VERSE.first() - 10_000);
        let heard = play(&mut host, &mut player, &REPLACE);
        let fade = 144;
        for (range, level) in [
            (0..VERSE.first(), 0.125),
            (VERSE.first() + fade..VERSE.end(), 0.25),
            // The tail of the verse is a second long.
            (CHORUS.first() + fade..CHORUS.first() + 48_000, 0.75),
            (CHORUS.first() + 48_000..CHORUS.end(), 0.5),
            (CHORUS.end() + fade..CHORUS.end() + 48_000, 0.625),
            (CHORUS.end() + 48_000 + fade..CHORUS.end() + 60_000, 0.125),
        ] {
            check_level(&heard, range, level).unwrap();
        }
        let telemetry = player.telemetry();
        assert_eq!((telemetry.clip(verse), telemetry.clip(chorus), telemetry.clip(2)), (Some(11), Some(12), None));
        assert_eq!(telemetry.position(2), -1);
        assert!(check_level(&heard, VERSE.first()..VERSE.end(), 0.75).is_err(), "the check hears no difference");
    }
}

#[test]
fn one_seat_sounds_the_same_to_the_bit_wherever_it_is_and_whoever_sits_beside_it_in_silence() {
    let noise = |frame: usize, channel: usize| ((frame * 7_919 + channel * 104_729) % 65_521) as f32 / 131_072.0 - 0.25;
    let play = |seat: usize, others: bool| {
        let (mut player, mut senders) = band(VERSE.rate, 256);
        senders[seat].send(boxed(1, with_stems(VERSE.rendition(noise))));
        if others {
            // Far away in the song, and at another rate.
            senders[(seat + 1) % 8].send(boxed(2, Region { start_beats: 400.0, ..VERSE }.rendition(noise)));
            senders[(seat + 2) % 8].send(boxed(3, Region { rate: 44_100, ..VERSE }.rendition(noise)));
        }
        let mut host = Host::at(&VERSE, VERSE.first() - 3_000);
        host.around = Some((4.3, 7.9));
        let mut bits = Vec::new();
        for (index, size) in mixed_blocks(300_000).into_iter().enumerate() {
            let dry_gain = if index % 5 == 0 { 0.5 } else { 1.0 };
            let settings = PlayerSettings { replace: index % 7 != 0, dry_gain, ..PLAY };
            let mut main = [(); 2].map(|()| (0..size).map(|frame| noise(frame, index)).collect::<Vec<f32>>());
            player.process(&host.stamp(), &settings, &mut main);
            let mut stem = main.clone();
            player.write_stem(Role::Drums, &mut stem);
            bits.extend(main.iter().chain(&stem).flatten().map(|sample| sample.to_bits()));
            (0..size).for_each(|_| host.step());
        }
        bits
    };
    let alone = play(0, false);
    for seat in [0, 3, 7] {
        assert!(play(seat, true) == alone, "seat {seat}");
    }
}

#[test]
fn what_sounds_at_once_is_the_sum_and_any_of_it_silences_the_input() {
    let (mut player, mut senders) = band(VERSE.rate, 512);
    senders.iter_mut().enumerate().for_each(|(seat, sender)| {
        let region = Region { start_beats: 4.0 + seat as f64 * 0.5, ..VERSE };
        sender.send(boxed(seat as u64, with_stems(region.rendition(|_, _| 0.0625))));
    });
    let mut host = Host::at(&VERSE, song_frame(7.75, VERSE.tempo, VERSE.rate));
    let mut heard = Heard::default();
    host.block(&mut player, &REPLACE, &[0.125; 4_096], &mut heard);
    assert!(heard.left[144..].iter().all(|&sample| (sample - 0.5).abs() < 1e-6), "{}", heard.left[2_000]);
    let mut stem = [vec![0.0_f32; 4_096], vec![0.0; 4_096]];
    player.write_stem(Role::Lead, &mut stem);
    assert!(stem[0][144..].iter().all(|&sample| (sample - 0.125).abs() < 1e-6));
}

#[test]
fn a_muted_region_fades_and_lets_the_input_back() {
    let (mut player, mut senders) = band(VERSE.rate, 512);
    senders[0].send(boxed(1, VERSE.rendition(|_, _| 0.25)));
    senders[1].send(boxed(2, VERSE.rendition(|_, _| 0.5)));
    let mut host = Host::at(&VERSE, VERSE.first());
    let mut heard = Heard::default();
    let mut muted = [false; MOST_REGIONS];
    for (turn, expected) in [(0, 0.75), (1, 0.25), (2, 0.125), (3, 0.75)] {
        muted[1] = turn == 1 || turn == 2;
        muted[0] = turn == 2;
        let settings = PlayerSettings { seat_muted: muted, ..REPLACE };
        host.block(&mut player, &settings, &[0.125; 2_048], &mut heard);
        let block = &heard.left[turn * 2_048..];
        assert!(block[150..].iter().all(|&sample| (sample - expected).abs() < 1e-6), "turn {turn}: {}", block[1_000]);
    }
    let largest = heard.left.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(largest < 0.05, "a step of {largest}");
}

#[test]
fn blocks_longer_than_promised_play_in_parts_and_sound_the_same() {
    let play = |max_block: usize| {
        let (mut player, mut senders) = band(VERSE.rate, max_block);
        senders[0].send(boxed(1, with_stems(VERSE.sine(331.0, 0.3))));
        senders[4].send(boxed(2, with_stems(CHORUS.sine(227.0, 0.1))));
        let mut host = Host::at(&VERSE, VERSE.first() - 7_000);
        host.around = Some((4.2, 9.1));
        play(&mut host, &mut player, &REPLACE).left
    };
    let whole = play(8_192);
    for max_block in [1_000, 64] {
        let parts = play(max_block);
        let off = whole.iter().zip(&parts).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-6, "blocks of {max_block} are off by {off}");
    }
}

#[test]
fn eight_regions_swapped_in_every_block_neither_allocate_nor_free() {
    let (mut player, mut senders) = band(VERSE.rate, 256);
    let mut host = Host::at(&VERSE, VERSE.first() - 2_000);
    host.around = Some((4.5, 9.1));
    let mut total = 0;
    let rendition = std::sync::Arc::new(with_stems(VERSE.sine(300.0, 0.0)));
    for (index, size) in mixed_blocks(200_000).into_iter().enumerate() {
        for (seat, sender) in senders.iter_mut().enumerate() {
            match (index + seat) % 4 {
                0 => sender.send(Some(Box::new(Clip::from_rendition(index as u64, rendition.clone())))),
                1 => sender.send(None),
                _ => sender.reclaim(),
            }
        }
        let settings = PlayerSettings {
            role_gains: [if index % 3 == 0 { 0.5 } else { 1.0 }; 8],
            chosen_seat: index % 8,
            audition: index % 11 == 0,
            ..REPLACE
        };
        let stamp = TransportStamp { playing: index % 9 != 0, ..host.stamp() };
        let mut main = [vec![0.1_f32; size], vec![0.1; size]];
        let mut stem = main.clone();
        let ((), count) = counted(|| {
            player.process(&stamp, &settings, &mut main);
            Role::ALL.iter().for_each(|&role| player.write_stem(role, &mut stem));
        });
        total += count;
        (0..size).for_each(|_| host.step());
    }
    assert_eq!(total, 0);
}
