//! Tests of playback: a host with a whole-frame clock of its own plays, and what comes out is held against that clock.

mod continuity;
mod exchange;
mod host;
mod mixing;
mod rings;
mod slices;
mod sync;
