//! A checkpoint's files: configuration, tokenizer, weights in both formats.
//!
//! An input is small: the first byte names the file, the others are its new text, or the new header of its weights, or patches of a
//! pickled file. Everything else of the tiny model stays as it is.

use super::{Target, answer, check_sentence};
use crate::draw::Draw;
use crate::mutate;
use cantus_engine::generation::musicgen::{AudioRequest, LoadOptions, Melody, MusicGen, Precision, Sampling};
use cantus_engine::job_context::JobContext;
use cantus_engine::models;
use cantus_engine::time::Seconds;
use std::fs;
use std::path::{Path, PathBuf};

pub const TARGET: Target =
    Target { name: "model", open, seeds, mutate: mutated, most_bytes: 1 << 16, needs_bundle: false };

/// The folder of a tiny model, the file in it that is changed, and how.
const KINDS: [(&str, &str, Change); 10] = [
    ("mono", "config.json", Change::Text),
    ("mono", "tokenizer.json", Change::Text),
    ("mono", "generation_config.json", Change::Text),
    ("mono", "model.safetensors", Change::Header),
    ("mono", "model.safetensors", Change::Patches),
    ("mono", "model.safetensors.index.json", Change::Text),
    ("audiocraft", "state_dict.bin", Change::Patches),
    ("audiocraft", "compression_state_dict.bin", Change::Patches),
    ("audiocraft", "t5-base/config.json", Change::Text),
    ("audiocraft", "t5-base/model.safetensors", Change::Header),
];

#[derive(Clone, Copy, PartialEq)]
enum Change {
    Text,
    Header,
    Patches,
}

fn tiny(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/musicgen-tiny").join(name)
}

fn read(name: &str, file: &str) -> Vec<u8> {
    fs::read(tiny(name).join(file)).unwrap_or_default()
}

/// The header of a safetensors file, and what follows.
fn halves(file: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = file.split_first_chunk::<8>() else { return (&[], &[]) };
    rest.split_at((u64::from_le_bytes(*length) as usize).min(rest.len()))
}

fn spoiled(name: &str, file: &str, change: Change, input: &[u8]) -> Vec<u8> {
    let whole = read(name, file);
    match change {
        Change::Text => input.to_vec(),
        Change::Header => [&(input.len() as u64).to_le_bytes()[..], input, halves(&whole).1].concat(),
        Change::Patches => {
            let mut out = whole;
            for patch in input.chunks_exact(4) {
                let at = u32::from_le_bytes([patch[0], patch[1], patch[2], 0]) as usize;
                // The last two bytes of the range stand for the file's end, where a pickled file keeps its contents list.
                let at = if at > out.len() { out.len().saturating_sub(at % 4_096) } else { at };
                if at < out.len() {
                    out[at] = patch[3];
                }
            }
            if input.len() % 4 == 3 {
                let at = u32::from_le_bytes([input[0], input[1], input[2], 0]) as usize;
                out.truncate(at);
            }
            out
        }
    }
}

/// A folder with links to the model's files.
fn folder(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("t5-base")).unwrap();
    for below in ["", "t5-base"] {
        for entry in fs::read_dir(tiny(name).join(below)).into_iter().flatten().flatten() {
            let to = folder.path().join(below).join(entry.file_name());
            let kept = !entry.file_name().to_string_lossy().contains("reference");
            if kept && entry.path().is_file() {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    folder
}

fn open() -> super::Run {
    let folders = ["mono", "audiocraft"].map(|name| (name, folder(name)));
    Box::new(move |input| {
        let Some((&kind, input)) = input.split_first() else { return 0 };
        let (name, file, change) = KINDS[usize::from(kind) % KINDS.len()];
        let folder = folders.iter().find(|(other, _)| *other == name).unwrap().1.path();
        let path = folder.join(file);
        fs::write(&path, spoiled(name, file, change, input)).unwrap();
        let said = load(folder);
        let whole = read(name, file);
        if whole.is_empty() {
            fs::remove_file(&path).unwrap()
        } else {
            fs::write(&path, whole).unwrap()
        }
        said ^ u64::from(kind)
    })
}

fn load(folder: &Path) -> u64 {
    // The library lists folders without loading them.
    let _ = models::inspect(folder);
    let options = LoadOptions { precision: Precision::F32, threads: Some(1), ..LoadOptions::default() };
    let context = JobContext::detached();
    let model = match MusicGen::load_with(folder, &options, &context) {
        Ok((model, report)) => {
            let _ = report.missing;
            model
        }
        Err(error) => return check_sentence(&error),
    };
    let request = AudioRequest {
        text: "solo violin".to_owned(),
        melody: Melody::Frames(vec![[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]),
        seconds: Seconds(0.1),
        seed: 1,
        sampling: Sampling::default(),
        continue_from: None,
    };
    match model.generate(&request, &context, &mut |_| ()) {
        Ok(audio) => {
            assert!(audio.channels.iter().flatten().all(|sample| sample.is_finite()), "a sample that is no number");
            answer(&format!("made {}", audio.channels.len()))
        }
        Err(error) => check_sentence(&error),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let seed = |(kind, &(name, file, change)): (usize, &(&str, &str, Change))| {
        let whole = read(name, file);
        let body = match change {
            Change::Text if whole.is_empty() => br#"{"weight_map": {"a": "model.safetensors"}}"#.to_vec(),
            Change::Text => whole,
            Change::Header => halves(&whole).0.to_vec(),
            Change::Patches => vec![9, 0, 0, 0],
        };
        [vec![kind as u8], body].concat()
    };
    KINDS.iter().enumerate().map(seed).collect()
}

fn mutated(input: &[u8], draw: &mut Draw) -> Vec<u8> {
    let Some((&kind, body)) = input.split_first() else { return vec![0] };
    let change = KINDS[usize::from(kind) % KINDS.len()].2;
    let body = match change {
        Change::Patches => {
            let mut out = body.to_vec();
            if draw.once_in(6) {
                out.truncate(draw.below(out.len() + 1));
            }
            for _ in 0..1 + draw.below(3) {
                // Headers at the start and contents lists at the end matter most.
                let at = [draw.below(64), draw.below(3_000), draw.below(1 << 20), (1 << 24) - 1 - draw.below(4_096)]
                    [draw.below(4)];
                out.extend(&(at as u32).to_le_bytes()[..3]);
                out.push([draw.any() as u8, 0, 0xFF, b'.', b'R'][draw.below(5)]);
            }
            if draw.once_in(10) {
                out = (draw.below(1 << 20) as u32).to_le_bytes()[..3].to_vec();
            }
            out
        }
        _ if draw.once_in(8) => {
            mutate::bytes(body, &[b"\"F32\"", b"\"I64\"", b"\"data_offsets\":[0,", b"18446744073709551615"], draw)
        }
        _ => mutate::json(body, draw),
    };
    [vec![kind], body].concat()
}
