//! Thread: audio, except where a part says otherwise. Playback: a rendition sounds in the host's song, frame for frame on the
//! host's own grid.
//!
//! [`sync`] says which frame of the rendition belongs to a block, [`plan`] turns that into runs and fades, [`player`] mixes
//! them, [`handoff`] brings clips in and takes the replaced ones back so that the audio thread never frees anything.

#![deny(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

pub mod clip;
pub mod fade;
pub mod handoff;
mod plan;
pub mod player;
pub mod sync;
