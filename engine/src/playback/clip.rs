//! Thread: worker builds, audio reads. A rendition made ready to be played.

use crate::generation::score::Role;
use crate::rendition::Rendition;
use crate::time::{Beats, Frames, SampleRate, SongGrid};
use std::sync::Arc;

/// Attacks are expected on these parts of a beat: sixteenths and triplets both fall on twelfths.
const ATTACKS_PER_BEAT: f64 = 12.0;

/// A rendition and its number. Shares the audio with whoever else holds the rendition, so it must be dropped off the audio
/// thread: it may be the last holder.
#[derive(Debug)]
pub struct Clip {
    id: u64,
    rendition: Arc<Rendition>,
}

/// Left and right of one part; the same slice twice when it is mono.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    pub left: &'a [f32],
    pub right: &'a [f32],
}

/// What of a clip is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Mix,
    Stem(Role),
}

impl Clip {
    /// Wraps a rendition. `id` is what [`super::player::PlayerTelemetry::clip`] reports; `u64::MAX` is reserved for none.
    pub fn from_rendition(id: u64, rendition: Arc<Rendition>) -> Self {
        Self { id, rendition }
    }

    /// The number it was given.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Where it lies in the song.
    pub fn grid(&self) -> &SongGrid {
        &self.rendition.grid
    }

    /// Frames per second of its audio.
    pub fn rate(&self) -> SampleRate {
        self.rendition.rate()
    }

    /// Length of the region, in frames; the audio goes on beyond it.
    pub fn region_frames(&self) -> i64 {
        self.rendition.region.0.max(0)
    }

    /// Whether what rings after its region belongs into its head when the song jumps from its end to its start.
    pub fn leads_back(&self) -> bool {
        self.rendition.leads_back()
    }

    /// Length of the audio, in frames.
    pub fn frames(&self) -> i64 {
        self.rendition.mix.length().0
    }

    pub(super) fn sides(&self, part: Part) -> Option<Sides<'_>> {
        let audio = match part {
            Part::Mix => &self.rendition.mix,
            Part::Stem(role) => &self.rendition.stems.iter().find(|stem| stem.role == role)?.audio,
        };
        let left = audio.channels.first()?;
        let right = audio.channels.get(1).unwrap_or(left);
        Some(Sides { left, right })
    }

    /// Whether an attack is due in `[position, position + within)`: on a twelfth of a beat, or at the region's beginning.
    pub(super) fn attack_ahead(&self, position: i64, within: usize) -> bool {
        let ahead = position..position.saturating_add_unsigned(within as u64);
        let beat = self.grid().beat_at(Frames(position).seconds(self.rate()));
        let before = (beat.0 * ATTACKS_PER_BEAT).floor();
        // One to either side, since whole frames lie up to half a frame off the beats they stand for.
        ahead.contains(&0)
            || (-1..=2).any(|step| {
                let attack = Beats((before + f64::from(step)) / ATTACKS_PER_BEAT);
                ahead.contains(&self.grid().frame_of(attack, self.rate()).0)
            })
    }
}
