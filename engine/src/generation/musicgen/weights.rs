//! Thread: worker. A checkpoint's files behind one table of names: opened, checked and mapped, read tensor by tensor.
//!
//! Weights in 32 bits are used where they lie in the mapped files; others are widened when they are read.

mod header;

pub(super) use header::Header;

use super::audiocraft;
use super::config::Config;
use super::layout::{self, Need};
use super::unusable;
use crate::error::{Error, Result};
use candle_core::pickle::PthTensors;
use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Shape, Tensor};
use candle_nn::VarBuilder;
use candle_nn::var_builder::SimpleBackend;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What loading found, apart from the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Tensors that the files lack and the model can do without: then it cannot continue from audio.
    pub missing: Vec<String>,
    /// Tensors in the files that the model has no place for.
    pub unused: Vec<String>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// Where the quantised weights came from, if there are any.
    pub quantised: Option<Quantised>,
}

/// Where quantised weights came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantised {
    /// Made now, and kept by this process alone.
    InMemory,
    /// Made now, and written to the cache file.
    Written,
    /// Read from the cache file.
    FromCache,
}

/// One file of weights.
pub(super) enum File {
    Mapped { path: PathBuf, tensors: MmapedSafetensors },
    Pickle { path: PathBuf, tensors: PthTensors },
}

impl File {
    /// Maps a safetensors file after its header was checked.
    pub(super) fn map(path: &Path) -> Result<Self> {
        // SAFETY: the file is only read, and was found to hold all it promises. Another program that cuts it off while it is in use
        // ends this process; that is why heavy engines run in a process of their own.
        let mapped = unsafe { MmapedSafetensors::new(path) };
        let tensors = mapped
            .map_err(|error| unusable(format!("{} cannot be mapped ({error}). Download it again.", path.display())))?;
        Ok(Self::Mapped { path: path.to_owned(), tensors })
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Mapped { path, .. } | Self::Pickle { path, .. } => path,
        }
    }

    /// The bytes of a tensor; none for files that are not mapped.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        match self {
            Self::Mapped { tensors, .. } => Some(tensors.get(name).ok()?.data()),
            Self::Pickle { .. } => None,
        }
    }

    /// Names of all tensors, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Mapped { tensors, .. } => tensors.tensors().into_iter().map(|(name, _)| name).collect(),
            Self::Pickle { tensors, .. } => tensors.tensor_infos().keys().cloned().collect(),
        };
        names.sort();
        names
    }

    /// Lets the system take back the memory of a tensor's pages. They are read again from the file if they are needed again.
    pub(super) fn forget(&self, name: &str) {
        #[cfg(unix)]
        if let Some(bytes) = self.bytes(name) {
            // SAFETY: a file mapped read-only keeps its contents when its pages are dropped. Only whole pages of this tensor are.
            unsafe {
                let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4096);
                let start = bytes.as_ptr().addr().next_multiple_of(page) - bytes.as_ptr().addr();
                if start + page < bytes.len() {
                    let length = (bytes.len() - start) / page * page;
                    let first = bytes.as_ptr().add(start).cast_mut().cast();
                    libc::madvise(first, length, libc::MADV_DONTNEED);
                }
            }
        }
        #[cfg(not(unix))]
        let _ = name;
    }

    /// The numbers of a tensor where they lie, when they lie so that they can be used.
    fn floats(&self, name: &str) -> Option<&[f32]> {
        // SAFETY: every pattern of bits is a number.
        let (before, floats, after) = unsafe { self.bytes(name)?.align_to::<f32>() };
        (cfg!(target_endian = "little") && before.is_empty() && after.is_empty()).then_some(floats)
    }
}

/// Where a tensor of the model lies.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) file: usize,
    /// Its name in the file.
    pub(super) name: String,
    /// Only these rows of it.
    pub(super) rows: Option<Range<usize>>,
    pub(super) shape: Vec<usize>,
    /// It holds 32-bit numbers in a mapped file.
    pub(super) in_place: bool,
    /// It holds numbers with a point.
    pub(super) is_float: bool,
}

/// All weights of a model, by the names of `transformers`.
pub(super) struct Checkpoint {
    pub(super) files: Vec<Arc<File>>,
    places: BTreeMap<String, Place>,
    /// Names in the files that no part of any known layout has.
    strangers: Vec<String>,
}

/// Numbers that are used where they lie, or were widened.
#[derive(Clone)]
pub(super) enum Floats {
    Mapped { file: Arc<File>, name: String },
    Owned(Arc<Vec<f32>>),
}

impl Floats {
    pub(super) fn as_slice(&self) -> &[f32] {
        match self {
            Self::Mapped { file, name } => file.floats(name).unwrap_or(&[]),
            Self::Owned(floats) => floats,
        }
    }
}

