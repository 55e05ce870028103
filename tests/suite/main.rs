//! The one test binary: every stage by itself, then the bundled plugin in a real CLAP host.

mod allocations;
mod analysis;
mod capture;
mod command_line;
mod export;
mod generation;
mod jobs;
mod playback;
mod plugin;
mod rendition;
mod session;
mod tidy;
