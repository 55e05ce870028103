//! Thread: worker. Files become takes: sound, and MIDI. The only user of symphonia.

use crate::audio::AudioBuffer;
use crate::capture::midi_file;
use crate::capture::take::{Take, TakeSource};
use crate::error::{Error, Result};
use crate::time::{Beats, Bpm, Metre, SampleRate, SongGrid};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error as DecodeError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

/// The tempo that a file without one is laid out at until the analysis has heard a better one.
const ASSUMED_TEMPO: Bpm = Bpm(120.0);
/// Gain of channels beyond the first two when they are folded into both: -3 dB.
const FOLD_GAIN: f32 = std::f32::consts::FRAC_1_SQRT_2;
/// No kind of file holds more frames of music in a byte.
const MOST_FRAMES_A_BYTE: u64 = 4;
/// Rates that sound is recorded at. One beyond them makes a bar of silence larger than any memory.
const RATES_HZ: std::ops::RangeInclusive<u32> = 1_000..=1_000_000;
/// A file that holds less than this share of the frames its header promises was cut off.
const COMPLETE: f64 = 0.98;

/// Decodes a sound file: WAV and AIFF (8 to 32 bit integers, 32 and 64 bit floats), FLAC, MP3, OGG Vorbis.
///
/// More than two channels are folded down to two; non-finite samples become 0. A damaged packet in the middle is left out.
///
/// # Errors
/// [`Error::File`] when it cannot be opened, [`Error::UnreadableAudio`] when it is not sound or was cut off,
/// [`Error::EmptyTake`] when it is a sound file without a single frame.
pub fn read_audio(path: &Path) -> Result<AudioBuffer> {
    let unreadable = |reason: String| Error::UnreadableAudio { path: path.into(), reason };
    let file = File::open(path).map_err(|error| Error::file("read", path, &error))?;
    let about = file.metadata().map_err(|error| Error::file("read", path, &error))?;
    if about.is_dir() {
        return Err(unreadable("it is a folder".into()));
    }
    if about.len() == 0 {
        return Err(unreadable("it is empty".into()));
    }

    let mut hint = Hint::new();
    if let Some(extension) = path.extension().and_then(|extension| extension.to_str()) {
        hint.with_extension(extension);
    }
    let stream = MediaSourceStream::new(Box::new(file), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| unreadable(explain(&error)))?;
    let track = format.default_track(TrackType::Audio).ok_or_else(|| unreadable("it has no sound track".into()))?;
    let (track_id, promised) = (track.id, track.num_frames);
    let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
        return Err(unreadable("it does not say how its sound is coded".into()));
    };
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| unreadable(explain(&error)))?;
    // An MP3 without a frame count only has its length guessed from the file's size.
    let promised = promised.filter(|_| !format.format_info().short_name.starts_with("mp"));

    let mut rate = parameters_rate(decoder.codec_params().sample_rate);
    let mut channels: Vec<Vec<f32>> = Vec::new();
    let mut block: Vec<Vec<f32>> = Vec::new();
    let mut damage = None;
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // A file that simply stops: whether too much is missing is decided below.
            Err(DecodeError::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => break,
            // A new logical stream begins (chained OGG); the take is the first one.
            Err(DecodeError::ResetRequired) => break,
            Err(error) => return Err(unreadable(explain(&error))),
        };
        if packet.track_id != track_id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(decoded) => {
                rate = parameters_rate(Some(decoded.spec().rate())).or(rate);
                decoded.copy_to_vecs_planar(&mut block);
                if channels.is_empty() {
                    // A long file's samples are not to be copied while they grow; a header alone reserves no memory.
                    let expected = promised.unwrap_or(0).min(about.len().saturating_mul(MOST_FRAMES_A_BYTE));
                    let reserved = usize::try_from(expected).unwrap_or(0);
                    channels = (0..block.len()).map(|_| Vec::with_capacity(reserved)).collect();
                }
                if block.len() != channels.len() {
                    return Err(unreadable("its number of channels changes on the way".into()));
                }
                channels.iter_mut().zip(&block).for_each(|(channel, block)| channel.extend_from_slice(block));
            }
            Err(error @ (DecodeError::DecodeError(_) | DecodeError::IoError(_))) => damage = Some(explain(&error)),
            Err(error) => return Err(unreadable(explain(&error))),
        }
    }

    let frames = channels.first().map_or(0, Vec::len);
    if let Some(promised) = promised
        && (frames as f64) < promised as f64 * COMPLETE
    {
        return Err(unreadable(format!("it was cut off: {frames} of {promised} samples are there")));
    }
    match (frames, damage, rate) {
        (0, Some(damage), _) => Err(unreadable(damage)),
        (0, None, _) => Err(Error::EmptyTake),
        (_, _, None) => Err(unreadable("it does not say its sample rate".into())),
        (_, _, Some(rate)) if !RATES_HZ.contains(&rate.0) => {
            Err(unreadable(format!("it says that a second has {} samples", rate.0)))
        }
        (_, _, Some(rate)) => {
            for sample in channels.iter_mut().flatten().filter(|sample| !sample.is_finite()) {
                *sample = 0.0;
            }
            Ok(AudioBuffer { rate, channels: fold_down(channels) })
        }
    }
}

