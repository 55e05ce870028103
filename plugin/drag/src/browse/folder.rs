//! Thread: gui. What a folder holds, as the browser shows it.

use crate::drop_in::is_sound_or_midi;
use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// More would not be looked through, and reading them would be felt.
const MOST: usize = 5_000;

/// One line of the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From the root.
    pub path: PathBuf,
    /// What is shown.
    pub name: String,
    /// Whether it can be entered.
    pub is_folder: bool,
}

/// A folder that was read.
#[derive(Debug, Clone)]
pub struct Folder {
    /// From the root.
    pub path: PathBuf,
    /// Folders first, then files, each in the order of their names.
    pub entries: Vec<Entry>,
    /// A sentence: why nothing is shown, or why not everything.
    pub trouble: Option<String>,
    /// When it was written to last, before it was read.
    pub changed: Option<SystemTime>,
}

impl Folder {
    /// Reads a folder: its folders, and the files that can be opened, or all of them. Hidden ones are left out.
    pub fn read(path: &Path, all_files: bool) -> Self {
        let mut folder = Self { path: path.to_path_buf(), entries: Vec::new(), trouble: None, changed: changed(path) };
        let listed = match std::fs::read_dir(path) {
            Ok(listed) => listed,
            Err(error) => {
                folder.trouble = Some(format!("This folder cannot be read: {error}."));
                return folder;
            }
        };
        for entry in listed.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let path = entry.path();
            // Only a link has to be asked where it leads.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_symlink() && path.is_dir());
            if is_folder || all_files || is_sound_or_midi(&path) {
                if folder.entries.len() == MOST {
                    folder.trouble =
                        Some(format!("Only {MOST} of this folder's files are shown. Type a part of a path."));
                    break;
                }
                folder.entries.push(Entry { path, name, is_folder });
            }
        }
        folder
            .entries
            .sort_by(|one, other| other.is_folder.cmp(&one.is_folder).then_with(|| by_name(&one.name, &other.name)));
        folder
    }

    /// Whether it was written to since it was read.
    pub fn is_outdated(&self) -> bool {
        changed(&self.path) != self.changed
    }

    /// The entries whose names hold every word of `search`, in any case.
    pub fn matching(&self, search: &str) -> Vec<Entry> {
        let search = search.to_lowercase();
        let words: Vec<&str> = search.split_whitespace().collect();
        let fits = |entry: &&Entry| {
            let name = entry.name.to_lowercase();
            words.iter().all(|word| name.contains(word))
        };
        self.entries.iter().filter(fits).cloned().collect()
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

/// As people count: "Take 2" stands before "Take 10".
pub fn by_name(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.chars().peekable(), other.chars().peekable());
    loop {
        let (Some(a), Some(b)) = (one.peek().copied(), other.peek().copied()) else {
            return one.peek().is_some().cmp(&other.peek().is_some());
        };
        let order = if a.is_ascii_digit() && b.is_ascii_digit() {
            number(&mut one).cmp(&number(&mut other))
        } else {
            one.next();
            other.next();
            a.to_lowercase().cmp(b.to_lowercase())
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Takes the digits that come next.
fn number(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> u128 {
    let mut number = 0_u128;
    while let Some(digit) = letters.peek().and_then(|letter| letter.to_digit(10)) {
        number = number.saturating_mul(10).saturating_add(u128::from(digit));
        letters.next();
    }
    number
}
