//! Thread: worker. A file of quantised weights, so that a checkpoint is quantised once: safetensors whose tensors are bytes.
//!
//! It is written matrix by matrix as they are quantised, and mapped afterwards. Candle rearranges weights for its own kernels in memory;
//! what it was made from can then leave memory again, which blocks in memory could not.

use super::super::weights::{Checkpoint, File, Floats, Header};
use super::super::{Precision, failed, unusable};
use super::blocks::{self, Format};
use super::{Stack, dimensions, format};
use crate::error::{Error, Result};
use crate::job_context::{JobContext, Stage};
use candle_core::quantized::QTensor;
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3;

/// Changes with the layout of the file or of what is stacked in it.
const VERSION: &str = "1";
/// How the names of these files begin.
const PREFIX: &str = "musicgen-";
/// How the names of those end that are being written.
const UNFINISHED: &str = ".part";
/// The note of the checkpoint's folder.
const FOLDER: &str = "folder";
/// Every tensor begins on a multiple of this many bytes.
const ALIGNMENT: usize = 64;

/// One matrix of the file.
#[derive(Debug, Clone)]
pub(in super::super) struct Plan {
    pub(in super::super) stack: Stack,
    pub(in super::super) format: Format,
    pub(in super::super) outputs: usize,
    pub(in super::super) inputs: usize,
}

impl Plan {
    /// How a stack is quantised; nothing for one that stays exact.
    pub(in super::super) fn new(checkpoint: &Checkpoint, stack: Stack, precision: Precision) -> Result<Option<Self>> {
        let (outputs, inputs) = dimensions(checkpoint, &stack)?;
        Ok(format(precision, inputs).map(|format| Self { stack, format, outputs, inputs }))
    }

    fn bytes(&self) -> usize {
        self.format.bytes(self.outputs * self.inputs)
    }
}

/// An opened file of quantised weights.
pub(in super::super) struct QuantisedFile(Arc<File>);

impl QuantisedFile {
    /// The file for a checkpoint, when it is there and whole.
    pub(in super::super) fn open(folder: &Path, fingerprint: u64, plans: &[Plan]) -> Option<Self> {
        let path = path(folder, fingerprint, plans);
        let header = Header::read(&path).ok()?;
        let wanted = notes(fingerprint, None);
        if wanted.iter().any(|(name, value)| header.notes.get(name) != Some(value)) {
            return None;
        }
        let is_whole = plans
            .iter()
            .all(|plan| header.tensors.get(&plan.stack.name).is_some_and(|tensor| tensor.shape == [plan.bytes()]));
        if !is_whole {
            return None;
        }
        Some(Self(Arc::new(File::map(&path).ok()?)))
    }

    /// Weights made for this process alone, in a file that has no name any more and is gone with the process. Memory would hold them twice, see
    /// above, and not even a system short of it could take them away. The file lies beside the checkpoint: where that is, there is a disk,
    /// while the system's folder for such files may be memory. None when nothing can be written there.
    ///
    /// # Errors
    /// As [`write`], but for [`Error::File`].
    pub(in super::super) fn unnamed(
        fingerprint: u64,
        plans: &[Plan],
        checkpoint: &Checkpoint,
        context: &JobContext,
    ) -> Result<Option<Self>> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let Some(folder) = checkpoint.files.first().and_then(|file| file.path().parent()) else { return Ok(None) };
        // Other systems do not let go of the name of a file in use.
        if cfg!(not(unix)) {
            return Ok(None);
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".cantus-{}-{number}{UNFINISHED}", std::process::id()));
        let written = write_to(&path, fingerprint, plans, checkpoint, context);
        let mapped = written.is_ok().then(|| File::map(&path).ok()).flatten();
        // Where it was never made, there is none to remove.
        let _ = std::fs::remove_file(&path);
        match written {
            Ok(()) | Err(Error::File { .. }) => Ok(mapped.map(|file| Self(Arc::new(file)))),
            Err(error) => Err(error),
        }
    }

    /// Rows of a matrix.
    pub(super) fn tensor(&self, plan: &Plan, rows: Range<usize>) -> Result<QTensor> {
        blocks::mapped(self.0.clone(), plan.stack.name.clone(), plan.format, rows, plan.inputs).map_err(failed)
    }

    /// Lets the system take back the memory of a tensor's pages. They are read again from the file if they are needed again.
    pub(in super::super) fn forget(&self, plan: &Plan) {
        self.0.forget(&plan.stack.name);
    }
}

/// Tells checkpoints apart: names, sizes and times of their files, and samples of their contents.
pub(in super::super) fn fingerprint(checkpoint: &Checkpoint) -> u64 {
    const SAMPLES: usize = 64;
    let mut hash = Xxh3::new();
    for file in &checkpoint.files {
        let name = file.path().file_name().unwrap_or_default();
        hash.update(name.as_encoded_bytes());
        if let Ok(data) = std::fs::metadata(file.path()) {
            hash.update(&data.len().to_le_bytes());
            let since = data.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            hash.update(&since.unwrap_or_default().as_nanos().to_le_bytes());
        }
        let names = file.names();
        for name in names.iter().step_by(names.len().div_ceil(SAMPLES).max(1)) {
            hash.update(name.as_bytes());
            let bytes = file.bytes(name).unwrap_or(&[]);
            hash.update(&bytes[..bytes.len().min(4096)]);
        }
    }
    hash.digest()
}

