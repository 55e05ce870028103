//! Thread: worker makes, gui puts down. The shelf: single files that are dragged into a song, where the host may refer to them for ever.
//!
//! Whoever drags cannot wait, and whoever only listens wants no files in the music folder. So [`stage`] makes a file out of sight, and
//! [`put`] gives it its name in the visible folder, which is a rename. Nothing that has a name is ever written over or removed again: the
//! same content is used again, other content gets " (2)".

use super::{midi, names, wav, write_file};
use crate::analysis::Key;
use crate::error::{Error, Result};
use crate::generation::score::{Role, Score};
use crate::job_context::JobContext;
use crate::rendition::Rendition;
use crate::rendition::looped::looped;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// What of a variation becomes files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wanted {
    /// Everything that sounds, as one WAV at the level at which it plays.
    Mix,
    /// One part as WAV; the stems add up to the mix at the session level.
    Stem(Role),
    /// All notes as one MIDI file. Music that was made as audio gives the melody it follows.
    Midi,
    /// The notes of one part.
    MidiPart(Role),
    /// The mix, every stem and the MIDI file, in a folder of their own.
    Everything,
}

/// A file that was made, but has no name yet. Dropping it removes it.
#[derive(Debug)]
pub struct Staged {
    hidden: PathBuf,
    /// Where it belongs below the visible folder: its path without what makes it unique.
    place: PathBuf,
}

impl Drop for Staged {
    fn drop(&mut self) {
        // After `put` it is not there any more. What cannot be removed is swept out by a later `stage`.
        let _ = fs::remove_file(&self.hidden);
    }
}

/// The folder of files without a name, inside the visible one: a rename must not leave the disk.
const HIDDEN: &str = ".unnamed";
/// A file without a name that is older than this was left by a process that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3_600);
/// Files of one name with other content.
const MOST_OF_A_NAME: u32 = 10_000;

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Makes the files of a rendition in the hidden part of a folder, in the order in which they are to be dragged.
///
/// Sound files are of one length and begin at one song position, which is in each of them; what leads back to its start is a loop, exactly as
/// long as its bars. Stems are needed where stems are wanted: the caller renders them when the rendition has none.
///
/// # Errors
/// [`Error::OutOfRange`] when the rendition has no such part; [`Error::File`]; [`Error::Cancelled`].
pub fn stage(
    folder: &Path,
    rendition: &Rendition,
    key: Option<Key>,
    wanted: Wanted,
    context: &JobContext,
) -> Result<Vec<Staged>> {
    let hidden = folder.join(HIDDEN);
    sweep(&hidden);
    let mut staged = Vec::new();
    for (place, bytes) in contents(rendition, key, wanted, context)? {
        context.check()?;
        // Also of another process that happens to have the same number, on another machine that shares the disk.
        let moment = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = hidden
            .join(format!("{}-{count}-{moment:x}", std::process::id()))
            .with_extension(place.extension().unwrap_or_default());
        write_file(&path, &bytes)?;
        staged.push(Staged { hidden: path, place });
    }
    Ok(staged)
}

type Content = (PathBuf, Vec<u8>);

fn contents(rendition: &Rendition, key: Option<Key>, wanted: Wanted, context: &JobContext) -> Result<Vec<Content>> {
    let name = names::file_name(rendition, key);
    let level = rendition.recipe.direction.level;
    let mix = || -> Result<Content> {
        let whole = looped(rendition, level, context)?;
        Ok((PathBuf::from(format!("{name}.wav")), wav::wav_bytes(&whole.mix, &wav::Label::of(&whole))?))
    };
    let stems = |only: Option<Role>| -> Result<Vec<Content>> {
        let whole = looped(rendition, level, context)?;
        let label = wav::Label::of(&whole);
        let chosen = whole.stems.iter().enumerate().filter(|(_, stem)| only.is_none_or(|role| role == stem.role));
        chosen
            .map(|(index, stem)| {
                context.check()?;
                let name = names::stem_name(index, stem.role, rendition, key);
                let label = wav::Label { description: format!("{} ({})", name, stem.instrument), ..label.clone() };
                Ok((PathBuf::from(format!("{name}.wav")), wav::wav_bytes(&stem.audio, &label)?))
            })
            .collect()
    };
    let notes = |score: &Score| -> Result<Content> {
        let bytes = midi::midi_bytes_with(score, &rendition.name, &midi::MidiOptions::default())?;
        Ok((PathBuf::from(format!("{name}.mid")), bytes))
    };
    let score = rendition.score.as_ref().or(rendition.made.as_ref().map(|made| &made.melody));
    let files = match wanted {
        Wanted::Mix => vec![mix()?],
        Wanted::Stem(role) => stems(Some(role))?,
        Wanted::Midi => score.map(notes).transpose()?.into_iter().collect(),
        Wanted::MidiPart(role) => part(rendition, key, role)?.into_iter().collect(),
        Wanted::Everything => {
            let mut files = vec![mix()?];
            files.extend(stems(None)?);
            files.extend(score.map(notes).transpose()?);
            files.into_iter().map(|(file, bytes)| (Path::new(&name).join(file), bytes)).collect()
        }
    };
    if files.is_empty() {
        return Err(Error::OutOfRange {
            what: "The part to be written",
            got: wanted.words(),
            expected: "a part that this variation has".to_owned(),
        });
    }
    Ok(files)
}

