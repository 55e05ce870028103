//! Pictures of the window in every state, as PNG files.

#[path = "screens.rs"]
mod screens;

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("Name the folder that the pictures shall go to.");
        return ExitCode::from(2);
    };
    // The user's own settings and models are nobody's business in a picture.
    let Ok(home) = tempfile::tempdir() else {
        eprintln!("The system gives no folder for temporary files.");
        return ExitCode::FAILURE;
    };
    // SAFETY: nothing runs yet that could read the environment.
    unsafe { std::env::set_var("CANTUS_DATA_DIR", home.path()) };
    for state in screens::states::draw_all() {
        let path = folder.join(format!("{}.png", state.name));
        let saved = std::fs::create_dir_all(&folder)
            .map_err(|error| error.to_string())
            .and_then(|()| state.picture.encode())
            .and_then(|png| std::fs::write(&path, png).map_err(|error| error.to_string()));
        match saved {
            Ok(()) => println!("{}", path.display()),
            Err(error) => {
                eprintln!("{} cannot be written: {error}.", path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