/// What a file of quantised weights says of itself: the checkpoint, and the folder that it came from.
fn notes(fingerprint: u64, folder: Option<String>) -> BTreeMap<String, String> {
    let pairs = [("version", VERSION.to_owned()), ("checkpoint", format!("{fingerprint:016x}"))];
    let pairs = pairs.into_iter().chain(folder.map(|folder| (FOLDER, folder)));
    pairs.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The folder of a checkpoint, as files of quantised weights note it.
fn origin(checkpoint: &Checkpoint) -> Option<String> {
    let folder = checkpoint.files.first()?.path().parent()?;
    Some(folder.canonicalize().ok()?.to_string_lossy().into_owned())
}

/// Removes files of quantised weights that were made from what formerly lay in this checkpoint's folder, or by another version, and
/// what unfinished ones are older than a day. They are of no use; where one cannot be removed, it only takes its room.
pub(in super::super) fn prune(folder: &Path, fingerprint: u64, checkpoint: &Checkpoint) {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let (Some(origin), Ok(entries)) = (origin(checkpoint), std::fs::read_dir(folder)) else { return };
    let checkpoint = format!("{fingerprint:016x}");
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(PREFIX) {
            continue;
        }
        let is_stale = if name.ends_with(UNFINISHED) {
            let age = entry.metadata().ok().and_then(|data| data.modified().ok()?.elapsed().ok());
            age.is_some_and(|age| age > DAY)
        } else {
            Header::read(&entry.path()).is_ok_and(|header| {
                let note = |name: &str| header.notes.get(name).map(String::as_str);
                let is_ours = note(FOLDER) == Some(&origin) && note("checkpoint") != Some(&checkpoint);
                is_ours || note("version").is_some_and(|version| version != VERSION)
            })
        };
        if is_stale {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn path(folder: &Path, fingerprint: u64, plans: &[Plan]) -> PathBuf {
    // The first matrix is the largest kind, whose format names the precision.
    let format = plans.first().map_or("exact", |plan| plan.format.name());
    folder.join(format!("{PREFIX}{fingerprint:016x}-{format}.safetensors"))
}

/// Quantises all of `plans` into a file in `folder`, which is made if need be. An older file of the same name is replaced at the end.
///
/// # Errors
/// [`Error::File`] when it cannot be written; [`Error::Cancelled`]; [`Error::Model`].
pub(in super::super) fn write(
    folder: &Path,
    fingerprint: u64,
    plans: &[Plan],
    checkpoint: &Checkpoint,
    context: &JobContext,
) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| Error::file("create", folder, &error))?;
    let path = path(folder, fingerprint, plans);
    // Another process may be at the same; the last one done wins, with the same bytes.
    let unfinished = path.with_extension(format!("{}{UNFINISHED}", std::process::id()));
    let written = write_to(&unfinished, fingerprint, plans, checkpoint, context)
        .and_then(|()| std::fs::rename(&unfinished, &path).map_err(|error| Error::file("write", &path, &error)));
    if written.is_err() {
        // What is left of it is of no use; if it cannot be removed, nothing is worse than it is.
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

fn write_to(
    path: &Path,
    fingerprint: u64,
    plans: &[Plan],
    checkpoint: &Checkpoint,
    context: &JobContext,
) -> Result<()> {
    let failed_to_write = |error: &std::io::Error| Error::file("write", path, error);
    let mut offsets = Vec::new();
    let mut end = 0_usize;
    for plan in plans {
        end = end.next_multiple_of(ALIGNMENT);
        offsets.push(end);
        end += plan.bytes();
    }
    let mut header = serde_json::Map::new();
    header.insert("__metadata__".into(), serde_json::json!(notes(fingerprint, origin(checkpoint))));
    // The format wants no gaps between tensors, so what is between them belongs to a tensor of its own.
    let mut gaps = 0;
    let mut at = 0;
    for (plan, &offset) in plans.iter().zip(&offsets) {
        if offset > at {
            let gap = serde_json::json!({ "dtype": "U8", "shape": [offset - at], "data_offsets": [at, offset] });
            header.insert(format!("gap.{gaps}"), gap);
            gaps += 1;
        }
        at = offset + plan.bytes();
        let tensor = serde_json::json!({ "dtype": "U8", "shape": [plan.bytes()], "data_offsets": [offset, at] });
        header.insert(plan.stack.name.clone(), tensor);
    }
    let mut text = serde_json::Value::Object(header).to_string().into_bytes();
    let padded = (text.len() + 8).next_multiple_of(ALIGNMENT) - 8;
    text.resize(padded, b' ');
    let file = std::fs::File::create(path).map_err(|error| Error::file("create", path, &error))?;
    let mut file = BufWriter::new(file);
    let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(|error| failed_to_write(&error));
    put(&(text.len() as u64).to_le_bytes())?;
    put(&text)?;
    let mut at = 0;
    for (index, (plan, &offset)) in plans.iter().zip(&offsets).enumerate() {
        context.progress(Stage::Loading, index as f32 / plans.len() as f32)?;
        put(&vec![0; offset - at])?;
        let parts = plan.stack.tensors.iter().map(|name| checkpoint.floats(name)).collect::<Result<Vec<_>>>()?;
        let parts: Vec<&[f32]> = parts.iter().map(Floats::as_slice).collect();
        let tensor = blocks::quantise(&parts, plan.format, plan.outputs, plan.inputs).map_err(failed)?;
        let bytes = tensor.data().map_err(failed)?;
        if bytes.len() != plan.bytes() {
            return Err(unusable(format!("{} has an odd size. Download the checkpoint again.", plan.stack.name)));
        }
        put(&bytes)?;
        checkpoint.forget(&plan.stack.tensors);
        at = offset + bytes.len();
    }
    let file = file.into_inner().map_err(|error| failed_to_write(error.error()))?;
    file.sync_all().map_err(|error| failed_to_write(&error))
}
