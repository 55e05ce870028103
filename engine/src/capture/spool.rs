//! Thread: collector writes, worker recovers. A take on disk while it grows, so that it survives the end of the host.
//!
//! A spool is a short head (magic word, rate, channels, mode, input offset) and then the blocks in the form they have in the ring.
//! Every write goes to the system at once, which keeps it when the process is killed. The file is locked as long as its owner
//! lives: a spool that can be locked was left behind.

use super::cut::{self, CaptureMode, Progress};
use super::history::History;
use super::ring::{Block, words_of_block};
use super::take::Take;
use crate::data_dir::data_dir;
use crate::error::{Error, Result};
use crate::time::{Frames, SampleRate, Seconds};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const MAGIC: [u8; 8] = *b"CANSPL\r\n";
const EXTENSION: &str = "spool";
const HEAD: usize = 32;
/// An hour: a spool that claims more is damaged, and must not make us reserve memory for it.
pub(super) const LONGEST: Seconds = Seconds(3_600.0);

/// A take is shorter than this: a longer one could be saved with a project, and not be opened again.
const MOST_BEATS: f64 = 1e5;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Where takes are spooled: `CANTUS_DATA_DIR/spool`, or the user's data folder. `None` when the system names no such folder.
pub fn default_dir() -> Option<PathBuf> {
    data_dir().map(|folder| folder.join("spool"))
}

/// A take that is being written. Dropping it leaves the file; [`Spool::delete`] removes it.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    path: PathBuf,
}

impl Spool {
    /// Begins a file.
    ///
    /// # Errors
    /// [`Error::File`] when the folder or the file cannot be written.
    pub fn create(
        dir: &Path,
        (rate, channels): (SampleRate, usize),
        mode: CaptureMode,
        offset_frames: i64,
    ) -> Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!("{}-{number}-{:x}.{EXTENSION}", std::process::id(), unique()));
        let fail = |error: std::io::Error| Error::file("write", &path, &error);
        fs::create_dir_all(dir).map_err(fail)?;
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(fail)?;
        // Without locks (some network drives) the file is written all the same; it may then be offered while it grows.
        let _ = file.try_lock();
        let (kind, bars) = match mode {
            CaptureMode::Free => (0_u32, 0),
            CaptureMode::Bars(bars) => (1, bars),
            CaptureMode::LoopRegion => (2, 0),
        };
        let mut head = Vec::with_capacity(HEAD);
        head.extend(MAGIC);
        for word in [rate.0, u32::try_from(channels).unwrap_or(0), kind, bars] {
            head.extend(word.to_le_bytes());
        }
        head.extend(offset_frames.to_le_bytes());
        file.write_all(&head).map_err(fail)?;
        Ok(Self { file, path })
    }

    /// Adds a block.
    ///
    /// # Errors
    /// [`Error::File`], for example when the disk is full.
    pub fn write(&mut self, block: &Block) -> Result<()> {
        let bytes: Vec<u8> = block.to_words().into_iter().flat_map(u32::to_le_bytes).collect();
        self.file.write_all(&bytes).map_err(|error| Error::file("write", &self.path, &error))
    }

    /// Removes the file: the take is safe elsewhere, or not wanted.
    pub fn delete(self) {
        drop(self.file);
        // What cannot be removed is offered next time, which is the lesser evil.
        let _ = fs::remove_file(&self.path);
    }
}

/// A number that differs between processes that happen to get the same id.
fn unique() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

/// A take that an interrupted process left behind. Holds the file's lock, so that nobody else offers it.
#[derive(Debug)]
pub struct RecoveredTake {
    /// What was recorded.
    pub take: Take,
    path: PathBuf,
    _lock: File,
}

impl RecoveredTake {
    /// For the window: "12.4 s, from bar 5".
    pub fn describe(&self) -> String {
        let seconds = self.take.audio.length().seconds(self.take.audio.rate).0;
        if self.take.on_grid {
            let bar = (self.take.grid.start.0 / self.take.grid.metre.bar().0).floor() + 1.0;
            format!("{seconds:.1} s, from bar {bar}")
        } else {
            format!("{seconds:.1} s")
        }
    }
}

/// The takes in a folder whose owners are gone. Files that are no takes, or hold nothing yet, are passed over.
pub fn recover(dir: &Path) -> Vec<RecoveredTake> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION))
        .collect();
    paths.sort();
    paths.into_iter().filter_map(recover_one).collect()
}

fn recover_one(path: PathBuf) -> Option<RecoveredTake> {
    let mut file = OpenOptions::new().read(true).write(true).open(&path).ok()?;
    file.try_lock().ok()?;
    let mut bytes = Vec::new();
    match file.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
        Err(_) => return None,
    }
    let take = read(&bytes)?;
    Some(RecoveredTake { take, path, _lock: file })
}

/// Removes a recovered take's file.
///
/// # Errors
/// [`Error::File`] when it cannot be removed.
pub fn discard(recovered: &RecoveredTake) -> Result<()> {
    fs::remove_file(&recovered.path).map_err(|error| Error::file("remove", &recovered.path, &error))
}

/// The take in a spool's bytes, up to the last whole block.
fn read(bytes: &[u8]) -> Option<Take> {
    let (head, body) = bytes.split_at_checked(HEAD)?;
    if head[..8] != MAGIC {
        return None;
    }
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let rate = SampleRate(word(8));
    let channels = word(12) as usize;
    let mode = match word(16) {
        0 => CaptureMode::Free,
        1 => CaptureMode::Bars(word(20)),
        _ => CaptureMode::LoopRegion,
    };
    let offset_frames = i64::from(word(24)) | i64::from(word(28)) << 32;
    if rate.0 == 0 || !(1..=2).contains(&channels) {
        return None;
    }
    let words: Vec<u32> =
        body.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
    let mut history = History::new(rate, channels, LONGEST);
    let mut block = Block::default();
    let mut rest = words.as_slice();
    while let Some((whole, after)) = words_of_block(rest.iter().copied()).and_then(|count| rest.split_at_checked(count))
    {
        block.fill_from_words(whole.iter().copied());
        history.append(&block);
        rest = after;
    }
    let cut = match cut::progress(&history, mode, 0, offset_frames) {
        Progress::Complete(cut) => cut,
        Progress::Waiting | Progress::Recording { .. } => {
            cut::unfinished(&history, mode, history.first(), history.end(), offset_frames).ok()?
        }
    };
    let mut take = cut::take(&history, &cut, 0).ok()?;
    // The recorder writes nothing of this kind; a damaged disk does.
    for sample in take.audio.channels.iter_mut().flatten().filter(|sample| !sample.is_finite()) {
        *sample = 0.0;
    }
    take.notes.retain(|note| note.key < 128 && (0.0..=1.0).contains(&note.velocity) && note.offset >= note.onset);
    let is_sane = take.grid.is_sane() && (0.0..MOST_BEATS).contains(&take.length.0);
    (take.audio.length() > Frames(0) && is_sane).then_some(take)
}