/// A folder's configuration and weights.
pub(super) fn open(folder: &Path) -> Result<(Config, Checkpoint)> {
    if !folder.is_dir() {
        let reason =
            format!("there is no folder {}. Choose the folder the checkpoint was downloaded to.", folder.display());
        return Err(unusable(reason));
    }
    let has = |name: &str| folder.join(name).is_file();
    let shards = shards(folder)?;
    if shards.is_empty() && has("state_dict.bin") {
        return audiocraft::open(folder);
    }
    if !has("config.json") {
        let reason = format!(
            "{} holds no config.json. Choose the folder of a MusicGen-melody checkpoint, as downloaded.",
            folder.display()
        );
        return Err(unusable(reason));
    }
    let config = Config::read(folder)?;
    if shards.is_empty() {
        let only_pickle = has("pytorch_model.bin") || has("pytorch_model.bin.index.json");
        let reason = if only_pickle {
            "holds only pytorch_model.bin, which is not read. Download the .safetensors files of the same model."
        } else {
            "holds no weights. Put model.safetensors, or all its parts, beside config.json."
        };
        return Err(unusable(format!("{} {reason}", folder.display())));
    }
    Ok((config, Checkpoint::from_safetensors(&shards)?))
}

/// The weight files of a folder: those that the index names, or `model.safetensors`, or all numbered parts.
fn shards(folder: &Path) -> Result<Vec<PathBuf>> {
    let index = folder.join("model.safetensors.index.json");
    let single = folder.join("model.safetensors");
    let mut names: BTreeSet<String> = BTreeSet::new();
    if index.is_file() {
        let text = std::fs::read_to_string(&index).map_err(|error| Error::file("read", &index, &error))?;
        let raw: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let map = raw.as_ref().and_then(|raw| raw.get("weight_map")).and_then(serde_json::Value::as_object);
        let Some(map) = map else {
            return Err(unusable(format!("{} is damaged. Download it again.", index.display())));
        };
        names = map.values().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        // A stale index beside the whole file is of no use, and of no harm.
        if single.is_file() && !names.iter().any(|name| folder.join(name).is_file()) {
            return Ok(vec![single]);
        }
    } else if single.is_file() {
        return Ok(vec![single]);
    } else {
        let entries = std::fs::read_dir(folder).map_err(|error| Error::file("read", folder, &error))?;
        let present = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let counts: BTreeSet<usize> = present.filter_map(|name| parts(&name)).collect();
        for count in counts {
            names.extend((1..=count).map(|part| format!("model-{part:05}-of-{count:05}.safetensors")));
        }
    }
    if let Some(name) = names.iter().find(|name| name.contains(['/', '\\']) || name.starts_with("..")) {
        return Err(unusable(format!("{} names a file outside its folder, {name}.", index.display())));
    }
    let paths: Vec<PathBuf> = names.iter().map(|name| folder.join(name)).collect();
    let missing: Vec<String> =
        names.iter().zip(&paths).filter(|(_, path)| !path.is_file()).map(|(name, _)| name.clone()).collect();
    if !missing.is_empty() {
        let reason = format!(
            "of its {} weight files {} is missing in {}. Download what is missing.",
            paths.len(),
            missing.join(", "),
            folder.display()
        );
        return Err(unusable(reason));
    }
    Ok(paths)
}

/// How many parts there are, from the name of one: `model-00001-of-00002.safetensors`.
fn parts(name: &str) -> Option<usize> {
    let numbers = name.strip_prefix("model-")?.strip_suffix(".safetensors")?;
    let (part, count) = numbers.split_once("-of-")?;
    let (part, count): (usize, usize) = (part.parse().ok()?, count.parse().ok()?);
    (part >= 1 && part <= count && count <= 999).then_some(count)
}

impl Checkpoint {
    /// From safetensors files whose names are the model's own.
    fn from_safetensors(paths: &[PathBuf]) -> Result<Self> {
        let mut checkpoint = Self::empty();
        for path in paths {
            checkpoint.add_safetensors(path, |name| Some(name.to_owned()))?;
        }
        Ok(checkpoint)
    }

    pub(super) fn empty() -> Self {
        Self { files: Vec::new(), places: BTreeMap::new(), strangers: Vec::new() }
    }

    /// Adds a safetensors file, its tensors under other names; those renamed to nothing count as strangers.
    pub(super) fn add_safetensors(&mut self, path: &Path, rename: impl Fn(&str) -> Option<String>) -> Result<()> {
        let header = Header::read(path)?;
        let file = File::map(path)?;
        let index = self.files.len();
        for (name, described) in header.tensors {
            let is_float = matches!(described.dtype.as_str(), "F64" | "F32" | "F16" | "BF16");
            let in_place = described.dtype == "F32" && file.floats(&name).is_some();
            let place =
                Place { file: index, name: name.clone(), rows: None, shape: described.shape, in_place, is_float };
            self.put(rename(&name), place);
        }
        self.files.push(Arc::new(file));
        Ok(())
    }

    /// Puts a tensor under a name of the model, or among the strangers.
    pub(super) fn put(&mut self, name: Option<String>, place: Place) {
        match name {
            Some(name) => drop(self.places.insert(name, place)),
            None => self.strangers.push(place.name),
        }
    }

