//! Thread: audio. The clips a seat holds: the newest, the one that plays until the newest takes over, and replaced ones until their last
//! fade is over.

use crate::generation::score::Role;
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

    /// Fetches what was sent, and sends back what is no longer current and not `needed`.
    pub fn exchange(&mut self, needed: impl Fn(usize) -> bool) {
        loop {
            self.give_back(&needed);
            let Some(free) = self.slots.iter().position(Option::is_none) else { return };
            let Some(clip) = self.inbox.receive() else { return };
            self.current = clip.is_some().then_some(free);
            self.slots[free] = clip;
        }
    }

    fn give_back(&mut self, needed: &impl Fn(usize) -> bool) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if self.current != Some(index)
                && !needed(index)
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

    /// The slot of the newest clip.
    pub fn newest(&self) -> Option<usize> {
        self.current
    }

    /// The clip that should play from the next chance on.
    pub fn current(&self) -> Option<(usize, &Clip)> {
        let slot = self.current?;
        Some((slot, self.clip(slot)?))
    }

    /// Whether any clip has a stem of a role.
    pub fn has_stem(&self, role: Role) -> bool {
        self.slots.iter().flatten().any(|clip| clip.has_stem(role))
    }

    /// Whether there is no clip at all.
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }
}
