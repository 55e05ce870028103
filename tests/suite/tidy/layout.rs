//! Layout: what lies in the top folder, what files are called and how long they are, licences of assets.

use super::{Fault, Source, check_finds, check_holds, check_none, files, ignored, root, text};

const TOP_LEVEL: [&str; 17] = [
    ".cargo",
    ".ci",
    ".github",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "assets",
    "engine",
    "plugin",
    "rustfmt.toml",
    "tests",
    "xtask",
];

/// Names that say nothing of what a file or folder holds.
const EMPTY_NAMES: [&str; 10] =
    ["util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "mod", "shared_utils"];

const LONGEST: usize = 600;

/// Assets that were made for this project, so that the licences in the top folder are theirs.
const OUR_ASSETS: [&str; 1] = ["assets/styles"];

const LICENCES: [&str; 9] =
    ["MIT", "Apache", "BSD", "ISC", "CC0", "CC BY", "CC-BY", "Creative Commons", "Open Font License"];

fn top_level_faults(present: &[String]) -> Vec<Fault> {
    let unexpected = present.iter().filter(|name| !TOP_LEVEL.contains(&name.as_str()));
    let missing = TOP_LEVEL.iter().filter(|name| !present.iter().any(|have| have == *name));
    unexpected
        .map(|name| Fault::new(name, 0, "has no place in the top folder"))
        .chain(missing.map(|name| Fault::new(name, 0, "is missing")))
        .collect()
}

fn is_well_named(source: &Source) -> Vec<Fault> {
    let path = source.path.strip_suffix(".rs").unwrap_or(&source.path);
    let empty = path.split('/').find(|name| name.split('_').any(|word| EMPTY_NAMES.contains(&word)));
    empty
        .map(|name| Fault::new(&source.path, 0, format!("\"{name}\" says nothing of its content")))
        .into_iter()
        .collect()
}

fn is_short(source: &Source) -> Vec<Fault> {
    let lines = source.text.lines().count();
    let long = lines > LONGEST;
    long.then(|| Fault::new(&source.path, 0, format!("{lines} lines are more than {LONGEST}"))).into_iter().collect()
}

/// Folders of files without a licence beside them or one folder up. `assets` are paths with the text of those that are text.
fn unlicensed(assets: &[(String, Option<String>)]) -> Vec<Fault> {
    let parent = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let mut folders: Vec<String> = assets.iter().map(|(path, _)| parent(path)).collect();
    folders.sort();
    folders.dedup();
    let names_a_licence = |folder: &str| {
        assets.iter().any(|(path, text)| {
            let name = path.rsplit('/').next().unwrap_or_default();
            let is_notice = name.starts_with("LICENSE") || name.starts_with("README");
            let names_one = |text: &String| LICENCES.iter().any(|licence| text.contains(licence));
            parent(path) == folder && is_notice && text.as_ref().is_some_and(names_one)
        })
    };
    folders
        .iter()
        .filter(|folder| !OUR_ASSETS.contains(&folder.as_str()))
        .filter(|folder| !names_a_licence(folder) && !names_a_licence(&parent(folder)))
        .map(|folder| Fault::new(folder, 0, "has no LICENSE or README that names its licence"))
        .collect()
}

#[test]
fn the_top_folder_is_fixed() {
    let entries = std::fs::read_dir(root()).expect("the top folder can be listed");
    let names = entries.map(|entry| entry.expect("a folder can be listed").file_name().to_string_lossy().into_owned());
    let ignored = ignored();
    check_none(top_level_faults(&names.filter(|name| !ignored.contains(name)).collect::<Vec<_>>()));
}

#[test]
fn a_changed_top_folder_is_found() {
    let mut names = TOP_LEVEL.map(str::to_owned);
    assert_eq!(top_level_faults(&names), []);
    "NOTES.md".clone_into(&mut names[0]);
    let found: Vec<String> = top_level_faults(&names).into_iter().map(|fault| fault.path).collect();
    assert_eq!(found, ["NOTES.md", ".cargo"]);
}

#[test]
fn sources_are_well_named() {
    check_holds(is_well_named, &["engine", "plugin", "tests", "xtask"]);
}

#[test]
fn an_empty_name_is_found() {
    for bad in ["jobs/mod.rs", "audio_utils.rs", "common/ring.rs", "job_manager.rs", "helpers.rs"] {
        check_finds(is_well_named, &format!("engine/src/{bad}"), "", &[0]);
    }
    check_finds(is_well_named, "engine/src/models.rs", "", &[]);
}

#[test]
fn sources_are_short() {
    check_holds(is_short, &["engine", "plugin", "tests", "xtask"]);
}

#[test]
fn a_long_source_is_found() {
    check_finds(is_short, "engine/src/jobs.rs", &"\n".repeat(LONGEST), &[]);
    check_finds(is_short, "engine/src/jobs.rs", &"\n".repeat(LONGEST + 1), &[0]);
}

#[test]
fn assets_have_licences() {
    check_none(unlicensed(&files("assets").into_iter().map(|path| (path.clone(), text(&path))).collect::<Vec<_>>()));
}

#[test]
fn an_asset_without_a_licence_is_found() {
    type Row<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
    let rows: [Row; 5] = [
        (&[("assets/fonts/a.ttf", "")], &["assets/fonts"]),
        (&[("assets/fonts/a.ttf", ""), ("assets/fonts/README.md", "A font.")], &["assets/fonts"]),
        (&[("assets/fonts/a.ttf", ""), ("assets/fonts/LICENSE", "MIT License")], &[]),
        (&[("assets/models/f0/a.bin", ""), ("assets/models/README.md", "Apache 2.0")], &[]),
        (&[("assets/styles/jazz.toml", "")], &[]),
    ];
    for (assets, expected) in rows {
        let assets: Vec<_> = assets.iter().map(|(path, text)| ((*path).to_owned(), Some((*text).to_owned()))).collect();
        let found: Vec<String> = unlicensed(&assets).into_iter().map(|fault| fault.path).collect();
        assert_eq!(found, expected, "{assets:?}");
    }
}
