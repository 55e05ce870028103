//! Thread: worker. MusicGen-melody (arXiv 2306.05284): text and melody in, music out, from the user's own checkpoint.

pub mod conditioning;
pub mod encodec;
pub mod text;
