//! Files out of the window and into it.

#[cfg(target_os = "linux")]
mod out;
#[cfg(target_os = "linux")]
mod screen;
#[cfg(target_os = "linux")]
mod surface;
