//! Thread: worker. Where the `cantus` program lies that serves as the worker.

use crate::data_dir::data_dir;
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// The variable that names the program, before any other place.
const VARIABLE: &str = "CANTUS_PROGRAM";
const NAME: &str = "cantus";

/// Finds the program: what `CANTUS_PROGRAM` names, this program itself, beside the plugin's library (inside a bundle too), the
/// user's data folder, `PATH`.
///
/// # Errors
/// [`Error::Worker`] that says where it was looked for.
pub fn find() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()).map(PathBuf::from) {
        let missing = || Error::worker(format!("{VARIABLE} names {}, but there is no such program.", named.display()));
        return named.is_file().then(|| named.clone()).ok_or_else(missing);
    }
    let candidates = candidates();
    candidates.iter().find(|path| path.is_file()).cloned().ok_or_else(|| {
        let beside = candidates.first().map_or_else(String::new, |first| format!(" ({} is missing)", first.display()));
        Error::worker(format!(
            "The program \"{NAME}\" that runs neural engines was not found{beside}. Install Cantus again, or put the \
             program beside the plugin or name it in {VARIABLE}."
        ))
    })
}

fn candidates() -> Vec<PathBuf> {
    let file = format!("{NAME}{}", std::env::consts::EXE_SUFFIX);
    let own = std::env::current_exe().ok().filter(|own| own.file_name().is_some_and(|name| name == file.as_str()));
    let beside = own_library().and_then(|library| Some(library.parent()?.join(&file)));
    let installed = data_dir().map(|folder| folder.join("bin").join(&file));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(&file));
    own.into_iter().chain(beside).chain(installed).chain(in_path).collect()
}

/// The file that this code was loaded from: the plugin's library in a host, the program itself elsewhere.
#[cfg(unix)]
fn own_library() -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let mut found = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    let inside = own_library as fn() -> Option<PathBuf> as *const libc::c_void;
    // SAFETY: the address is one of this image's own functions, and `found` is a whole structure that the call only fills.
    let known = unsafe { libc::dladdr(inside, &raw mut found) };
    if known == 0 || found.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the loader's own text, which ends in a zero and stays as long as the image is loaded.
    let name = unsafe { std::ffi::CStr::from_ptr(found.dli_fname) };
    let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
    // A program started by a relative name is known by that name.
    std::fs::canonicalize(path).ok()
}

/// Where the system has no simple call for it, the program is found in the data folder, where the installation puts it.
#[cfg(not(unix))]
fn own_library() -> Option<PathBuf> {
    None
}
