//! Thread: worker. Puts the beginnings and ends of notes where they are heard, finer than the 16 ms of the pitch frames.

use super::spectra::Spectra;
use super::{Segment, frame_time};
use crate::analysis::f0;
use crate::error::Result;
use crate::job_context::JobContext;
use crate::time::MidiNote;

/// Share of the way from one pitch to the next at which a slurred note is heard to begin. The segmentation changes over in
/// the middle of the glide, some 20 ms later.
const GLIDE_BEGUN: f32 = 0.2;
/// Farthest a beginning is moved back along a glide, in frames.
const GLIDE_FRAMES: usize = 6;
/// Smallest step, in semitones, that is a glide to another note.
const GLIDE: f32 = 0.6;
/// Parts of the way in which a pitch belongs to neither note, and how many frames around a boundary it is looked for.
const PASSING: std::ops::Range<f32> = 0.25..0.75;
const PASSING_FRAMES: usize = 4;
/// A gap of at most so many frames is a consonant or a tongue, and belongs to the note that follows.
const BREATH_FRAMES: usize = 5;
/// After a gap a note begins no earlier than its pitch is heard, within this many semitones and give or take these seconds.
const OWN_PITCH: f32 = 0.5;
const AHEAD: f64 = 0.012;
/// Share of a note's amplitude at which its rise is heard to begin.
const RISEN: f32 = 0.1;
/// Share that is surely inside it.
const INSIDE: f32 = 0.5;
/// A note that is softer than this share of its own amplitude nowhere around its beginning does not rise.
const LEAST_RISE: f32 = 0.7;
/// Spectra before and after a boundary in which a rise is looked for: 100 ms and 160 ms.
const BEFORE: usize = 25;
const AFTER: usize = 40;
/// Spectra into a note over which its own amplitude is taken: 300 ms.
const BODY: usize = 75;
/// Harmonics that carry a note, up to this frequency.
const HARMONICS: usize = 8;
const HARMONICS_HZ: f32 = 7000.0;
/// A line belongs to a harmonic within this share of its frequency or this many hertz.
const WIDTH: f32 = 0.03;
const WIDTH_HZ: f32 = 24.0;
/// Lines this near to a harmonic of the note before say nothing.
const FOREIGN_HZ: f32 = 40.0;
/// A note before that ended this long ago, in seconds, rings no more.
const RINGS: f64 = 0.15;
/// A note is over when it has fallen this far under its own median level: what follows is the room.
const OVER_DB: f32 = 12.0;
/// Part of a note that the room cannot take away, in seconds.
const KEPT: f64 = 0.06;

/// Onset and offset in seconds of each segment, in order and never overlapping.
pub(super) fn refine(
    segments: &[Segment],
    pitches: &[f32],
    mono_16k: &[f32],
    harmonic_db: &[f32],
    context: &JobContext,
) -> Result<Vec<(f64, f64)>> {
    let mut spectra = Spectra::new();
    let mut spans: Vec<(f64, f64)> = Vec::with_capacity(segments.len());
    for (index, segment) in segments.iter().enumerate() {
        context.check()?;
        let before = index.checked_sub(1).map(|before| segments[before]);
        let boundary = frame_time(segment.first);
        let risen = risen(before.as_ref(), segment, mono_16k, &mut spectra);
        let glided = before
            .filter(|before| before.end == segment.first)
            .and_then(|before| slurred_onset(&before, segment, pitches));
        let onset = match (risen, glided) {
            // A voice that passes between the pitches says where its glide begins; a key that is pressed only rises.
            (Some(risen), Some(glided)) if before.is_none_or(|before| !passes_between(&before, segment, pitches)) => {
                risen.min(glided)
            }
            (_, Some(glided)) => glided,
            (Some(risen), None) if before.is_some_and(|before| before.end + BREATH_FRAMES >= segment.first) => risen,
            (Some(risen), None) => risen.max(heard_from(segment, pitches) - AHEAD),
            (None, None) => boundary,
        };
        let onset = spans.last().map_or(onset, |span| onset.max(span.0 + KEPT)).max(0.0);
        if let Some((_, offset)) = spans.last_mut() {
            *offset = offset.min(onset);
        }
        spans.push((onset, frame_time(segment.end).max(onset)));
    }
    Ok(spans.into_iter().map(|(onset, offset)| (onset, sounding_end(onset, offset, harmonic_db))).collect())
}

/// Whether the pitch is seen on its way from one note to the next.
fn passes_between(before: &Segment, segment: &Segment, pitches: &[f32]) -> bool {
    let step = segment.pitch - before.pitch;
    let around = segment.first.saturating_sub(PASSING_FRAMES)..(segment.first + PASSING_FRAMES).min(segment.end);
    pitches[around].iter().any(|pitch| PASSING.contains(&((pitch - before.pitch) / step)))
}

