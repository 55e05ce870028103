//! Thread: gui. Showing a file where it lies, and saying where that is.

use egui::Context;
use std::path::Path;
use std::process::Command;

/// Shows a file in the file manager, chosen where the system can do that. Returns as soon as the request has left.
///
/// # Errors
/// A sentence: the file has gone, or the system starts no program.
pub fn reveal(file: &Path) -> Result<(), String> {
    if !file.exists() {
        return Err(format!("{} is not there any more.", file.display()));
    }
    let file = std::path::absolute(file).map_err(|error| format!("{}: {error}.", file.display()))?;
    request(&file).map_err(|error| format!("The file manager could not be started: {error}."))
}

/// Puts a file's path on the clipboard.
pub fn copy_path(context: &Context, file: &Path) {
    context.copy_text(file.display().to_string());
}

/// The file manager that is running is asked first, as it can mark the file; else the folder is opened.
#[cfg(target_os = "linux")]
fn request(file: &Path) -> std::io::Result<()> {
    const SCRIPT: &str = "(dbus-send --session --print-reply --reply-timeout=3000 --dest=org.freedesktop.FileManager1 \
        /org/freedesktop/FileManager1 org.freedesktop.FileManager1.ShowItems \"array:string:$1\" string: \
        || xdg-open \"$2\") >/dev/null 2>&1 </dev/null &";
    let folder = file.parent().unwrap_or(file);
    let uri = crate::uri::file_uri(file);
    shell(SCRIPT, |command| command.arg(uri).arg(folder))
}

#[cfg(target_os = "macos")]
fn request(file: &Path) -> std::io::Result<()> {
    shell("open -R \"$1\" >/dev/null 2>&1 </dev/null &", |command| command.arg(file))
}

#[cfg(windows)]
fn request(file: &Path) -> std::io::Result<()> {
    use std::os::windows::process::CommandExt;
    // Explorer wants the quotes inside of the argument.
    Command::new("explorer").raw_arg(format!("/select,\"{}\"", file.display())).spawn().map(drop)
}

/// A shell that leaves its work behind and ends at once: the work belongs to the system then, and no dead child stays with the host.
#[cfg(unix)]
fn shell(script: &str, arguments: impl FnOnce(&mut Command) -> &mut Command) -> std::io::Result<()> {
    use std::process::Stdio;
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg("cantus-reveal");
    arguments(&mut command).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn()?.wait().map(drop)
}
