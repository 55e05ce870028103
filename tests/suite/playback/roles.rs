//! Levels of roles: the mix as long as nothing is changed, else the sum of its stems.

use super::host::*;
use cantus_engine::generation::score::Role;
use cantus_engine::playback::player::{Player, PlayerSettings};
use cantus_engine::rendition::Rendition;

const REGION: Region = Region { rate: 48_000, tempo: 100.0, start_beats: 0.0, length_beats: 16.0 };
const LEAD: usize = 0;
const DRUMS: usize = 5;

/// The mix is marked, so that it is told from the sum of its stems.
fn marked() -> Rendition {
    let mut rendition = with_stems(REGION.rendition(|_, _| 0.5));
    rendition.mix.channels.iter_mut().flatten().for_each(|sample| *sample += 0.001);
    rendition
}

fn gains(lead: f32, drums: f32) -> PlayerSettings {
    let mut settings = PLAY;
    (settings.role_gains[LEAD], settings.role_gains[DRUMS]) = (lead, drums);
    settings
}

fn play(player: &mut Player, host: &mut Host, settings: &PlayerSettings) -> (Vec<f32>, Vec<f32>) {
    let mut main = [vec![0.0_f32; 1_000], vec![0.0; 1_000]];
    player.process(&host.stamp(), settings, &mut main);
    let mut sum = vec![0.0; 1_000];
    for role in Role::ALL {
        let mut stem = [vec![0.0_f32; 1_000], vec![0.0; 1_000]];
        player.write_stem(role, &mut stem);
        sum.iter_mut().zip(&stem[0]).for_each(|(sum, sample)| *sum += sample);
    }
    host.frame += 1_000;
    let [left, _] = main;
    (left, sum)
}

#[test]
fn at_unity_the_mix_plays_and_otherwise_the_sum_of_its_stems() {
    let (mut player, _sender) = player_with(REGION.rate, 512, marked());
    let mut host = Host::at(&REGION, 5_000);
    let muted_drums = PlayerSettings { midi_roles: 1 << DRUMS, ..PLAY };
    let rows = [
        (gains(1.0, 1.0), 0.501, 0.5),
        (gains(0.5, 1.0), 0.4375, 0.4375),
        (gains(0.0, 1.0), 0.375, 0.375),
        (gains(1.0, 0.0), 0.125, 0.125),
        (muted_drums, 0.125, 0.125),
        (PlayerSettings { wet_gain: 0.5, ..gains(0.0, 2.0) }, 0.375, 0.375),
        (gains(1.0, 1.0), 0.501, 0.5),
    ];
    let mut all = Vec::new();
    for (row, (settings, main, sum)) in rows.into_iter().enumerate() {
        let (heard, stems) = play(&mut player, &mut host, &settings);
        assert!(
            heard[150..].iter().all(|&sample| (sample - main).abs() < 1e-6),
            "row {row}: {} not {main}",
            heard[500]
        );
        assert!(stems[150..].iter().all(|&sample| (sample - sum).abs() < 1e-6), "row {row}: stems {}", stems[500]);
        // The outputs agree through every fade, too.
        if row > 0 {
            let off = heard.iter().zip(&stems).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-3 + 1e-6, "row {row}: {off}");
        }
        all.extend(heard);
    }
    let largest = all.windows(2).skip(200).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(largest < 0.02, "a step of {largest}");
}

#[test]
fn a_rendition_without_stems_never_hears_of_them() {
    let (mut player, mut sender) = player_with(REGION.rate, 512, REGION.rendition(|_, _| 0.5));
    let mut host = Host::at(&REGION, 5_000);
    let (heard, _) = play(&mut player, &mut host, &gains(0.0, 0.0));
    assert!(heard[150..].iter().all(|&sample| sample == 0.5));
    // Another with stems takes its place, through a fade in which both sound.
    sender.send(boxed(2, marked()));
    let (heard, _) = play(&mut player, &mut host, &gains(0.0, 0.0));
    assert!((heard[0] - 0.5).abs() < 0.01, "{}", heard[0]);
    assert!(heard[150..].iter().all(|&sample| sample == 0.0));
}

#[test]
fn at_unity_the_mix_is_played_to_the_bit_and_the_check_sees_the_stems() {
    let noise = |frame: usize, channel: usize| ((frame * 7_919 + channel * 104_729) % 65_521) as f32 / 131_072.0 - 0.25;
    let mut rendition = with_stems(REGION.rendition(noise));
    // A bit less than the sum of the stems.
    rendition.mix.channels.iter_mut().flatten().for_each(|sample| *sample = sample.next_down());
    let mix = rendition.mix.channels[0].clone();
    let (mut player, _sender) = player_with(REGION.rate, 512, rendition);
    let mut host = Host::at(&REGION, 5_000);
    play(&mut player, &mut host, &PLAY);
    let (heard, sum) = play(&mut player, &mut host, &PLAY);
    assert_eq!(heard[..], mix[6_000..7_000]);
    assert_ne!(sum[..], mix[6_000..7_000]);
}
