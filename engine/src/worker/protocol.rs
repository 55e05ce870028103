//! Thread: any. How a plugin and the worker process talk: frames over two pipes.
//!
//! ```text
//! "CtW1"  u32 header bytes  u32 payload bytes  header (JSON)  payload (planar little-endian f32)
//! ```
//! Lengths come from another process and are never trusted: both are bounded, and memory is taken as bytes arrive.

use super::Order;
use crate::audio::AudioBuffer;
use crate::generation::musicgen::{AudioRequest, Melody, Precision, Sampling};
use crate::job_context::Progress;
use crate::time::{SampleRate, Seconds};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// Raised whenever a message changes.
pub const PROTOCOL: u32 = 1;
/// The version both sides must share.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

const MAGIC: [u8; 4] = *b"CtW1";
/// Bytes of the largest header.
const MOST_HEADER: u32 = 1 << 20;
/// Bytes of the largest payload: an hour of stereo at 32 kHz fits.
const MOST_PAYLOAD: u32 = 1 << 30;

/// Size of one piece of audio in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Frames per second.
    pub rate: u32,
    /// Channels.
    pub channels: u32,
    /// Frames in each channel.
    pub frames: u32,
}

/// The melody of an order, its numbers in the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SentMelody {
    /// No melody.
    None,
    /// Audio.
    Wave(Shape),
    /// So many chroma frames of twelve.
    Frames(u32),
}

/// An order as it is sent. Times go as bits, because decimal text may lose the last one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SentOrder {
    folder: PathBuf,
    precision: Precision,
    text: String,
    melody: SentMelody,
    seconds_bits: u64,
    seed: u64,
    sampling: Sampling,
    continue_from: Option<Shape>,
}

/// From the plugin to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum ToWorker {
    /// The first message.
    Hello {
        /// [`PROTOCOL`].
        protocol: u32,
        /// [`VERSION`].
        version: String,
        /// The worker leaves after so long without work.
        idle_ms: u64,
    },
    /// Make this. Payload: the melody's numbers, then those of the audio to continue.
    Generate {
        /// Names the job.
        job: u64,
        /// What to make.
        order: SentOrder,
    },
    /// Stop that.
    Cancel {
        /// The job.
        job: u64,
    },
}

/// From the worker to the plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case")]
pub enum FromWorker {
    /// The answer to the first message.
    Hello {
        /// [`PROTOCOL`].
        protocol: u32,
        /// [`VERSION`].
        version: String,
        /// Its process.
        pid: u32,
    },
    /// The job was heard and will be done.
    Accepted {
        /// The job.
        job: u64,
    },
    /// How far it is.
    Progress {
        /// The job.
        job: u64,
        /// How far.
        progress: Progress,
    },
    /// Audio that was made since the last such message. Payload: its samples.
    Audio {
        /// The job.
        job: u64,
        /// Its size.
        shape: Shape,
    },
    /// The job is done. Payload: all of its audio.
    Done {
        /// The job.
        job: u64,
        /// Its size.
        shape: Shape,
    },
    /// The job is over without a result.
    Failed {
        /// The job.
        job: u64,
        /// Because it was asked to stop.
        cancelled: bool,
        /// Why, as a sentence.
        sentence: String,
    },
    /// A stop was heard; the job ends as soon as it looks.
    CancelHeard {
        /// The job.
        job: u64,
    },
    /// The worker lives.
    Beat {
        /// How often its job has looked whether to stop: stands still when the job hangs.
        looks: u64,
    },
    /// The worker leaves; whatever was not accepted goes to its successor.
    Leaving,
}

/// Writes one frame.
///
/// # Errors
/// Those of the pipe; [`io::ErrorKind::InvalidInput`] for what no frame can hold.
pub fn write(to: &mut impl Write, message: &impl Serialize, payload: &[u8]) -> io::Result<()> {
    let header = serde_json::to_vec(message).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let length = |bytes: &[u8], most: u32| {
        let length = u32::try_from(bytes.len()).ok().filter(|&length| length <= most);
        length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "too long for a frame"))
    };
    let (header_length, payload_length) = (length(&header, MOST_HEADER)?, length(payload, MOST_PAYLOAD)?);
    to.write_all(&MAGIC)?;
    to.write_all(&header_length.to_le_bytes())?;
    to.write_all(&payload_length.to_le_bytes())?;
    to.write_all(&header)?;
    to.write_all(payload)?;
    to.flush()
}

