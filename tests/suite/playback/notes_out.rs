//! Parts as notes: every note in time, every key that goes down goes up, whatever the song does.

use super::host::*;
use crate::allocations::counted;
use crate::rendition::scores::{note, score, track};
use cantus_engine::capture::ring::MidiEvent;
use cantus_engine::generation::score::{Role, ScoreNote};
use cantus_engine::playback::notes::CHANNELS;
use cantus_engine::playback::player::{PlayMode, Player, PlayerSettings, SwitchAt};
use cantus_engine::rendition::Rendition;
use std::collections::BTreeMap;

const REGION: Region = Region { rate: 48_000, tempo: 123.45, start_beats: 4.0, length_beats: 8.0 };
const LEAD: u8 = 0;
const BASS: u8 = 4;
const DRUMS: u8 = 5;
const OUT: PlayerSettings = PlayerSettings { midi_roles: 1 << LEAD | 1 << BASS | 1 << DRUMS, ..PLAY };

/// An event and where in the run and the song it fell.
#[derive(Debug, Clone, Copy)]
struct Sent {
    song: i64,
    event: MidiEvent,
}

/// A melody of eighths, a long bass note under all of it, and a drum on every beat.
fn melody(region: &Region) -> Rendition {
    let start = region.start_beats;
    let eighths = (0..16).map(|index| note(start + f64::from(index) / 2.0, 0.45, 60 + index as u8, 100)).collect();
    let drone: Vec<ScoreNote> = vec![note(start, 7.5, 36, 80)];
    let beats = (0..8).map(|beat| note(start + f64::from(beat), 0.1, 38, 64)).collect();
    let tracks = vec![
        track(Role::Lead, "Flute", 0, 73, eighths),
        track(Role::Bass, "Bass", 0, 32, drone),
        track(Role::Drums, "Kit", 128, 0, beats),
    ];
    let mut rendition = with_stems(region.rendition(|_, _| 0.1));
    rendition.score = Some(score(region.tempo, region.length_beats, tracks));
    rendition
}

/// One block; its events with their song frames.
fn block(host: &mut Host, player: &mut Player, settings: &PlayerSettings, size: usize, sent: &mut Vec<Sent>) {
    let mut main = [vec![0.0_f32; size], vec![0.0; size]];
    player.process(&host.stamp(), settings, &mut main);
    let events = player.part_events().to_vec();
    assert!(events.is_sorted_by_key(|event| event.frame), "events out of order");
    let mut events = events.into_iter().peekable();
    for frame in 0..size {
        while let Some(event) = events.next_if(|event| event.frame as usize == frame) {
            sent.push(Sent { song: host.frame, event });
        }
        host.step();
    }
    assert!(events.next().is_none(), "an event behind the block");
}

/// Every key that goes down goes up before it goes down again, and nothing goes up that is not down. Gives what is down at the end.
fn check_matched(sent: &[Sent]) -> Result<usize, String> {
    let mut down = BTreeMap::new();
    for Sent { song, event } in sent {
        let key = (event.channel, event.key);
        if event.velocity > 0.0 {
            if down.insert(key, song).is_some() {
                return Err(format!("{key:?} goes down twice at {song}"));
            }
        } else if down.remove(&key).is_none() {
            return Err(format!("{key:?} goes up without having gone down, at {song}"));
        }
    }
    Ok(down.len())
}

#[test]
fn notes_begin_and_end_on_the_hosts_frames_on_the_channel_of_their_role() {
    for rate in [44_100, 48_000, 88_200, 96_000, 192_000] {
        for tempo in [REGION.tempo, 97.0, 140.0] {
            let region = Region { rate, ..REGION };
            let (mut player, _sender) = player_with(rate, 8_192, melody(&region));
            let mut host = Host::at(&region, song_frame(3.3, tempo, rate));
            host.tempo = tempo;
            let mut sent = Vec::new();
            for size in mixed_blocks((rate as f64 * 60.0 / tempo * 9.5) as usize) {
                block(&mut host, &mut player, &OUT, size, &mut sent);
            }
            assert_eq!(check_matched(&sent), Ok(0), "{rate} Hz, {tempo} BPM");
            let mut due = Vec::new();
            for index in 0..16 {
                let start = 4.0 + f64::from(index) / 2.0;
                due.push((song_frame(start, tempo, rate), CHANNELS[0], 60 + index as u8, true));
                due.push((song_frame(start + 0.45, tempo, rate), CHANNELS[0], 60 + index as u8, false));
            }
            for beat in 4..12 {
                due.push((song_frame(f64::from(beat), tempo, rate), 9, 38, true));
                due.push((song_frame(f64::from(beat) + 0.1, tempo, rate), 9, 38, false));
            }
            due.push((song_frame(4.0, tempo, rate), CHANNELS[4], 36, true));
            due.push((song_frame(11.5, tempo, rate), CHANNELS[4], 36, false));
            let key = |sent: &Sent| (sent.song, sent.event.channel, sent.event.key, sent.event.velocity > 0.0);
            let mut heard: Vec<_> = sent.iter().map(key).collect();
            due.sort_unstable();
            heard.sort_unstable();
            assert_eq!(heard, due, "{rate} Hz, {tempo} BPM");
            let loud = sent.iter().find(|sent| sent.event.key == 60).unwrap();
            assert!((loud.event.velocity * 127.0 - 100.0).abs() < 1e-3);
        }
    }
}

