//! Cantus: a hummed melody becomes a styled rendition.
//!
//! Data walks capture → analysis → generation → rendition → playback and export; the modules are those stages. Nothing here
//! knows a host, a window or a plugin framework.
#![deny(missing_docs)]

pub mod analysis;
pub mod audio;
pub mod capture;
pub mod error;
pub mod export;
pub mod generation;
pub mod instance;
pub mod job_context;
pub mod jobs;
pub mod playback;
pub mod rendition;
pub mod resample;
pub mod session;
mod side_by_side;
pub mod studio;
pub mod time;
pub mod trace;

pub use error::{Error, Result};

/// PROTOTYPE
pub fn tune(name: &'static str, default: f32) -> f32 {
    use std::collections::BTreeMap;
    use std::sync::OnceLock;
    static VALUES: OnceLock<BTreeMap<String, f32>> = OnceLock::new();
    let values = VALUES.get_or_init(|| std::env::vars().filter_map(|(k, v)| Some((k.strip_prefix("T_")?.to_owned(), v.parse().ok()?))).collect());
    if values.is_empty() { return default; }
    values.get(name).copied().unwrap_or(default)
}
