//! Thread: gui. What the host's project holds besides parameters: the engine's session, as text.

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
}

impl SavedSession {
    /// For an instance.
    pub fn new(instance: Arc<Instance>) -> Self {
        Self { instance, unreadable: Mutex::default() }
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
        // A session of plain data always encodes; the empty text is the empty session.
        session.encode_text().unwrap_or_default()
    }
}

impl PersistentField<'_, String> for SavedSession {
    fn set(&self, text: String) {
        let restored = Session::decode_text(&text).and_then(|session| self.instance.restore(session));
        *self.unreadable.lock() = match restored {
            Ok(()) => None,
            Err(error) => {
                self.instance.tell(error.to_string());
                Some(text)
            }
        };
    }

    fn map<F, R>(&self, read: F) -> R
    where
        F: Fn(&String) -> R,
    {
        read(&self.text())
    }
}
