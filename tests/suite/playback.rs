//! Tests of playback: a host with a whole-frame clock of its own plays, and what comes out is held against that clock.

mod beside;
mod continuity;
mod exchange;
pub(crate) mod host;
mod mixing;
mod modes;
mod notes_out;
mod rings;
mod roles;
mod seats;
mod slices;
mod switching;
mod sync;
