//! Thread: main. An analysis as JSON, for other programs.

use cantus_engine::analysis::{Analysis, Key, KeySegment, Note};
use cantus_engine::time::Metre;
use serde_json::{Value, json};

/// Everything. `f0` is 0 where there is no pitch.
pub fn analysis(analysis: &Analysis) -> Value {
    let f0: Vec<_> = analysis.f0.iter().map(|frame| (frame.time, if frame.voiced { frame.hz } else { 0.0 })).collect();
    json!({
        "notes": notes(analysis),
        "harmony": analysis.harmony.iter().map(|note| described(analysis, note)).collect::<Vec<_>>(),
        "texture": analysis.texture,
        "f0": f0,
        "confidence": analysis.confidence,
        "key": key(analysis),
        "tempo": tempo(analysis),
        "rhythm": rhythm(analysis),
        "tuning_cents": analysis.tuning_cents,
        "level_dbfs": analysis.level_dbfs,
        "chroma_argmax": analysis.chroma.argmax,
        "doubts": analysis.doubts,
    })
}

/// The notes: onset and offset in seconds, `midi` as sung, `key` as a musician would write it.
pub fn notes(analysis: &Analysis) -> Vec<Value> {
    let outside = analysis.key.outside(&analysis.notes);
    let note = |(index, note): (usize, &Note)| {
        let mut value = described(analysis, note);
        value["name"] = json!(analysis.name_of(index));
        value["outside_key"] = json!(outside.contains(&index));
        value
    };
    analysis.notes.iter().enumerate().map(note).collect()
}

fn described(analysis: &Analysis, note: &Note) -> Value {
    json!({
        "onset": note.onset, "offset": note.offset, "midi": note.sung, "key": note.key,
        "name": analysis.key.key.spell(note.key),
        "onset_beats": analysis.beat_at(note.onset), "offset_beats": analysis.beat_at(note.offset),
        "loudness": note.loudness, "confidence": note.confidence,
    })
}

/// The key with its alternatives.
pub fn key(analysis: &Analysis) -> Value {
    let other = |(key, confidence): &(Key, f32)| json!({ "name": key.name(), "confidence": confidence });
    let segment =
        |segment: &KeySegment| json!({ "name": segment.key.name(), "bar": segment.bar, "from": segment.from });
    json!({
        "name": analysis.key.key.name(),
        "confidence": analysis.key.confidence,
        "alternatives": analysis.key.alternatives.iter().map(other).collect::<Vec<_>>(),
        "scale": analysis.key.scale,
        "segments": analysis.key.segments.iter().map(segment).collect::<Vec<_>>(),
    })
}

/// Tempo and metre of the grid that everything is counted on.
pub fn tempo(analysis: &Analysis) -> Value {
    json!({
        "bpm": analysis.tempo(),
        "confidence": analysis.tempo_confidence,
        "metre": signature(analysis.metre()),
        "beats": analysis.length,
    })
}

/// What was heard of the rhythm, with what else it may be.
fn rhythm(analysis: &Analysis) -> Value {
    let rhythm = &analysis.rhythm;
    let tempo = |(bpm, confidence): &(_, f32)| json!({ "bpm": bpm, "confidence": confidence });
    let metre = |(metre, confidence): &(Metre, f32)| json!({ "metre": signature(*metre), "confidence": confidence });
    json!({
        "bpm": rhythm.tempo,
        "confidence": rhythm.confidence,
        "alternatives": rhythm.alternatives.iter().map(tempo).collect::<Vec<_>>(),
        "metre": signature(rhythm.metre),
        "metre_confidence": rhythm.metre_confidence,
        "metre_alternatives": rhythm.metre_alternatives.iter().map(metre).collect::<Vec<_>>(),
        "downbeat": rhythm.downbeat,
        "downbeat_confidence": rhythm.downbeat_confidence,
        "pickup_beats": rhythm.pickup,
        "subdivision": rhythm.subdivision,
        "swing": rhythm.swing,
        "lag_ms": rhythm.lag_ms,
        "drift": rhythm.drift,
        "beats": rhythm.beats,
    })
}

fn signature(metre: Metre) -> String {
    format!("{}/{}", metre.numerator, metre.denominator)
}
