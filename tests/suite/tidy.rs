//! The house rules, read off the sources of the checkout.
//!
//! Each rule is a function over text that returns what breaks it, so that each is also shown to find a bad snippet.

mod borders;
mod layout;
mod real_time;
mod source;
mod words;

use source::Source;
use std::path::{Path, PathBuf};

/// What breaks a rule: where, from line 1 (0 is the file as a whole), and what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    path: String,
    line: usize,
    what: String,
}

impl Fault {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

/// The folder of the checkout.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Names in the top folder that are no part of the project.
fn ignored() -> Vec<String> {
    let listed = std::fs::read_to_string(root().join(".gitignore")).expect(".gitignore can be read");
    listed.lines().filter_map(|line| line.strip_prefix('/')).map(str::to_owned).chain([".git".to_owned()]).collect()
}

/// Sources of others, with their licences beside them: their style is theirs.
const VENDORED: &str = "plugin/vendor";

/// Every file of the project below `start`, its path from the top folder with slashes, in order.
fn files(start: &str) -> Vec<String> {
    fn walk(folder: &Path, prefix: &str, ignored: &[String], found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let entry = entry.expect("a folder can be listed");
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let kind = entry.file_type().expect("a file has a type");
            if ignored.contains(&path) || path == VENDORED {
                continue;
            } else if kind.is_dir() {
                walk(&entry.path(), &path, ignored, found);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(start), start, &ignored(), &mut found);
    found.sort();
    found
}

/// The text of a file, or nothing when it is not text.
fn text(path: &str) -> Option<String> {
    let bytes = std::fs::read(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// The Rust sources below the given folders.
fn sources(folders: &[&str]) -> Vec<Source> {
    let found: Vec<Source> = folders
        .iter()
        .flat_map(|folder| files(folder))
        .filter(|path| path.ends_with(".rs"))
        .map(|path| Source::new(&path, &text(&path).unwrap_or_else(|| panic!("{path} is not text"))))
        .collect();
    assert!(!found.is_empty(), "there are no sources in {folders:?}");
    found
}

/// A rule over one source holds in all of these folders.
fn check_holds(rule: impl Fn(&Source) -> Vec<Fault>, folders: &[&str]) {
    check_none(sources(folders).iter().flat_map(rule).collect());
}

fn check_none(faults: Vec<Fault>) {
    let listed: Vec<String> =
        faults.iter().map(|Fault { path, line, what }| format!("  {path}:{line}: {what}")).collect();
    assert!(faults.is_empty(), "{} breaks of the house rules:\n{}", faults.len(), listed.join("\n"));
}

/// A rule finds breaks in a snippet on exactly these lines.
fn check_finds(rule: impl Fn(&Source) -> Vec<Fault>, path: &str, snippet: &str, lines: &[usize]) {
    let faults = rule(&Source::new(path, snippet));
    let mut found: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
    found.dedup();
    assert_eq!(found, lines, "in {path}:\n{snippet}\nfound: {faults:#?}");
}
