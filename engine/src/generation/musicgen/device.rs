//! Thread: worker. Which processor runs the language model.

use super::{Precision, unusable};
use crate::error::Result;
use candle_core::Device;
use serde::{Deserialize, Serialize};

/// What runs the language model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceChoice {
    /// The processor, by our own loops.
    #[default]
    Cpu,
    /// The processor, by the very operations that graphics processors run: slower, for comparing.
    CpuTensors,
    /// An NVIDIA graphics processor, counted from 0, in programs built with the feature `cuda`.
    Cuda(usize),
    /// An Apple graphics processor, counted from 0, in programs built with the feature `metal`.
    Metal(usize),
}

impl DeviceChoice {
    /// What the environment variable `CANTUS_DEVICE` names: `cpu` (also when it is not set), `cuda`, `metal`, or `cuda:1` for the second.
    ///
    /// # Errors
    /// [`crate::Error::Model`] for anything else.
    pub fn from_environment() -> Result<Self> {
        let named = std::env::var("CANTUS_DEVICE").unwrap_or_default();
        let (maker, index) = named.split_once(':').unwrap_or((&named, "0"));
        match (maker, index.parse()) {
            ("" | "cpu", _) => Ok(Self::Cpu),
            ("cuda", Ok(index)) => Ok(Self::Cuda(index)),
            ("metal", Ok(index)) => Ok(Self::Metal(index)),
            _ => Err(unusable(format!(
                "CANTUS_DEVICE is \"{named}\", but must be cpu, cuda, metal, or cuda:1 for the second."
            ))),
        }
    }

    /// The device to put tensors on; none for our own loops.
    ///
    /// # Errors
    /// [`crate::Error::Model`] for a device that this program was not built for or that does not answer, and for a precision that only
    /// graphics processors are good at.
    pub(super) fn open(self, precision: Precision) -> Result<Option<Device>> {
        let (maker, feature, opened) = match self {
            Self::Cpu if precision == Precision::F16 => {
                let reason = "16-bit weights are for graphics processors. Choose 8 bits for this processor.";
                return Err(unusable(reason.into()));
            }
            Self::Cpu => return Ok(None),
            Self::CpuTensors => return Ok(Some(Device::Cpu)),
            Self::Cuda(index) => ("NVIDIA", "cuda", cfg!(feature = "cuda").then(|| Device::new_cuda(index))),
            Self::Metal(index) => ("Apple", "metal", cfg!(feature = "metal").then(|| Device::new_metal(index))),
        };
        match opened {
            Some(Ok(device)) => Ok(Some(device)),
            Some(Err(error)) => {
                let error = error.to_string();
                let error = error.lines().next().unwrap_or_default();
                let reason = format!("the {maker} graphics processor does not answer ({error}). Choose the processor.");
                Err(unusable(reason))
            }
            None => Err(unusable(format!(
                "this Cantus was built without support for {maker} graphics processors. Choose the processor, or build it with the feature {feature}."
            ))),
        }
    }
}
