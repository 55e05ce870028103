//! MusicGen on the command line.

use super::tiny_model;
use crate::command_line::program;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const HUM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/demo/hum.flac");

fn render(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(program())
        .args(["render", HUM, "--bpm", "100", "--prompt", "warm strings", "--out", "out"])
        .args(arguments)
        .current_dir(folder)
        .env("CANTUS_DATA_DIR", folder)
        .output()
        .unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_render_writes_mix_melody_and_report_alike_with_and_without_a_worker() {
    let model = tiny_model();
    let mut mixes = Vec::new();
    for more in [&[][..], &["--in-process"]] {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = vec!["--engine", "musicgen", "--model", model.to_str().unwrap()];
        arguments.extend(["--melody", "chords", "--bars", "2", "--precision", "f32", "--cfg", "2.5", "--top-k", "100"]);
        arguments.extend(["--temperature", "0.9", "--seed", "9", "--rate", "44100"]);
        arguments.extend(more);
        let done = render(folder.path(), &arguments);
        assert_eq!(done.status.code(), Some(0), "{}", words(&done.stderr));
        assert!(done.stderr.is_empty(), "quiet when piped: {}", words(&done.stderr));
        let out = folder.path().join("out");
        let report: Value = serde_json::from_slice(&std::fs::read(out.join("report.json")).unwrap()).unwrap();
        let variation = &report["variations"][0];
        assert_eq!(variation["folder"], "01-musicgen");
        assert!(variation["fidelity"]["lead_chroma"].is_null(), "there is no lead to listen to");
        assert!(variation["fidelity"]["mix_chroma"].is_number());
        assert_eq!(variation["region_frames"], 2 * 4 * 44_100 * 60 / 100, "two bars");
        assert_eq!(report["engine"]["musicgen-melody"]["condition"], "chords");
        assert_eq!(report["engine"]["musicgen-melody"]["sampling"]["top_k"], 100);
        assert!(std::fs::metadata(out.join("01-musicgen/rendition.mid")).unwrap().len() > 100);
        mixes.push(std::fs::read(out.join("01-musicgen/mix.wav")).unwrap());
    }
    assert!(mixes[0] == mixes[1], "to the bit");
}

#[test]
fn mistakes_are_sentences_that_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny_model();
    let model = model.to_str().unwrap();
    for (arguments, status, says) in [
        (&["--engine", "musicgen"][..], 1, "cantus models fetch musicgen-melody"),
        (&["--engine", "musicgen", "--model", "/nowhere/at/all"], 1, "/nowhere/at/all"),
        (&["--engine", "musicgen", "--model", "."], 1, "config.json"),
        (&["--engine", "choir"], 2, "there are band and musicgen"),
        (&["--model", model], 2, "--model is for --engine musicgen"),
        (&["--engine", "musicgen", "--melody", "hum"], 2, "take, notes, chords or none"),
        (&["--engine", "musicgen", "--precision", "f64"], 2, "f32, q8 or q4"),
        (&["--engine", "musicgen", "--cfg", "lots"], 2, "--cfg"),
    ] {
        let done = render(folder.path(), arguments);
        let complaint = words(&done.stderr);
        assert_eq!(done.status.code(), Some(status), "{arguments:?}: {complaint}");
        assert!(complaint.contains(says), "{arguments:?}: {complaint}");
    }
    let gone = Command::new(program())
        .args(["render", HUM, "--prompt", "x", "--out", "out", "--engine", "musicgen", "--bars", "1", "--model", model])
        .current_dir(folder.path())
        .env("CANTUS_DATA_DIR", folder.path())
        .env("CANTUS_PROGRAM", "/nowhere/cantus")
        .output()
        .unwrap();
    assert_eq!(gone.status.code(), Some(1));
    assert!(words(&gone.stderr).contains("CANTUS_PROGRAM names /nowhere/cantus"), "{}", words(&gone.stderr));
}
