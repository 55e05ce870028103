//! Thread: audio, except where a part says otherwise. Playback: a rendition sounds in the host's song, frame for frame on the
//! host's own grid.
//!
//! Every region of an instance has a seat of its own. [`sync`] says which frame of its rendition belongs to a block, [`plan`] turns that into
//! runs and fades, [`player`] mixes those of all seats, [`parts`] sends their notes out, [`handoff`] brings clips in and takes the replaced
//! ones back so that the audio thread never frees anything.

#![deny(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

pub mod clip;
mod desk;
pub mod fade;
pub mod handoff;
pub mod notes;
mod parts;
mod plan;
pub mod player;
mod seat;
pub mod settings;
pub mod standing;
pub mod sync;
pub mod telemetry;
