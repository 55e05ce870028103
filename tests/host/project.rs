//! Thread: any. The plugin's part of a saved project, opened up: parameters in plain text beside the session container.

use crate::error::HostError;
use serde_json::Value;

/// A saved state, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Project(Value);

impl Project {
    /// From the bytes that [`crate::Instance::save_state`] gave: a length, and JSON.
    ///
    /// # Errors
    /// When they are anything else.
    pub fn read(state: &[u8]) -> Result<Self, HostError> {
        let broken = || HostError("The saved state is not what Cantus saves.".into());
        let (length, json) = state.split_first_chunk::<8>().ok_or_else(broken)?;
        if u64::from_le_bytes(*length) != json.len() as u64 {
            return Err(broken());
        }
        serde_json::from_slice(json).map(Self).map_err(|error| HostError::of("The saved state is no JSON", error))
    }

    /// As bytes for [`crate::Instance::load_state`].
    pub fn write(&self) -> Vec<u8> {
        let json = self.0.to_string().into_bytes();
        let mut state = (json.len() as u64).to_le_bytes().to_vec();
        state.extend(json);
        state
    }

    /// The session container, as text.
    pub fn session_text(&self) -> String {
        // A persisted field is JSON inside JSON.
        let field = self.0["fields"]["session"].as_str().unwrap_or("\"\"");
        serde_json::from_str(field).unwrap_or_default()
    }

    /// Replaces the session container.
    pub fn set_session_text(&mut self, text: &str) {
        self.0["fields"]["session"] = Value::String(Value::String(text.to_owned()).to_string());
    }

    /// A parameter as it is saved, by its id.
    pub fn param(&self, id: &str) -> &Value {
        // Values are tagged with their type: {"i32": 7}.
        let tagged = self.0["params"][id].as_object();
        tagged.and_then(|tagged| tagged.values().next()).unwrap_or(&Value::Null)
    }

    /// Every parameter id, sorted.
    pub fn param_ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.0["params"].as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
        ids.sort();
        ids
    }
}
