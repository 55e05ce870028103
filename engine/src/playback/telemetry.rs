//! Thread: audio writes, any reads. What the player tells the other threads.

use super::settings::MOST_REGIONS;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// Stands for no clip.
const NO_CLIP: u64 = u64::MAX;

/// What the player tells the other threads. Every value stands for itself; they are not one snapshot. A seat that there is not tells what
/// an empty one tells.
#[derive(Debug, Default)]
pub struct PlayerTelemetry {
    seats: [SeatTelemetry; MOST_REGIONS],
    non_finite: AtomicU64,
}

/// The same of one seat.
#[derive(Debug)]
struct SeatTelemetry {
    clip: AtomicU64,
    waiting: AtomicU64,
    position: AtomicI64,
    slicing: AtomicBool,
}

impl Default for SeatTelemetry {
    fn default() -> Self {
        Self {
            clip: AtomicU64::new(NO_CLIP),
            waiting: AtomicU64::new(NO_CLIP),
            position: AtomicI64::new(-1),
            slicing: AtomicBool::new(false),
        }
    }
}

/// What a seat has to tell after a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SeatReport {
    pub clip: Option<u64>,
    pub waiting: Option<u64>,
    pub position: Option<i64>,
    pub slicing: bool,
}

impl PlayerTelemetry {
    /// Number of the clip that a seat plays.
    pub fn clip(&self, seat: usize) -> Option<u64> {
        Some(self.seats.get(seat)?.clip.load(Ordering::Relaxed)).filter(|&id| id != NO_CLIP)
    }

    /// Number of the clip that waits for the next bar line to take over in a seat.
    pub fn waiting(&self, seat: usize) -> Option<u64> {
        Some(self.seats.get(seat)?.waiting.load(Ordering::Relaxed)).filter(|&id| id != NO_CLIP)
    }

    /// Frame of a seat's rendition at the first frame of the last block in which it sounded; -1 when it did not.
    pub fn position(&self, seat: usize) -> i64 {
        self.seats.get(seat).map_or(-1, |seat| seat.position.load(Ordering::Relaxed))
    }

    /// Whether the host's tempo is not that of a seat's clip, so that it plays beat by beat until a new one comes.
    pub fn slicing(&self, seat: usize) -> bool {
        self.seats.get(seat).is_some_and(|seat| seat.slicing.load(Ordering::Relaxed))
    }

    /// Samples that were NaN or infinite and were silenced, since the player was built.
    pub fn non_finite(&self) -> u64 {
        self.non_finite.load(Ordering::Relaxed)
    }

    pub(super) fn count_non_finite(&self, count: u64) {
        self.non_finite.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn report(&self, seat: usize, report: SeatReport) {
        let Some(seat) = self.seats.get(seat) else { return };
        seat.clip.store(report.clip.unwrap_or(NO_CLIP), Ordering::Relaxed);
        seat.waiting.store(report.waiting.unwrap_or(NO_CLIP), Ordering::Relaxed);
        seat.position.store(report.position.unwrap_or(-1), Ordering::Relaxed);
        seat.slicing.store(report.slicing, Ordering::Relaxed);
    }
}
