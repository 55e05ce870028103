//! Thread: background. The key that calls a drag off.

use super::Result;
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, GrabMode, KeyPressEvent, Keycode, ModMask, Window};
use x11rb::rust_connection::RustConnection;

const ESCAPE: u32 = 0xff1b;

/// Watches the Escape key, and only that. It is grabbed, so that the host does not close its window by it; where another program
/// has grabbed it, the state of the keyboard is asked for instead.
pub(super) struct Escape {
    key: Option<Keycode>,
    grabbed: bool,
}

impl Escape {
    pub(super) fn watch(connection: &RustConnection, root: Window) -> Result<Self> {
        let setup = connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let keys = connection.get_keyboard_mapping(first, last - first + 1)?.reply()?;
        let width = usize::from(keys.keysyms_per_keycode).max(1);
        let place = keys.keysyms.chunks(width).position(|symbols| symbols.contains(&ESCAPE));
        let key = place.and_then(|place| u8::try_from(place).ok()?.checked_add(first));
        let mut grabbed = key.is_some();
        // With either of the locks on, it is another combination to the server.
        let locks = [ModMask::default(), ModMask::LOCK, ModMask::M2, ModMask::LOCK | ModMask::M2];
        for (key, locks) in key.into_iter().flat_map(|key| locks.map(|locks| (key, locks))) {
            let asynchronous = GrabMode::ASYNC;
            let taken = connection.grab_key(false, root, locks, key, asynchronous, asynchronous)?.check();
            grabbed &= taken.is_ok();
        }
        Ok(Self { key, grabbed })
    }

    /// Whether it is this key that was pressed.
    pub(super) fn is(&self, press: &KeyPressEvent) -> bool {
        Some(press.detail) == self.key
    }

    /// Whether it is held now; only asked for where presses are not heard of.
    pub(super) fn is_down(&self, connection: &RustConnection) -> Result<bool> {
        let Some(key) = self.key.filter(|_| !self.grabbed) else { return Ok(false) };
        let keys = connection.query_keymap()?.reply()?.keys;
        Ok(keys[usize::from(key / 8)] & (1 << (key % 8)) != 0)
    }
}
