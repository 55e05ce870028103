//! Threads: every module names its own, and what runs on the audio thread neither waits nor allocates.

use super::{Fault, Source, check_finds, check_holds};

const THREADS: [&str; 7] = ["audio", "gui", "worker", "collector", "main", "background", "any"];

/// The crate root that only lists the stages.
const ROOTS: [&str; 1] = ["engine/src/lib.rs"];

/// Functions that run before the audio does.
const CONSTRUCTORS: [&str; 6] = ["new", "default", "prepare", "ring", "handoff", "telemetry"];

const FORBIDDEN: [&str; 24] = [
    ".unwrap(",
    ".expect(",
    "panic!",
    "unreachable!",
    "todo!",
    "format!",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "vec!",
    "Vec::new",
    "Vec::with_capacity",
    "String::",
    ".to_string(",
    ".to_owned(",
    ".to_vec(",
    "Box::new",
    "Arc::new",
    "Mutex",
    "RwLock",
    ".clone()",
    "thread::",
    "File",
];

fn names_its_thread(source: &Source) -> Vec<Fault> {
    if ROOTS.contains(&source.path.as_str()) || source.text.trim().is_empty() {
        return Vec::new();
    }
    let named = source.documentation().take(3).filter_map(|line| line.split_once("Thread: ")).any(|(_, after)| {
        let word: String = after.chars().take_while(char::is_ascii_alphabetic).collect();
        THREADS.contains(&word.as_str())
    });
    if named {
        return Vec::new();
    }
    vec![Fault::new(&source.path, 0, format!("names no thread: `//! Thread: {}. …`", THREADS.join(" | ")))]
}

fn never_waits(source: &Source) -> Vec<Fault> {
    if !source.documentation().next().is_some_and(|line| line.contains("Thread: audio")) {
        return Vec::new();
    }
    let exempt = exempt_spans(source);
    let lines: Vec<&str> = source.text.lines().collect();
    let mut faults = Vec::new();
    for word in FORBIDDEN {
        for place in source.places(word) {
            let line = source.line_of(place);
            if !exempt.iter().any(|span| span.contains(&place)) && !is_reasoned(&lines, line) {
                faults.push(Fault::new(&source.path, line, format!("`{word}` on the audio thread")));
            }
        }
    }
    faults.sort_by_key(|fault| fault.line);
    faults
}

/// Constructors and tests.
fn exempt_spans(source: &Source) -> Vec<std::ops::Range<usize>> {
    let constructors = source.places("fn ").filter(|place| {
        let name = source.code[place + "fn ".len()..].trim_start();
        CONSTRUCTORS
            .iter()
            .any(|constructor| name.strip_prefix(constructor).is_some_and(|after| after.starts_with(['(', '<'])))
    });
    let tests = source.code.match_indices("#[cfg(test)]").map(|(place, marker)| place + marker.len());
    constructors.chain(tests).map(|place| place..source.item_end(place)).collect()
}

/// Whether a reason stands on the line or in the comment right above it.
fn is_reasoned(lines: &[&str], line: usize) -> bool {
    let gives_reason = |text: &str| text.contains("// RT-OK:") || text.contains("// PANIC:");
    let (above, from_here) = lines.split_at(line - 1);
    gives_reason(from_here[0])
        || above.iter().rev().take_while(|text| text.trim_start().starts_with("//")).any(|text| gives_reason(text))
}

#[test]
fn every_module_names_its_thread() {
    check_holds(names_its_thread, &["engine/src", "plugin/src", "plugin/drag"]);
}

#[test]
fn a_module_without_a_thread_is_found() {
    for bad in ["//! A player.\n", "//! One.\n//! Two.\n//! Three.\n//! Thread: any.\n", "//! Thread: some.\n"] {
        check_finds(names_its_thread, "engine/src/playback.rs", bad, &[0]);
    }
    check_finds(names_its_thread, "plugin/src/lib.rs", "//! The shell.\n", &[0]);
    check_finds(names_its_thread, "engine/src/playback.rs", "//! Thread: audio. A player.\n", &[]);
}

#[test]
fn audio_modules_never_wait() {
    check_holds(never_waits, &["engine/src", "plugin/src"]);
}

#[test]
fn waiting_on_the_audio_thread_is_found() {
    let bad = "\
//! Thread: audio. A player.
/// Nothing like `vec!` here.
fn new(gains: [f32; 2]) -> Vec<f32> {
    vec![gains[0]]
}
fn newer() {
    let a = vec![\"String::\"];
    let b = a.first().unwrap();
    let c = a.first().unwrap_or(b);
    // RT-OK: an atomic count,
    // nothing is copied.
    let d = c.clone();
    let e = d.clone();
    let f = e.clone(); // RT-OK: also this one.
    Profile::of(f);
}
#[cfg(test)]
mod tests {
    fn panics() { panic!() }
}
fn last() { std::fs::File::open(PATH); }
";
    check_finds(never_waits, "engine/src/playback/player.rs", bad, &[7, 8, 13, 21]);
    for word in FORBIDDEN {
        let bad = format!(
            "//! Thread: audio.\nfn process() {{\n    x{}{word}();\n}}\n",
            if word.starts_with('.') { "" } else { " = " }
        );
        check_finds(never_waits, "engine/src/capture/recorder.rs", &bad, &[3]);
        let elsewhere = bad.replace("audio", "worker");
        check_finds(never_waits, "engine/src/capture/collector.rs", &elsewhere, &[]);
    }
}