/// The moment from which the tracker hears the pitch of a note, sure of it or not: a consonant or a scoop is none of it.
fn heard_from(segment: &Segment, pitches: &[f32]) -> f64 {
    let mut first = segment.first;
    while first > 0 && (pitches[first - 1] - segment.pitch).abs() < OWN_PITCH {
        first -= 1;
    }
    frame_time(first)
}

/// Where the note's own harmonics begin to rise; `None` when they do not.
fn risen(before: Option<&Segment>, segment: &Segment, audio: &[f32], spectra: &mut Spectra) -> Option<f64> {
    let step_of = |frame: usize| frame * f0::HOP / Spectra::STEP;
    let boundary = step_of(segment.first);
    let first = boundary.saturating_sub(BEFORE).max(before.map_or(0, |before| step_of(before.first) + 8));
    let end = (boundary + BODY).min(step_of(segment.end)).max(boundary + 1);
    let ringing = before.filter(|before| {
        frame_time(segment.first) - frame_time(before.end) < RINGS && (before.pitch - segment.pitch).abs() > GLIDE
    });
    let lines = lines(segment.pitch, ringing.map(|before| before.pitch));
    if lines.is_empty() || first >= boundary {
        return None;
    }
    let amplitude: Vec<f32> = (first..end)
        .map(|step| {
            let power = spectra.power(audio, step);
            lines.iter().map(|line| power[*line]).sum::<f32>().sqrt()
        })
        .collect();
    let at_boundary = boundary - first;
    let mut body = amplitude[at_boundary..].to_vec();
    let own = super::median(&mut body);
    let inside = (at_boundary..amplitude.len().min(at_boundary + AFTER)).find(|&at| amplitude[at] >= INSIDE * own)?;
    let lowest = (0..=inside).fold(0, |low, at| if amplitude[at] <= amplitude[low] { at } else { low });
    let least = amplitude[lowest];
    if least > LEAST_RISE * own {
        return None;
    }
    let threshold = least + RISEN * (own - least);
    let mut at = inside;
    while at > lowest && amplitude[at - 1] >= threshold {
        at -= 1;
    }
    Some((first + at) as f64 * Spectra::STEP_SECONDS)
}

/// Lines of a spectrum that belong to a pitch and not to the one that may still ring.
fn lines(pitch: f32, ringing: Option<f32>) -> Vec<usize> {
    let hz = MidiNote(pitch).hz().0;
    let others = ringing.map(|pitch| MidiNote(pitch).hz().0);
    let belongs = |line: f32| {
        let number = (line / hz).round().clamp(1.0, HARMONICS as f32);
        (line - number * hz).abs() < (WIDTH * number * hz).max(WIDTH_HZ)
    };
    let foreign = |line: f32| others.is_some_and(|hz| (line - (line / hz).round().max(1.0) * hz).abs() < FOREIGN_HZ);
    let count = (HARMONICS_HZ / Spectra::LINE_HZ) as usize;
    let hz_of = |line: usize| line as f32 * Spectra::LINE_HZ;
    (1..count).filter(|&line| belongs(hz_of(line)) && !foreign(hz_of(line))).collect()
}

/// Where the pitch leaves the note before, between two frames; `None` where it hardly moves.
fn slurred_onset(before: &Segment, segment: &Segment, pitches: &[f32]) -> Option<f64> {
    let step = segment.pitch - before.pitch;
    let boundary = segment.first;
    if step.abs() < GLIDE {
        return None;
    }
    let progress = |frame: usize| (pitches[frame] - before.pitch) / step;
    let earliest = (before.first + 2).max(boundary.saturating_sub(GLIDE_FRAMES));
    let mut frame = boundary;
    while frame > earliest && progress(frame) > GLIDE_BEGUN {
        frame -= 1;
    }
    let (here, next) = (progress(frame), pitches.get(frame + 1).map_or(1.0, |_| progress(frame + 1)));
    let between = if next > here { ((GLIDE_BEGUN - here) / (next - here)).clamp(0.0, 1.0) } else { 0.0 };
    let hop = frame_time(1);
    // A glide that only begins after the boundary must not move the note forward.
    Some((frame_time(frame) + f64::from(between) * hop).min(frame_time(boundary)))
}

/// The end of a note without the room's answer to it.
fn sounding_end(onset: f64, offset: f64, harmonic_db: &[f32]) -> f64 {
    let step = |seconds: f64| ((seconds / Spectra::STEP_SECONDS) as usize).min(harmonic_db.len());
    let (first, end) = (step(onset), step(offset));
    let kept = (KEPT / Spectra::STEP_SECONDS) as usize;
    if end < first + kept + 1 {
        return offset;
    }
    let floor = super::median(&mut harmonic_db[first..end].to_vec()) - OVER_DB;
    let sounding = (first + kept..end).rev().find(|&step| harmonic_db[step] >= floor).unwrap_or(first + kept);
    ((sounding + 1) as f64 * Spectra::STEP_SECONDS).min(offset)
}
