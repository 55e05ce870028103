//! A part can be had bit by bit: first bars first, and the same samples in the end.

use super::RATE;
use crate::rendition::scores::band;
use cantus_engine::audio::AudioBuffer;
use cantus_engine::job_context::JobContext;
use cantus_engine::rendition::part::{PartPlayer, render_part};
use cantus_engine::time::SampleRate;
use std::cell::Cell;

#[test]
fn however_a_part_is_divided_it_is_the_same() {
    let score = band();
    let context = JobContext::detached();
    let rate = SampleRate(RATE);
    let (region, frames) = (48_000 * 6, 48_000 * 8 + 123);
    for track in &score.tracks {
        let whole = render_part(track, &score.grid, rate, region, frames, &context, &|| Ok(())).expect("a part");
        let mut audio = AudioBuffer::silent(rate, 2, frames);
        let mut player = PartPlayer::new(track, &score.grid, rate, region, &context).expect("a player");
        let begun = Cell::new(0);
        let played = || {
            begun.set(begun.get() + 1);
            Ok(())
        };
        for until in [1, 9_000, 9_001, 48_000, 200_000, frames] {
            player.render(&mut audio, until, &context, &played).expect("a stretch");
            assert!(player.position() >= until.min(frames), "{} of {until} frames", player.position());
            // What is done is done: it has its final values already.
            for (had, is) in audio.channels.iter().zip(&whole.channels) {
                assert_eq!(had[..player.position()], is[..player.position()], "{}", track.instrument);
            }
            assert!(audio.channels[0][player.position()..].iter().all(|sample| *sample == 0.0));
        }
        assert!(begun.get() > 0 && begun.get() <= track.notes.len());
        assert!(whole.peak() > 0.01, "{} is silent", track.instrument);
    }
}
