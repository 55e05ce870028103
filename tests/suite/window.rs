//! The window, drawn without a display: pictures of every state against those that were looked at, colours against the eye, settings,
//! keys.

mod colours;
mod keys;
mod pictures;
mod settings;

#[path = "../screens/screens.rs"]
pub mod screens;
