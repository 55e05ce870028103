//! Thread: any writes, audio reads. What the audio thread must know of an instance besides its clips.

use super::settings::MOST_REGIONS;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

/// Stands for no seat.
pub const NO_SEAT: u8 = u8::MAX;

/// Which seat belongs to which region, and how many renditions the audio thread may wait for when nobody listens.
#[derive(Debug, Default)]
pub struct Standing {
    chosen: AtomicU8,
    seats: [AtomicU8; MOST_REGIONS],
    awaited: AtomicUsize,
    compares: AtomicBool,
}

/// One rendition that is on its way, until it is dropped.
#[derive(Debug)]
pub struct Awaited(Arc<Standing>);

impl Standing {
    /// Tells the chosen region's seat, and the seats of all regions in the order they are shown.
    #[allow(clippy::cast_possible_truncation, reason = "there are eight seats")]
    pub fn seat(&self, chosen: usize, seats: impl Iterator<Item = usize>) {
        self.chosen.store(chosen.min(MOST_REGIONS) as u8, Ordering::Relaxed);
        let mut seats = seats.map(|seat| seat.min(MOST_REGIONS) as u8);
        self.seats.iter().for_each(|place| place.store(seats.next().unwrap_or(NO_SEAT), Ordering::Relaxed));
    }

    /// The chosen region's seat.
    pub fn chosen(&self) -> usize {
        usize::from(self.chosen.load(Ordering::Relaxed))
    }

    /// The seats of the regions in the order they are shown; [`NO_SEAT`] where there is none.
    pub fn seats(&self) -> [u8; MOST_REGIONS] {
        std::array::from_fn(|place| self.seats[place].load(Ordering::Relaxed))
    }

    /// Whether the takes themselves are to be heard.
    pub fn compare(&self, on: bool) {
        self.compares.store(on, Ordering::Relaxed);
    }

    /// What [`Self::compare`] said last.
    pub fn compares(&self) -> bool {
        self.compares.load(Ordering::Relaxed)
    }

    /// Counts a rendition that is on its way.
    pub fn await_one(self: &Arc<Self>) -> Awaited {
        self.awaited.fetch_add(1, Ordering::AcqRel);
        Awaited(self.clone())
    }

    /// Renditions that are on their way.
    pub fn awaited(&self) -> usize {
        self.awaited.load(Ordering::Acquire)
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.awaited.fetch_sub(1, Ordering::AcqRel);
    }
}
