//! Thread: worker. Journal: what an instance holds, on disk, so that it outlives a host that is killed before the project was saved.
//!
//! A journal is a folder with a locked file, an `index`, and a file for every large chunk, named by its hash. The index is a container whose
//! large chunks are only referred to, so that an edit writes a few kilobytes. Every file appears whole or not at all. A journal whose
//! lock is free was left behind.

use super::Session;
use super::container::{self, Chunk};
use super::piece::Piece;
use crate::data_dir::data_dir;
use crate::error::{Error, Result};
use crate::export::write_file;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use xxhash_rust::xxh3::xxh3_64;

const INDEX: &str = "index";
const LOCK: &str = "lock";
const ENDING: &str = "chunk";
/// What the index says about the journal.
const ABOUT: [u8; 4] = *b"ABOU";
/// A chunk that lies in a file of its own: tag, length, hash.
const ELSEWHERE: [u8; 4] = *b"ELSE";
/// Chunks from this size on get a file.
const LARGE: usize = 64 << 10;
/// A journal that nobody wanted for so long is removed.
const OLDEST: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Journals that were left behind take so much together at most; the newest stay.
const MOST_BYTES: u64 = 1 << 30;
/// So many are offered at once at most.
const MOST_OFFERED: usize = 12;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Where journals lie: `CANTUS_DATA_DIR/journal`, or the user's data folder. `None` when the system names no such folder.
pub fn default_dir() -> Option<PathBuf> {
    data_dir().map(|folder| folder.join("journal"))
}

/// What a journal holds, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct About {
    /// Bars of all takes together.
    pub bars: f64,
    /// Variations.
    pub variations: usize,
}

/// The journal of a living instance. Dropping it leaves it behind; [`Journal::remove`] removes it.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    lock: File,
}

impl Journal {
    /// Begins an empty journal below a folder.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn begin(root: &Path) -> Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let moment = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let folder = root.join(format!("{}-{number}-{moment:x}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| Error::file("create", &folder, &error))?;
        let path = folder.join(LOCK);
        let lock = OpenOptions::new().write(true).create_new(true).open(&path);
        let lock = lock.map_err(|error| Error::file("create", &path, &error))?;
        // Without locks (some network drives) the journal is kept all the same; it may then be offered while its owner lives.
        let _ = lock.try_lock();
        Ok(Self { folder, lock })
    }

    /// Writes what there is now; what was there before is replaced at one moment, the rename of the index.
    ///
    /// # Errors
    /// [`Error::File`], for example when the disk is full; the journal is then as it was.
    pub fn write(&self, pieces: &[Piece], about: About) -> Result<()> {
        let about = serde_json::to_vec(&about).map_err(|error| Error::internal("saving", error))?;
        let mut index = vec![Chunk { tag: ABOUT, bytes: about.into() }];
        let mut files = Vec::new();
        for chunk in pieces.iter().map(Piece::chunk) {
            if chunk.bytes.len() < LARGE {
                index.push(chunk.clone());
                continue;
            }
            let hash = xxh3_64(&chunk.bytes);
            let path = self.folder.join(file_name(hash));
            if !path.exists() {
                write_file(&path, &chunk.bytes)?;
            }
            files.push(path);
            let mut reference = chunk.tag.to_vec();
            reference.extend((chunk.bytes.len() as u64).to_le_bytes());
            reference.extend(hash.to_le_bytes());
            index.push(Chunk { tag: ELSEWHERE, bytes: reference.into() });
        }
        write_file(&self.folder.join(INDEX), &container::write(&index))?;
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == ENDING) && !files.contains(&path) {
                // What cannot be removed goes with the folder.
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }

    /// Removes it: what it holds is safe elsewhere, or not wanted.
    pub fn remove(self) {
        drop(self.lock);
        // What cannot be removed is offered next time, which is the lesser evil.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn file_name(hash: u64) -> String {
    format!("{hash:016x}.{ENDING}")
}

/// A journal that a killed host left behind. Holds its lock, so that nobody else offers it.
#[derive(Debug)]
pub struct RecoveredSession {
    folder: PathBuf,
    lock: File,
    /// When it was last written.
    pub written: SystemTime,
    /// What it holds, in numbers.
    pub about: About,
    bytes: u64,
}

