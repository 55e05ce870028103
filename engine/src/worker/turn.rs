//! Thread: worker. One neural worker of a user works at a time: two models in memory would be too many.
//!
//! The turn is a lock on a file, which the system takes back however a process ends. Whoever waits holds a shared lock on a
//! second file, so that the holder sees that somebody waits, and leaves as soon as it is idle.

use crate::error::{Error, Result};
use crate::job_context::JobContext;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::Duration;

const TURN: &str = "worker.turn";
const WANTED: &str = "worker.wanted";
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(40);

/// The right to work, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    /// `None` where files cannot be locked, as on some network drives: work is worth more than the rule.
    held: Option<(File, File)>,
}

impl Turn {
    /// Waits for the turn; `on_wait` hears of every look in vain.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::File`] when the folder cannot be written.
    pub fn wait(folder: &Path, context: &JobContext, mut on_wait: impl FnMut()) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|error| Error::file("create", folder, &error))?;
        let open = |name: &str| {
            let path = folder.join(name);
            let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
            file.map_err(|error| Error::file("write", &path, &error))
        };
        let (turn, wanted) = (open(TURN)?, open(WANTED)?);
        let mut asked = false;
        loop {
            context.check()?;
            match turn.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(_)) => return Ok(Self { held: None }),
                Err(TryLockError::WouldBlock) => {}
            }
            // The holder looks by taking this lock for a moment; the next round tries again.
            asked = asked || wanted.try_lock_shared().is_ok();
            on_wait();
            std::thread::sleep(LOOK);
        }
        // The system takes the lock back with the file in any case.
        let _ = wanted.unlock();
        Ok(Self { held: Some((turn, wanted)) })
    }

    /// Whether somebody else waits for the turn.
    pub fn is_wanted(&self) -> bool {
        let Some((_, wanted)) = &self.held else { return false };
        match wanted.try_lock() {
            Ok(()) => {
                // Taken only to see whether it was free; it goes back with the file in any case.
                let _ = wanted.unlock();
                false
            }
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => false,
        }
    }
}
