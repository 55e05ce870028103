//! Thread: any. Capture: what the host plays into us becomes takes.
//!
//! The audio thread only pushes blocks ([`recorder`]); a thread of its own drains every instance's ring into a rolling
//! [`history`] ([`collector`]); a capture mode is a [`cut`] of song time out of that history and yields a [`take`].

#![deny(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

pub mod collector;
mod count_in;
pub mod cut;
pub mod ear;
pub mod file;
pub mod history;
pub mod host_clock;
pub mod loopback;
mod midi_file;
pub mod passes;
pub mod place;
pub mod recall;
pub mod recorder;
mod repeats;
pub mod ring;
pub mod signal;
mod slot;
mod sound;
pub mod spool;
pub mod steady;
pub mod take;
pub mod transport;
pub mod trim;
