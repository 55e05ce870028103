//! Thread: any. Lists of files as other programs read them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// `text/uri-list`: a line for each file, with everything escaped that is no plain letter, digit or separator.
pub(crate) fn uri_list(files: &[PathBuf]) -> String {
    files.iter().map(|file| format!("{}\r\n", file_uri(file))).collect()
}

/// `text/plain`: the paths, a line each.
pub(crate) fn plain_list(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join("\n")
}

/// `file://` and the path; its bytes need not be valid text.
pub(crate) fn file_uri(file: &Path) -> String {
    let mut uri = String::from("file://");
    for &byte in file.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            write!(uri, "%{byte:02X}").ok();
        }
    }
    uri
}
