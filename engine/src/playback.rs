//! Thread: audio, except where a part says otherwise. Playback: renditions sound where they belong in the song.
//!
//! [`clip`]s travel in over a ring and travel back over another to be freed elsewhere ([`handoff`]); [`sync`] says which frame of a
//! clip belongs to a block; [`plan`] turns that into runs with [`fade`]s; the [`player`] adds them to the host's buffers.

pub mod clip;
pub mod fade;
pub mod handoff;
pub mod plan;
pub mod player;
pub mod sync;
