//! Tests of generation: styles, prompts, and the scores the Band arranger writes.

mod checker;
mod counter;
mod lead;
mod lead_freedom;
mod lead_voices;
mod prompts;
mod scores;
mod style_files;
pub mod tunes;
