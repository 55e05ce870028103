//! Borders: which crate is named where, and which stage may know which.

use super::{Fault, Source, check_finds, check_holds};

/// Crates by the start of their name, and the only places that may name them (by the start of their path).
const CRATES: [(&str, &[&str]); 24] = [
    ("rubato", &["engine/src/resample.rs"]),
    ("timestretch", &["engine/src/stretch.rs"]),
    ("symphonia", &["engine/src/capture/file.rs"]),
    ("candle_core", &["engine/src/analysis/f0", "engine/src/analysis/polyphony", "engine/src/generation/musicgen"]),
    ("candle_nn", &["engine/src/analysis/f0", "engine/src/analysis/polyphony", "engine/src/generation/musicgen"]),
    ("gemm", &["engine/src/generation/musicgen/encodec/product.rs"]),
    ("half", &["engine/src/generation/musicgen"]),
    ("rayon", &["engine/src/generation/musicgen"]),
    ("tokenizers", &["engine/src/generation/musicgen"]),
    ("rustysynth", &["tests/suite/rendition/sampler", "tests/sampler_bench/"]),
    ("midly", &["engine/src/export/midi", "engine/src/capture/midi_file"]),
    ("nice_plug", &["plugin/"]),
    ("nice_plug_egui", &["plugin/"]),
    ("egui", &["plugin/"]),
    ("clap_sys", &["plugin/"]),
    ("x11rb", &["plugin/drag/src/x11"]),
    ("objc2", &["plugin/drag/src/macos.rs"]),
    ("objc2_app_kit", &["plugin/drag/src/macos.rs"]),
    ("rtrb", &["engine/src/capture/ring.rs", "engine/src/capture/recorder.rs", "engine/src/playback/"]),
    ("tiny_skia", &["engine/src/export/canvas.rs"]),
    ("hf_hub", &["engine/src/models/fetch"]),
    ("ureq", &["engine/src/models/fetch"]),
    ("ring::digest", &["engine/src/models/checksum.rs"]),
    ("fs4", &["engine/src/models/space.rs"]),
];

/// What a stage must not know, and what of it it may all the same.
struct Direction {
    stage: &'static str,
    not: &'static [&'static str],
    except: &'static [&'static str],
}

const DIRECTIONS: [Direction; 7] = [
    Direction { stage: "analysis", not: &["generation", "rendition", "jobs", "instance", "playback"], except: &[] },
    Direction { stage: "generation", not: &["rendition", "jobs", "instance", "playback", "capture"], except: &[] },
    Direction { stage: "rendition", not: &["jobs", "instance", "playback", "capture", "worker"], except: &[] },
    Direction {
        stage: "worker",
        not: &["analysis", "rendition", "jobs", "instance", "playback", "capture", "session"],
        except: &[],
    },
    Direction {
        stage: "capture",
        not: &["analysis", "generation", "rendition", "jobs", "instance", "playback"],
        except: &["generation::score::Role"],
    },
    Direction {
        stage: "playback",
        not: &["analysis", "generation", "jobs", "instance"],
        except: &["generation::score::Role"],
    },
    Direction {
        stage: "models",
        not: &["analysis", "generation", "rendition", "capture", "jobs", "instance", "playback"],
        except: &[],
    },
];

/// Stages that stay away from the disk, and their files that need not.
const NO_DISK: [(&str, &[&str]); 2] =
    [("capture", &["engine/src/capture/spool.rs", "engine/src/capture/file.rs"]), ("playback", &[])];

/// The stage a path belongs to: its root file or anything in its folder.
fn stage(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("engine/src/")?;
    let first = inside.split('/').next()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

fn keeps_crates_in_place(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, allowed) in CRATES {
        if allowed.iter().any(|place| source.path.starts_with(place)) {
            continue;
        }
        for place in source.places(name) {
            let is_path = source.code[place + name.len()..].starts_with("::");
            let before = source.code[..place].trim_end();
            // `other::name` is an item of another crate or module.
            if !before.ends_with("::") && is_path || before.ends_with("use") || before.ends_with("extern crate") {
                let what = format!("names `{name}`, which only {} may", allowed.join(", "));
                faults.push(Fault::new(&source.path, source.line_of(place), what));
            }
        }
    }
    faults
}

fn looks_only_upstream(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for direction in DIRECTIONS.iter().filter(|direction| stage(&source.path) == Some(direction.stage)) {
        for (line, path) in source.paths_from("crate") {
            let forbidden = direction.not.iter().any(|other| is_within(&path, other));
            if forbidden && !direction.except.iter().any(|allowed| is_within(&path, allowed)) {
                let what = format!("{} must not know `crate::{path}`", direction.stage);
                faults.push(Fault::new(&source.path, line, what));
            }
        }
    }
    faults
}

fn keeps_off_the_disk(source: &Source) -> Vec<Fault> {
    let applies = NO_DISK
        .iter()
        .any(|(name, except)| stage(&source.path) == Some(name) && !except.contains(&source.path.as_str()));
    let uses = source.paths_from("std").into_iter().filter(|(_, path)| applies && is_within(path, "fs"));
    uses.map(|(line, path)| Fault::new(&source.path, line, format!("uses `std::{path}`"))).collect()
}

fn is_within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|after| after.is_empty() || after.starts_with("::"))
}

#[test]
fn crates_are_named_in_their_places_only() {
    check_holds(keeps_crates_in_place, &["engine/src", "plugin/src", "plugin/drag", "xtask/src"]);
}

#[test]
fn a_crate_out_of_place_is_found() {
    for (name, allowed) in CRATES {
        let bad =
            format!("//! {name}::Type\nuse {name}::Type;\nlet a = {name}::make();\nlet {name} = own::{name}::B;\n");
        check_finds(keeps_crates_in_place, "engine/src/jobs/pipeline.rs", &bad, &[2, 3]);
        for place in allowed {
            check_finds(keeps_crates_in_place, place, &bad, &[]);
        }
    }
}

#[test]
fn stages_look_only_upstream() {
    check_holds(looks_only_upstream, &["engine/src"]);
}

#[test]
fn a_stage_that_looks_downstream_is_found() {
    for direction in DIRECTIONS {
        for other in direction.not {
            let bad = format!(
                "use crate::time::Beats;\nuse crate::{{audio, {other}::Thing}};\nlet a = crate::{other}::b();\n"
            );
            for path in ["", "/part"].map(|part| format!("engine/src/{}{part}.rs", direction.stage)) {
                check_finds(looks_only_upstream, &path, &bad, &[2, 3]);
            }
            check_finds(looks_only_upstream, "engine/src/jobs/pipeline.rs", &bad, &[]);
        }
    }
    let roles = "use crate::generation::score::Role;\nuse crate::generation::score::{Role, Score};\n";
    check_finds(looks_only_upstream, "engine/src/playback/player.rs", roles, &[2]);
}

#[test]
fn capture_and_playback_keep_off_the_disk() {
    check_holds(keeps_off_the_disk, &["engine/src"]);
}

#[test]
fn a_file_in_playback_is_found() {
    let bad = "use std::{sync::Arc, fs::File};\nuse std::sync::Arc;\nlet a = std::fs::read(b);\n";
    check_finds(keeps_off_the_disk, "engine/src/playback/player.rs", bad, &[1, 3]);
    check_finds(keeps_off_the_disk, "engine/src/capture/history.rs", bad, &[1, 3]);
    check_finds(keeps_off_the_disk, "engine/src/capture/spool.rs", bad, &[]);
    check_finds(keeps_off_the_disk, "engine/src/export/wav.rs", bad, &[]);
}
