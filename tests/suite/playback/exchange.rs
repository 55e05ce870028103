//! Swaps: clips in, clips back, nothing allocated or freed on the way.

use super::host::*;
use crate::allocations::counted;
use cantus_engine::generation::score::Role;
use cantus_engine::playback::clip::Clip;
use cantus_engine::playback::player::PlayerSettings;
use cantus_engine::rendition::Rendition;
use std::sync::{Arc, Weak};

const REGION: Region = Region { rate: 48_000, tempo: 123.45, start_beats: 4.0, length_beats: 8.0 };

#[test]
fn a_swap_while_playing_keeps_the_place_in_the_song() {
    // Different regions over one stretch of song, both with clicks on the host's beats.
    let earlier = Region { start_beats: 1.0, length_beats: 11.0, ..REGION };
    let (mut player, mut sender) = player_with(REGION.rate, 512, REGION.clicks(0));
    let mut host = Host::at(&REGION, REGION.first() + 100);
    let mut heard = Heard::default();
    for turn in 0..40 {
        let region = if turn % 2 == 0 { earlier } else { REGION };
        sender.send(boxed(turn + 2, region.clicks(0)));
        host.blocks(&mut player, mixed_blocks(3000), &mut heard);
        assert_eq!(player.telemetry().clip(0), Some(turn + 2));
    }
    let beats: Vec<i64> = (4..12).map(|beat| song_frame(f64::from(beat), REGION.tempo, REGION.rate)).collect();
    assert!(check_clicks(&heard, |song| beats.contains(&song)).expect("a click is not on its sample") >= 4);
}

#[test]
fn a_swap_that_falls_on_a_beat_or_just_before_it_loses_no_click() {
    for before in [0, 1, 2, 10, 40, 100, 143, 144, 200] {
        for replaced in [REGION.clicks(0), REGION.rendition(|_, _| 0.0)] {
            let (mut player, mut sender) = player_with(REGION.rate, 512, replaced);
            let beat = song_frame(6.0, REGION.tempo, REGION.rate);
            let mut host = Host::at(&REGION, beat - before - 1000);
            let mut heard = Heard::default();
            host.blocks(&mut player, [1000], &mut heard);
            sender.send(boxed(2, REGION.clicks(0)));
            host.blocks(&mut player, [512, 512], &mut heard);
            let clicks = check_clicks(&heard, |song| song == beat);
            assert_eq!(clicks, Ok(1), "swapped {before} frames before the beat");
        }
    }
}

#[test]
fn the_newest_wish_wins_and_every_other_clip_is_freed_by_the_sender() {
    let (mut player, [mut sender, ..]) = band(REGION.rate, 512);
    let telemetry = player.telemetry();
    let mut host = Host::at(&REGION, REGION.first() + 5000);
    let mut heard = Heard::default();
    let mut sent: Vec<Weak<Rendition>> = Vec::new();
    let alive = |sent: &[Weak<Rendition>]| sent.iter().filter(|clip| clip.strong_count() > 0).count();
    for id in 0..50 {
        let rendition = Arc::new(REGION.sine(440.0, f64::from(id)));
        sent.push(Arc::downgrade(&rendition));
        sender.send(Some(Box::new(Clip::from_rendition(u64::from(id as u32), rendition))));
        // The player falls far behind at first.
        if id > 20 && id % 3 == 0 {
            host.blocks(&mut player, [64], &mut heard);
        }
    }
    for _ in 0..20 {
        host.blocks(&mut player, [64], &mut heard);
        sender.reclaim();
    }
    assert_eq!(telemetry.clip(0), Some(49));
    assert_eq!(alive(&sent), 1, "only the last clip is still held");
    assert_eq!(player.tempo(0).map(|tempo| tempo.0), Some(123.45));

    sender.send(None);
    host.blocks(&mut player, [512], &mut heard);
    assert_eq!((telemetry.clip(0), telemetry.position(0), player.tempo(0)), (None, -1, None));
    // The clip is still with the player until its fade is over and the next block comes.
    host.blocks(&mut player, [512], &mut heard);
    assert_eq!(alive(&sent), 1, "the audio thread freed a clip");
    sender.reclaim();
    assert_eq!(alive(&sent), 0);
}

