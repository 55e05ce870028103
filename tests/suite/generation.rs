//! Tests of generation: styles, prompts, and the scores the Band arranger writes.

mod checker;
mod counter;
mod form;
mod harmony;
mod lead;
mod lead_freedom;
mod lead_voices;
mod locks;
mod moods;
mod parts;
mod probe;
mod promises;
mod prompts;
mod scores;
mod song;
mod style_files;
pub mod tunes;
