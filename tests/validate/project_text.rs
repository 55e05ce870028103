//! Thread: main. Finds the plugin's session in the project of a host, whatever the host wraps it into.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::io::Read;

/// The session's text in what a host saved. `None` when there is none.
pub fn session_text(project: &[u8]) -> Option<String> {
    plain(project)
        .or_else(|| plain(&juce_bytes(&between(project, b"<IComponent>", b"<")?)?))
        .or_else(|| every(project, b"<chunk", b"</chunk>").iter().find_map(|text| plain(&base64_bytes(text)?)))
        .or_else(|| every(project, b"key=\"state\"", b"</config>").iter().find_map(|text| plain(&zipped_bytes(text)?)))
}

/// The plugin's state is JSON in which the session is a JSON text of base64.
fn plain(state: &[u8]) -> Option<String> {
    let text = between(state, b"\"session\":\"\\\"", b"\\")?;
    String::from_utf8(text).ok().filter(|text| !text.is_empty())
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn between(bytes: &[u8], before: &[u8], after: &[u8]) -> Option<Vec<u8>> {
    let rest = &bytes[position(bytes, before)? + before.len()..];
    Some(rest[..position(rest, after)?].to_vec())
}

/// The contents of every element that begins with `opening`, from the end of its tag on.
fn every(bytes: &[u8], opening: &[u8], closing: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(start) = position(rest, opening) {
        rest = &rest[start + opening.len()..];
        let Some(end) = position(rest, closing) else { break };
        let content = rest[..end].iter().position(|&byte| byte == b'>').map(|tag| rest[tag + 1..end].to_vec());
        found.extend(content);
        rest = &rest[end..];
    }
    found
}

fn base64_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet::STANDARD, lenient.with_decode_allow_trailing_bits(true)).decode(text).ok()
}

/// Qt's compressed bytes: their length in four bytes, then a zlib stream.
fn zipped_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let bytes = base64_bytes(text)?;
    let mut plain = Vec::new();
    flate2::read::ZlibDecoder::new(bytes.get(4..)?).read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// JUCE's own base64: the length in decimal, a full stop, and six bits a letter, the lowest first.
fn juce_bytes(text: &[u8]) -> Option<Vec<u8>> {
    const LETTERS: &[u8] = b".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+";
    let dot = text.iter().position(|&byte| byte == b'.')?;
    let length: usize = std::str::from_utf8(&text[..dot]).ok()?.parse().ok()?;
    let mut bytes = Vec::with_capacity(length.min(text.len()));
    let (mut held, mut bits) = (0_u32, 0);
    for letter in &text[dot + 1..] {
        held |= u32::try_from(LETTERS.iter().position(|known| known == letter)?).ok()? << bits;
        bits += 6;
        if bits >= 8 {
            bytes.push((held & 0xff) as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    bytes.truncate(length);
    Some(bytes)
}
