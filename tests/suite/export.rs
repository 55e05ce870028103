//! Tests of export: files read back by other people's readers.

mod files;
mod midi;
mod picture;
mod sheet;
