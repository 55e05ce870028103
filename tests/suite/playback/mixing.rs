//! What is mixed with what, to the bit.

use super::host::*;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::generation::score::Role;
use cantus_engine::playback::player::PlayerSettings;

const REGION: Region = Region { rate: 44_100, tempo: 123.45, start_beats: 4.0, length_beats: 4.0 };

/// Values of 24 bits with both signs of zero among them, other than the clip's and other on each channel.
fn noise(seed: u32, frame: usize, channel: usize) -> f32 {
    let mut state = seed ^ (frame as u32).wrapping_mul(2_654_435_761) ^ ((channel as u32) << 30);
    state ^= state >> 15;
    state = state.wrapping_mul(2_246_822_519);
    state ^= state >> 13;
    match state % 17 {
        0 => -0.0,
        1 => 0.0,
        _ => ((state >> 8) as f32 - 8_388_608.0) / 16_777_216.0,
    }
}

fn bits(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|sample| sample.to_bits()).collect()
}

fn input(frames: usize) -> Vec<f32> {
    (0..frames).map(|frame| noise(7, frame, 0)).collect()
}

/// Sets the scene of a row.
type Prepare = fn(&mut Host, &mut PlayerSettings);

#[test]
fn the_input_passes_to_the_bit_when_nothing_plays() {
    let stopped: Prepare = |host: &mut Host, _: &mut PlayerSettings| host.playing = false;
    let before: Prepare = |host: &mut Host, _: &mut PlayerSettings| host.frame = -50_000;
    let behind: Prepare = |host: &mut Host, _: &mut PlayerSettings| host.frame = REGION.end() + 44_100;
    let bypassed: Prepare = |_: &mut Host, settings: &mut PlayerSettings| {
        *settings = PlayerSettings { enabled: false, dry_gain: 0.3, ..*settings }
    };
    let cases: [(&str, Prepare); 4] =
        [("stopped", stopped), ("before the region", before), ("behind the tail", behind), ("bypassed", bypassed)];
    for (what, prepare) in cases {
        let (mut player, _sender) =
            player_with(44_100, 512, REGION.rendition(|frame, channel| noise(3, frame, channel)));
        let mut host = Host::at(&REGION, REGION.first());
        let mut settings = PlayerSettings { replace: true, ..PLAY };
        prepare(&mut host, &mut settings);
        let mut heard = Heard::default();
        for size in [64, 2000, 512] {
            host.block(&mut player, &settings, &input(size), &mut heard);
        }
        let expected = [input(64), input(2000), input(512)].concat();
        assert!(bits(&heard.left) == bits(&expected) && bits(&heard.right) == bits(&expected), "{what}");
    }
    // The comparison sees one bit.
    assert!(bits(&[0.0]) != bits(&[-0.0]));
}

#[test]
fn a_clip_at_another_rate_is_silent() {
    let (mut player, _sender) = player_with(48_000, 512, REGION.rendition(|frame, channel| noise(3, frame, channel)));
    let mut host = Host::at(&REGION, REGION.first());
    let mut heard = Heard::default();
    host.block(&mut player, &PLAY, &input(3000), &mut heard);
    assert!(bits(&heard.left) == bits(&input(3000)));
}

#[test]
fn a_replacing_clip_is_its_mix_to_the_bit_and_gives_way_at_the_regions_end() {
    let rendition = REGION.rendition(|frame, channel| noise(3, frame, channel));
    let mix = rendition.mix.channels.clone();
    let (mut player, _sender) = player_with(44_100, 512, rendition);
    let settings = PlayerSettings { replace: true, ..PLAY };
    let mut host = Host::at(&REGION, REGION.first() - 1000);
    let mut heard = Heard::default();
    let length = REGION.frames() + 2000 + 44_100;
    let dry = input(length);
    let mut at = 0;
    for size in mixed_blocks(length).into_iter().chain([length]) {
        let end = (at + size).min(length);
        host.block(&mut player, &settings, &dry[at..end], &mut heard);
        at = end;
    }
    let (first, last, fade) = (1000, 1000 + REGION.frames(), 133);
    assert!(bits(&heard.left[..first]) == bits(&dry[..first]), "before the region");
    for (heard, mix) in [(&heard.left, &mix[0]), (&heard.right, &mix[1])] {
        assert!(bits(&heard[first + fade..last]) == bits(&mix[fade..REGION.frames()]), "inside the region");
    }
    // Behind the region the tail rings on over the input, which has come back.
    let tail: Vec<f32> =
        dry[last + fade..last + 44_100].iter().zip(&mix[0][REGION.frames() + fade..]).map(|(a, b)| a + b).collect();
    assert!(bits(&heard.left[last + fade..last + 44_100]) == bits(&tail), "behind the region");
    assert!(bits(&heard.left[last + 44_100..]) == bits(&dry[last + 44_100..]), "behind the tail");
    // The clip starts at full gain on the region's first frame, while the input is still fading.
    assert!((heard.left[first] - (dry[first] + mix[0][0])).abs() < 0.001);
}

#[test]
fn gains_multiply_what_they_say() {
    let rendition = REGION.rendition(|frame, channel| noise(3, frame, channel));
    let mix = rendition.mix.channels.clone();
    let (mut player, _sender) = player_with(44_100, 512, rendition);
    let settings = PlayerSettings { dry_gain: 0.5, wet_gain: 0.25, ..PLAY };
    let mut host = Host::at(&REGION, REGION.first());
    let mut heard = Heard::default();
    host.block(&mut player, &settings, &input(4000), &mut heard);
    let expected: Vec<f32> = input(4000).iter().zip(&mix[1]).map(|(dry, wet)| dry * 0.5 + wet * 0.25).collect();
    assert!(bits(&heard.right) == bits(&expected));
}

