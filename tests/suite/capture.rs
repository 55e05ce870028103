//! Tests of capture: a simulated host streams numbered samples through ring and collector, and takes are cut on the sample.

mod arming;
mod cuts;
mod hosts;
mod landing;
mod loopback;
mod orders;
mod passes;
mod placed;
mod recalls;
mod recording;
pub mod rig;
mod spools;
mod trims;
