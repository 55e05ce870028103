//! Thread: any. What can go wrong between host and plugin, as a sentence.

use std::fmt;

/// A sentence that says what the plugin or the host could not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostError(pub String);

impl HostError {
    /// A failure of `doing` with the library's own words.
    pub fn of(doing: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self(format!("{doing}: {reason}"))
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for HostError {}