#[test]
fn the_match_check_finds_a_hanging_a_doubled_and_a_needless_event() {
    let event = |velocity| Sent { song: 0, event: MidiEvent { frame: 0, key: 1, channel: 2, velocity } };
    assert_eq!(check_matched(&[event(0.5), event(0.0)]), Ok(0));
    assert_eq!(check_matched(&[event(0.5)]), Ok(1));
    assert!(check_matched(&[event(0.5), event(0.5)]).is_err());
    assert!(check_matched(&[event(0.0)]).is_err());
}

#[test]
fn what_is_held_sounds_after_a_locate_and_drums_do_not() {
    for tempo in [REGION.tempo, 90.0] {
        let (mut player, _sender) = player_with(REGION.rate, 512, melody(&REGION));
        let mut host = Host::at(&REGION, song_frame(6.02, tempo, REGION.rate));
        host.tempo = tempo;
        let mut sent = Vec::new();
        block(&mut host, &mut player, &OUT, 64, &mut sent);
        let keys: Vec<_> = sent.iter().map(|sent| (sent.event.channel, sent.event.key, sent.event.frame)).collect();
        assert_eq!(keys, [(CHANNELS[4], 36, 0), (CHANNELS[0], 64, 0)], "{tempo} BPM");
        // Into a rest of the melody: only the bass goes on.
        host.frame = song_frame(7.47, tempo, REGION.rate);
        sent.clear();
        block(&mut host, &mut player, &OUT, 64, &mut sent);
        let keys: Vec<_> = sent.iter().map(|sent| (sent.event.key, sent.event.velocity > 0.0)).collect();
        assert_eq!(keys, [(64, false), (36, false), (36, true)], "{tempo} BPM");
    }
}

#[test]
fn no_key_stays_down_whatever_ends_it() {
    let silent: [(&str, fn(&mut Host, &mut PlayerSettings)); 7] = [
        ("stop", |host, _| host.playing = false),
        ("bypass", |_, settings| settings.enabled = false),
        ("mute", |_, settings| settings.seat_muted[0] = true),
        ("compare", |_, settings| settings.compare = true),
        ("parts inside again", |_, settings| settings.midi_roles = 0),
        ("out of the region", |host, _| host.frame += 9_000_000),
        ("before the region", |host, _| host.frame = -100_000),
    ];
    for (what, end) in silent {
        let (mut player, _sender) = player_with(REGION.rate, 512, melody(&REGION));
        let mut host = Host::at(&REGION, song_frame(6.1, REGION.tempo, REGION.rate));
        let (mut settings, mut sent) = (OUT, Vec::new());
        block(&mut host, &mut player, &settings, 512, &mut sent);
        assert_eq!(check_matched(&sent), Ok(2), "{what}: nothing was down");
        end(&mut host, &mut settings);
        block(&mut host, &mut player, &settings, 512, &mut sent);
        assert_eq!(check_matched(&sent), Ok(0), "{what}");
    }
    // One role of two.
    let (mut player, mut sender) = player_with(REGION.rate, 512, melody(&REGION));
    let mut host = Host::at(&REGION, song_frame(6.1, REGION.tempo, REGION.rate));
    let mut sent = Vec::new();
    block(&mut host, &mut player, &OUT, 512, &mut sent);
    block(&mut host, &mut player, &PlayerSettings { midi_roles: 1 << BASS, ..OUT }, 512, &mut sent);
    assert_eq!(check_matched(&sent), Ok(1));
    // A swap to other notes, and to none.
    let mut other = melody(&REGION);
    other.score.as_mut().unwrap().tracks.retain(|track| track.role == Role::Lead);
    sender.send(boxed(2, other));
    block(&mut host, &mut player, &OUT, 512, &mut sent);
    assert_eq!(check_matched(&sent), Ok(1));
    sender.send(None);
    block(&mut host, &mut player, &OUT, 512, &mut sent);
    assert_eq!(check_matched(&sent), Ok(0));
}

