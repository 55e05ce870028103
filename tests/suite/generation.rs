//! Tests of generation: styles, prompts, and the scores the Band arranger writes.

mod checker;
mod form;
mod lead;
mod locks;
mod moods;
mod parts;
mod probe;
mod prompts;
mod scores;
mod style_files;
pub mod tunes;
