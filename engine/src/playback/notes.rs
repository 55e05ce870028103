//! Thread: worker builds, audio reads. What the parts of a rendition play, sorted and placed on its frames.

use super::settings::ROLES;
use crate::generation::score::Role;
use crate::rendition::Rendition;
use crate::time::Beats;

/// MIDI channels of the roles, counted from 0, in the order of [`Role::ALL`]: melody, second line, chords, pad and bass from the first
/// channel on, colour on the sixth; drums on the tenth, where every sound set has its kit, and hand percussion on the one after it.
pub const CHANNELS: [u8; ROLES] = [0, 1, 2, 3, 4, 9, 10, 5];

/// No note is shorter, so that its end never meets its start.
const SHORTEST_BEATS: f64 = 1.0 / 960.0;

/// A note of a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PartNote {
    /// Place of the role in [`Role::ALL`].
    pub role: u8,
    pub key: u8,
    /// Above 0, at most 1.
    pub velocity: f32,
    /// In song position.
    pub start: f64,
    pub end: f64,
    /// The same on the rendition's frames.
    pub start_frame: i64,
    pub end_frame: i64,
}

impl PartNote {
    /// Whether it goes on sounding once it was struck; what does not is not worth striking late.
    pub fn sustains(&self) -> bool {
        let drums = [Role::Drums, Role::Percussion];
        Role::ALL.get(usize::from(self.role)).is_some_and(|role| !drums.contains(role))
    }
}

/// The notes of a rendition, by start; none when it was made as audio.
pub(super) fn of(rendition: &Rendition) -> Box<[PartNote]> {
    let Some(score) = &rendition.score else { return Box::default() };
    let (grid, rate) = (&rendition.grid, rendition.rate());
    let mut notes = Vec::new();
    for track in &score.tracks {
        let Some(role) = (0_u8..).zip(Role::ALL).find_map(|(index, role)| (role == track.role).then_some(index)) else {
            continue;
        };
        for note in &track.notes {
            // A breath before the region is the region's beginning: there is nothing before it.
            let start = note.start.0.max(grid.start.0);
            let end = (note.start.0 + note.length.0).max(start + SHORTEST_BEATS);
            if !start.is_finite() || !end.is_finite() || note.key > 127 {
                continue;
            }
            let start_frame = grid.frame_of(Beats(start), rate).0.max(0);
            let end_frame = grid.frame_of(Beats(end), rate).0.max(start_frame + 1);
            let velocity = f32::from(note.velocity.clamp(1, 127)) / 127.0;
            notes.push(PartNote { role, key: note.key, velocity, start, end, start_frame, end_frame });
        }
    }
    notes.sort_by(|a, b| a.start.total_cmp(&b.start).then(a.role.cmp(&b.role)).then(a.key.cmp(&b.key)));
    notes.into_boxed_slice()
}
