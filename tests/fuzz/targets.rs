//! What is attacked. A target takes any bytes: it panics when something is wrong, and otherwise says what became of them.

mod audio;
mod host;
mod midi;
mod model;
mod pipe;
mod project;
mod prompt;
mod session;
mod song;
mod spool;
mod style;

use crate::draw::Draw;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Runs one input and names its answer, so that different answers can be told apart.
pub type Run = Box<dyn FnMut(&[u8]) -> u64>;

/// Something that is attacked.
pub struct Target {
    pub name: &'static str,
    /// Prepares what all inputs share.
    pub open: fn() -> Run,
    /// Inputs to begin with, besides the corpus.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Another input like this one.
    pub mutate: fn(&[u8], &mut Draw) -> Vec<u8>,
    /// Longer inputs are not tried.
    pub most_bytes: usize,
    /// Whether it drives the built plugin, which `CANTUS_BUNDLE` names.
    pub needs_bundle: bool,
}

/// All of them.
pub const TARGETS: [Target; 11] = [
    session::TARGET,
    project::TARGET,
    midi::TARGET,
    audio::TARGET,
    style::TARGET,
    model::TARGET,
    prompt::TARGET,
    song::TARGET,
    pipe::TARGET,
    spool::TARGET,
    host::TARGET,
];

/// A name for an answer in words: digits do not count, nor what stands in quotes, because inputs are quoted.
pub fn answer(words: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    let mut quoted = false;
    for character in words.chars().take(2_000) {
        quoted ^= matches!(character, '"' | '`');
        if !quoted && !character.is_ascii_digit() {
            character.hash(&mut hash);
        }
    }
    hash.finish()
}

/// A sentence for a musician: it ends, it is one line, and it is not endless.
pub fn check_sentence(error: &cantus_engine::Error) -> u64 {
    let sentence = error.to_string();
    assert!(sentence.chars().count() < 2_000, "an endless sentence: {sentence}");
    assert!(!matches!(error, cantus_engine::Error::Internal { .. }), "a mistake of ours: {sentence}");
    answer(&sentence)
}
