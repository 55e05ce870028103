//! Thread: main. An analysis for people to read.

use cantus_engine::analysis::quantise::Subdivision;
use cantus_engine::analysis::{Analysis, Note, Texture};
use cantus_engine::time::{Bpm, MidiNote, Seconds};

/// Other keys that are named, and how likely they must be.
const OTHER_KEYS: usize = 2;
const OTHER_TEMPOS: usize = 3;
const WORTH_NAMING: f32 = 0.05;
/// A tempo is known from this confidence on.
const KNOWN: f32 = 0.999;

/// Prints what was understood, every doubt, and the notes.
pub fn print(analysis: &Analysis) {
    println!("tempo       {}", tempo(analysis));
    println!("key         {}", key(analysis));
    println!("rhythm      {}", rhythm(analysis));
    println!("tuning      {:+.0} cents", analysis.tuning_cents);
    println!("range       {}", range(analysis));
    println!("length      {}", length(analysis));
    if analysis.texture.texture != Texture::OneVoice {
        println!("voices      {} ({} sure)", analysis.texture.evidence, percent(analysis.texture.confidence));
    }
    println!("confidence  {}", percent(analysis.confidence));
    for doubt in &analysis.doubts {
        println!("doubt       {doubt}");
    }
    if !analysis.notes.is_empty() {
        println!("\n  bar.beat  seconds  note    sung  beats  loud  sure");
    }
    let outside = analysis.key.outside(&analysis.notes);
    for (index, note) in analysis.notes.iter().enumerate() {
        let MidiNote(sung) = note.sung;
        let beats = (analysis.beat_at(note.offset) - analysis.beat_at(note.onset)).0;
        println!(
            "{:>10} {:>8.3}  {:<4} {sung:>7.2} {beats:>6.2} {:>5} {:>5}{}",
            place(analysis, note.onset),
            note.onset.0,
            analysis.name_of(index).unwrap_or_default(),
            percent(note.loudness),
            percent(note.confidence),
            if outside.contains(&index) { "  outside the key" } else { "" }
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

fn rhythm(analysis: &Analysis) -> String {
    let rhythm = &analysis.rhythm;
    if analysis.notes.is_empty() {
        return "none".to_owned();
    }
    let mut words = vec![match rhythm.subdivision {
        Subdivision::Eighths => "eighths".to_owned(),
        Subdivision::Sixteenths => "sixteenths".to_owned(),
        Subdivision::Triplets => "triplets".to_owned(),
        Subdivision::Swung => "swung eighths".to_owned(),
    }];
    if let Some(swing) = rhythm.swing {
        words.push(format!("swing {}", percent(swing)));
    }
    if rhythm.lag_ms.abs() >= 1.0 {
        let side = if rhythm.lag_ms > 0.0 { "late" } else { "early" };
        words.push(format!("{:.0} ms {side}", rhythm.lag_ms.abs()));
    }
    if rhythm.pickup.0 > 0.0 {
        words.push(format!("pickup of {:.2} beats", rhythm.pickup.0));
    }
    if analysis.tempo_confidence < KNOWN {
        let other = |(tempo, _): &(Bpm, f32)| format!("{:.0}", tempo.0);
        let others: Vec<String> = rhythm.alternatives.iter().take(OTHER_TEMPOS).map(other).collect();
        if !others.is_empty() {
            words.push(format!("or {} BPM", others.join(", ")));
        }
        words.push(format!("bar lines {} sure", percent(rhythm.downbeat_confidence)));
    }
    words.join(", ")
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
            format!("{} to {}, {notes} note{plural}", analysis.key.key.spell(low), analysis.key.key.spell(high))
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
