//! Thread: worker. Export: a rendition becomes files that any DAW takes.
//!
//! [`wav`] and [`midi`] make the bytes, [`names`] the names, [`picture`] the drawing; [`write_rendition`] writes a whole folder.

mod canvas;
pub mod midi;
pub mod names;
pub mod picture;
pub mod sheet;
pub mod wav;

use crate::error::{Error, Result};
use crate::generation::score::Role;
use crate::rendition::{Rendition, mixdown};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes `mix.wav`, `premaster.wav`, `stems/<nn>-<role>.wav` and `rendition.mid` into a folder, which is made when missing.
///
/// The stems add up to the pre-master exactly. Without stems or a score their files are left out; music that was made as audio gets
/// its melody as `rendition.mid`. Each file appears whole or
/// not at all. Returns the paths written, the mix first.
///
/// # Errors
/// [`Error::File`] with the path that could not be written; [`Error::Internal`] when a score has more than MIDI can hold.
pub fn write_rendition(folder: &Path, rendition: &Rendition) -> Result<Vec<PathBuf>> {
    let label = wav::Label::of(rendition);
    let mut written = Vec::new();
    let mut write = |path: PathBuf, bytes: Vec<u8>| -> Result<()> {
        write_file(&path, &bytes)?;
        written.push(path);
        Ok(())
    };
    write(folder.join("mix.wav"), wav::wav_bytes(&rendition.mix, &label)?)?;
    if !rendition.stems.is_empty() {
        let premaster = mixdown::sum(&rendition.stems, rendition.rate(), rendition.mix.frames());
        write(folder.join("premaster.wav"), wav::wav_bytes(&premaster, &label)?)?;
    }
    let mut stems = Vec::new();
    for (index, stem) in rendition.stems.iter().enumerate() {
        let path = stem_path(folder, index, stem.role);
        write(path.clone(), wav::wav_bytes(&stem.audio, &label)?)?;
        stems.push(path);
    }
    remove_other_stems(folder, &stems);
    // Music that was made as audio has no notes of its own; the melody it follows goes beside it.
    let melody = rendition.made.as_ref().map(|made| &made.melody);
    if let Some(score) = rendition.score.as_ref().or(melody) {
        write(folder.join("rendition.mid"), midi::midi_bytes(score, &rendition.name)?)?;
    }
    Ok(written)
}

fn stem_path(folder: &Path, index: usize, role: Role) -> PathBuf {
    folder.join("stems").join(format!("{:02}-{}.wav", index + 1, role.name()))
}

/// Stems of an earlier export into the same folder do not belong to this one. Only files that we name are touched.
fn remove_other_stems(folder: &Path, written: &[PathBuf]) {
    for (index, role) in (0..Role::ALL.len()).flat_map(|index| Role::ALL.map(|role| (index, role))) {
        let path = stem_path(folder, index, role);
        if !written.contains(&path) {
            // Mostly it is not there; what cannot be removed stays.
            let _ = fs::remove_file(path);
        }
    }
}

/// Writes a file so that nobody ever sees half of it: beside its place first, then renamed. Missing folders are made.
///
/// # Errors
/// [`Error::File`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| Error::file("create", folder, &error))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // Two instances of the plugin, or two processes, may export to one place.
    let unique = COUNT.fetch_add(1, Ordering::Relaxed);
    let partial = folder.join(format!(".{name}.{}-{unique}.part", std::process::id()));
    let result = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    result.map_err(|error| {
        // The write already failed and is reported; a leftover that cannot be removed either changes nothing.
        let _ = fs::remove_file(&partial);
        Error::file("write", path, &error)
    })
}