/// Reads a sound or MIDI file as a take at the start of the song. For sound, `length` is the whole bars that cover the audio, and the audio is
/// extended by silence to be as long. With a tempo the take counts as recorded on the grid; without one it is laid out at
/// 120 BPM, and the analysis makes its own guess. `id` is 0: the session gives it one of its own.
///
/// A MIDI file counts beats: it lies on the grid, at the tempo if there is one and at its own otherwise. `metre` holds when the
/// file has none. Its likeliest melody is taken; `remarks` of the take tell which part that is and which others there are.
///
/// # Errors
/// As [`read_audio`], [`Error::UnreadableMidi`], and [`Error::OutOfRange`] for a tempo or metre that music does not have.
pub fn read_take(path: &Path, tempo: Option<Bpm>, metre: Metre) -> Result<Take> {
    read_part(path, tempo, metre, None)
}

/// [`read_take`], and of a MIDI file the part with a number, counted from 1 as `remarks` does. Sound has no parts.
///
/// # Errors
/// As [`read_take`], and [`Error::UnreadableMidi`] when there is no such part.
pub fn read_part(path: &Path, tempo: Option<Bpm>, metre: Metre, part: Option<usize>) -> Result<Take> {
    if let Some(Bpm(bpm)) = tempo.filter(|tempo| !(20.0..=400.0).contains(&tempo.0)) {
        let expected = "between 20 and 400 BPM".into();
        return Err(Error::OutOfRange { what: "The tempo", got: format!("{bpm} BPM"), expected });
    }
    if metre.numerator == 0 || !metre.denominator.is_power_of_two() {
        let got = format!("{}/{}", metre.numerator, metre.denominator);
        return Err(Error::OutOfRange { what: "The time signature", got, expected: "like 4/4, 3/4 or 6/8".into() });
    }
    if let Some(bytes) = midi_bytes(path)? {
        let unreadable = |reason| Error::UnreadableMidi { path: path.into(), reason };
        return midi_file::take(&bytes, tempo, metre, part).map_err(unreadable);
    }
    let mut audio = read_audio(path)?;
    let grid = SongGrid::at_origin(tempo.unwrap_or(ASSUMED_TEMPO), metre);
    let covered = grid.beat_at(audio.length().seconds(audio.rate));
    // Half a frame of a bar more than whole bars is rounding, not another bar.
    let tolerance = 1e-6;
    let bars = (covered.0 / metre.bar().0 - tolerance).ceil().max(1.0);
    let length = Beats(bars * metre.bar().0);
    let frames = grid.frame_of(length, audio.rate).index().unwrap_or(0);
    audio.channels.iter_mut().for_each(|channel| channel.resize(frames, 0.0));
    Ok(Take {
        id: 0,
        source: TakeSource::File,
        audio,
        notes: Vec::new(),
        grid,
        on_grid: tempo.is_some(),
        length,
        lost_frames: 0,
        remarks: Vec::new(),
        margins: Default::default(),
    })
}

/// The content of a MIDI file; `None` when it is no such file.
fn midi_bytes(path: &Path) -> Result<Option<Vec<u8>>> {
    let failed = |error| Error::file("read", path, &error);
    let unreadable = |reason: &str| Error::UnreadableMidi { path: path.into(), reason: reason.into() };
    let called_midi = is_called(path, &MIDI_ENDINGS);
    let mut file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.by_ref().take(12).read_to_end(&mut bytes).map_err(failed)?;
    if !midi_file::is_midi(&bytes) {
        let reason = if bytes.is_empty() { "it is empty" } else { "it does not begin as one" };
        return if called_midi { Err(unreadable(reason)) } else { Ok(None) };
    }
    file.take(midi_file::MOST_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > midi_file::MOST_BYTES {
        return Err(unreadable("it is larger than 32 MB"));
    }
    Ok(Some(bytes))
}

/// Endings of files that can be takes.
const SOUND_ENDINGS: [&str; 9] = ["wav", "wave", "flac", "mp3", "ogg", "oga", "aif", "aiff", "aifc"];
const MIDI_ENDINGS: [&str; 4] = ["mid", "midi", "smf", "rmi"];

/// Whether a file's name says that it can be a take: for choosing files in a folder. Nothing is opened.
pub fn looks_like_a_take(path: &Path) -> bool {
    is_called(path, &SOUND_ENDINGS) || is_called(path, &MIDI_ENDINGS)
}

fn is_called(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    ending.is_some_and(|ending| endings.contains(&ending.as_str()))
}

fn parameters_rate(hz: Option<u32>) -> Option<SampleRate> {
    hz.filter(|&hz| hz > 0).map(SampleRate)
}

/// Keeps one or two channels as they are; of more, the first two stay left and right and the others sound in both.
fn fold_down(mut channels: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    let others = channels.split_off(channels.len().min(2));
    if others.is_empty() {
        return channels;
    }
    let gain = 1.0 / (1.0 + FOLD_GAIN * others.len() as f32);
    for channel in &mut channels {
        for (frame, sample) in channel.iter_mut().enumerate() {
            *sample = (*sample + others.iter().map(|other| FOLD_GAIN * other[frame]).sum::<f32>()) * gain;
        }
    }
    channels
}

/// The decoder's words without its category.
fn explain(error: &DecodeError) -> String {
    match error {
        DecodeError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => "it ends too early".into(),
        DecodeError::IoError(error) => error.to_string(),
        DecodeError::DecodeError(reason) => format!("damaged: {reason}"),
        DecodeError::Unsupported(reason) => format!("unknown kind: {reason}"),
        other => other.to_string(),
    }
}
