//! Thread: worker. The chunks of a WAV file that are not samples, byte by byte.
//!
//! `bext` is EBU Tech 3285; `acid`, `cue `, `adtl` and `smpl` are Microsoft's and Sonic Foundry's. All integers are little-endian.

use super::wav::{Label, Mark};
use crate::audio::AudioBuffer;

/// Adds a chunk, filled to an even length.
pub(super) fn push_chunk(bytes: &mut Vec<u8>, id: &[u8; 4], body: &[u8]) {
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(body);
    if body.len() % 2 == 1 {
        bytes.push(0);
    }
}

/// 16 bytes: plain integers of 24 bits. The extensible form says nothing more about one or two channels, and simple readers refuse it.
pub(super) fn format(audio: &AudioBuffer) -> Vec<u8> {
    const INTEGERS: u16 = 1;
    const BYTES: u16 = 3;
    let channels = u16::try_from(audio.channels.len()).unwrap_or(0).max(1);
    let frame = channels.saturating_mul(BYTES);
    let mut body = Vec::with_capacity(16);
    body.extend_from_slice(&INTEGERS.to_le_bytes());
    body.extend_from_slice(&channels.to_le_bytes());
    body.extend_from_slice(&audio.rate.0.to_le_bytes());
    body.extend_from_slice(&audio.rate.0.saturating_mul(u32::from(frame)).to_le_bytes());
    body.extend_from_slice(&frame.to_le_bytes());
    body.extend_from_slice(&(BYTES * 8).to_le_bytes());
    body
}

/// Version 1: 602 bytes and the coding history. Date and time stay empty: the same rendition is the same file.
pub(super) fn bext(label: &Label, audio: &AudioBuffer) -> Vec<u8> {
    let mut body = vec![0_u8; 602];
    let mut text = |at: usize, length: usize, words: &str| {
        body[at..at + length].iter_mut().zip(ascii(words)).for_each(|(byte, letter)| *byte = letter);
    };
    text(0, 256, &label.description);
    text(256, 32, "Cantus");
    body[338..346].copy_from_slice(&label.position_frames.to_le_bytes());
    body[346..348].copy_from_slice(&1_u16.to_le_bytes());
    let mode = if audio.channels.len() == 1 { "mono" } else { "stereo" };
    let history = format!("A=PCM,F={},W=24,M={mode},T=Cantus", audio.rate.0);
    body.extend(ascii(&history));
    body.extend_from_slice(b"\r\n");
    body
}

/// The fields of `bext` are ASCII.
fn ascii(words: &str) -> impl Iterator<Item = u8> {
    words.chars().map(|letter| if letter.is_ascii() && !letter.is_ascii_control() { letter as u8 } else { b'?' })
}

/// 24 bytes: a loop, or a one-shot where a tail is longer than the bars, with its tempo and metre.
pub(super) fn acid(label: &Label) -> Vec<u8> {
    const ONE_SHOT: u32 = 1;
    let mut body = Vec::with_capacity(24);
    body.extend_from_slice(&if label.repeats { 0_u32 } else { ONE_SHOT }.to_le_bytes());
    body.extend_from_slice(&60_u16.to_le_bytes());
    body.extend_from_slice(&0x8000_u16.to_le_bytes());
    body.extend_from_slice(&0.0_f32.to_le_bytes());
    body.extend_from_slice(&label.beats.to_le_bytes());
    body.extend_from_slice(&u16::from(label.metre.denominator).to_le_bytes());
    body.extend_from_slice(&u16::from(label.metre.numerator).to_le_bytes());
    body.extend_from_slice(&(label.tempo.0 as f32).to_le_bytes());
    body
}

/// One loop over the whole file, for ever. Its last frame is played, so that it lies one before the end.
pub(super) fn smpl(audio: &AudioBuffer) -> Vec<u8> {
    let nanoseconds = (1e9 / audio.rate.hz()).round() as u32;
    let last = u32::try_from(audio.frames().saturating_sub(1)).unwrap_or(u32::MAX);
    // Maker, product, frame length, note, its fraction, SMPTE format and offset, loops, further bytes.
    let head = [0, 0, nanoseconds, 60, 0, 0, 0, 1, 0];
    // Name, kind, first frame, last frame, fraction, rounds.
    let whole = [0, 0, 0, last, 0, 0];
    head.into_iter().chain(whole).flat_map(u32::to_le_bytes).collect()
}

/// The places of the marks, which [`names`] names by their numbers from 1.
pub(super) fn cue(marks: &[Mark]) -> Vec<u8> {
    let mut body = (marks.len() as u32).to_le_bytes().to_vec();
    for (number, mark) in (1_u32..).zip(marks) {
        body.extend_from_slice(&number.to_le_bytes());
        body.extend_from_slice(&mark.frame.to_le_bytes());
        body.extend_from_slice(b"data");
        // Neither a chunk nor a block of a wave list; then the place once more.
        body.extend_from_slice(&[0; 8]);
        body.extend_from_slice(&mark.frame.to_le_bytes());
    }
    body
}

/// The names of the marks.
pub(super) fn names(marks: &[Mark]) -> Vec<u8> {
    let mut body = b"adtl".to_vec();
    for (number, mark) in (1_u32..).zip(marks) {
        let mut label = number.to_le_bytes().to_vec();
        label.extend(mark.name.bytes().filter(|byte| *byte != 0));
        label.push(0);
        push_chunk(&mut body, b"labl", &label);
    }
    body
}
