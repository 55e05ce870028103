//! Thread: worker sends, audio receives. Clips travel to the player over a ring, and the replaced ones travel back over
//! another, so that whatever is freed is freed where freeing may take its time.

use crate::playback::clip::Clip;
use rtrb::{Consumer, Producer, PushError, RingBuffer};

/// Clips that may wait for the player. More only wait longer: the newest wins.
const WAITING: usize = 4;
/// Clips that may wait to be freed: all that can be under way at once.
const RETURNING: usize = 16;

/// The sending end.
#[derive(Debug)]
pub struct ClipSender {
    to_player: Producer<Option<Box<Clip>>>,
    from_player: Consumer<Box<Clip>>,
    /// The newest wish, when the ring had no room for it.
    wish: Option<Option<Box<Clip>>>,
}

/// The player's end.
#[derive(Debug)]
pub struct ClipInbox {
    from_sender: Consumer<Option<Box<Clip>>>,
    to_sender: Producer<Box<Clip>>,
}

/// Both ends of a new pair of rings.
pub fn handoff() -> (ClipSender, ClipInbox) {
    let (to_player, from_sender) = RingBuffer::new(WAITING);
    let (to_sender, from_player) = RingBuffer::new(RETURNING);
    (ClipSender { to_player, from_player, wish: None }, ClipInbox { from_sender, to_sender })
}

impl ClipSender {
    /// Sends a clip to play from now on, or `None` to fall silent. When the player has not fetched the last few, the newest
    /// wish is kept and sent at the next call of this or [`Self::reclaim`].
    pub fn send(&mut self, clip: Option<Box<Clip>>) {
        self.wish = Some(clip);
        self.reclaim();
    }

    /// Frees the clips that came back, and sends a wish that had to wait.
    pub fn reclaim(&mut self) {
        while self.from_player.pop().is_ok() {}
        if let Some(clip) = self.wish.take()
            && let Err(PushError::Full(clip)) = self.to_player.push(clip)
        {
            self.wish = Some(clip);
        }
    }
}

impl ClipInbox {
    /// The next clip or wish for silence, if one has come. Never waits.
    pub(super) fn receive(&mut self) -> Option<Option<Box<Clip>>> {
        self.from_sender.pop().ok()
    }

    /// Sends a clip back to be freed; when there is no room, the caller keeps it.
    pub(super) fn give_back(&mut self, clip: Box<Clip>) -> Result<(), Box<Clip>> {
        self.to_sender.push(clip).map_err(|PushError::Full(clip)| clip)
    }
}
