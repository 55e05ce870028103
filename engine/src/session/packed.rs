//! Thread: worker packs, any unpacks. Audio as lossless compressed bytes.
//!
//! ```text
//! u32 codec  u32 rate  u32 channels  u64 frames  deflate(planes)
//! ```
//! Renditions are 24-bit from birth and use codec 1: second differences of the integers. Audio from a host that has more than
//! 24 bits uses codec 2, the bits of the floats. Either way the bytes of equal weight lie together before they are deflated,
//! because the high ones hardly change. Codec 3 is the bits of the floats as they are, for a save that cannot wait for the packing.

use super::piece::Piece;
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::time::SampleRate;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::io::Read;
use std::sync::Arc;

const INTEGER_24: u32 = 1;
const FLOAT_32: u32 = 2;
const PLAIN: u32 = 3;
const HEADER: usize = 20;
const FULL_SCALE: f32 = 8_388_608.0;
/// An hour of 48 kHz stereo: a session that claims more is damaged, and must not make us reserve memory for it.
const MOST_SAMPLES: u64 = 48_000 * 3_600 * 2;
/// No deflated byte stands for more than this many.
const MOST_INFLATION: u64 = 1_032;

/// Tag of the chunks that hold it.
pub(super) const AUDIO: [u8; 4] = *b"AUDI";

/// Compressed audio. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PackedAudio(Piece);

/// The same audio, whether or not it was packed in haste.
impl PartialEq for PackedAudio {
    fn eq(&self, other: &Self) -> bool {
        let bits = |one: &Self| -> Option<(SampleRate, Vec<Vec<u32>>)> {
            let audio = one.unpack().ok()?;
            let bits = |channel: Vec<f32>| channel.into_iter().map(f32::to_bits).collect();
            Some((audio.rate, audio.channels.into_iter().map(bits).collect()))
        };
        self.0 == other.0 || self.is_plain() != other.is_plain() && bits(self) == bits(other)
    }
}

impl PackedAudio {
    /// Compresses. Lossless, bit for bit.
    pub fn pack(audio: &AudioBuffer) -> Self {
        let integers = audio.channels.iter().flatten().all(|&sample| is_24_bit(sample));
        let codec = if integers { INTEGER_24 } else { FLOAT_32 };
        let mut words = Vec::with_capacity(audio.frames() * audio.channels.len());
        for channel in &audio.channels {
            if integers {
                second_differences(channel, &mut words);
            } else {
                words.extend(channel.iter().map(|sample| sample.to_bits()));
            }
        }
        let mut bytes = head(codec, audio);
        bytes.extend(deflate(&planes(&words)));
        Self::of(bytes.into())
    }

    /// Takes audio as it is, which is a copy. Lossless, bit for bit.
    pub fn plain(audio: &AudioBuffer) -> Self {
        let mut bytes = head(PLAIN, audio);
        bytes.reserve_exact(audio.frames() * audio.channels.len() * 4);
        for channel in &audio.channels {
            bytes.extend(channel.iter().flat_map(|sample| sample.to_le_bytes()));
        }
        Self::of(bytes.into())
    }

    /// Takes bytes that [`Self::bytes`] gave. Whether they can be unpacked turns out when they are; that they do not claim more than they can
    /// hold is checked at once.
    ///
    /// # Errors
    /// [`Error::Session`] when they are not such bytes.
    pub fn from_bytes(bytes: Arc<[u8]>) -> Result<Self> {
        let packed = Self::of(bytes);
        packed.facts()?;
        Ok(packed)
    }

    fn of(bytes: Arc<[u8]>) -> Self {
        Self(Piece::new(AUDIO, bytes))
    }

    /// Whether it was packed in haste, and would be smaller otherwise.
    pub fn is_plain(&self) -> bool {
        self.bytes().first_chunk() == Some(&PLAIN.to_le_bytes())
    }

    /// The bytes to store.
    pub fn bytes(&self) -> &Arc<[u8]> {
        &self.0.chunk().bytes
    }

    /// The chunk to store.
    pub fn piece(&self) -> &Piece {
        &self.0
    }