impl RecoveredSession {
    /// For the window: "12 minutes ago: 8 bars, 3 variations".
    pub fn describe(&self) -> String {
        let many = |count: f64, one: &str| {
            let rounded = (count * 10.0).round() / 10.0;
            if rounded == 1.0 { format!("1 {one}") } else { format!("{rounded} {one}s") }
        };
        let seconds = SystemTime::now().duration_since(self.written).map_or(0, |since| since.as_secs());
        let ago = match seconds {
            0..90 => "a minute ago".to_owned(),
            90..5_400 => format!("{} minutes ago", (seconds + 30) / 60),
            5_400..129_600 => format!("{} hours ago", (seconds + 1_800) / 3_600),
            _ => format!("{} days ago", (seconds + 43_200) / 86_400),
        };
        let (bars, variations) = (many(self.about.bars, "bar"), many(self.about.variations as f64, "variation"));
        format!("{ago}: {bars}, {variations}")
    }

    /// Reads it whole.
    ///
    /// # Errors
    /// [`Error::Session`] when it was damaged, [`Error::File`].
    pub fn session(&self) -> Result<Session> {
        let chunks = read_index(&self.folder)?.into_iter().filter(|chunk| chunk.tag != ABOUT);
        let whole: Vec<Chunk> = chunks.map(|chunk| self.fetched(chunk)).collect::<Result<_>>()?;
        Session::decode(&container::write(&whole))
    }

    fn fetched(&self, chunk: Chunk) -> Result<Chunk> {
        if chunk.tag != ELSEWHERE {
            return Ok(chunk);
        }
        let damaged = || super::unreadable("a part of it was changed or damaged");
        let word = |from: usize| -> Result<[u8; 8]> {
            chunk.bytes.get(from..from + 8).and_then(|eight| eight.try_into().ok()).ok_or_else(damaged)
        };
        let tag = chunk.bytes.get(..4).and_then(|four| four.try_into().ok()).ok_or_else(damaged)?;
        let (length, hash) = (u64::from_le_bytes(word(4)?), u64::from_le_bytes(word(12)?));
        let path = self.folder.join(file_name(hash));
        let bytes = fs::read(&path).map_err(|error| Error::file("read", &path, &error))?;
        if bytes.len() as u64 != length || xxh3_64(&bytes) != hash {
            return Err(damaged());
        }
        Ok(Chunk { tag, bytes: bytes.into() })
    }

    /// Removes it.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be removed.
    pub fn discard(self) -> Result<()> {
        drop(self.lock);
        fs::remove_dir_all(&self.folder).map_err(|error| Error::file("remove", &self.folder, &error))
    }
}

/// The journals below a folder whose owners are gone, the newest first. Those that are too old, or too many, are removed.
pub fn recover(root: &Path) -> Vec<RecoveredSession> {
    let folders = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<RecoveredSession> = folders.filter_map(recover_one).collect();
    found.sort_by(|a, b| b.written.cmp(&a.written).then_with(|| a.folder.cmp(&b.folder)));
    let mut total = 0;
    let mut kept = Vec::new();
    for journal in found {
        total += journal.bytes;
        let age = SystemTime::now().duration_since(journal.written).unwrap_or_default();
        if age > OLDEST || total > MOST_BYTES {
            // What cannot be removed is looked at again next time.
            let _ = journal.discard();
        } else if kept.len() < MOST_OFFERED {
            kept.push(journal);
        }
    }
    kept
}

fn recover_one(folder: PathBuf) -> Option<RecoveredSession> {
    // A journal that has no index yet may be one whose owner is about to lock it.
    let facts = fs::metadata(folder.join(INDEX)).ok()?;
    let lock = OpenOptions::new().write(true).open(folder.join(LOCK)).ok()?;
    lock.try_lock().ok()?;
    let written = facts.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let bytes = fs::read_dir(&folder).ok()?.flatten().filter_map(|entry| Some(entry.metadata().ok()?.len())).sum();
    // A damaged index says nothing; whoever wants the journal hears why it cannot be had, and may forget it.
    let about = read_index(&folder).ok().and_then(|index| index.into_iter().find(|chunk| chunk.tag == ABOUT));
    let about = about.and_then(|chunk| serde_json::from_slice(&chunk.bytes).ok()).unwrap_or_default();
    Some(RecoveredSession { folder, lock, written, about, bytes })
}

fn read_index(folder: &Path) -> Result<Vec<Chunk>> {
    let path = folder.join(INDEX);
    container::read(&fs::read(&path).map_err(|error| Error::file("read", &path, &error))?)
}
