//! Thread: worker. 24-bit WAV with its place in the song: `bext` (EBU Tech 3285) for "move to original position", `acid` for the tempo,
//! `cue ` with names in `LIST adtl` for sections and chords, and `smpl` where the file is a loop.

use super::chunks::{acid, bext, cue, format, names, push_chunk, smpl};
use crate::audio::AudioBuffer;
use crate::error::{Error, Result};
use crate::generation::score::Score;
use crate::rendition::Rendition;
use crate::time::{Bpm, Metre, SampleRate};
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
    /// Sections and chords, by frame.
    pub marks: Vec<Mark>,
}

/// A named place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Frames from the start of the file.
    pub frame: u32,
    /// "Section A", "Am7".
    pub name: String,
}

/// Files name so many places at most: more than a piece of half an hour has chords, and little enough for every reader.
const MOST_MARKS: usize = 4_096;

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
            marks: rendition.score.as_ref().map_or_else(Vec::new, |score| marks(score, rendition, rate)),
        }
    }
}

/// Sections and chords where they begin in the rendition, which may be at another tempo than the score was written for.
fn marks(score: &Score, rendition: &Rendition, rate: SampleRate) -> Vec<Mark> {
    let grid = &rendition.grid;
    let sections = score.sections.iter().map(|section| (section.start, format!("Section {}", section.name)));
    let chords = score.chords.iter().map(|chord| (chord.start, chord.symbol.clone()));
    let frames = u32::try_from(rendition.mix.frames()).unwrap_or(u32::MAX);
    let placed = sections.chain(chords).filter_map(|(start, name)| {
        let frame = u32::try_from(grid.frame_of(start, rate).0).ok()?;
        (frame < frames).then_some(Mark { frame, name })
    });
    let mut marks: Vec<Mark> = placed.collect();
    // A section comes before the chord it begins with: the order is kept among equals.
    marks.sort_by_key(|mark| mark.frame);
    marks.truncate(MOST_MARKS);
    marks
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
    with_label(plain.into_inner(), audio, label)
}

/// Puts what readers look for first before the samples, and what only some look for after them.
fn with_label(plain: Vec<u8>, audio: &AudioBuffer, label: &Label) -> Result<Vec<u8>> {
    const HEADER: usize = 12;
    let mut at = HEADER;
    while plain.get(at..at + 4).is_some_and(|id| id != b"data") {
        let size = plain.get(at + 4..at + 8).and_then(|size| size.try_into().ok()).map_or(0, u32::from_le_bytes);
        at += 8 + size as usize + (size as usize & 1);
    }
    let data = &plain[at.min(plain.len())..];
    let mut bytes = Vec::with_capacity(plain.len() + 1_024 + 64 * label.marks.len());
    bytes.extend_from_slice(&plain[..HEADER.min(plain.len())]);
    push_chunk(&mut bytes, b"fmt ", &format(audio));
    push_chunk(&mut bytes, b"bext", &bext(label, audio));
    push_chunk(&mut bytes, b"acid", &acid(label));
    bytes.extend_from_slice(data);
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    if label.repeats && audio.frames() > 0 {
        push_chunk(&mut bytes, b"smpl", &smpl(audio));
    }
    if !label.marks.is_empty() {
        push_chunk(&mut bytes, b"cue ", &cue(&label.marks));
        push_chunk(&mut bytes, b"LIST", &names(&label.marks));
    }
    let size =
        u32::try_from(bytes.len() - 8).map_err(|_| Error::internal("writing files", "longer than a WAV can be"))?;
    bytes[4..8].copy_from_slice(&size.to_le_bytes());
    Ok(bytes)
}
