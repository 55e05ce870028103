//! Thread: worker builds, audio reads. A rendition made ready for the audio thread.

use crate::generation::score::Role;
use crate::rendition::Rendition;
use crate::time::{Beats, Bpm, Frames, SampleRate, SongGrid};
use std::sync::Arc;

/// A rendition that can be played: shared with whoever else shows or exports it, and never freed by the audio thread.
pub struct Clip {
    id: u64,
    rendition: Arc<Rendition>,
    /// Index into the rendition's stems, by role.
    stems: [Option<usize>; Role::ALL.len()],
}

impl Clip {
    /// Makes a rendition ready. The id names it in the telemetry.
    pub fn from_rendition(id: u64, rendition: Arc<Rendition>) -> Self {
        let stems = Role::ALL.map(|role| rendition.stems.iter().position(|stem| stem.role == role));
        Self { id, rendition, stems }
    }

    /// Names it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Frames per second.
    pub fn rate(&self) -> SampleRate {
        self.rendition.mix.rate
    }

    /// Where it lies in the song.
    pub fn grid(&self) -> &SongGrid {
        &self.rendition.grid
    }

    /// Frames of the region; the sound after it is its tail.
    pub fn region(&self) -> Frames {
        self.rendition.region
    }

    /// The tempo it was made for, when that is one.
    pub fn tempo(&self) -> Option<Bpm> {
        self.grid().tempo.single()
    }

    /// Whether an attack may lie on a frame: it begins the region or is within a frame of a beat.
    pub(super) fn is_attack(&self, frame: i64) -> bool {
        let time = Frames(frame).seconds(self.rate());
        let beat = Beats(self.grid().beat_at(time).0.round());
        let off = self.grid().exact_frame_of(beat, self.rate()) - time.0 * self.rate().hz();
        frame <= 0 || off.abs() <= 1.0
    }

    /// A channel of the mix, or of a stem; empty when there is none. A mono sound is on both sides.
    pub(super) fn samples(&self, stem: Option<Role>, channel: usize) -> &[f32] {
        let audio = match stem {
            None => Some(&self.rendition.mix),
            Some(role) => self.stems[role as usize].and_then(|index| Some(&self.rendition.stems.get(index)?.audio)),
        };
        audio
            .and_then(|audio| audio.channels.get(channel).or_else(|| audio.channels.first()))
            .map_or(&[], Vec::as_slice)
    }
}
