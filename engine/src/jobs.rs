//! Thread: any. Jobs: everything that takes longer than a frame of the window, in two lanes.
//!
//! The *fast* lane holds analysis, Band, rendering and export; the *slow* lane is for neural engines, so that minutes of inference
//! never delay a melody view. [`lanes`] runs them, [`cache`] remembers results, [`pipeline`] is the product in one function.

pub mod cache;
pub mod lanes;
pub mod pipeline;
mod priority;
