//! Thread: main. An analysis as JSON, for other programs.

use cantus_engine::analysis::{Analysis, Key, Note};
use serde_json::{Value, json};

/// Everything. `f0` is 0 where there is no pitch.
pub fn analysis(analysis: &Analysis) -> Value {
    let f0: Vec<_> = analysis.f0.iter().map(|frame| (frame.time, if frame.voiced { frame.hz } else { 0.0 })).collect();
    json!({
        "notes": notes(analysis),
        "f0": f0,
        "confidence": analysis.confidence,
        "key": key(analysis),
        "tempo": tempo(analysis),
        "tuning_cents": analysis.tuning_cents,
        "level_dbfs": analysis.level_dbfs,
        "chroma_argmax": analysis.chroma.argmax,
        "doubts": analysis.doubts,
    })
}

/// The notes: onset and offset in seconds, `midi` as sung, `key` as a musician would write it.
pub fn notes(analysis: &Analysis) -> Vec<Value> {
    let note = |note: &Note| {
        json!({
            "onset": note.onset, "offset": note.offset, "midi": note.sung, "key": note.key, "name": note.name(),
            "onset_beats": analysis.beat_at(note.onset), "offset_beats": analysis.beat_at(note.offset),
            "loudness": note.loudness, "confidence": note.confidence,
        })
    };
    analysis.notes.iter().map(note).collect()
}

/// The key with its alternatives.
pub fn key(analysis: &Analysis) -> Value {
    let other = |(key, confidence): &(Key, f32)| json!({ "name": key.name(), "confidence": confidence });
    json!({
        "name": analysis.key.key.name(),
        "confidence": analysis.key.confidence,
        "alternatives": analysis.key.alternatives.iter().map(other).collect::<Vec<_>>(),
    })
}

/// Tempo and metre.
pub fn tempo(analysis: &Analysis) -> Value {
    let metre = analysis.metre();
    json!({
        "bpm": analysis.tempo(),
        "confidence": analysis.tempo_confidence,
        "metre": format!("{}/{}", metre.numerator, metre.denominator),
        "beats": analysis.length,
    })
}
