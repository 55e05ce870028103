//! Tests of export: files read back by other people's readers.

mod chunks;
mod files;
mod midi;
mod midi_options;
mod picture;
mod sheet;
mod shelf;
mod stems;
