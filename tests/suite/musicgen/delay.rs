//! The delay pattern: every frame is laid out once and found again.

use cantus_engine::generation::musicgen::delay_pattern::DelayPattern;

const NOTHING: u32 = 256;

/// Codes that are all different, `[codebook][frame]`.
fn codes(codebooks: usize, frames: usize) -> Vec<Vec<u32>> {
    (0..codebooks).map(|codebook| (0..frames).map(|frame| (1000 * codebook + frame) as u32).collect()).collect()
}

/// Lays out and takes back, by the pattern's own words.
fn round_trip(pattern: DelayPattern, codes: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let frames = codes[0].len();
    let columns: Vec<Vec<u32>> = (0..pattern.columns(frames)).map(|at| pattern.lay_out(codes, at, frames)).collect();
    (0..codes.len()).map(|k| (0..frames).map(|frame| columns[pattern.column(k, frame)][k]).collect()).collect()
}

#[test]
fn layouts_are_those_of_the_paper() {
    let mono = DelayPattern { codebooks: 4, channels: 1, nothing: NOTHING };
    let stereo = DelayPattern { codebooks: 8, channels: 2, nothing: NOTHING };
    let delays = |pattern: DelayPattern| (0..pattern.codebooks).map(|k| pattern.delay(k)).collect::<Vec<_>>();
    assert_eq!(delays(mono), [0, 1, 2, 3]);
    assert_eq!(delays(stereo), [0, 0, 1, 1, 2, 2, 3, 3]);
    let codes = codes(4, 2);
    let columns: Vec<Vec<u32>> = (0..mono.columns(2)).map(|at| mono.lay_out(&codes, at, 2)).collect();
    let n = NOTHING;
    let expected = [[n; 4], [0, n, n, n], [1, 1000, n, n], [n, 1001, 2000, n], [n, n, 2001, 3000], [n, n, n, 3001]];
    assert_eq!(columns, expected.map(|column| column.to_vec()));
}

#[test]
fn codes_come_back() {
    for (codebooks, channels) in [(4, 1), (8, 2), (1, 1), (2, 2)] {
        let pattern = DelayPattern { codebooks, channels, nothing: NOTHING };
        for frames in [1, 2, 3, 4, 50, 1500] {
            let codes = codes(codebooks, frames);
            assert_eq!(round_trip(pattern, &codes), codes);
            let complete = pattern.complete_frames(pattern.columns(frames) - 1);
            assert_eq!(complete, frames, "all frames are complete with the last column");
        }
    }
}

#[test]
fn complete_frames_are_known_in_every_codebook() {
    let pattern = DelayPattern { codebooks: 8, channels: 2, nothing: NOTHING };
    for column in 0..pattern.columns(40) {
        let complete = pattern.complete_frames(column).min(40);
        let is_known = |frame: usize| (0..8).all(|k| pattern.column(k, frame) <= column);
        assert!((0..complete).all(is_known), "column {column}");
        assert!(complete == 40 || !is_known(complete), "column {column} holds back a frame");
    }
}

#[test]
fn the_mono_pattern_is_wrong_for_stereo() {
    let codes = codes(8, 20);
    let stereo = DelayPattern { codebooks: 8, channels: 2, nothing: NOTHING };
    let mono = DelayPattern { channels: 1, ..stereo };
    let columns: Vec<Vec<u32>> = (0..stereo.columns(20)).map(|at| stereo.lay_out(&codes, at, 20)).collect();
    let found: Vec<u32> = (0..8).filter_map(|k| columns.get(mono.column(k, 19)).map(|column| column[k])).collect();
    assert_ne!(found, (0..8).map(|k| codes[k][19]).collect::<Vec<_>>());
}
