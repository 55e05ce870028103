//! Cantus: a hummed melody becomes a styled rendition.
//!
//! Data walks capture → analysis → generation → rendition → playback and export; the modules are those stages. Nothing here
//! knows a host, a window or a plugin framework.
#![deny(missing_docs)]

pub mod analysis;
pub mod audio;
pub mod capture;
pub mod data_dir;
pub mod error;
pub mod export;
mod gating;
pub mod generation;
pub mod instance;
pub mod job_context;
pub mod jobs;
pub mod models;
pub mod playback;
mod polyline;
pub mod rendition;
pub mod resample;
pub mod session;
pub mod settings;
mod side_by_side;
pub mod stretch;
pub mod studio;
pub mod time;
pub mod trace;
pub mod worker;

pub use error::{Error, Result};
