//! Thread: worker sends, audio receives. Clips travel to the player through a letter box in which the newest wish replaces an older one that
//! was not fetched, and whatever the player is done with travels back over a ring, so that it is freed where freeing may take its time.
//!
//! A letter box and not a ring, because a host may stop processing for any time while wishes keep coming; the last one must arrive.

use crate::playback::clip::Clip;
use crate::playback::settings::MOST_REGIONS;
use crossbeam_utils::atomic::AtomicCell;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;

/// Things that may wait to be freed. When it is full the player fetches nothing new, so nothing is ever freed by it.
const RETURNING: usize = 16;

/// A wish: a clip to play, or silence.
#[derive(Debug)]
struct Wish(Option<Box<Clip>>);

/// A pointer, so that it is exchanged in one atomic step.
type LetterBox = AtomicCell<Option<Box<Wish>>>;
const _: () = assert!(LetterBox::is_lock_free());

/// What comes back.
#[derive(Debug)]
#[expect(dead_code, reason = "it is only ever freed")]
enum Returned {
    Clip(Box<Clip>),
    /// The envelope that a clip came in.
    Wish(Box<Wish>),
}

/// The sending end.
pub struct ClipSender {
    letter_box: Arc<LetterBox>,
    from_player: Consumer<Returned>,
}

/// The player's end.
pub struct ClipInbox {
    letter_box: Arc<LetterBox>,
    to_sender: Producer<Returned>,
}

/// Both ends of a new pair.
pub fn handoff() -> (ClipSender, ClipInbox) {
    let letter_box = Arc::new(LetterBox::new(None));
    let (to_sender, from_player) = RingBuffer::new(RETURNING);
    (ClipSender { letter_box: letter_box.clone(), from_player }, ClipInbox { letter_box, to_sender })
}

/// Both ends for every seat of a player.
pub fn handoffs() -> ([ClipSender; MOST_REGIONS], [ClipInbox; MOST_REGIONS]) {
    let mut inboxes = [const { None }; MOST_REGIONS];
    let senders = std::array::from_fn(|seat| {
        let (sender, inbox) = handoff();
        inboxes[seat] = Some(inbox);
        sender
    });
    // Every place was filled above; an inbox without a sender is as good as an empty one.
    (senders, inboxes.map(|inbox| inbox.unwrap_or_else(|| handoff().1)))
}

impl ClipSender {
    /// Sends a clip to play from now on, or `None` to fall silent. A wish that was not fetched yet is replaced.
    pub fn send(&mut self, clip: Option<Box<Clip>>) {
        self.reclaim();
        drop(self.letter_box.swap(Some(Box::new(Wish(clip)))));
    }

    /// Frees what came back.
    pub fn reclaim(&mut self) {
        while self.from_player.pop().is_ok() {}
    }
}

impl ClipInbox {
    /// The newest wish, if one has come. Never waits.
    pub(super) fn receive(&mut self) -> Option<Option<Box<Clip>>> {
        if self.to_sender.slots() == 0 {
            return None;
        }
        let mut wish = self.letter_box.take()?;
        let clip = wish.0.take();
        // RT-OK: there is a slot, and only this thread takes any; so the envelope is not freed here.
        let _ = self.to_sender.push(Returned::Wish(wish));
        Some(clip)
    }

    /// Sends a clip back to be freed; when there is no room, the caller keeps it.
    pub(super) fn give_back(&mut self, clip: Box<Clip>) -> Result<(), Box<Clip>> {
        if self.to_sender.slots() == 0 {
            return Err(clip);
        }
        // RT-OK: there is a slot, and only this thread takes any; so the clip is not freed here.
        let _ = self.to_sender.push(Returned::Clip(clip));
        Ok(())
    }
}