fn part(rendition: &Rendition, key: Option<Key>, role: Role) -> Result<Option<Content>> {
    let Some(score) = &rendition.score else { return Ok(None) };
    let Some(index) = score.tracks.iter().position(|track| track.role == role) else { return Ok(None) };
    let name = names::stem_name(index, role, rendition, key);
    let bytes = midi::midi_part_bytes(score, role, &rendition.name, &midi::MidiOptions::default())?;
    Ok(Some((PathBuf::from(format!("{name}.mid")), bytes)))
}

impl Wanted {
    /// For sentences: "the bass".
    pub fn words(self) -> String {
        match self {
            Self::Mix => "the mix".to_owned(),
            Self::Stem(role) => format!("the {}", role.name()),
            Self::Midi => "the MIDI file".to_owned(),
            Self::MidiPart(role) => format!("the {} as MIDI", role.name()),
            Self::Everything => "everything".to_owned(),
        }
    }

    /// Whether it takes the parts as sound.
    pub fn needs_stems(self) -> bool {
        matches!(self, Self::Stem(_) | Self::Everything)
    }
}

/// Gives staged files their names in the visible folder, which is made when missing. Where a file of that name has the same content, it is that
/// file; where it has another, the name gets " (2)", " (3)", …. Returns the paths in the order of the files.
///
/// # Errors
/// [`Error::File`] when the folder cannot be written or the staged file has gone.
pub fn put(folder: &Path, staged: Vec<Staged>) -> Result<Vec<PathBuf>> {
    staged.into_iter().map(|file| put_one(folder, &file)).collect()
}

fn put_one(folder: &Path, staged: &Staged) -> Result<PathBuf> {
    let wished = folder.join(&staged.place);
    let parent = wished.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(|error| Error::file("create", parent, &error))?;
    let ending = wished.extension().unwrap_or_default().to_string_lossy().into_owned();
    let stem = wished.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    for number in 1..MOST_OF_A_NAME {
        let path = if number == 1 { wished.clone() } else { parent.join(format!("{stem} ({number}).{ending}")) };
        // The name is taken first, so that nobody else gets it between the question and the rename.
        match OpenOptions::new().write(true).create_new(true).open(&path).map(drop) {
            Ok(()) => {
                return fs::rename(&staged.hidden, &path).map(|()| path.clone()).map_err(|error| {
                    // It is empty and ours.
                    let _ = fs::remove_file(&path);
                    Error::file("write", &path, &error)
                });
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if same_content(&path, &staged.hidden) {
                    return Ok(path);
                }
            }
            Err(error) => return Err(Error::file("write", &path, &error)),
        }
    }
    Err(Error::File { action: "write", path: wished, reason: "too many files have this name".to_owned() })
}

fn same_content(one: &Path, other: &Path) -> bool {
    let length = |path: &Path| fs::metadata(path).map(|facts| (facts.is_file(), facts.len()));
    match (length(one), length(other)) {
        (Ok((true, a)), Ok((true, b))) if a == b => {}
        _ => return false,
    }
    let (Ok(mut one), Ok(mut other)) = (fs::File::open(one), fs::File::open(other)) else { return false };
    let (mut a, mut b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let (Ok(read), Ok(also)) = (fill(&mut one, &mut a), fill(&mut other, &mut b)) else { return false };
        if a[..read] != b[..also] {
            return false;
        }
        if read == 0 {
            return true;
        }
    }
}

/// Reads until the buffer is full or the file has ended.
fn fill(file: &mut fs::File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Removes files without a name that a killed process left.
fn sweep(hidden: &Path) {
    let Ok(entries) = fs::read_dir(hidden) else { return };
    for entry in entries.flatten() {
        let age = entry.metadata().and_then(|facts| facts.modified()).map(|at| SystemTime::now().duration_since(at));
        if age.is_ok_and(|age| age.is_ok_and(|age| age > LEFT_BEHIND)) {
            // What cannot be removed stays.
            let _ = fs::remove_file(entry.path());
        }
    }
}
