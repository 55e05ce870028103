//! Thread: worker builds, audio reads. A rendition made ready to be played.

use super::notes::{self, PartNote};
use crate::audio::AudioBuffer;
use crate::generation::score::Role;
use crate::rendition::Rendition;
use crate::time::{Beats, Frames, SampleRate, SongGrid};
use std::sync::{Arc, Weak};

/// Attacks are expected on these parts of a beat: sixteenths and triplets both fall on twelfths.
const ATTACKS_PER_BEAT: f64 = 12.0;

/// A rendition and its number. Shares the audio with whoever else holds the rendition, so it must be dropped off the audio
/// thread: it may be the last holder.
#[derive(Debug)]
pub struct Clip {
    id: u64,
    rendition: Arc<Rendition>,
    /// What its parts play, for whoever wants to hear the notes instead.
    notes: Box<[PartNote]>,
    /// The take itself, frame for frame beside the rendition.
    original: Option<Arc<AudioBuffer>>,
    /// The rendition of before, when its mix is the very same.
    same_mix: Option<Weak<Rendition>>,
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
    /// The mix where there are no stems, else nothing: what is left when all stems were asked for one by one.
    Stemless,
}

impl Clip {
    /// Wraps a rendition. `id` is what [`super::telemetry::PlayerTelemetry::clip`] reports, and what tells another variation from another
    /// rendering of the same; `u64::MAX` is reserved for none.
    pub fn from_rendition(id: u64, rendition: Arc<Rendition>) -> Self {
        let notes = notes::of(&rendition);
        Self { id, rendition, notes, original: None, same_mix: None }
    }

    /// Brings the take itself along, for [`super::settings::PlayerSettings::compare`]: frame 0 belongs on frame 0 of the rendition, at its
    /// rate and tempo, and as loud as the listener is to hear it.
    #[must_use]
    pub fn beside(self, original: Arc<AudioBuffer>) -> Self {
        Self { original: Some(original), ..self }
    }

    /// Says that the mix is, to the bit, that of an earlier rendition in the same place, whose parts were not there yet.
    #[must_use]
    pub fn with_mix_of(self, earlier: Weak<Rendition>) -> Self {
        Self { same_mix: Some(earlier), ..self }
    }

    /// Whether the mix of this clip goes on where that of another stops, as if nothing had happened; `original` asks about the takes instead.
    pub(super) fn continues(&self, other: &Self, original: bool) -> bool {
        if original {
            return self
                .original
                .as_ref()
                .zip(other.original.as_ref())
                .is_some_and(|(own, other)| Arc::ptr_eq(own, other));
        }
        let earlier = |mix: &Weak<Rendition>| std::ptr::eq(mix.as_ptr(), Arc::as_ptr(&other.rendition));
        Arc::ptr_eq(&self.rendition, &other.rendition) || self.same_mix.as_ref().is_some_and(earlier)
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

    /// Where its region ends, in song position.
    pub fn end(&self) -> Beats {
        self.grid().beat_at(Frames(self.region_frames()).seconds(self.rate()))
    }

    /// Whether what rings after its region belongs into its head when the song jumps from its end to its start.
    pub fn leads_back(&self) -> bool {
        self.rendition.leads_back()
    }

    /// Length of the audio, in frames.
    pub fn frames(&self) -> i64 {
        self.rendition.mix.length().0
    }

    /// Whether the take came along.
    pub fn has_original(&self) -> bool {
        self.original.is_some()
    }

    /// Whether it has a part by itself.
    pub(super) fn has_stem(&self, role: Role) -> bool {
        self.rendition.stems.iter().any(|stem| stem.role == role)
    }

    /// What its parts play, by start.
    pub(super) fn notes(&self) -> &[PartNote] {
        &self.notes
    }

    /// The samples of a part, of the rendition or of the take itself, which has no parts.
    pub(super) fn sides(&self, part: Part, original: bool) -> Option<Sides<'_>> {
        let stems = &self.rendition.stems;
        let audio = match (part, self.original.as_deref().filter(|_| original)) {
            (Part::Stem(_), Some(_)) => return None,
            (Part::Mix | Part::Stemless, Some(original)) => original,
            (Part::Mix, None) => &self.rendition.mix,
            (Part::Stemless, None) => stems.is_empty().then_some(&self.rendition.mix)?,
            (Part::Stem(role), None) => &stems.iter().find(|stem| stem.role == role)?.audio,
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
