//! Cantus: a hummed melody becomes a styled rendition.
//!
//! Data walks capture → analysis → generation → rendition → playback and export; the modules are those stages. Nothing here
//! knows a host, a window or a plugin framework.
#![deny(missing_docs)]

pub mod analysis;
pub mod audio;
pub mod capture;
pub mod error;
pub mod generation;
pub mod job_context;
pub mod playback;
pub mod rendition;
pub mod resample;
pub mod time;

pub use error::{Error, Result};
