//! Thread: worker. A request in the terms of MusicGen: the words it was trained on, chroma frames, a length.

use super::Request;
use super::choice::MelodyCondition;
use super::musicgen::conditioning::{self, Melody as Conditioning};
use super::musicgen::text::describe;
use super::musicgen::{AudioRequest, Melody, Sampling};
use super::score::ChordSpan;
use crate::analysis::Analysis;
use crate::audio::AudioBuffer;
use crate::time::Seconds;

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
    AudioRequest { text: words(request), melody, seconds, seed: request.recipe.seed, sampling, continue_from: None }
}

/// The length of the region a take lies in.
pub fn region_seconds(analysis: &Analysis) -> Seconds {
    let grid = &analysis.grid;
    grid.tempo.seconds_between(grid.start, grid.start + analysis.length)
}

/// The prompt with tempo, key and metre, as the model met them in training.
fn words(request: &Request) -> String {
    let analysis = &request.analysis;
    describe(&request.recipe.prompt, Some(analysis.tempo()), Some(analysis.key.key), Some(analysis.metre()))
}

/// The corrected notes, each held until the next one: the model knows no silence, and a rest would mean C to it.
fn note_frames(analysis: &Analysis, region: Seconds) -> Vec<[f32; 12]> {
    let mut notes = analysis.notes.clone();
    let ends: Vec<Seconds> = notes.iter().skip(1).map(|next| next.onset).chain([region]).collect();
    for (note, end) in notes.iter_mut().zip(ends) {
        note.offset = end;
    }
    if let Some(first) = notes.first_mut() {
        first.onset = Seconds(0.0);
    }
    Conditioning::of_notes(&notes, region).frames().to_vec()
}

/// All tones of the chords, in seconds of the region.
fn chord_frames(analysis: &Analysis, chords: &[ChordSpan], region: Seconds) -> Vec<[f32; 12]> {
    let grid = &analysis.grid;
    let seconds = |beat| grid.tempo.seconds_between(grid.start, beat);
    let spans: Vec<conditioning::ChordSpan> = chords
        .iter()
        .map(|chord| {
            let mut classes = [false; 12];
            chord.tones.iter().for_each(|tone| classes[usize::from(tone % 12)] = true);
            conditioning::ChordSpan { start: seconds(chord.start), end: seconds(chord.start + chord.length), classes }
        })
        .collect();
    Conditioning::of_chords(&spans, region).frames().to_vec()
}
