//! Tests of the piano roll as a person uses it: mouse and keys in, corrections of the instance out. No window, no host, no sound.

mod access;
mod anything;
mod desk;
mod keys;
mod mouse;
mod sight;
