//! Thread: any. Pictures of the window in every state, drawn without a display.

pub mod raster;
pub mod screen;
pub mod states;
