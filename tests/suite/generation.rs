//! Tests of generation: styles, prompts, and the scores the Band arranger writes.

mod checker;
mod lead;
mod prompts;
mod scores;
mod style_files;
pub mod tunes;
