//! Words that must not be in the project: unfinished work, and folders of one machine.

use super::{Fault, Source, check_finds, check_holds, check_none, files, source, text};

/// Put together here, so that this file does not break its own rules.
const UNFINISHED: [&str; 6] = [
    concat!("#[ig", "nore"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("db", "g!("),
];

const MACHINE_FOLDERS: [&str; 4] =
    [concat!("/", "work"), concat!("/", "root"), concat!("/", "home"), concat!("/", "Users")];

fn is_finished(source: &Source) -> Vec<Fault> {
    let lines = source.text.lines().zip(1..);
    lines
        .flat_map(|(line, number)| {
            let found = UNFINISHED.iter().filter(move |word| line.contains(**word));
            found.map(move |word| Fault::new(&source.path, number, format!("holds `{word}`")))
        })
        .collect()
}

/// Paths that start at the root of a machine's disk; the same words inside of a longer path are no such thing.
fn names_no_machine(path: &str, text: &str) -> Vec<Fault> {
    let continues = |character: char| source::is_name(character) || matches!(character, '-' | '.' | '~' | '}' | ')');
    let is_absolute = |line: &str, folder: &str| {
        line.match_indices(folder).any(|(place, _)| {
            let before = line[..place].chars().next_back();
            let after = line[place + folder.len()..].chars().next();
            !before.is_some_and(continues) && !after.is_some_and(|next| source::is_name(next) || next == '-')
        })
    };
    let mut faults = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        for folder in MACHINE_FOLDERS.iter().filter(|folder| is_absolute(line, folder)) {
            faults.push(Fault::new(path, number, format!("names a folder of one machine, `{folder}`")));
        }
    }
    faults
}

#[test]
fn nothing_is_unfinished() {
    check_holds(is_finished, &["engine", "plugin", "tests", "xtask"]);
}

#[test]
fn unfinished_work_is_found() {
    for word in UNFINISHED {
        check_finds(is_finished, "engine/src/jobs.rs", &format!("fine\n    // {word} later\nfine\n"), &[2]);
    }
}

#[test]
fn no_machine_is_named() {
    let texts = files("").into_iter().filter_map(|path| text(&path).map(|text| (path, text)));
    check_none(texts.flat_map(|(path, text)| names_no_machine(&path, &text)).collect());
}

#[test]
fn a_machine_is_found() {
    let rule = |source: &Source| names_no_machine(&source.path, &source.text);
    for folder in MACHINE_FOLDERS {
        for bad in [format!("fine\npath = \"{folder}/cantus\"\n"), format!("fine\nfile://{folder}\n")] {
            check_finds(rule, "engine/Cargo.toml", &bad, &[2]);
        }
        for good in [format!("$HOME{folder}/x"), format!("..{folder}/x"), format!("{folder}flows/ci.yml")] {
            check_finds(rule, ".ci/run", &good, &[]);
        }
    }
}
