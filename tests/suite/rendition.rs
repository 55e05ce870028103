//! Tests of rendition: what a score becomes, judged on the sound itself.

mod demo;
pub mod scores;
