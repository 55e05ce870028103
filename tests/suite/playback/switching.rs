//! A newly chosen variation waits for the bar line, and the take itself can be heard in its place.

use super::host::*;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::capture::transport::TransportStamp;
use cantus_engine::playback::clip::Clip;
use cantus_engine::playback::player::{PlayMode, Player, PlayerSettings, SwitchAt};
use cantus_engine::time::{Metre, SampleRate};
use std::sync::Arc;

const REGION: Region = Region { rate: 48_000, tempo: 123.45, start_beats: 2.0, length_beats: 14.0 };
const NEXT_BAR: PlayerSettings = PlayerSettings { switch: SwitchAt::NextBar, ..PLAY };

/// Plays blocks until so many frames are heard, with the host's bars told or not.
fn play(
    host: &mut Host,
    player: &mut Player,
    settings: &PlayerSettings,
    bars: Option<(Metre, f64)>,
    frames: usize,
) -> Heard {
    let mut heard = Heard::default();
    for size in mixed_blocks(frames) {
        let mut main = [vec![0.0_f32; size], vec![0.0; size]];
        let stamp = host.stamp();
        let bar_start = |(metre, first): (Metre, f64)| {
            first + ((stamp.beats.unwrap_or(0.0) - first + 1e-9) / metre.bar().0).floor() * metre.bar().0
        };
        let stamp = TransportStamp { metre: bars.map(|bars| bars.0), bar_start_beats: bars.map(bar_start), ..stamp };
        player.process(&stamp, settings, &mut main);
        heard.left.extend(&main[0]);
        for _ in 0..size {
            heard.song.push(host.frame);
            host.step();
        }
    }
    heard
}

/// The song frame on which the level settles at the second clip's, less the fade.
fn switched_at(heard: &Heard) -> Option<i64> {
    let at = heard.left.iter().position(|&sample| (sample - 0.5).abs() < 1e-6)?;
    Some(heard.song[at] - 144)
}

#[test]
fn the_next_variation_enters_on_the_hosts_bar_line() {
    let waltz = Metre { numerator: 3, denominator: 4 };
    let odd = Metre { numerator: 7, denominator: 8 };
    let rows = [
        (None, 5.2, 8.0),
        (None, 7.999, 8.0),
        (None, 8.0, 8.0),
        (Some((waltz, 0.0)), 5.2, 6.0),
        (Some((waltz, 1.5)), 5.2, 7.5),
        (Some((odd, 0.0)), 7.1, 10.5),
    ];
    for rate in [44_100, 48_000, 88_200, 96_000, 192_000] {
        for (bars, chosen, line) in rows {
            // Once at the clip's tempo, once beat by beat at another.
            for tempo in [REGION.tempo, 97.0] {
                let region = Region { rate, ..REGION };
                let (mut player, mut sender) = player_with(rate, 8_192, region.rendition(|_, _| 0.25));
                let mut host = Host::at(&region, song_frame(chosen, tempo, rate) - 512);
                host.tempo = tempo;
                play(&mut host, &mut player, &NEXT_BAR, bars, 512);
                host.frame = song_frame(chosen, tempo, rate);
                sender.send(boxed(2, region.rendition(|_, _| 0.5)));
                let heard = play(&mut host, &mut player, &NEXT_BAR, bars, rate as usize * 3);
                let fade = (0.003 * f64::from(rate)).round() as i64;
                let off = switched_at(&heard).expect("it never came") + 144 - fade - song_frame(line, tempo, rate);
                assert!(off.abs() <= 1, "{rate} Hz, {tempo} BPM, {bars:?} from {chosen}: {off} frames off beat {line}");
                let largest = heard.left.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
                // In slices of a slower host there are gaps, which fade too.
                assert!(largest < 0.05, "{largest} at once");
            }
        }
    }
}

#[test]
fn at_the_bar_line_the_first_note_of_the_new_is_heard_and_none_of_the_old() {
    let (mut player, mut sender) = player_with(REGION.rate, 512, REGION.rendition(|_, _| 0.0));
    let mut host = Host::at(&REGION, song_frame(6.1, REGION.tempo, REGION.rate));
    play(&mut host, &mut player, &NEXT_BAR, None, 512);
    sender.send(boxed(2, REGION.clicks(0)));
    let heard = play(&mut host, &mut player, &NEXT_BAR, None, 48_000 * 2);
    let beats: Vec<i64> = (8..16).map(|beat| song_frame(f64::from(beat), REGION.tempo, REGION.rate)).collect();
    assert!(check_clicks(&heard, |song| beats.contains(&song)).unwrap() >= 2);
}

