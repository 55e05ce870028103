//! Thread: gui. What the host's project holds besides parameters: the engine's session, as text.

use crate::contained::{Place, contained};
use cantus_engine::instance::Instance;
use cantus_engine::session::Session;
use cantus_engine::session::container::Chunk;
use nice_plug::params::persist::deserialize_field;
use nice_plug::prelude::{ParamPtr, Params};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The name of the text among the project's fields.
const FIELD: &str = "session";
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
        // A session of plain data always encodes; the empty text is the empty session.
        let Ok(mut outline) = self.instance.outline() else { return String::new() };
        if let Some(unreadable) = self.unreadable.lock().as_ref() {
            if outline.regions.iter().all(|region| region.take.is_none() && region.variations.is_empty()) {
                return unreadable.clone();
            }
            outline.unknown.retain(|chunk| chunk.tag != UNREADABLE);
            outline.unknown.push(Chunk { tag: UNREADABLE, bytes: unreadable.as_bytes().into() });
        }
        outline.encode_text().unwrap_or_default()
    }

    fn open(&self, text: String) {
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
}

// SAFETY: it has no parameters, so that there are no pointers to keep valid.
unsafe impl Params for SavedSession {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        Vec::new()
    }

    /// Fields are JSON. A session's text needs no escapes, so that quotes make it JSON: looking at each of its many letters would take longer
    /// than everything else.
    fn serialize_fields(&self) -> BTreeMap<String, String> {
        let text = contained(Place::Save, Some(&self.instance), || self.text());
        let text = text.inspect(|text| self.last.lock().clone_from(text)).unwrap_or_else(|| self.last.lock().clone());
        let field = match self.unreadable.lock().as_ref() {
            // What somebody else wrote may need them.
            Some(_) => nice_plug::params::persist::serialize_field(&text).unwrap_or_default(),
            None => {
                let mut field = String::with_capacity(text.len() + 2);
                field.push('"');
                field.push_str(&text);
                field.push('"');
                field
            }
        };
        BTreeMap::from([(FIELD.to_owned(), field)])
    }

    fn deserialize_fields(&self, fields: &BTreeMap<String, String>) {
        let Some(field) = fields.get(FIELD) else { return };
        match deserialize_field::<String>(field) {
            Ok(text) => self.open(text),
            Err(error) => {
                self.instance.tell(format!("The project's session is no text ({error}). Nothing was changed."))
            }
        }
    }
}
