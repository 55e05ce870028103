//! Thread: any sends, audio receives. Rings both ways between the workers and the player: what is replaced travels back to be
//! freed by the sender.

use super::clip::Clip;
use rtrb::{Consumer, Producer, RingBuffer};

/// Clips under way in either direction; more changes than that between two blocks wait at the sender.
const CAPACITY: usize = 8;

/// The workers' end.
pub struct ClipSender {
    to_player: Producer<Option<Box<Clip>>>,
    from_player: Consumer<Box<Clip>>,
    /// The newest wish that found no room.
    waiting: Option<Option<Box<Clip>>>,
}

/// The player's end.
pub struct ClipInbox {
    from_sender: Consumer<Option<Box<Clip>>>,
    to_sender: Producer<Box<Clip>>,
}

/// Both ends.
pub fn handoff() -> (ClipSender, ClipInbox) {
    let (to_player, from_sender) = RingBuffer::new(CAPACITY);
    // Room for everything that can be under way, and for what the player holds.
    let (to_sender, from_player) = RingBuffer::new(CAPACITY + 2);
    (ClipSender { to_player, from_player, waiting: None }, ClipInbox { from_sender, to_sender })
}

impl ClipSender {
    /// Replaces what plays; `None` plays nothing. When the ring is full the newest wish waits for the next call.
    pub fn send(&mut self, clip: Option<Box<Clip>>) {
        self.waiting = Some(clip);
        self.reclaim();
    }

    /// Frees what came back, and sends what had to wait.
    pub fn reclaim(&mut self) {
        while let Ok(returned) = self.from_player.pop() {
            drop(returned);
        }
        if let Some(wish) = self.waiting.take()
            && let Err(rtrb::PushError::Full(wish)) = self.to_player.push(wish)
        {
            self.waiting = Some(wish);
        }
    }
}

impl ClipInbox {
    /// The next change. Realtime safe.
    pub(super) fn next(&mut self) -> Option<Option<Box<Clip>>> {
        self.from_sender.pop().ok()
    }

    /// Sends a clip back; gives it back when there is no room yet. Realtime safe.
    pub(super) fn give_back(&mut self, clip: Box<Clip>) -> Option<Box<Clip>> {
        self.to_sender.push(clip).err().map(|rtrb::PushError::Full(clip)| clip)
    }
}