#[test]
fn some_changes_do_not_wait() {
    let mut stopped = Host::at(&REGION, REGION.first() + 999);
    stopped.playing = false;
    let playing = Host::at(&REGION, song_frame(5.1, REGION.tempo, REGION.rate));
    let outside = Host::at(&REGION, REGION.first() - 48_000);
    // The song stands, the region is not there yet, only the rendering is new, the user wants it now, and a locate.
    let rows = [
        ("stopped", stopped, 2, NEXT_BAR, 0, true),
        ("outside", outside, 2, NEXT_BAR, 0, true),
        ("the same variation", playing.clone(), 1, NEXT_BAR, 0, true),
        ("now", playing.clone(), 2, PLAY, 0, true),
        ("a locate", playing.clone(), 2, NEXT_BAR, 7_000, true),
        ("the next bar", playing, 2, NEXT_BAR, 0, false),
    ];
    for (what, mut host, id, settings, jump, at_once) in rows {
        let (mut player, mut sender) = player_with(REGION.rate, 512, REGION.rendition(|_, _| 0.25));
        play(&mut host, &mut player, &settings, None, 512);
        host.frame += jump;
        let newer = REGION.rendition(|_, _| 0.5);
        sender.send(boxed(id, newer));
        let mut main = [vec![0.0_f32; 64], vec![0.0; 64]];
        player.process(&host.stamp(), &settings, &mut main);
        let telemetry = player.telemetry();
        let waits = telemetry.waiting(0) == Some(id);
        assert_eq!((waits, telemetry.clip(0)), (!at_once, Some(if at_once { id } else { 1 })), "{what}");
    }
}

#[test]
fn what_loops_by_itself_switches_where_it_begins_anew_or_at_its_own_bar() {
    for (mode, audition) in [(PlayMode::Loop, false), (PlayMode::Song, true)] {
        let region = Region { rate: 48_000, tempo: 120.0, start_beats: 2.0, length_beats: 3.0 };
        let settings = PlayerSettings { mode, audition, ..NEXT_BAR };
        // Bars of the region's song begin after two of its beats; it ends after three.
        for (before, line) in [(1_000, 48_000), (50_000, 72_000)] {
            let (mut player, mut sender) = player_with(48_000, 512, region.rendition(|_, _| 0.25));
            let mut host = Host::at(&region, 0);
            play(&mut host, &mut player, &settings, None, before);
            let from = host.frame as usize;
            sender.send(boxed(2, region.rendition(|_, _| 0.5)));
            let heard = play(&mut host, &mut player, &settings, None, 80_000);
            let at = heard.left.iter().position(|&sample| (sample - 0.5).abs() < 1e-6).unwrap();
            assert_eq!(from + at - 144, line, "{mode:?}");
        }
    }
}

#[test]
fn a_host_loop_without_a_bar_line_in_it_lets_the_next_variation_in_where_it_wraps() {
    for shorter_than_a_block in [false, true] {
        let (mut player, mut sender) = player_with(REGION.rate, 8_192, REGION.rendition(|_, _| 0.25));
        let mut host = Host::at(&REGION, song_frame(5.1, REGION.tempo, REGION.rate));
        host.around = Some(if shorter_than_a_block { (5.0, 5.3) } else { (5.0, 7.0) });
        play(&mut host, &mut player, &NEXT_BAR, None, 512);
        sender.send(boxed(2, REGION.rendition(|_, _| 0.5)));
        let heard = play(&mut host, &mut player, &NEXT_BAR, None, 60_000);
        let at = heard.left.iter().position(|&sample| (sample - 0.5).abs() < 1e-6).expect("it never came");
        assert_eq!(heard.song[at] - 144, song_frame(5.0, REGION.tempo, REGION.rate));
    }
}

#[test]
fn the_take_itself_plays_in_its_place_without_a_step() {
    let region = Region { tempo: 120.0, ..REGION };
    let step = std::f64::consts::TAU * 110.0 / 48_000.0;
    let sine = |frame: usize| (0.5 * (step * frame as f64).sin()) as f32;
    let rendition = with_stems(region.rendition(|_, _| 0.125));
    // The take is mono and shorter than the rendition.
    let take = AudioBuffer { rate: SampleRate(48_000), channels: vec![(0..region.frames()).map(sine).collect()] };
    for original in [true, false] {
        let (mut player, [mut sender, ..]) = band(48_000, 512);
        let clip = Clip::from_rendition(1, Arc::new(rendition.clone()));
        sender.send(Some(Box::new(if original { clip.beside(Arc::new(take.clone())) } else { clip })));
        let mut host = Host::at(&region, region.first() + 500);
        let mut heard = Heard::default();
        for block in 0..40 {
            let settings = PlayerSettings { compare: (10..30).contains(&block), role_gains: [0.5; 8], ..PLAY };
            host.block(&mut player, &settings, &[0.0; 500], &mut heard);
        }
        super::continuity::check_no_steps(&heard.left, 110.0, 48_000).unwrap();
        for (block, compared) in [(8, false), (20, true), (38, false)] {
            let at = block * 500 + 250;
            let expected = if compared && original { sine(500 + at) } else { 0.0625 };
            assert!((heard.left[at] - expected).abs() < 1e-6, "block {block}: {} not {expected}", heard.left[at]);
        }
    }
}
