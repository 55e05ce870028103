//! Thread: worker. A check that users can run: the model's own answers beside those of a reference file, entry by entry, or, without one,
//! whether a checkpoint behaves as such a model must.
//!
//! A reference file is safetensors with inputs and the outputs that another implementation computed from them, by the names that
//! `tests/data/musicgen-tiny/README.md` explains. What is computed here can be written under the same names, so that anyone can compare
//! with other means.

mod against;
mod itself;

use super::{MusicGen, unusable};
use crate::error::{Error, Result};
use crate::job_context::JobContext;
use candle_core::{DType, Device, Tensor};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// How far an entry may be from the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bar {
    /// No number may be further away than this.
    Absolute(f32),
    /// No number may be further away than this times the largest number of the reference.
    OfPeak(f32),
    /// Every number is the same. The error is how many are not.
    Exact,
    /// The error must be more than this: two things that may not be the same.
    Beyond(f32),
}

impl std::fmt::Display for Bar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Absolute(bar) => write!(formatter, "at most {bar:.0e}"),
            Self::OfPeak(bar) => write!(formatter, "at most {bar:.0e} of the peak"),
            Self::Exact => write!(formatter, "identical"),
            Self::Beyond(bar) => write!(formatter, "more than {bar:.0e}"),
        }
    }
}

/// One entry that was compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name in the reference, or what it is about.
    pub name: String,
    /// In the measure of the bar; infinite for another shape, and for numbers that are none.
    pub error: f32,
    /// What is allowed.
    pub bar: Bar,
    /// What else there is to say.
    pub note: Option<String>,
}

impl Entry {
    /// Whether it is within its bar.
    pub fn passed(&self) -> bool {
        match self.bar {
            Bar::Absolute(bar) | Bar::OfPeak(bar) => self.error <= bar,
            Bar::Exact => self.error == 0.0,
            Bar::Beyond(bar) => self.error > bar,
        }
    }
}

/// What a check found.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// In the order they were computed.
    pub entries: Vec<Entry>,
    /// Entries of the reference that served as inputs.
    pub inputs: Vec<String>,
    /// Entries of the reference that this check knows nothing of, or cannot compute.
    pub not_compared: Vec<String>,
    /// What was computed, by name, in the types of the reference.
    pub computed: BTreeMap<String, Tensor>,
}

impl CheckReport {
    /// Entries outside of their bar.
    pub fn failures(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.passed()).count()
    }

    /// Writes what was computed as safetensors.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn dump(&self, path: &Path) -> Result<()> {
        let tensors: HashMap<&str, Tensor> =
            self.computed.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())).collect();
        let failed = |error: candle_core::Error| Error::File {
            action: "write",
            path: path.to_owned(),
            reason: error.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        candle_core::safetensors::save(&tensors, path).map_err(failed)
    }
}

impl MusicGen {
    /// Computes every entry of a reference file and compares. `on_entry` hears each as it is known: a check of a large model takes minutes.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Model`] for a file that is no reference for this model; [`Error::Cancelled`]. Differences are no
    /// errors; they are in the report.
    pub fn check_against(
        &self,
        reference: &Path,
        context: &JobContext,
        on_entry: &mut dyn FnMut(&Entry),
    ) -> Result<CheckReport> {
        let bytes = std::fs::read(reference).map_err(|error| Error::file("read", reference, &error))?;
        let no_reference = |what: &str| unusable(format!("{} {what}", reference.display()));
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu)
            .map_err(|_| no_reference("is no file of tensors. A reference is a .safetensors file."))?;
        let beside = reference.with_extension("json");
        let prompt = std::fs::read(beside).ok().and_then(|text| {
            let described: serde_json::Value = serde_json::from_slice(&text).ok()?;
            Some(described.get("prompt")?.as_str()?.to_owned())
        });
        let mut comparison = against::Comparison::new(self, tensors, prompt, context, on_entry);
        comparison.run()?;
        let report = comparison.report;
        if report.entries.is_empty() {
            return Err(no_reference(
                "holds no entry that this check knows. Its names are explained in the documentation.",
            ));
        }
        Ok(report)
    }

    /// Without a reference: whether words, melody and guidance matter, whether steps equal a full pass and pieces of sound the whole, and
    /// whether everything is a number.
    ///
    /// # Errors
    /// As [`Self::check_against`].
    pub fn check_itself(&self, context: &JobContext, on_entry: &mut dyn FnMut(&Entry)) -> Result<CheckReport> {
        itself::check(self, context, on_entry)
    }
}

/// Numbers of any tensor in single precision.
fn numbers(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// The error of numbers in the measure of a bar; for [`Bar::Beyond`] the largest distance.
fn error_of(got: &[f32], expected: &[f32], bar: Bar) -> f32 {
    if got.len() != expected.len() {
        return f32::INFINITY;
    }
    if bar == Bar::Exact {
        return got.iter().zip(expected).filter(|(a, b)| a != b).count() as f32;
    }
    let far = |(a, b): (&f32, &f32)| if (a - b).is_nan() { f32::INFINITY } else { (a - b).abs() };
    let worst = got.iter().zip(expected).map(far).fold(0.0, f32::max);
    let peak = expected.iter().fold(f32::MIN_POSITIVE, |peak, value| peak.max(value.abs()));
    if matches!(bar, Bar::OfPeak(_)) { worst / peak } else { worst }
}
