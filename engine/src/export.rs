//! Thread: worker. Export: a rendition becomes files that any DAW takes.
//!
//! [`wav`] and [`midi`] make the bytes, [`names`] the names, [`picture`] the drawing; [`write_rendition`] writes a whole folder, [`shelf`] single
//! files that a host may keep for ever.

mod canvas;
mod chunks;
pub mod midi;
pub mod names;
pub mod picture;
pub mod sheet;
pub mod shelf;
pub mod wav;

use crate::analysis::Key;
use crate::error::{Error, Result};
use crate::generation::score::Level;
use crate::job_context::JobContext;
use crate::rendition::looped::looped;
use crate::rendition::{Rendition, dry_stems};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What of a rendition is written, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Files {
    /// How loud `mix.wav` is made; [`Files::default`] masters it.
    pub level: FileLevel,
    /// Stems without room and echo. They no longer add up to the mix.
    pub dry: bool,
    /// The key, for the names of the stems.
    pub key: Option<Key>,
    /// What the MIDI file is for.
    pub midi: midi::MidiOptions,
}

/// The level of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FileLevel {
    /// Mastered.
    #[default]
    Loud,
    /// As it plays in the session: the sum of the stems.
    Session,
}

/// Writes `mix.wav`, `premaster.wav`, the stems as `stems/03 Bass – Reggae 100 Am v2.wav` and `rendition.mid` into a folder, which is made
/// when missing.
///
/// All sound files are of one length and begin at one song position, which is in each of them. What leads back to its start is written as a
/// loop: exactly as long as its bars, with what rings at the end sounding into the head; what ends rings out after its bars. Wet stems add up to
/// the pre-master exactly. Without stems or a score their files are left out; music that was made as audio gets its melody as `rendition.mid`.
/// Each file appears whole or not at all. Returns the paths written, the mix first.
///
/// # Errors
/// [`Error::File`] with the path that could not be written; [`Error::Internal`] when a score has more than MIDI can hold;
/// [`Error::Cancelled`].
pub fn write_rendition(
    folder: &Path,
    rendition: &Rendition,
    files: &Files,
    context: &JobContext,
) -> Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    let mut write = |path: PathBuf, bytes: Vec<u8>| -> Result<()> {
        context.check()?;
        write_file(&path, &bytes)?;
        written.push(path);
        Ok(())
    };
    let level = match files.level {
        FileLevel::Loud => Level::Loud,
        FileLevel::Session => Level::Session,
    };
    let whole = looped(rendition, level, context)?;
    let label = wav::Label::of(&whole);
    write(folder.join("mix.wav"), wav::wav_bytes(&whole.mix, &label)?)?;
    if !whole.stems.is_empty() {
        write(folder.join("premaster.wav"), wav::wav_bytes(&whole.premaster(), &label)?)?;
    }
    let dry = if files.dry && !whole.stems.is_empty() { dry_stems(rendition, context)? } else { None };
    let stems = match dry {
        Some(stems) => {
            let dry = Rendition { stems, ..rendition.clone() };
            looped(&dry, Level::Session, context)?.stems
        }
        None => whole.stems,
    };
    let mut paths = Vec::new();
    for (index, stem) in stems.iter().enumerate() {
        let name = names::stem_name(index, stem.role, rendition, files.key);
        let path = folder.join(STEMS).join(format!("{name}.wav"));
        write(path.clone(), wav::wav_bytes(&stem.audio, &label)?)?;
        paths.push(path);
    }
    remove_other_stems(&folder.join(STEMS), &paths);
    // Music that was made as audio has no notes of its own; the melody it follows goes beside it.
    let melody = rendition.made.as_ref().map(|made| &made.melody);
    if let Some(score) = rendition.score.as_ref().or(melody) {
        write(folder.join("rendition.mid"), midi::midi_bytes_with(score, &rendition.name, &files.midi)?)?;
    }
    Ok(written)
}

/// The folder of the stems.
const STEMS: &str = "stems";

/// Stems of an earlier export into the same folder do not belong to this one. Only files that are named as ours are touched.
fn remove_other_stems(folder: &Path, written: &[PathBuf]) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let ours = path.file_name().is_some_and(|name| names::is_stem_name(&name.to_string_lossy()));
        if ours && !written.contains(&path) {
            // What cannot be removed stays.
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
