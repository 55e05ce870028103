//! Tests of the command line program, run as a user would.

use crate::analysis::midi_files::{Track, file};
use cantus_engine::capture::file::read_audio;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The program, built once beside this test.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut build = Command::new(cargo);
        build.current_dir(ROOT).args(["build", "--quiet", "--package", "cantus-engine", "--bin", "cantus"]);
        // What Cargo set for running this test would make crates look changed whose build reads it.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| text.starts_with(start)) {
                build.env_remove(&name);
            }
        }
        let built = build.status();
        assert!(built.is_ok_and(|status| status.success()), "the program must build");
        let suite = std::env::current_exe().unwrap();
        let folder = suite.ancestors().nth(2).unwrap();
        folder.join(format!("cantus{}", std::env::consts::EXE_SUFFIX))
    })
}

fn cantus(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn hum() -> String {
    format!("{ROOT}/assets/demo/hum.flac")
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn analyze_writes_notes_pitch_and_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let (json, png) = (folder.path().join("deep/notes.json"), folder.path().join("notes.png"));
    let done =
        cantus(&["analyze", &hum(), "--bpm", "100", "--json", json.to_str().unwrap(), "--plot", png.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("D major"), "{}", text(&done.stdout));
    assert!(done.stderr.is_empty(), "quiet when piped");
    let written = read_json(&json);
    let notes = written["notes"].as_array().unwrap();
    let truth = read_json(Path::new(&format!("{ROOT}/assets/demo/hum.json")));
    let true_notes = truth["notes"].as_array().unwrap();
    assert!(notes.len().abs_diff(true_notes.len()) <= 3, "{} of {}", notes.len(), true_notes.len());
    for note in notes {
        assert!(note["onset"].as_f64().unwrap() < note["offset"].as_f64().unwrap());
        assert!((20.0..110.0).contains(&note["midi"].as_f64().unwrap()));
    }
    let f0 = written["f0"].as_array().unwrap();
    assert!(f0.iter().any(|pair| pair[1] == 0.0) && f0.iter().any(|pair| pair[1].as_f64().unwrap() > 80.0));
    assert_eq!(&std::fs::read(png).unwrap()[..8], b"\x89PNG\r\n\x1a\n");
}

#[test]
fn analyze_tells_in_words_what_it_heard() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (midi, picture) = (at("hum.mid"), at("hum.png"));
    let done = cantus(&["analyze", &hum(), "--bpm", "100", "--midi", &midi, "--picture", &picture]);
    let said = text(&done.stdout);
    let words =
        ["100.00 BPM, 4/4 (given)", "D major", "tuning", "D3 to A3", "8 bars, 19.2 s", "confidence  9", "1.1.0"];
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
    assert!(!said.contains("doubt"), "a clean hum: {said}");
    assert!(std::fs::read(picture).unwrap().starts_with(b"\x89PNG"));

    // The melody as MIDI is heard as the same melody.
    let lines = |said: &str| -> Vec<String> {
        let notes = said.lines().skip_while(|line| !line.contains("bar.beat")).skip(1);
        notes.map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ")).collect()
    };
    let again = text(&cantus(&["analyze", &midi]).stdout);
    assert!(again.contains("100.00 BPM") && lines(&again).len() >= 25, "{again}");
    let keys =
        |said: &str| -> Vec<String> { lines(said).iter().map(|line| line[line.len() - 3..].to_owned()).collect() };
    assert_eq!(keys(&again), keys(&said));
}

#[test]
fn analyze_takes_a_folder_and_goes_on_after_a_bad_file() {
    let folder = tempfile::tempdir().unwrap();
    let (songs, out) = (folder.path().join("songs"), folder.path().join("out"));
    std::fs::create_dir_all(songs.join("deeper")).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(songs.join(name), bytes).unwrap();
    write("b hum.flac", &std::fs::read(hum()).unwrap());
    write("c silence.wav", &wav_of(&[0; 8_000]));
    write("readme.txt", b"no recording");
    let (songs_text, out_text) = (songs.to_str().unwrap(), out.to_str().unwrap());
    let done = cantus(&["analyze", songs_text, "--out", out_text]);
    let said = text(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("notes  D major") && said.contains("silent"), "{said}");

    write("a bad.mid", b"no song");
    write("b hum.wav", &wav_of(&[0; 8_000]));
    let done = cantus(&["analyze", songs_text, "--out", out_text]);
    let (said, complained) = (text(&done.stdout), text(&done.stderr));
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(said.lines().count(), 4, "{said}");
    assert!(said.starts_with("a bad.mid") && said.contains("failed"), "{said}");
    assert!(complained.contains("not a MIDI file") && complained.contains("1 of 4 recordings"), "{complained}");
    // Two recordings of one name each keep their files.
    for name in ["b hum.flac", "b hum.wav", "c silence"] {
        for ending in ["json", "mid", "png"] {
            assert!(out.join(format!("{name}.{ending}")).is_file(), "{name}.{ending}");
        }
    }
    let empty = songs.join("deeper");
    let done = cantus(&["analyze", empty.to_str().unwrap()]);
    assert_eq!((done.status.code(), text(&done.stderr).contains("MIDI file in it")), (Some(1), true));
    let done = cantus(&["analyze", songs_text, "--json", "x.json"]);
    assert_eq!((done.status.code(), text(&done.stderr).contains("--out")), (Some(2), true));
}

#[test]
fn midi_files_are_analysed_and_rendered() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tune.mid");
    let track = |name: &str, keys: &[u8]| {
        let tune = Track::default().named(name).tempo(0, 90.0);
        tune.tune(0, 0, keys, 80).end()
    };
    let (melody, bass) = ([67, 69, 71, 72, 71, 67, 69, 67], [31, 33, 35, 36, 35, 31, 33, 31]);
    std::fs::write(&path, file(1, 96, &[track("Bass", &bass), track("Flute", &melody)])).unwrap();
    let (path, out) = (path.to_str().unwrap(), folder.path().join("out"));
    let said = text(&cantus(&["analyze", path]).stdout);
    assert!(said.contains("90.00 BPM") && said.contains("G4") && said.contains("part 2 \"Flute\""), "{said}");
    let said = text(&cantus(&["analyze", path, "--part", "1"]).stdout);
    assert!(said.contains("G1") && said.contains("as asked for"), "{said}");
    let done = cantus(&["analyze", path, "--part", "3"]);
    assert_eq!((done.status.code(), text(&done.stderr).contains("no part 3")), (Some(1), true));
    let done = cantus(&["render", path, "--style", "jazz", "--rate", "22050", "--out", out.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let report = read_json(&out.join("report.json"));
    assert_eq!((&report["tempo"]["bpm"], report["notes"].as_array().unwrap().len()), (&Value::from(90.0), 8));
    assert!(report["doubts"].to_string().contains("Flute"));
}

#[test]
fn render_writes_everything_it_promises() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let prompt = "classic reggae track with an electric guitar solo";
    let done = cantus(&[
        "render",
        &hum(),
        "--style",
        prompt,
        "--bpm",
        "100",
        "--seed",
        "5",
        "--variations",
        "2",
        "--engine",
        "band",
        "--out",
        out,
    ]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let report = read_json(&folder.path().join("report.json"));
    assert_eq!(report["key"]["name"], "D major");
    assert_eq!(report["tempo"]["bpm"], 100.0);
    let variations = report["variations"].as_array().unwrap();
    assert_eq!(variations.len(), 2);
    let mut mixes = Vec::new();
    for (index, variation) in variations.iter().enumerate() {
        let name = format!("{:02}-reggae", index + 1);
        assert_eq!(variation["folder"], name.as_str());
        assert_eq!(variation["seed"], 5 + index);
        assert!(variation["fidelity"]["lead_chroma"].as_f64().unwrap() > 0.6, "{variation}");
        assert!(variation["parts"].to_string().contains("Guitar"), "{}", variation["parts"]);
        let folder = folder.path().join(name);
        let mix = read_audio(&folder.join("mix.wav")).unwrap();
        assert!(mix.frames() as f64 >= 19.2 * f64::from(mix.rate.0) - 1.0);
        assert!(std::fs::read(folder.join("rendition.mid")).unwrap().starts_with(b"MThd"));
        assert!(std::fs::read_dir(folder.join("stems")).unwrap().count() >= 4);
        mixes.push(mix);
    }
    assert_ne!(mixes[0], mixes[1], "another seed, another rendition");
}

#[test]
fn a_prompt_is_explained_also_to_programs() {
    let words = "dark slow 80s synth ballad with a cello lead, no drums, purple";
    let said = text(&cantus(&["prompt", words]).stdout);
    for part in ["style       synthwave", "Solo Cello", "without     drums", "dark: darker", "ignored     purple"] {
        assert!(said.contains(part), "{said} lacks {part}");
    }
    let read: Value = serde_json::from_slice(&cantus(&["prompt", words, "--json"]).stdout).unwrap();
    assert_eq!(
        (&read["style"], &read["without"][0], &read["ignored"][0]),
        (&"synthwave".into(), &"drums".into(), &"purple".into())
    );
    assert!(read["direction"]["moods"]["brightness"].as_f64().unwrap() < 0.0);
    assert_eq!(cantus(&["prompt", "qwzx"]).status.code(), Some(1));
    assert_eq!(cantus(&["prompt"]).status.code(), Some(2));
}

#[test]
fn styles_are_listed_also_for_programs() {
    let plain = cantus(&["styles"]);
    assert!(text(&plain.stdout).contains("reggae"));
    let listed: Value = serde_json::from_slice(&cantus(&["styles", "--json"]).stdout).unwrap();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|style| style["name"].as_str().unwrap()).collect();
    assert_eq!(&names[..3], ["orchestral", "reggae", "jazz"], "songs refer to styles by their place");
    let jazz = &listed[2];
    assert!(jazz["instruments"].to_string().contains("Upright Bass"), "{jazz}");
    assert_eq!((jazz["category"].as_str(), jazz["built_in"].as_bool()), (Some("Jazz"), Some(true)));
}

#[test]
fn a_style_of_ones_own_begins_with_a_built_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let shown = cantus(&["styles", "show", "jazz"]);
    let mine = text(&shown.stdout).replacen("name = \"jazz\"", "name = \"mine\"", 1);
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, &mine).unwrap();
    let checked = cantus(&["styles", "check", file.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    assert!(text(&checked.stdout).contains("nothing is wrong"), "{}", text(&checked.stdout));

    let of_folder = ["styles", "--styles", folder.path().to_str().unwrap()];
    let listed = cantus(&of_folder);
    assert!(text(&listed.stdout).contains("\nmine "), "{}", text(&listed.stdout));

    std::fs::write(&file, mine.replacen("swing = 0.66", "swing = 6.6", 1)).unwrap();
    let line = 1 + mine[..mine.find("swing = 0.66").unwrap()].matches('\n').count();
    for words in [&["styles", "check", file.to_str().unwrap()][..], &of_folder] {
        let refused = cantus(words);
        assert_eq!(refused.status.code(), Some(1));
        let said = text(&refused.stderr);
        assert!(said.contains(&format!("line {line}")) && said.contains("0.5 to 0.75"), "{said}");
    }
    for (words, status) in [(&["styles", "show", "polka"][..], 1), (&["styles", "check"], 2), (&["styles", "sing"], 2)]
    {
        assert_eq!(cantus(words).status.code(), Some(status), "{words:?}");
    }
}

#[test]
fn bad_input_gets_one_clear_sentence_and_a_status() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let whole = std::fs::read(hum()).unwrap();
    let (empty, words, half) = (at("empty.wav", b""), at("words.wav", b"not a sound"), at("half.flac", &whole[..999]));
    let silence = folder.path().join("silence.wav");
    std::fs::write(&silence, wav_of(&vec![0; 48_000])).unwrap();
    let silence = silence.to_str().unwrap();
    let out = folder.path().join("out");
    let out = out.to_str().unwrap();
    let hum = hum();
    let rows: [(&[&str], i32, &str); 14] = [
        (&["analyze", "/nowhere/hum.wav"], 1, "nowhere"),
        (&["analyze", &empty], 1, "empty.wav"),
        (&["analyze", &words], 1, "words.wav"),
        (&["analyze", &half], 1, "half.flac"),
        (&["render", silence, "--style", "jazz", "--out", out], 1, "No melody"),
        (&["render", &hum, "--style", "klingon opera", "--out", out], 1, "jazz"),
        (&["render", &hum, "--style", "", "--out", out], 1, "jazz"),
        (&["render", &hum, "--style", "jazz"], 2, "--out"),
        (&["render", &hum, "--out", out], 2, "--style"),
        (&["analyze", &hum, "--bpm", "fast"], 2, "--bpm"),
        (&["analyze", &hum, "--bpm", "0"], 2, "20 to 400"),
        (&["render", &hum, "--style", "jazz", "--engine", "choir", "--out", out], 2, "band"),
        (&["sing"], 2, "analyze, render, styles, prompt and models"),
        (&["analyze"], 2, "which recording"),
    ];
    for (arguments, status, word) in rows {
        let done = cantus(arguments);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.contains(word) && !said.contains("panicked"), "{arguments:?}: {said}");
    }
    let quiet = cantus(&["analyze", silence]);
    assert_eq!(quiet.status.code(), Some(0), "silence is an answer, not a failure");
    assert!(text(&quiet.stdout).contains("silent"), "{}", text(&quiet.stdout));
}

