//! Thread: any. Capture: what the host plays into us becomes takes.
//!
//! The audio thread only pushes blocks ([`recorder`]); a thread of its own drains every instance's ring into a rolling
//! [`history`] ([`collector`]); a capture mode is a [`cut`] of song time out of that history and yields a [`take`].

#![deny(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

pub mod collector;
pub mod cut;
pub mod file;
pub mod history;
pub mod host_clock;
mod midi_file;
pub mod recorder;
pub mod ring;
pub mod signal;
pub mod spool;
pub mod steady;
pub mod take;
pub mod transport;
