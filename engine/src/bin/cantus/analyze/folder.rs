//! Thread: main. Every recording of a folder, one after another; a bad one stops nothing.

use super::{listen, summary, write_all};
use crate::arguments::Analyze;
use crate::progress;
use cantus_engine::capture::file::looks_like_a_take;
use cantus_engine::{Error, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Analyses what is in the folder itself, in the order of the names. Gives how many files failed.
pub fn run(order: &Analyze) -> Result<usize> {
    let files = recordings(order)?;
    let mut stems: BTreeMap<String, usize> = BTreeMap::new();
    for path in &files {
        *stems.entry(stem(path)).or_default() += 1;
    }
    let width = files.iter().map(|path| name(path).chars().count()).max().unwrap_or(0);
    let mut failed = 0;
    for path in &files {
        // Two recordings that differ by their endings only keep them, so that neither's files replace the other's.
        let base = if stems.get(&stem(path)).copied().unwrap_or(0) > 1 { name(path) } else { stem(path) };
        let result = listen(path, order).and_then(|analysis| {
            let write = |out: &PathBuf| write_all(&analysis, &stem(path), &out.join(&base));
            order.out.as_ref().map_or(Ok(()), write).map(|()| analysis)
        });
        progress::clear();
        match result {
            Ok(analysis) => println!("{:<width$}  {}", name(path), summary::line(&analysis)),
            Err(error) => {
                failed += 1;
                println!("{:<width$}  failed", name(path));
                eprintln!("cantus: {error}");
            }
        }
    }
    if failed > 0 {
        eprintln!("cantus: {failed} of {} recordings could not be analysed", files.len());
    }
    Ok(failed)
}

fn recordings(order: &Analyze) -> Result<Vec<PathBuf>> {
    let folder = &order.input;
    let failed = |error| Error::file("read", folder, &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && looks_like_a_take(&path) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        let reason = "there is no WAV, AIFF, FLAC, MP3, OGG or MIDI file in it".to_owned();
        return Err(Error::File { action: "analyse", path: folder.clone(), reason });
    }
    Ok(files)
}

fn name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn stem(path: &std::path::Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