/// 16-bit mono at 48 kHz, written by hand.
fn wav_of(samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(48_000_u32.to_le_bytes());
    bytes.extend(96_000_u32.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn models_check_prints_a_table_and_says_whether_all_pass() {
    let folder = tempfile::tempdir().unwrap();
    let model = format!("{ROOT}/tests/data/musicgen-tiny/mono");
    let (reference, dump) = (format!("{model}/reference.safetensors"), folder.path().join("dump.safetensors"));
    let done = cantus(&["models", "check", &model, "--reference", &reference, "--dump", dump.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let table = text(&done.stdout);
    assert!(table.contains("greedy.melody_cfg3.codes") && table.contains("pass") && !table.contains("FAIL"), "{table}");
    assert!(dump.metadata().unwrap().len() > 100_000);
    assert_eq!(cantus(&["models", "check", &model]).status.code(), Some(0));

    // The stereo model beside the mono model's reference.
    let other = format!("{ROOT}/tests/data/musicgen-tiny/stereo");
    let done = cantus(&["models", "check", &other, "--reference", &reference]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stdout).contains("FAIL"), "{}", text(&done.stdout));

    for misuse in [&["models"][..], &["models", "check"], &["models", "check", &model, "--dump", "x"]] {
        assert_eq!(cantus(misuse).status.code(), Some(2), "{misuse:?}");
    }
}
