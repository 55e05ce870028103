//! Thread: main. An analysis for people to read.

use cantus_engine::analysis::{Analysis, Note, note_name};
use cantus_engine::time::{MidiNote, Seconds};

/// Other keys that are named, and how likely they must be.
const OTHER_KEYS: usize = 2;
const WORTH_NAMING: f32 = 0.05;
/// A tempo is known from this confidence on.
const KNOWN: f32 = 0.999;

/// Prints what was understood, every doubt, and the notes.
pub fn print(analysis: &Analysis) {
    println!("tempo       {}", tempo(analysis));
    println!("key         {}", key(analysis));
    println!("tuning      {:+.0} cents", analysis.tuning_cents);
    println!("range       {}", range(analysis));
    println!("length      {}", length(analysis));
    println!("confidence  {}", percent(analysis.confidence));
    for doubt in &analysis.doubts {
        println!("doubt       {doubt}");
    }
    if !analysis.notes.is_empty() {
        println!("\n  bar.beat  seconds  note    sung  beats  loud  sure");
    }
    for note in &analysis.notes {
        let MidiNote(sung) = note.sung;
        let beats = (analysis.beat_at(note.offset) - analysis.beat_at(note.onset)).0;
        println!(
            "{:>10} {:>8.3}  {:<4} {sung:>7.2} {beats:>6.2} {:>5} {:>5}",
            place(analysis, note.onset),
            note.onset.0,
            note.name(),
            percent(note.loudness),
            percent(note.confidence)
        );
    }
}

/// One line: notes, key, tempo, confidence.
pub fn line(analysis: &Analysis) -> String {
    let doubts = match analysis.doubts.len() {
        0 => String::new(),
        1 => format!("  {}", analysis.doubts[0]),
        more => format!("  {} (and {} more)", analysis.doubts[0], more - 1),
    };
    let what = if analysis.notes.is_empty() {
        "no notes".to_owned()
    } else {
        format!(
            "{:>3} notes  {:<8}  {:>6.2} BPM  {:>4} sure",
            analysis.notes.len(),
            analysis.key.key.name(),
            analysis.tempo().0,
            percent(analysis.confidence)
        )
    };
    format!("{what}{doubts}")
}

fn percent(share: f32) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn tempo(analysis: &Analysis) -> String {
    let metre = analysis.metre();
    let known = analysis.tempo_confidence >= KNOWN;
    let sure = if known { "given".to_owned() } else { format!("heard, {} sure", percent(analysis.tempo_confidence)) };
    let changes = analysis.grid.tempo.points().len() - 1;
    let changes = if changes > 0 { format!(", {changes} changes of tempo") } else { String::new() };
    format!("{:.2} BPM, {}/{} ({sure}){changes}", analysis.tempo().0, metre.numerator, metre.denominator)
}

fn key(analysis: &Analysis) -> String {
    if analysis.notes.is_empty() {
        return "none".to_owned();
    }
    let others = analysis.key.alternatives.iter().filter(|other| other.1 >= WORTH_NAMING).take(OTHER_KEYS);
    let others: Vec<String> = others.map(|(key, share)| format!("{} {}", key.name(), percent(*share))).collect();
    let others = if others.is_empty() { String::new() } else { format!("; or {}", others.join(", ")) };
    format!("{} ({} sure{others})", analysis.key.key.name(), percent(analysis.key.confidence))
}

fn range(analysis: &Analysis) -> String {
    let keys = || analysis.notes.iter().map(|note| note.key);
    match (keys().min(), keys().max()) {
        (Some(low), Some(high)) => {
            let notes = analysis.notes.len();
            let plural = if notes == 1 { "" } else { "s" };
            format!("{} to {}, {notes} note{plural}", note_name(low), note_name(high))
        }
        _ => "no notes".to_owned(),
    }
}

fn length(analysis: &Analysis) -> String {
    let bars = analysis.length.0 / analysis.metre().bar().0.max(0.25);
    let seconds = analysis.grid.tempo.seconds_between(analysis.grid.start, analysis.grid.start + analysis.length).0;
    let last = analysis.notes.last().map_or(0.0, |note: &Note| note.offset.0);
    let plural = if (bars - 1.0).abs() < 0.05 { "" } else { "s" };
    format!("{} bar{plural}, {:.1} s", (bars * 10.0).round() / 10.0, seconds.max(last))
}

/// Bar and beat with hundredths, as a sequencer shows them.
fn place(analysis: &Analysis, time: Seconds) -> String {
    let metre = analysis.metre();
    // Rounded first, so that a hair before a bar line is the bar line.
    let beat = (analysis.beat_at(time).0 * 100.0).round() / 100.0;
    let bar = (beat / metre.bar().0 + 1e-9).floor();
    let count = (beat - bar * metre.bar().0) * f64::from(metre.denominator) / 4.0 + 1.0;
    format!("{}.{count:.2}", bar + 1.0)
}
