//! Thread: worker. A request in the terms of MusicGen: the words it was trained on, chroma frames, a length.

use super::Request;
use super::choice::MelodyCondition;
use super::musicgen::{AudioRequest, Melody, Sampling};
use super::score::ChordSpan;
use crate::analysis::Analysis;
use crate::audio::AudioBuffer;
use crate::time::Seconds;

/// Time between two chroma frames.
const FRAME_SECONDS: f64 = 4_096.0 / 32_000.0;
/// Made beyond the region where that costs nothing extra: music that runs slow is fitted by taking more of it.
const MARGIN_SECONDS: f64 = 2.0;
/// One window of the model.
const WINDOW_SECONDS: f64 = 30.0;

/// What the model is told: words with tempo and key, the melody in the wished form, the region's length and a little more.
///
/// `take` is the sound of the take and `chords` its harmony; both only matter for their conditions.
pub fn audio_request(
    request: &Request,
    (condition, sampling): (MelodyCondition, Sampling),
    take: &AudioBuffer,
    chords: &[ChordSpan],
) -> AudioRequest {
    let analysis = &request.analysis;
    let region = region_seconds(analysis);
    let margin = MARGIN_SECONDS.min((WINDOW_SECONDS - region.0).max(0.0));
    let seconds = Seconds(region.0 + if region.0 > WINDOW_SECONDS { MARGIN_SECONDS } else { margin });
    let melody = match condition {
        MelodyCondition::None => Melody::None,
        MelodyCondition::Take => Melody::Wave(AudioBuffer::mono(take.rate, take.to_mono())),
        MelodyCondition::Notes if analysis.notes.is_empty() => Melody::None,
        MelodyCondition::Notes => Melody::Frames(note_frames(analysis, region)),
        MelodyCondition::Chords if chords.is_empty() => Melody::None,
        MelodyCondition::Chords => Melody::Frames(chord_frames(analysis, chords, region)),
    };
    AudioRequest {
        text: words(request),
        melody,
        seconds,
        seed: request.recipe.seed,
        sampling,
        continue_from: None,
    }
}

/// The length of the region a take lies in.
pub fn region_seconds(analysis: &Analysis) -> Seconds {
    let grid = &analysis.grid;
    grid.tempo.seconds_between(grid.start, grid.start + analysis.length)
}

/// The prompt with tempo, key and metre where the user did not name them.
fn words(request: &Request) -> String {
    let prompt = request.recipe.prompt.trim();
    let analysis = &request.analysis;
    let lower = prompt.to_lowercase();
    let mut words = vec![prompt.to_owned()];
    if !lower.contains("bpm") {
        words.push(format!("{:.0} bpm", analysis.tempo().0));
    }
    if !(lower.contains("major") || lower.contains("minor")) {
        words.push(format!("in {}", analysis.key.key.name()));
    }
    words.retain(|word| !word.is_empty());
    words.join(", ")
}

fn frame_count(region: Seconds) -> usize {
    (region.0 / FRAME_SECONDS).ceil().max(1.0) as usize
}

/// The sung pitch class at the centre of each frame. A rest holds the note before it, because the model knows no silence: a frame
/// without a class would mean C.
fn note_frames(analysis: &Analysis, region: Seconds) -> Vec<[f32; 12]> {
    let class = |at: f64| {
        let begun = analysis.notes.iter().rfind(|note| note.onset.0 <= at);
        begun.or(analysis.notes.first()).map_or(0, |note| note.key % 12)
    };
    let frame = |index: usize| {
        let mut frame = [0.0; 12];
        frame[usize::from(class(index as f64 * FRAME_SECONDS))] = 1.0;
        frame
    };
    (0..frame_count(region)).map(frame).collect()
}

/// All tones of the chord at the centre of each frame.
fn chord_frames(analysis: &Analysis, chords: &[ChordSpan], region: Seconds) -> Vec<[f32; 12]> {
    let frame = |index: usize| {
        let beat = analysis.grid.beat_at(Seconds(index as f64 * FRAME_SECONDS));
        let begun = chords.iter().rfind(|chord| chord.start <= beat).or(chords.first());
        let mut frame = [0.0; 12];
        for tone in begun.into_iter().flat_map(|chord| &chord.tones) {
            frame[usize::from(tone % 12)] = 1.0;
        }
        frame
    };
    (0..frame_count(region)).map(frame).collect()
}
