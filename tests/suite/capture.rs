//! Tests of capture: a simulated host streams numbered samples through ring and collector, and takes are cut on the sample.

mod cuts;
mod recording;
pub mod rig;
mod spools;
