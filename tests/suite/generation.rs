//! Tests of generation: styles, prompts, and the scores the Band arranger writes.

mod checker;
mod harmony;
mod lead;
mod prompts;
mod scores;
mod song;
mod style_files;
pub mod tunes;
