//! When the song jumps from the end of a rendition to its start, what rings at the end goes on over the head.

use super::host::*;
use crate::rendition::scores::score;
use cantus_engine::generation::direction::Ending;
use cantus_engine::rendition::Rendition;

const REGION: Region = Region { rate: 48_000, tempo: 100.0, start_beats: 4.0, length_beats: 8.0 };

/// 0.25 through the region and 0.125 through its tail, with an ending.
fn rendition(ending: Option<Ending>) -> Rendition {
    let region = REGION.frames();
    let mut rendition = REGION.rendition(|frame, _| if frame < region { 0.25 } else { 0.125 });
    rendition.score = ending.map(|ending| {
        let mut score = score(REGION.tempo, REGION.length_beats, vec![]);
        score.ending = ending;
        score
    });
    rendition
}

/// Plays twice round a loop of the region, and what was heard in each block of frames of the second pass.
fn second_pass(rendition: Rendition) -> Vec<f32> {
    let (mut player, _sender) = player_with(REGION.rate, 1024, rendition);
    let mut host = Host::at(&REGION, REGION.first());
    host.around = Some((REGION.start_beats, REGION.start_beats + REGION.length_beats));
    let mut heard = Heard::default();
    host.blocks(&mut player, mixed_blocks(2 * REGION.frames()), &mut heard);
    heard.left[REGION.frames()..2 * REGION.frames()].to_vec()
}

#[test]
fn the_tail_sounds_into_the_head() {
    let heard = second_pass(rendition(Some(Ending::Loop)));
    assert!(heard[..48_000].iter().all(|&sample| (sample - 0.375).abs() < 1e-6), "the tail is not over the head");
    assert!(heard[48_000..].iter().all(|&sample| (sample - 0.25).abs() < 1e-6), "the tail does not end");
}

#[test]
fn what_ends_and_what_was_made_as_audio_begin_anew() {
    for ending in [None, Some(Ending::Final)] {
        let heard = second_pass(rendition(ending));
        assert!(heard[2_400..].iter().all(|&sample| (sample - 0.25).abs() < 1e-6), "{ending:?}");
    }
}

#[test]
fn a_ring_ends_with_the_song_and_with_a_jump() {
    for jump in [false, true] {
        let (mut player, _sender) = player_with(REGION.rate, 1024, rendition(Some(Ending::Loop)));
        let mut host = Host::at(&REGION, REGION.end() - 2_048);
        host.around = Some((REGION.start_beats, REGION.start_beats + REGION.length_beats));
        let mut heard = Heard::default();
        host.blocks(&mut player, [1_024; 8], &mut heard);
        assert!((heard.left[8_000] - 0.375).abs() < 1e-6, "the ring has not begun");
        if jump {
            host.frame += 100_000;
        } else {
            host.playing = false;
        }
        let from = heard.left.len();
        host.blocks(&mut player, [1_024; 8], &mut heard);
        let rest = if jump { 0.25 } else { 0.0 };
        assert!(heard.left[from + 2_400..].iter().all(|&sample| (sample - rest).abs() < 1e-6), "jump {jump}");
        assert!(heard.left.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.2), "a step");
    }
}