#[test]
fn a_storm_of_everything_leaves_no_key_down_and_allocates_nothing() {
    let mut total = 0;
    for seed in 0..6_u32 {
        let (mut player, mut senders) = band(REGION.rate, 8_192);
        let mut host = Host::at(&REGION, REGION.first());
        let mut sent = Vec::new();
        let mut random = {
            let mut state = seed.wrapping_mul(2_654_435_761) | 1;
            move |below: u32| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state % below
            }
        };
        for index in 0..400_u32 {
            let mut settings =
                PlayerSettings { midi_roles: [0x31, 0x31, 0x30, 0x00, 0x01][random(5) as usize], ..PLAY };
            settings.switch = if random(2) == 0 { SwitchAt::Now } else { SwitchAt::NextBar };
            settings.mode = [PlayMode::Song, PlayMode::Song, PlayMode::Loop, PlayMode::Trigger][random(4) as usize];
            settings.enabled = random(13) != 0;
            settings.audition = random(9) == 0;
            settings.seat_muted[random(3) as usize] = random(4) == 0;
            match random(8) {
                0 => host.frame = song_frame(f64::from(random(120)) / 10.0, REGION.tempo, REGION.rate),
                1 => host.playing = !host.playing,
                2 => host.tempo = [REGION.tempo, 97.0, 131.0][random(3) as usize],
                3 => host.around = [None, Some((5.0, 5.1)), Some((4.25, 9.5))][random(3) as usize],
                _ => {}
            }
            let seat = random(3) as usize;
            match random(6) {
                // Regions upon each other strike the same keys.
                0 => senders[seat].send(boxed(u64::from(index), melody(&REGION))),
                1 => senders[seat].send(None),
                _ => {}
            }
            let size = [1, 64, 500, 4_096, 8_192][random(5) as usize];
            let key =
                MidiEvent { frame: random(size), key: 36 + random(3) as u8, channel: 0, velocity: random(2) as f32 };
            player.hear_keys(&[key], &settings);
            let mut main = [vec![0.0_f32; size as usize], vec![0.0; size as usize]];
            let stamp = host.stamp();
            let ((), count) = counted(|| player.process(&stamp, &settings, &mut main));
            total += count;
            sent.extend(player.part_events().iter().map(|&event| Sent { song: host.frame, event }));
            (0..size).for_each(|_| host.step());
        }
        check_matched(&sent).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        host.playing = false;
        let mut end = sent.clone();
        block(&mut host, &mut player, &PLAY, 512, &mut end);
        assert_eq!(check_matched(&end), Ok(0), "seed {seed}");
        assert!(sent.len() > 200, "seed {seed}: {} events, so nothing was tested", sent.len());
    }
    assert_eq!(total, 0, "something was allocated");
}

#[test]
fn another_player_ends_what_the_one_before_left_and_what_was_lost_is_sent_again() {
    let (mut player, _sender) = player_with(REGION.rate, 512, melody(&REGION));
    let mut host = Host::at(&REGION, song_frame(6.1, REGION.tempo, REGION.rate));
    let mut sent = Vec::new();
    block(&mut host, &mut player, &OUT, 512, &mut sent);
    assert_eq!(check_matched(&sent), Ok(2));
    let (mut next, _senders) = band(REGION.rate, 512);
    next.inherit(&player);
    block(&mut host, &mut next, &OUT, 512, &mut sent);
    assert_eq!(check_matched(&sent), Ok(0));

    sent.clear();
    host.playing = false;
    block(&mut host, &mut player, &OUT, 512, &mut sent);
    assert_eq!(sent.len(), 2);
    sent.iter().for_each(|sent| player.lost(&sent.event));
    sent.clear();
    block(&mut host, &mut player, &OUT, 512, &mut sent);
    assert_eq!(sent.iter().filter(|sent| sent.event.velocity == 0.0).count(), 2);
}

#[test]
fn a_part_that_is_sent_out_is_silent_inside() {
    let (mut player, _sender) = player_with(REGION.rate, 512, melody(&REGION));
    let mut host = Host::at(&REGION, REGION.first() + 5_000);
    let mut heard = Heard::default();
    for midi_roles in [0, 1 << LEAD, 1 << DRUMS] {
        host.block(&mut player, &PlayerSettings { midi_roles, ..PLAY }, &[0.0; 2_000], &mut heard);
    }
    for (at, level) in [(1_000, 0.1), (3_000, 0.075), (5_000, 0.025)] {
        assert!((heard.left[at] - level).abs() < 1e-6, "{} instead of {level}", heard.left[at]);
    }
}
