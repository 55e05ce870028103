//! The journal on disk: whole at every moment, small steps, nothing offered twice, nothing kept for ever.

use super::{noise, session};
use cantus_engine::Error;
use cantus_engine::session::Session;
use cantus_engine::session::journal::{About, Journal, recover};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const ABOUT: About = About { bars: 8.0, variations: 3 };

/// A session with a mix that is large enough for a file of its own, and its name.
fn large(seed: u64, name: &str) -> Session {
    let mut mix = noise(48_000, 2, 48_000, seed);
    mix.quantise_24_bit();
    Session { prompt: name.to_owned(), ..session(&mix) }
}

fn keep(journal: &Journal, session: &Session) {
    journal.write(&session.outline().unwrap().pieces().unwrap(), ABOUT).unwrap();
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_journal_that_was_left_behind_comes_back_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let journal = Journal::begin(root.path()).unwrap();
    assert!(recover(root.path()).is_empty(), "nothing is in it yet");
    let (first, second) = (large(1, "first"), large(1, "second"));
    keep(&journal, &first);
    assert!(recover(root.path()).is_empty(), "its owner lives");
    let audio = files(root.path(), ".chunk");
    assert_eq!(audio.len(), 1);
    let written = std::fs::metadata(&audio[0]).unwrap().modified().unwrap();
    keep(&journal, &second);
    assert_eq!(std::fs::metadata(&audio[0]).unwrap().modified().unwrap(), written, "the same audio is written once");
    let third = large(2, "third");
    keep(&journal, &third);
    assert_eq!(files(root.path(), ".chunk").len(), 1, "what is not wanted any more goes");
    assert!(files(root.path(), ".part").is_empty(), "no half file stays");
    drop(journal);

    let mut found = recover(root.path());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].about, found[0].describe().as_str()), (ABOUT, "a minute ago: 8 bars, 3 variations"));
    assert_eq!(found[0].session().unwrap(), third);
    assert_ne!(found[0].session().unwrap(), second);
    assert!(recover(root.path()).is_empty(), "it is offered to one only");
    found.remove(0).discard().unwrap();
    assert!(recover(root.path()).is_empty() && std::fs::read_dir(root.path()).unwrap().next().is_none());
}

#[test]
fn a_journal_that_is_not_needed_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let journal = Journal::begin(root.path()).unwrap();
    keep(&journal, &large(1, "saved"));
    journal.remove();
    assert!(std::fs::read_dir(root.path()).unwrap().next().is_none());
    let blocked = root.path().join("a file");
    std::fs::write(&blocked, b"in the way").unwrap();
    assert!(matches!(Journal::begin(&blocked), Err(Error::File { .. })));
    assert!(recover(&blocked).is_empty() && recover(Path::new("/nowhere/at/all")).is_empty());
}

#[test]
fn a_damaged_journal_is_a_sentence_and_stays() {
    let rows: [(&str, fn(&Path)); 4] = [
        (".chunk", |path| {
            let mut bytes = std::fs::read(path).unwrap();
            bytes[1_000] ^= 1;
            std::fs::write(path, bytes).unwrap();
        }),
        (".chunk", |path| std::fs::write(path, b"").unwrap()),
        (".chunk", |path| std::fs::remove_file(path).unwrap()),
        ("index", |path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
    ];
    for (ending, damage) in rows {
        let root = tempfile::tempdir().unwrap();
        let journal = Journal::begin(root.path()).unwrap();
        keep(&journal, &large(1, "whole"));
        drop(journal);
        damage(&files(root.path(), ending)[0]);
        let found = recover(root.path());
        assert_eq!(found.len(), 1, "{ending}");
        assert!(matches!(found[0].session(), Err(Error::Session { .. } | Error::File { .. })), "{ending}");
        drop(found);
        assert!(!files(root.path(), "index").is_empty(), "a person may still mend it");
    }
}

#[test]
fn journals_have_an_end() {
    let root = tempfile::tempdir().unwrap();
    let days = |count: u64| SystemTime::now() - Duration::from_secs(count * 24 * 3_600);
    for (name, age) in [("new", 0), ("older", 3), ("forgotten", 40)] {
        let journal = Journal::begin(root.path()).unwrap();
        keep(&journal, &large(1, name));
        let index = files(root.path(), "index");
        let mine = index.iter().max_by_key(|path| std::fs::metadata(path).unwrap().modified().unwrap()).unwrap();
        std::fs::File::options().write(true).open(mine).unwrap().set_modified(days(age)).unwrap();
    }
    let found = recover(root.path());
    let names: Vec<String> = found.iter().map(|journal| journal.session().unwrap().prompt).collect();
    assert_eq!(names, ["new", "older"], "the newest first, and what is too old not at all");
    assert_eq!(found[1].describe(), "3 days ago: 8 bars, 3 variations");
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 2);
}
