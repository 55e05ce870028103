//! Thread: audio. What of a block is played from where: runs of consecutive clip frames with their gains, decided once a block and used
//! for the mix and for every stem.

/// Which clip a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The one that plays.
    Current,
    /// The one it replaced, while it fades.
    Retiring,
}

/// How a run's gain moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gain {
    /// Full.
    Full,
    /// Rising; so many frames of the fade are over.
    Rising(usize),
    /// Falling; so many frames of the fade are over.
    Falling(usize),
}

/// Consecutive frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// First frame in the block.
    pub at: usize,
    /// How many.
    pub frames: usize,
    /// Which clip.
    pub source: Source,
    /// First frame in the clip; outside the clip is silence.
    pub from: i64,
    /// Stays on the frame before `from` instead of moving on.
    pub held: bool,
    /// Its gain.
    pub gain: Gain,
}

/// Runs of one block. Its size is fixed at construction; a block that needs more (loops of a few frames) loses the rest of its runs.
#[derive(Debug)]
pub struct Plan {
    runs: Vec<Run>,
}

/// Runs that a block may have.
const MOST_RUNS: usize = 1_024;

impl Plan {
    /// Empty, with room.
    pub fn new() -> Self {
        Self { runs: Vec::with_capacity(MOST_RUNS) }
    }

    /// Forgets everything. Realtime safe.
    pub fn clear(&mut self) {
        self.runs.clear();
    }

    /// Adds a run. Realtime safe.
    pub fn push(&mut self, run: Run) {
        if self.runs.len() < MOST_RUNS && run.frames > 0 {
            // RT-OK: there is room, so nothing is allocated.
            self.runs.push(run);
        }
    }

    /// All of them.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}
