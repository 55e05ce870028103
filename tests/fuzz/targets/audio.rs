//! Sound files of every kind that can be opened.

use super::{Target, answer, check_sentence};
use crate::draw::Draw;
use crate::mutate;
use cantus_engine::capture::file::{read_audio, read_take};
use cantus_engine::time::Metre;
use std::path::Path;

pub const TARGET: Target =
    Target { name: "audio", open, seeds, mutate: mutated, most_bytes: 1 << 15, needs_bundle: false };

const ENDINGS: [&str; 6] = ["wav", "aiff", "flac", "mp3", "ogg", "sound"];
/// The first byte of an input names the ending.
const WORDS: [&[u8]; 26] = [
    b"RIFF",
    b"RIFX",
    b"RF64",
    b"WAVE",
    b"fmt ",
    b"data",
    b"fact",
    b"LIST",
    b"JUNK",
    b"FORM",
    b"AIFF",
    b"AIFC",
    b"COMM",
    b"SSND",
    b"sowt",
    b"fl32",
    b"fLaC",
    b"OggS",
    b"\x01vorbis",
    b"\x03vorbis",
    b"\x05vorbis",
    b"ID3\x04\0\0",
    b"Xing",
    b"\xFF\xFB\x90",
    b"\xFE\xFF",
    b"\x11\x00",
];

fn open() -> super::Run {
    let folder = tempfile::tempdir().unwrap();
    Box::new(move |input| {
        let Some((&ending, bytes)) = input.split_first() else { return 0 };
        let path = folder.path().join("sound").with_extension(ENDINGS[usize::from(ending) % ENDINGS.len()]);
        std::fs::write(&path, bytes).unwrap();
        match read_audio(&path) {
            Ok(audio) => {
                assert!(audio.rate.0 > 0 && (1..=2).contains(&audio.channels.len()) && audio.frames() > 0);
                assert!(
                    audio.channels.iter().all(|channel| channel.len() == audio.frames()),
                    "channels of different length"
                );
                assert!(audio.channels.iter().flatten().all(|sample| sample.is_finite()), "a sample that is no number");
                match read_take(&path, None, Metre::default()) {
                    Ok(take) => assert!(take.grid.is_sane() && take.length.0.is_finite()),
                    Err(error) => return check_sentence(&error).rotate_left(3),
                }
                (u64::from(audio.rate.0).ilog2() as u64) << 8 | audio.channels.len() as u64
            }
            Err(error) => check_sentence(&error) ^ answer(ENDINGS[usize::from(ending) % ENDINGS.len()]),
        }
    })
}

fn chunk(name: &[u8; 4], body: &[u8], big: bool) -> Vec<u8> {
    let length = body.len() as u32;
    let length = if big { length.to_be_bytes() } else { length.to_le_bytes() };
    let mut out = [&name[..], &length, body].concat();
    out.extend((out.len() % 2 == 1).then_some(0));
    out
}

/// A RIFF file of a coding (1 integer, 3 float, 2 and 17 ADPCM), bits and channels.
fn wav(coding: u16, bits: u16, channels: u16) -> Vec<u8> {
    let frame = (bits / 8).max(1) * channels;
    let mut format = Vec::new();
    format.extend(coding.to_le_bytes());
    format.extend(channels.to_le_bytes());
    format.extend(22_050_u32.to_le_bytes());
    format.extend((22_050 * u32::from(frame)).to_le_bytes());
    let block = if bits == 4 { 256 * channels } else { frame };
    format.extend(block.to_le_bytes());
    format.extend(bits.to_le_bytes());
    if bits == 4 {
        format.extend([2, 0]);
        format.extend((505_u16).to_le_bytes());
    }
    let data: Vec<u8> = (0..usize::from(block) * if bits == 4 { 2 } else { 40 }).map(|at| (at * 37) as u8).collect();
    let body = [b"WAVE".to_vec(), chunk(b"fmt ", &format, false), chunk(b"data", &data, false)].concat();
    chunk(b"RIFF", &body, false)
}

fn aiff(compressed: bool, bits: u16) -> Vec<u8> {
    let mut common = 1_u16.to_be_bytes().to_vec();
    common.extend(60_u32.to_be_bytes());
    common.extend(bits.to_be_bytes());
    // 22 050 as an 80-bit float.
    common.extend([0x40, 0x0D, 0xAC, 0x44, 0, 0, 0, 0, 0, 0]);
    if compressed {
        common.extend(b"sowt\0\0");
    }
    let mut sound = vec![0; 8];
    sound.extend((0..60 * u32::from(bits / 8)).map(|at| (at * 91) as u8));
    let kind = if compressed { b"AIFC" } else { b"AIFF" };
    chunk(b"FORM", &[kind.to_vec(), chunk(b"COMM", &common, true), chunk(b"SSND", &sound, true)].concat(), true)
}

fn seeds() -> Vec<Vec<u8>> {
    let rows = [
        (1, 8, 1),
        (1, 16, 2),
        (1, 24, 1),
        (1, 32, 3),
        (3, 32, 2),
        (3, 64, 1),
        (2, 4, 1),
        (17, 4, 2),
        (6, 8, 1),
        (7, 8, 2),
        (0xFFFE, 16, 1),
    ];
    let mut seeds: Vec<Vec<u8>> =
        rows.iter().map(|&(coding, bits, channels)| [vec![0], wav(coding, bits, channels)].concat()).collect();
    seeds.extend(
        [(false, 8), (false, 16), (false, 24), (true, 16)]
            .map(|(compressed, bits)| [vec![1], aiff(compressed, bits)].concat()),
    );
    for (ending, name, most) in [(2, "tone.flac", 9_000), (3, "tone.mp3", 3_000), (4, "tone.ogg", 7_300)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/analysis").join(name);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        seeds.push([&[ending][..], &bytes[..bytes.len().min(most)]].concat());
    }
    seeds
}

fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut out = mutate::bytes(input, &WORDS, draw);
    // Pages whose sum is wrong are not looked into.
    if !draw.once_in(4) {
        mend_pages(&mut out);
    }
    out
}

/// Writes the true sums of OGG pages.
fn mend_pages(bytes: &mut [u8]) {
    let mut at = 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.windows(4).position(|four| four == b"OggS")) {
        let start = at + found;
        let Some(&segments) = bytes.get(start + 26) else { return };
        let table = start + 27..start + 27 + usize::from(segments);
        let Some(lengths) = bytes.get(table.clone()) else { return };
        let end = (table.end + lengths.iter().map(|&length| usize::from(length)).sum::<usize>()).min(bytes.len());
        bytes[start + 22..start + 26].fill(0);
        let sum = bytes[start..end].iter().fold(0_u32, |sum, &byte| {
            (0..8).fold(
                sum ^ u32::from(byte) << 24,
                |sum, _| if sum >> 31 == 1 { sum << 1 ^ 0x04C1_1DB7 } else { sum << 1 },
            )
        });
        bytes[start + 22..start + 26].copy_from_slice(&sum.to_le_bytes());
        at = end.max(start + 27);
    }
}
