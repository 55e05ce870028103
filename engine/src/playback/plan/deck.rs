//! Thread: audio. The clips the player holds: the one that plays, and replaced ones until their last fade is over.

use crate::playback::clip::Clip;
use crate::playback::fade::Fade;
use crate::playback::handoff::ClipInbox;
use crate::time::SampleRate;

/// Clips held at once. While more swaps come within one fade, they wait in the ring.
const SLOTS: usize = 4;

/// The clips, by slot.
pub struct Deck {
    inbox: ClipInbox,
    slots: [Option<Box<Clip>>; SLOTS],
    current: Option<usize>,
    /// The player's rate.
    pub rate: SampleRate,
    /// The fade at that rate.
    pub fade: Fade,
}

impl Deck {
    /// Empty.
    pub fn new(inbox: ClipInbox, rate: SampleRate) -> Self {
        Self { inbox, slots: [const { None }; SLOTS], current: None, rate, fade: Fade::new(rate) }
    }

    /// Fetches what was sent, and sends back what is no longer current and not `sounding`.
    pub fn exchange(&mut self, sounding: impl Fn(usize) -> bool) {
        loop {
            self.give_back(&sounding);
            let Some(free) = self.slots.iter().position(Option::is_none) else { return };
            let Some(clip) = self.inbox.receive() else { return };
            self.current = clip.is_some().then_some(free);
            self.slots[free] = clip;
        }
    }

    fn give_back(&mut self, sounding: &impl Fn(usize) -> bool) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if self.current != Some(index)
                && !sounding(index)
                && let Some(clip) = slot.take()
            {
                *slot = self.inbox.give_back(clip).err();
            }
        }
    }

    /// The clip in a slot.
    pub fn clip(&self, slot: usize) -> Option<&Clip> {
        self.slots.get(slot)?.as_deref()
    }

    /// The clip that should play.
    pub fn current(&self) -> Option<(usize, &Clip)> {
        let slot = self.current?;
        Some((slot, self.clip(slot)?))
    }
}