    /// Compares what is there with what a model of this shape has.
    ///
    /// # Errors
    /// [`Error::Model`] naming the tensors that are missing or have another shape, and the first file.
    pub(super) fn check(&self, config: &Config) -> Result<LoadReport> {
        let mut report = LoadReport {
            files: self.files.iter().map(|file| file.path().to_owned()).collect(),
            ..LoadReport::default()
        };
        let mut known = BTreeSet::new();
        let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
        for entry in layout::tensors(config) {
            let found = entry.names.iter().find_map(|name| self.places.get(name));
            known.extend(entry.names.iter().cloned());
            match (found, entry.need) {
                (None, Need::Always) => missing.push(entry.names[0].clone()),
                (None, Need::Continuation) => report.missing.push(entry.names[0].clone()),
                (Some(place), need) if need != Need::Never && (place.shape != entry.shape || !place.is_float) => {
                    misshapen.push(format!("{} is {:?}, not {:?}", entry.names[0], place.shape, entry.shape));
                }
                _ => {}
            }
        }
        report.unused = self.places.keys().filter(|name| !known.contains(*name)).cloned().collect();
        report.unused.extend(self.strangers.iter().cloned());
        let first = self.files.first().map_or_else(String::new, |file| file.path().display().to_string());
        if !missing.is_empty() {
            let reason = format!("{first} and its parts lack {}. Download the whole checkpoint again.", few(&missing));
            return Err(unusable(reason));
        }
        if !misshapen.is_empty() {
            let reason =
                format!("{first} does not fit its config.json: {}. Use files of one checkpoint.", few(&misshapen));
            return Err(unusable(reason));
        }
        Ok(report)
    }

    fn place(&self, name: &str) -> Result<&Place> {
        let lacking = || unusable(format!("the weights lack {name}. Download the whole checkpoint again."));
        self.places.get(name).ok_or_else(lacking)
    }

    /// A tensor's shape.
    pub(super) fn shape(&self, name: &str) -> Result<&[usize]> {
        Ok(&self.place(name)?.shape)
    }

    /// A tensor as numbers in 32 bits, where it lies if it can be.
    pub(super) fn floats(&self, name: &str) -> Result<Floats> {
        let place = self.place(name)?;
        if place.in_place && place.rows.is_none() {
            return Ok(Floats::Mapped { file: self.files[place.file].clone(), name: place.name.clone() });
        }
        let flat = self.tensor(name)?.flatten_all().and_then(|tensor| tensor.to_vec1::<f32>());
        Ok(Floats::Owned(Arc::new(flat.map_err(|error| self.unreadable(name, &error))?)))
    }

    /// A copy of a tensor in 32 bits.
    pub(super) fn tensor(&self, name: &str) -> Result<Tensor> {
        let place = self.place(name)?;
        let tensor = match &*self.files[place.file] {
            File::Mapped { tensors, .. } => tensors.load(&place.name, &Device::Cpu),
            File::Pickle { tensors, .. } => {
                tensors.get(&place.name).and_then(|tensor| tensor.ok_or_else(|| candle_core::Error::msg("it is gone")))
            }
        };
        let rows = |tensor: Tensor| match &place.rows {
            Some(rows) => tensor.narrow(0, rows.start, rows.len()),
            None => Ok(tensor),
        };
        tensor
            .and_then(rows)
            .and_then(|tensor| tensor.to_dtype(DType::F32)?.contiguous())
            .map_err(|error| self.unreadable(name, &error))
    }

    /// Lets the system take back the memory of tensors that were copied. See [`File::forget`].
    pub(super) fn forget(&self, names: &[String]) {
        for place in names.iter().filter_map(|name| self.places.get(name)) {
            self.files[place.file].forget(&place.name);
        }
    }

    /// [`Self::forget`] for every tensor whose name begins so.
    pub(super) fn forget_below(&self, start: &str) {
        let names: Vec<String> = self.places.keys().filter(|name| name.starts_with(start)).cloned().collect();
        self.forget(&names);
    }

    fn unreadable(&self, name: &str, error: &candle_core::Error) -> Error {
        let file =
            self.places.get(name).map_or(String::new(), |place| self.files[place.file].path().display().to_string());
        unusable(format!("{name} in {file} cannot be read ({error}). Download the file again."))
    }

    /// The weights below a name, for parts that are made of candle's own layers.
    pub(super) fn var_builder(self: &Arc<Self>, below: &str) -> VarBuilder<'static> {
        VarBuilder::from_backend(Box::new(Shared(self.clone())), DType::F32, Device::Cpu).pp(below)
    }
}

/// The first few of many, and how many more.
fn few(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

struct Shared(Arc<Checkpoint>);

impl SimpleBackend for Shared {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: candle_nn::Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let tensor = self.get_unchecked(name, dtype, device)?;
        if tensor.shape() == &shape {
            Ok(tensor)
        } else {
            Err(candle_core::Error::msg(format!("{name} is {:?}, not {shape:?}", tensor.shape())))
        }
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> candle_core::Result<Tensor> {
        let tensor = self.0.tensor(name).map_err(candle_core::Error::wrap)?;
        tensor.to_dtype(dtype)?.to_device(device)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.0.places.contains_key(name)
    }
}
