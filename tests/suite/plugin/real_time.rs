//! The audio thread's promises, while everything happens at once.
//!
//! The bundle under test aborts the process when the audio thread allocates or frees; here it gets every chance to.

use super::{HUM_RATE, bundle, capture_hum, generate, song_with_hum, turn};
use cantus_host::{AudioSetup, Pace};

#[test]
fn ten_thousand_blocks_with_captures_swaps_and_jobs_neither_allocate_nor_wait() {
    let _turn = turn();
    let mut instance = bundle().instance().unwrap();
    instance.activate(&AudioSetup { rate: HUM_RATE, max_block: 256, block_pattern: vec![64, 256, 1, 100] }).unwrap();
    // The host is faster than time: it must not be taken for one that bounces, which may wait for workers.
    instance.switch("Bounce waits for renditions", false).unwrap();
    let mut song = song_with_hum();
    capture_hum(&mut instance, &mut song);
    for style in ["orchestral", "jazz"] {
        instance.set_text("Style", style).unwrap();
        generate(&mut instance, &mut song);
    }
    let mut blocks = 0;
    let mut waits = 0;
    let mut round = 0;
    while blocks < 10_000 {
        // A swap, a capture, a job and a jump in every round.
        instance.set_text("Active variation", if round % 2 == 0 { "1" } else { "2" }).unwrap();
        instance.switch("Capture", round % 2 == 0).unwrap();
        instance.set_text("Seed", &round.to_string()).unwrap();
        instance.switch("Generate", round % 5 == 0).unwrap();
        instance.switch("Cancel", round % 5 == 4).unwrap();
        song.clock.locate_beats(4.0 + f64::from(round % 30));
        let heard = instance.run(&mut song, 40_000, Pace::Times(25.0)).unwrap();
        assert_eq!(heard.non_finite_samples, 0);
        blocks += heard.blocks.len();
        waits += heard.voluntary_switches();
        round += 1;
    }
    assert_eq!(waits, 0, "the audio thread waited for something");
    assert_eq!(instance.notices().wrong_thread(), 0);
    println!("{blocks} blocks in {round} rounds: 0 allocations (the guard would have aborted), 0 waits");
}
