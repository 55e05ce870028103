//! MIDI files as takes.

use super::{Target, answer, check_sentence};
use crate::draw::Draw;
use crate::mutate;
use cantus_engine::capture::file::read_part;
use cantus_engine::time::{Bpm, Metre};

pub const TARGET: Target =
    Target { name: "midi", open, seeds, mutate: mutated, most_bytes: 1 << 14, needs_bundle: false };

const WORDS: [&[u8]; 14] = [
    b"MThd",
    b"MTrk",
    b"RIFF",
    b"RMID",
    b"data",
    &[0xFF, 0x51, 0x03],
    &[0xFF, 0x58, 0x04],
    &[0xFF, 0x2F, 0x00],
    &[0xFF, 0x54, 0x05],
    &[0xFF, 0xFF, 0xFF, 0x7F],
    &[0xF0],
    &[0x90, 60, 100],
    &[0x80, 60, 0],
    &[0xE8, 0x28],
];

fn open() -> super::Run {
    let folder = tempfile::tempdir().unwrap();
    Box::new(move |input| {
        let path = folder.path().join("tune.mid");
        std::fs::write(&path, input).unwrap();
        let mut said = 0;
        let rows = [(None, None, Metre::default()), (Some(Bpm(93.5)), Some(2), Metre { numerator: 7, denominator: 8 })];
        for (tempo, part, metre) in rows {
            match read_part(&path, tempo, metre, part) {
                Ok(take) => {
                    assert!(
                        take.grid.is_sane() && take.length.0.is_finite() && take.length.0 > 0.0,
                        "{:?}",
                        take.length
                    );
                    let fits = |note: &cantus_engine::capture::take::TakeNote| {
                        note.onset.0.is_finite()
                            && note.onset.0 >= 0.0
                            && note.offset.0 >= note.onset.0
                            && note.key < 128
                            && (0.0..=1.0).contains(&note.velocity)
                    };
                    assert!(take.notes.iter().all(fits), "a note that cannot be");
                    assert!(!take.notes.is_empty(), "a take without notes");
                    said ^= answer(&take.remarks.join(" "));
                }
                Err(error) => said ^= check_sentence(&error).rotate_left(7),
            }
        }
        said
    })
}

/// A file of well-formed tracks.
fn file(format: u16, division: u16, tracks: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"MThd\0\0\0\x06".to_vec();
    out.extend(format.to_be_bytes());
    out.extend((tracks.len() as u16).to_be_bytes());
    out.extend(division.to_be_bytes());
    for track in tracks {
        out.extend(b"MTrk");
        out.extend((track.len() as u32).to_be_bytes());
        out.extend(track);
    }
    out
}

fn variable(number: u32) -> Vec<u8> {
    let mut out = vec![(number & 0x7F) as u8];
    let mut rest = number >> 7;
    while rest > 0 {
        out.insert(0, (rest & 0x7F) as u8 | 0x80);
        rest >>= 7;
    }
    out
}

fn events(draw: &mut Draw) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..draw.below(40) {
        let most = if draw.once_in(8) { 7 } else { 5 };
        let far = [0, 0, 10, 96, 480, 100_000, 0x0FFF_FFFF][draw.below(most)];
        out.extend(variable(far));
        let (channel, key) = (draw.below(16) as u8, draw.below(128) as u8);
        match draw.below(9) {
            0..=2 => out.extend([0x90 | channel, key, draw.below(128) as u8]),
            3..=4 => out.extend([0x80 | channel, key, 0]),
            5 => out.extend([&[0xFF, 0x51, 3][..], &(draw.any() as u32).to_be_bytes()[..3]].concat()),
            6 => out.extend([0xFF, 0x58, 4, draw.below(20) as u8, draw.below(9) as u8, 24, 8]),
            7 => {
                let name: Vec<u8> = (0..draw.below(12)).map(|_| draw.any() as u8).collect();
                out.extend([&[0xFF, 3][..], &variable(name.len() as u32), &name].concat());
            }
            _ => out.extend([0xC0 | channel, key]),
        }
    }
    out.extend([0, 0xFF, 0x2F, 0]);
    out
}

fn seeds() -> Vec<Vec<u8>> {
    let tune: Vec<u8> = [60, 62, 64, 65].iter().flat_map(|&key| [0, 0x90, key, 90, 96, 0x80, key, 0]).collect();
    let tune = [tune, vec![0, 0xFF, 0x2F, 0]].concat();
    let plain = file(0, 96, std::slice::from_ref(&tune));
    let mut riff = b"RIFF".to_vec();
    riff.extend((plain.len() as u32 + 12).to_le_bytes());
    riff.extend(b"RMIDdata");
    riff.extend((plain.len() as u32).to_le_bytes());
    riff.extend(&plain);
    let mut seeds =
        vec![plain, riff, file(1, 0xE728, &[tune.clone(), tune.clone()]), file(2, 480, &[tune.clone(), tune])];
    for number in 0..6 {
        let mut draw = Draw::new(11, number);
        let tracks: Vec<Vec<u8>> = (0..1 + draw.below(4)).map(|_| events(&mut draw)).collect();
        seeds.push(file(1, 96, &tracks));
    }
    seeds
}

fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    match draw.below(6) {
        0 => {
            let divisions = [0, 1, 24, 96, 480, 0x7FFF, 0x8000, 0xE250, 0xE728, 0xFF01, 0xFFFF];
            let tracks: Vec<Vec<u8>> = (0..draw.below(5)).map(|_| events(draw)).collect();
            file(draw.below(4) as u16, divisions[draw.below(divisions.len())], &tracks)
        }
        1 => {
            // A track more, where one begins.
            let mut out = input.to_vec();
            let track = events(draw);
            out.extend(b"MTrk");
            out.extend((track.len() as u32).to_be_bytes());
            out.extend(track);
            out
        }
        _ => mutate::bytes(input, &WORDS, draw),
    }
}

/// Four notes, as a file.
pub fn tune() -> Vec<u8> {
    seeds().remove(0)
}
