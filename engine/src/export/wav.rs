//! Thread: worker. 24-bit WAV with its place in the song: a `bext` chunk (EBU Tech 3285) for "move to original position" and
//! an `acid` chunk for the tempo.

use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::rendition::Rendition;
use crate::time::{Bpm, Metre};
use std::io::Cursor;

/// What a file says about its sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    /// A line for people.
    pub description: String,
    /// Song position of the first frame, in frames.
    pub position_frames: u64,
    /// Tempo at the start.
    pub tempo: Bpm,
    /// Time signature.
    pub metre: Metre,
    /// Length of the region, in quarter notes.
    pub beats: u32,
    /// Whether the file is exactly its region, to be repeated.
    pub repeats: bool,
}

impl Label {
    /// The label of everything a rendition consists of.
    pub fn of(rendition: &Rendition) -> Self {
        let grid = &rendition.grid;
        let rate = rendition.rate();
        let end = grid.beat_at(rendition.region.seconds(rate));
        Self {
            description: rendition.name.clone(),
            position_frames: u64::try_from(grid.start_seconds.frames(rate).0).unwrap_or(0),
            tempo: grid.tempo.tempo_at(grid.start),
            metre: grid.metre,
            beats: (end - grid.start).0.round().clamp(0.0, 1e9) as u32,
            repeats: rendition.leads_back() && rendition.mix.length() == rendition.region,
        }
    }
}

/// A whole WAV file of 24-bit integer samples. Values that are already 24-bit, as in every rendition, pass unchanged.
///
/// # Errors
/// [`Error::Internal`] when the audio is larger than a WAV can be (4 GB) or has no channels.
pub fn wav_bytes(audio: &AudioBuffer, label: &Label) -> Result<Vec<u8>> {
    let failed = |error: hound::Error| Error::internal("writing files", error);
    let spec = hound::WavSpec {
        channels: u16::try_from(audio.channels.len()).unwrap_or(0).max(1),
        sample_rate: audio.rate.0,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut plain = Cursor::new(Vec::with_capacity(audio.frames() * audio.channels.len() * 3 + 1024));
    let mut writer = hound::WavWriter::new(&mut plain, spec).map_err(failed)?;
    for frame in 0..audio.frames() {
        for channel in &audio.channels {
            let value = (channel[frame] * 8_388_608.0).round().clamp(-8_388_608.0, 8_388_607.0) as i32;
            writer.write_sample(value).map_err(failed)?;
        }
    }
    writer.finalize().map_err(failed)?;
    with_label(plain.into_inner(), label)
}

/// Puts the label's chunks before the samples, where every reader looks.
fn with_label(plain: Vec<u8>, label: &Label) -> Result<Vec<u8>> {
    const HEADER: usize = 12;
    let mut at = HEADER;
    while plain.get(at..at + 4).is_some_and(|id| id != b"data") {
        let size = plain.get(at + 4..at + 8).and_then(|size| size.try_into().ok()).map_or(0, u32::from_le_bytes);
        at += 8 + size as usize + (size as usize & 1);
    }
    let (head, data) = plain.split_at(at.min(plain.len()));
    let mut bytes = Vec::with_capacity(plain.len() + 700);
    bytes.extend_from_slice(head);
    push_chunk(&mut bytes, b"bext", &bext(label));
    push_chunk(&mut bytes, b"acid", &acid(label));
    bytes.extend_from_slice(data);
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    let size =
        u32::try_from(bytes.len() - 8).map_err(|_| Error::internal("writing files", "longer than a WAV can be"))?;
    bytes[4..8].copy_from_slice(&size.to_le_bytes());
    Ok(bytes)
}

fn push_chunk(bytes: &mut Vec<u8>, id: &[u8; 4], body: &[u8]) {
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(body);
    if body.len() % 2 == 1 {
        bytes.push(0);
    }
}

/// Version 1, 602 bytes. Date and time stay empty: the same rendition is the same file.
fn bext(label: &Label) -> Vec<u8> {
    let mut body = vec![0_u8; 602];
    let mut text = |at: usize, length: usize, words: &str| {
        let ascii = words
            .chars()
            .map(|letter| if letter.is_ascii() && !letter.is_ascii_control() { letter as u8 } else { b'?' });
        body[at..at + length].iter_mut().zip(ascii).for_each(|(byte, letter)| *byte = letter);
    };
    text(0, 256, &label.description);
    text(256, 32, "Cantus");
    body[338..346].copy_from_slice(&label.position_frames.to_le_bytes());
    body[346..348].copy_from_slice(&1_u16.to_le_bytes());
    body
}

/// 24 bytes: a loop, or a one-shot where a tail is longer than the bars, with its tempo and metre.
fn acid(label: &Label) -> Vec<u8> {
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
