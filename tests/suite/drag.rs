//! Files out of the window and into it.

mod browse;
mod into;
#[cfg(target_os = "linux")]
mod out;
#[cfg(target_os = "linux")]
mod screen;
#[cfg(target_os = "linux")]
mod surface;
