//! Thread: any. A headless CLAP host: loads the bundled plugin, drives it from a song clock of its own and keeps what it heard.
//!
//! [`Bundle`] is the file, [`Instance`] one plugin in it, [`Song`] the time line with what lies on the tracks, and
//! [`Instance::run`] lets a stretch of song pass through the plugin and returns [`Heard`]. Audio runs on a thread of its own;
//! the caller's thread is the plugin's main thread and answers its requests meanwhile.
//!
//! The host deliberately shares no time arithmetic with the engine, so that a mistake there is heard here.

pub mod audio_thread;
pub mod bundle;
pub mod clock;
pub mod compare;
pub mod cost;
#[cfg(unix)]
pub mod editor;
pub mod error;
pub mod handlers;
pub mod heard;
pub mod instance;
pub mod parameters;
pub mod ports;
pub mod project;
pub mod song;
pub mod threads;
pub mod transport;

pub use audio_thread::Pace;
pub use bundle::Bundle;
pub use clock::{LoopRegion, Piece, SongClock, Span, TransportReport};
pub use cost::BlockCost;
pub use error::HostError;
pub use handlers::Notices;
pub use heard::{Block, Heard, HeardNote, NoteKind};
pub use instance::{AudioSetup, Instance};
pub use parameters::Param;
pub use ports::{Port, Ports};
pub use project::Project;
pub use song::{Clip, Placement, Song, SongNote};
pub use threads::ThreadCensus;

/// A result with [`HostError`].
pub type Result<T> = std::result::Result<T, HostError>;