/// Reads one frame; `None` when the other side has closed the pipe between two frames.
///
/// # Errors
/// Those of the pipe; [`io::ErrorKind::InvalidData`] for bytes that are no frame; [`io::ErrorKind::UnexpectedEof`] for half of one.
pub fn read<M: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<(M, Vec<u8>)>> {
    let mut head = [0_u8; 12];
    let mut filled = 0;
    while filled < head.len() {
        match from.read(&mut head[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (header, payload) = (word(4), word(8));
    if head[..4] != MAGIC || header > MOST_HEADER || payload > MOST_PAYLOAD {
        return Err(invalid("what came is no message of ours"));
    }
    let header = exactly(from, header)?;
    let payload = exactly(from, payload)?;
    let message = serde_json::from_slice(&header).map_err(|error| invalid(&error.to_string()))?;
    Ok(Some((message, payload)))
}

/// So many bytes, without reserving memory for more than came.
fn exactly(from: &mut impl Read, length: u32) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() == length as usize { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn add_samples<'a>(payload: &mut Vec<u8>, samples: impl IntoIterator<Item = &'a f32>) {
    payload.extend(samples.into_iter().flat_map(|sample| sample.to_le_bytes()));
}

/// Takes so many samples off the front of a payload.
fn take_samples(payload: &mut &[u8], count: usize) -> io::Result<Vec<f32>> {
    let bytes = count.checked_mul(4).and_then(|bytes| payload.split_at_checked(bytes));
    let (mine, rest) = bytes.ok_or_else(|| invalid("a message has less audio than it says"))?;
    *payload = rest;
    Ok(mine.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect())
}

/// Audio as its size and a payload.
pub fn pack(audio: &AudioBuffer) -> (Shape, Vec<u8>) {
    let mut payload = Vec::new();
    let shape = add_audio(&mut payload, audio);
    (shape, payload)
}

fn add_audio(payload: &mut Vec<u8>, audio: &AudioBuffer) -> Shape {
    add_samples(payload, audio.channels.iter().flatten());
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Shape { rate: audio.rate.0, channels: count(audio.channels.len()), frames: count(audio.frames()) }
}

/// The audio of a size in the front of a payload, which is moved on.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] when there is less than that.
pub fn unpack(shape: Shape, payload: &mut &[u8]) -> io::Result<AudioBuffer> {
    if shape.rate == 0 || !(1..=64).contains(&shape.channels) {
        return Err(invalid("a message holds audio that cannot be"));
    }
    let channels =
        (0..shape.channels).map(|_| take_samples(payload, shape.frames as usize)).collect::<io::Result<_>>()?;
    Ok(AudioBuffer { rate: SampleRate(shape.rate), channels })
}

impl SentOrder {
    /// An order as header and payload.
    pub fn pack(order: &Order) -> (Self, Vec<u8>) {
        let mut payload = Vec::new();
        let request = &order.request;
        let melody = match &request.melody {
            Melody::None => SentMelody::None,
            Melody::Wave(audio) => SentMelody::Wave(add_audio(&mut payload, audio)),
            Melody::Frames(frames) => {
                add_samples(&mut payload, frames.iter().flatten());
                SentMelody::Frames(u32::try_from(frames.len()).unwrap_or(u32::MAX))
            }
        };
        let continue_from = request.continue_from.as_ref().map(|audio| add_audio(&mut payload, audio));
        let sent = Self {
            folder: order.folder.clone(),
            precision: order.precision,
            text: request.text.clone(),
            melody,
            seconds_bits: request.seconds.0.to_bits(),
            seed: request.seed,
            sampling: request.sampling,
            continue_from,
        };
        (sent, payload)
    }

    /// The order again.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when the payload does not hold what the header says.
    pub fn unpack(self, mut payload: &[u8]) -> io::Result<Order> {
        let melody = match self.melody {
            SentMelody::None => Melody::None,
            SentMelody::Wave(shape) => Melody::Wave(unpack(shape, &mut payload)?),
            SentMelody::Frames(count) => {
                let numbers = take_samples(&mut payload, 12 * count as usize)?;
                Melody::Frames(numbers.as_chunks::<12>().0.to_vec())
            }
        };
        let continue_from = self.continue_from.map(|shape| unpack(shape, &mut payload)).transpose()?;
        Ok(Order {
            folder: self.folder,
            precision: self.precision,
            request: AudioRequest {
                text: self.text,
                melody,
                seconds: Seconds(f64::from_bits(self.seconds_bits)),
                seed: self.seed,
                sampling: self.sampling,
                continue_from,
            },
        })
    }
}
