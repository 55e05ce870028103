//! Thread: main. `cantus analyze`: of a file a summary and the files asked for, of a folder a line for each recording in it.

mod folder;
mod json;
mod summary;

pub use json::{key, notes, tempo};

use crate::arguments::Analyze;
use crate::progress;
use cantus_engine::Result;
use cantus_engine::analysis::{Analysis, analyse};
use cantus_engine::capture::file::read_part;
use cantus_engine::export;
use std::path::Path;

/// Listens, prints, writes what was asked for. Gives how many recordings of a folder could not be read.
pub fn run(order: &Analyze) -> Result<usize> {
    if order.input.is_dir() {
        return folder::run(order);
    }
    let analysis = listen(&order.input, order)?;
    let name = order.input.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(out) = &order.out {
        write_all(&analysis, &name, &out.join(&name))?;
    }
    if let Some(path) = &order.json {
        export::write_file(path, json::analysis(&analysis).to_string().as_bytes())?;
    }
    if let Some(path) = &order.midi {
        export::write_file(path, &export::midi::melody_bytes(&analysis, &name)?)?;
    }
    if let Some(path) = &order.picture {
        export::write_file(path, &export::picture::picture(&analysis, &[])?)?;
    }
    progress::clear();
    summary::print(&analysis);
    Ok(0)
}

fn listen(path: &Path, order: &Analyze) -> Result<Analysis> {
    let take = read_part(path, order.tempo, order.metre, order.part)?;
    analyse(&take, &progress::context(&format!("listening to {}", path.file_name().unwrap_or_default().display())))
}

/// Writes `<base>.json`, `<base>.mid` and `<base>.png`.
fn write_all(analysis: &Analysis, name: &str, base: &Path) -> Result<()> {
    let with = |ending: &str| {
        let mut path = base.as_os_str().to_owned();
        path.push(ending);
        std::path::PathBuf::from(path)
    };
    export::write_file(&with(".json"), json::analysis(analysis).to_string().as_bytes())?;
    export::write_file(&with(".mid"), &export::midi::melody_bytes(analysis, name)?)?;
    export::write_file(&with(".png"), &export::picture::picture(analysis, &[])?)
}