    /// What the head says: codec, rate, channels and samples of all channels together.
    fn facts(&self) -> Result<(u32, SampleRate, usize, usize)> {
        let (header, body) = self.bytes().split_at_checked(HEADER).ok_or_else(damaged)?;
        let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let (codec, rate, channels) = (word(0), word(4), word(8));
        let frames = u64::from(word(12)) | u64::from(word(16)) << 32;
        let samples = frames.checked_mul(u64::from(channels)).filter(|&samples| samples <= MOST_SAMPLES);
        let samples = samples.ok_or_else(damaged)?;
        let held = body.len() as u64 * if codec == PLAIN { 1 } else { MOST_INFLATION };
        if rate == 0
            || channels > 64
            || channels == 0 && frames != 0
            || !(INTEGER_24..=PLAIN).contains(&codec)
            || samples * 4 > held
        {
            return Err(damaged());
        }
        Ok((codec, SampleRate(rate), channels as usize, usize::try_from(samples).map_err(|_| damaged())?))
    }

    /// The audio again.
    ///
    /// # Errors
    /// [`Error::Session`] when the bytes are damaged.
    pub fn unpack(&self) -> Result<AudioBuffer> {
        let (codec, rate, channels, samples) = self.facts()?;
        let body = &self.bytes()[HEADER..];
        let words = match codec {
            PLAIN => {
                body.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
            }
            _ => words(&inflate(body, samples * 4)?).ok_or_else(damaged)?,
        };
        if words.len() != samples {
            return Err(damaged());
        }
        let frames = samples.checked_div(channels).unwrap_or(0);
        let plane = |words: &[u32]| match codec {
            INTEGER_24 => integrate_twice(words),
            _ => words.iter().map(|&bits| f32::from_bits(bits)).collect(),
        };
        let channels = if frames == 0 { vec![Vec::new(); channels] } else { words.chunks(frames).map(plane).collect() };
        Ok(AudioBuffer { rate, channels })
    }
}

fn head(codec: u32, audio: &AudioBuffer) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(codec.to_le_bytes());
    bytes.extend(audio.rate.0.to_le_bytes());
    bytes.extend((audio.channels.len() as u32).to_le_bytes());
    bytes.extend((audio.frames() as u64).to_le_bytes());
    bytes
}

fn is_24_bit(sample: f32) -> bool {
    let scaled = sample * FULL_SCALE;
    scaled.fract() == 0.0 && (-FULL_SCALE..FULL_SCALE).contains(&scaled) && (sample != 0.0 || sample.is_sign_positive())
}

/// Zig-zag second differences of the 24-bit integers, as small unsigned words.
fn second_differences(channel: &[f32], out: &mut Vec<u32>) {
    let (mut last, mut last_step) = (0_i32, 0_i32);
    for &sample in channel {
        let value = (sample * FULL_SCALE) as i32;
        let step = value.wrapping_sub(last);
        let change = step.wrapping_sub(last_step);
        out.push(((change << 1) ^ (change >> 31)) as u32);
        (last, last_step) = (value, step);
    }
}

fn integrate_twice(words: &[u32]) -> Vec<f32> {
    let (mut value, mut step) = (0_i32, 0_i32);
    words
        .iter()
        .map(|&word| {
            let change = ((word >> 1) as i32) ^ -((word & 1) as i32);
            step = step.wrapping_add(change);
            value = value.wrapping_add(step);
            value as f32 / FULL_SCALE
        })
        .collect()
}

/// All lowest bytes, then all second bytes, and so on.
fn planes(words: &[u32]) -> Vec<u8> {
    (0..4).flat_map(|byte| words.iter().map(move |word| (word >> (8 * byte)) as u8)).collect()
}

fn words(planes: &[u8]) -> Option<Vec<u32>> {
    if !planes.len().is_multiple_of(4) {
        return None;
    }
    let count = planes.len() / 4;
    let byte = |plane: usize, index: usize| u32::from(planes[plane * count + index]) << (8 * plane);
    Some((0..count).map(|index| (0..4).map(|plane| byte(plane, index)).sum()).collect())
}

/// Deflates at a fast level: the planes do most of the work.
pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // Reading from a slice into a vector cannot fail.
    let _ = DeflateEncoder::new(bytes, Compression::new(4)).read_to_end(&mut out);
    out
}

/// Inflates at most so many bytes and one, so that damage cannot fill the memory.
pub(super) fn inflate(bytes: &[u8], most: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    DeflateDecoder::new(bytes).take(most as u64 + 1).read_to_end(&mut out).map_err(|_| damaged())?;
    Ok(out)
}

fn damaged() -> Error {
    Error::Session { reason: "a recording in it is damaged".to_owned() }
}