#[test]
fn one_channel_hears_the_average_of_two() {
    let rendition = REGION.rendition(|frame, channel| noise(3, frame, channel));
    let mix = rendition.mix.channels.clone();
    let (mut player, _sender) = player_with(44_100, 512, with_stems(rendition));
    let stamp = Host::at(&REGION, REGION.first()).stamp();
    let mut main = [vec![0.0_f32; 1500]];
    player.process(&stamp, &PLAY, &mut main);
    let average = |scale: f32| -> Vec<f32> {
        mix[0].iter().zip(&mix[1]).take(1500).map(|(left, right)| (left * scale + right * scale) * 0.5).collect()
    };
    assert_eq!(main[0], average(1.0));
    let mut stem = [vec![9.0_f32; 1500]];
    player.write_stem(Role::Lead, &mut stem);
    assert_eq!(stem[0], average(0.25));
}

#[test]
fn stems_sum_to_the_mix_through_every_fade() {
    let rendition = with_stems(REGION.rendition(|frame, channel| noise(3, frame, channel)));
    let (mut player, mut sender) = player_with(44_100, 512, rendition);
    let mut host = Host::at(&REGION, REGION.first() + 3333);
    host.around = Some((4.5, 5.2));
    let mut loudest = 0.0_f32;
    for (index, size) in mixed_blocks(100_000).into_iter().enumerate() {
        match index {
            9 => sender.send(boxed(2, with_stems(REGION.rendition(|frame, channel| noise(4, frame, channel))))),
            14 => host.frame += 4321,
            16 => host.tempo = 130.0,
            20 => host.playing = false,
            22 => host.playing = true,
            _ => {}
        }
        let settings = PlayerSettings { wet_gain: if index % 8 < 4 { 1.0 } else { 0.5 }, ..PLAY };
        let mut main = [vec![0.0_f32; size], vec![0.0; size]];
        player.process(&host.stamp(), &settings, &mut main);
        let mut sum = [vec![0.0_f32; size], vec![0.0; size]];
        for role in Role::ALL {
            let mut stem = [vec![f32::NAN; size], vec![f32::NAN; size]];
            player.write_stem(role, &mut stem);
            assert!(stem.iter().flatten().all(|sample| sample.is_finite()), "{role:?} was not written whole");
            let silent = stem.iter().flatten().all(|sample| *sample == 0.0);
            assert!(silent || [Role::Lead, Role::Drums].contains(&role), "{role:?} has no stem and sounds");
            sum.iter_mut().flatten().zip(stem.iter().flatten()).for_each(|(sum, sample)| *sum += sample);
        }
        for (mix, sum) in main.iter().flatten().zip(sum.iter().flatten()) {
            assert!((mix - sum).abs() < 1e-5, "block {index}: {mix} in the mix, {sum} in the stems");
            loudest = loudest.max(mix.abs());
        }
        (0..size).for_each(|_| host.step());
    }
    assert!(loudest > 0.4, "nothing sounded");
    assert_eq!(player.telemetry().non_finite(), 0);
}

#[test]
fn audition_plays_the_region_round_while_the_song_stands_still() {
    let region = Region { rate: 48_000, tempo: 100.0, start_beats: 4.0, length_beats: 2.0 };
    let (mut player, _sender) = player_with(48_000, 512, region.clicks(0));
    let settings = PlayerSettings { audition: true, ..PLAY };
    let stamp = TransportStamp { tempo: None, ..TransportStamp::default() };
    let mut heard = Heard::default();
    for size in mixed_blocks(200_000) {
        let mut main = [vec![0.0_f32; size], vec![0.0; size]];
        let at = heard.left.len();
        player.process(&stamp, &settings, &mut main);
        assert_eq!(player.telemetry().position(0), (at % 57_600) as i64);
        heard.song.extend((at..at + size).map(|frame| frame as i64));
        heard.left.extend(&main[0]);
    }
    assert!(check_clicks(&heard, |frame| frame % 28_800 == 0).expect("a click is not on its sample") >= 6);

    let mut main = [vec![0.0_f32; 512], vec![0.0; 512]];
    player.process(&stamp, &PLAY, &mut main);
    assert!(main[0][144..].iter().all(|sample| *sample == 0.0), "it plays on without audition");
    assert_eq!(player.telemetry().position(0), -1);
}

#[test]
fn what_is_not_finite_is_counted_and_silenced() {
    let mut rendition = with_stems(REGION.rendition(|frame, channel| noise(3, frame, channel)));
    for channels in [&mut rendition.mix.channels, &mut rendition.stems[0].audio.channels] {
        channels[0][600] = f32::NAN;
        channels[1][700] = f32::INFINITY;
    }
    let (mut player, _sender) = player_with(44_100, 512, rendition);
    let telemetry = player.telemetry();
    let stamp = Host::at(&REGION, REGION.first()).stamp();
    let mut main = [vec![0.0_f32; 2000], vec![0.0; 2000]];
    player.process(&stamp, &PLAY, &mut main);
    assert!(main.iter().flatten().all(|sample| sample.is_finite()));
    assert_eq!((main[0][600], main[1][700], telemetry.non_finite()), (0.0, 0.0, 2));
    player.write_stem(Role::Lead, &mut main);
    assert!(main.iter().flatten().all(|sample| sample.is_finite()));
    assert_eq!(telemetry.non_finite(), 4);
    player.write_stem(Role::Drums, &mut main);
    assert_eq!(telemetry.non_finite(), 4, "what is finite was counted");
}
