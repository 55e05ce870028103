//! Thread: gui. What the host's project holds besides parameters: the engine's session, as text.

use crate::contained::{Place, contained};
use cantus_engine::instance::Instance;
use cantus_engine::session::Session;
use cantus_engine::session::container::Chunk;
use nice_plug::params::persist::PersistentField;
use parking_lot::Mutex;
use std::sync::Arc;

/// Tag of a session that this version could not read, kept inside the one that is saved.
const UNREADABLE: [u8; 4] = *b"LOST";

/// Saves and restores the instance's session.
pub struct SavedSession {
    instance: Arc<Instance>,
    /// A session that could not be read: saved again as it was, because a newer Cantus may well read it.
    unreadable: Mutex<Option<String>>,
    /// What was opened or saved last: a save that fails gives it again, because an empty project would be lost work.
    last: Mutex<String>,
}

impl SavedSession {
    /// For an instance.
    pub fn new(instance: Arc<Instance>) -> Self {
        Self { instance, unreadable: Mutex::default(), last: Mutex::default() }
    }

    fn text(&self) -> String {
        let mut session = self.instance.session();
        if let Some(unreadable) = self.unreadable.lock().as_ref() {
            if session.regions.iter().all(|region| region.take.is_none() && region.variations.is_empty()) {
                return unreadable.clone();
            }
            session.unknown.retain(|chunk| chunk.tag != UNREADABLE);
            session.unknown.push(Chunk { tag: UNREADABLE, bytes: unreadable.as_bytes().into() });
        }
        // A session of plain data always encodes.
        session.encode_text().unwrap_or_else(|_| self.last.lock().clone())
    }
}

impl PersistentField<'_, String> for SavedSession {
    fn set(&self, text: String) {
        let restored = contained(Place::Load, Some(&self.instance), || {
            Session::decode_text(&text).and_then(|session| self.instance.restore(session))
        });
        match restored {
            Some(Ok(())) => {
                *self.unreadable.lock() = None;
                *self.last.lock() = text;
            }
            Some(Err(error)) => {
                self.instance.tell(error.to_string());
                *self.unreadable.lock() = Some(text);
            }
            None => *self.unreadable.lock() = Some(text),
        }
    }

    fn map<F, R>(&self, read: F) -> R
    where
        F: Fn(&String) -> R,
    {
        let text = contained(Place::Save, Some(&self.instance), || self.text());
        let mut last = self.last.lock();
        if let Some(text) = text {
            *last = text;
        }
        read(&last)
    }
}