#[test]
fn playing_neither_allocates_nor_frees() {
    let settings = PlayerSettings { replace: true, ..PLAY };
    let run = |work: fn(usize)| {
        let (mut player, mut sender) = player_with(REGION.rate, 256, with_stems(REGION.clicks(0)));
        let mut host = Host::at(&REGION, REGION.first() - 10_000);
        host.around = Some((4.5, 6.1));
        let mut main = [vec![0.1_f32; 8192], vec![0.1; 8192]];
        let mut stem = main.clone();
        let mut total = 0;
        for (index, size) in mixed_blocks(400_000).into_iter().enumerate() {
            match index % 5 {
                0 => sender.send(boxed(index as u64, with_stems(REGION.sine(300.0, 0.0)))),
                3 => sender.send(None),
                _ => {}
            }
            // Now and then the tempo differs, the song stands still, or everything is off.
            host.tempo = if index % 7 == 0 { 90.0 } else { REGION.tempo };
            let settings =
                PlayerSettings { enabled: index % 11 != 0, audition: index % 2 == 0, wet_gain: 0.5, ..settings };
            let stamp = cantus_engine::capture::transport::TransportStamp { playing: index % 9 != 0, ..host.stamp() };
            let (mut left, mut right) = main.split_at_mut(1);
            let mut block = [&mut left[0][..size], &mut right[0][..size]];
            (left, right) = stem.split_at_mut(1);
            let mut stem_block = [&mut left[0][..size], &mut right[0][..size]];
            let ((), count) = counted(|| {
                player.process(&stamp, &settings, &mut block);
                Role::ALL.iter().for_each(|&role| player.write_stem(role, &mut stem_block));
                work(size);
            });
            total += count;
            (0..size).for_each(|_| host.step());
        }
        total
    };
    assert_eq!(run(|_| {}), 0);
    assert!(
        run(|size| drop(std::hint::black_box(vec![0.0_f32; size]))) > 0,
        "a vector in the same place is not counted"
    );
}

#[test]
fn parts_that_arrive_while_the_same_mix_plays_change_no_bit_of_it() {
    // Off a beat, and across where the region rings into its head.
    let bare = || REGION.sine(220.3, 0.1);
    let listen = |told: Option<bool>, at: i64| -> (Vec<f32>, Vec<f32>) {
        let (mut player, [mut sender, ..]) = band(REGION.rate, 512);
        let mixed = Arc::new(bare());
        sender.send(Some(Box::new(Clip::from_rendition(1, mixed.clone()))));
        let mut host = Host::at(&REGION, REGION.first() + at);
        host.around = Some((REGION.start_beats, REGION.start_beats + REGION.length_beats));
        let mut heard = Heard::default();
        host.blocks(&mut player, [512, 300], &mut heard);
        if let Some(told) = told {
            let whole = Arc::new(Rendition { stems: with_stems(bare()).stems, ..bare() });
            let clip = Clip::from_rendition(1, whole);
            let clip = if told { clip.with_mix_of(Arc::downgrade(&mixed)) } else { clip };
            sender.send(Some(Box::new(clip)));
        }
        let mut lead = Vec::new();
        for _ in 0..20 {
            host.blocks(&mut player, [64], &mut heard);
            let mut stem = [vec![0.0_f32; 64], vec![0.0; 64]];
            player.write_stem(Role::Lead, &mut stem);
            lead.extend_from_slice(&stem[0]);
        }
        (heard.left, lead)
    };
    let end = REGION.end() - REGION.first();
    for at in [7_777, 30_000, end - 900, end - 700] {
        let (quiet, _) = listen(None, at);
        let (mix, lead) = listen(Some(true), at);
        assert_eq!(mix, quiet, "{at} frames into the region");
        assert!(lead.iter().any(|sample| sample.abs() > 0.05), "the part is there from then on");
        super::continuity::check_no_steps(&lead, 220.3, REGION.rate).unwrap();
        assert_ne!(listen(Some(false), at).0, quiet, "a mix that is faded into itself is rounded");
    }
}
