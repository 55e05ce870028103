//! Thread: main. `cantus analyze`.

use crate::arguments::Analyze;
use crate::progress;
use cantus_engine::Result;
use cantus_engine::analysis::{Analysis, analyse};
use cantus_engine::capture::file::read_take;
use cantus_engine::export;
use cantus_engine::time::MidiNote;
use serde_json::{Value, json};

/// Listens, prints a summary, writes what was asked for.
pub fn run(order: &Analyze) -> Result<()> {
    let take = read_take(&order.input, order.tempo, order.metre)?;
    let analysis = analyse(&take, &progress::context("listening"))?;
    if let Some(path) = &order.json {
        export::write_file(path, as_json(&analysis).to_string().as_bytes())?;
    }
    if let Some(path) = &order.plot {
        export::write_file(path, &export::picture::picture(&analysis, &[])?)?;
    }
    progress::clear();
    print_summary(&analysis);
    Ok(())
}

fn print_summary(analysis: &Analysis) {
    println!("notes     {}", analysis.notes.len());
    println!("key       {} ({:.0} % sure)", analysis.key.key.name(), analysis.key.confidence * 100.0);
    let tempo = analysis.tempo().0;
    let metre = analysis.metre();
    println!(
        "tempo     {tempo:.2} BPM, {}/{} ({:.0} % sure)",
        metre.numerator,
        metre.denominator,
        analysis.tempo_confidence * 100.0
    );
    println!("tuning    {:+.0} cents", analysis.tuning_cents);
    for note in &analysis.notes {
        let MidiNote(sung) = note.sung;
        println!(
            "  {:>7.3} s  {:>6.3} s  {:<4} {:>6.2}  {:>3.0} %",
            note.onset.0,
            (note.offset - note.onset).0,
            note.name(),
            sung,
            note.confidence * 100.0
        );
    }
    for doubt in &analysis.doubts {
        println!("note: {doubt}");
    }
}

/// The analysis for other programs. `f0` is 0 where there is no pitch.
pub fn as_json(analysis: &Analysis) -> Value {
    json!({
        "notes": notes(analysis),
        "f0": analysis.f0.iter().map(|frame| (frame.time, if frame.voiced { frame.hz } else { 0.0 })).collect::<Vec<_>>(),
        "confidence": analysis.confidence,
        "key": key(analysis),
        "tempo": tempo(analysis),
        "tuning_cents": analysis.tuning_cents,
        "chroma_argmax": analysis.chroma.argmax,
        "doubts": analysis.doubts,
    })
}

/// The notes: onset and offset in seconds, `midi` as sung, `key` as a musician would write it.
pub fn notes(analysis: &Analysis) -> Vec<Value> {
    let note = |note: &cantus_engine::analysis::Note| {
        json!({
            "onset": note.onset, "offset": note.offset, "midi": note.sung, "key": note.key, "name": note.name(),
            "onset_beats": analysis.beat_at(note.onset), "loudness": note.loudness, "confidence": note.confidence,
        })
    };
    analysis.notes.iter().map(note).collect()
}

/// The key with its alternatives.
pub fn key(analysis: &Analysis) -> Value {
    let other = |(key, confidence): &(cantus_engine::analysis::Key, f32)| json!({ "name": key.name(), "confidence": confidence });
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
