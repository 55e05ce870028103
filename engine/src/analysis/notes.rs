//! Thread: worker. From pitch frames to notes: where each begins and ends, its pitch, key, loudness and curves.

mod curves;
mod envelope;
mod line;
mod novelty;
pub(crate) mod octaves;
mod onsets;
mod segmentation;
mod spectra;

use crate::analysis::{F0Frame, Note, f0};
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::{Hz, MidiNote, Seconds};
use envelope::Envelope;
use std::f32::consts::TAU;

/// Notes shorter than this are slips of the voice or of the tracker.
const SHORTEST: f64 = 0.06;
/// Perceived loudness grows with about this power of the amplitude (Stevens).
pub(crate) const LOUDNESS_EXPONENT: f32 = 0.6;

/// The melody of a take.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Melody {
    /// In order, never overlapping.
    pub notes: Vec<Note>,
    /// The singer's tuning against A440, in cents, -50 to 50.
    pub tuning_cents: f32,
}

/// A note before its key is known: frames `[first, end)` of the pitch track.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Segment {
    first: usize,
    end: usize,
    /// Pitch the segmentation gave it.
    pitch: f32,
}

/// Finds the notes in pitch frames and the audio (mono, 16 kHz) they were tracked in.
///
/// The frames are put right where the notes know better: a frame that still shows the note before takes the pitch of its own,
/// and what sounds outside the notes is no longer voiced.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn notes(frames: &mut [F0Frame], mono_16k: &[f32], context: &JobContext) -> Result<Melody> {
    let pitches: Vec<f32> = frames.iter().map(|frame| Hz(frame.hz).note().0).collect();
    let novelty = novelty::Novelty::new(mono_16k, frames, context)?;
    let events = novelty.events();
    let segments = segmentation::segment(&pitches, frames, &events);
    let envelope = Envelope::new(mono_16k);
    let spans = onsets::refine(&segments, &pitches, mono_16k, &novelty.harmonic_db, context)?;

    let mut found = Vec::new();
    for (segment, (onset, offset)) in segments.iter().zip(spans) {
        if offset - onset < SHORTEST {
            continue;
        }
        let inside = segment.first..segment.end;
        let sung = sung_pitch(&pitches[inside.clone()], &frames[inside.clone()]);
        let close = inside.clone().filter(|&frame| (pitches[frame] - sung).abs() < 1.0).count();
        let certainty: f32 = frames[inside.clone()].iter().map(|frame| frame.confidence).sum();
        let length = inside.len() as f32;
        found.push(Note {
            onset: Seconds(onset),
            offset: Seconds(offset),
            sung: MidiNote(sung),
            key: 0,
            loudness: envelope.rms(onset, offset),
            confidence: (certainty / length * close as f32 / length).clamp(0.0, 1.0),
            bend: Vec::new(),
            level_db: Vec::new(),
        });
    }

    line::follow(frames, &found);
    let pitches: Vec<f32> = frames.iter().map(|frame| Hz(frame.hz).note().0).collect();
    let tuning = tuning(&found);
    let loudest = found.iter().fold(f32::MIN_POSITIVE, |loudest, note| loudest.max(note.loudness));
    for note in &mut found {
        note.loudness = (note.loudness / loudest).powf(LOUDNESS_EXPONENT);
        note.key = (note.sung.0 - tuning).round().clamp(0.0, 127.0) as u8;
        note.bend = curves::bend(note, tuning, &pitches, frames);
        note.level_db = curves::level(note, &envelope);
    }
    Ok(Melody { notes: found, tuning_cents: tuning * 100.0 })
}

/// The pitch of the steady part: the median of the voiced frames after the first quarter and before the last eighth, where
/// scoops and falls are.
fn sung_pitch(pitches: &[f32], frames: &[F0Frame]) -> f32 {
    let inner = pitches.len() / 4..(pitches.len() - pitches.len() / 8).max(pitches.len() / 4 + 1);
    let voiced = |range: std::ops::Range<usize>| -> Vec<f32> {
        range.filter(|&frame| frames[frame].voiced).map(|frame| pitches[frame]).collect()
    };
    let mut values = voiced(inner);
    if values.is_empty() {
        values = voiced(0..pitches.len());
    }
    if values.is_empty() {
        values = pitches.to_vec();
    }
    median(&mut values)
}

/// The median of a list that is not empty; of an even number, the upper one.
fn median(values: &mut [f32]) -> f32 {
    values.sort_by(f32::total_cmp);
    values[values.len() / 2]
}

/// How far the notes lie above the keys of A440 on the whole, in semitones, -0.5 to 0.5: the circular mean, by duration, so
/// that neither an accidental nor a singer right between two keys tips it over.
fn tuning(notes: &[Note]) -> f32 {
    let (mut sine, mut cosine) = (0.0, 0.0);
    for note in notes {
        let weight = (note.offset - note.onset).0 as f32 * note.confidence;
        sine += weight * (TAU * note.sung.0).sin();
        cosine += weight * (TAU * note.sung.0).cos();
    }
    if sine == 0.0 && cosine == 0.0 { 0.0 } else { sine.atan2(cosine) / TAU }
}

/// Seconds of a pitch frame.
fn frame_time(frame: usize) -> f64 {
    (frame * f0::HOP) as f64 / f0::RATE.hz()
}
