//! Thread: audio. The keys of one block that play regions.

use crate::capture::ring::MidiEvent;
use crate::playback::settings::PlayerSettings;

/// Strokes of one block; nobody plays more.
const MOST_STROKES: usize = 32;

/// A key that plays a region goes down or up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stroke {
    /// Frame in the block.
    pub frame: usize,
    /// The region's seat.
    pub seat: usize,
    /// Down.
    pub down: bool,
}

/// The strokes of one block, by frame.
#[derive(Debug, Clone, Copy)]
pub struct Strokes {
    strokes: [Stroke; MOST_STROKES],
    count: usize,
}

impl Strokes {
    /// None.
    pub const NONE: Self = Self { strokes: [Stroke { frame: 0, seat: 0, down: false }; MOST_STROKES], count: 0 };

    /// Those among the notes of a block, whatever their channel and velocity.
    pub fn among(notes: &[MidiEvent], settings: &PlayerSettings) -> Self {
        let mut among = Self::NONE;
        for note in notes {
            let Some(seat) = settings.seat_of_key(note.key) else { continue };
            let down = note.velocity > 0.0;
            let frame = usize::try_from(note.frame).unwrap_or(0);
            if let Some(free) = among.strokes.get_mut(among.count) {
                *free = Stroke { frame, seat, down };
                among.count += 1;
            }
        }
        among.strokes[..among.count].sort_unstable_by_key(|stroke| (stroke.frame, stroke.down));
        among
    }

    /// Those of a seat.
    pub fn of(&self, seat: usize) -> impl Iterator<Item = Stroke> + '_ {
        self.strokes[..self.count].iter().copied().filter(move |stroke| stroke.seat == seat)
    }
}
