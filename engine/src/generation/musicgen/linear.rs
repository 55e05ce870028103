//! Thread: worker. Products with weight matrices: the one place that knows how weights are stored, so that other kernels can come in here.

mod blocks;
mod quantised_file;

pub(super) use blocks::Format;
pub(super) use quantised_file::{Plan, QuantisedFile, fingerprint, prune, write};

use super::attention::dot;
use super::weights::{Checkpoint, Floats};
use super::{Precision, failed};
use crate::error::Result;
use candle_core::quantized::{QMatMul, QStorage, QTensor};
use candle_core::{CpuStorage, DType, Device, Module, Storage, Tensor};
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// With at most this many rows the weights are read once where they lie; with more, candle's product is worth a copy of them.
const FEW_ROWS: usize = 8;
/// Weight rows that are copied for one of candle's products: 3 MB of the real model, which stay in the cache and in one place of memory.
const STRIP: usize = 512;
/// Weight rows of one piece of work: 0.4 MB of the real model.
const ROWS_AT_ONCE: usize = 64;

/// A matrix `[outputs, inputs]`, or several of the same inputs stacked on top of each other, so that they are one product.
pub(super) struct Linear {
    inputs: usize,
    outputs: usize,
    weights: Weights,
}

enum Weights {
    /// Exact: 32-bit numbers, part by part.
    Full(Vec<Floats>),
    /// Blocks of few bits, by candle's products, on any device: pieces from top to bottom, see [`pieces`].
    Quantised(Vec<QMatMul>),
    /// `[outputs, inputs]` on a device, in the type that its products are made in.
    Tensor(Tensor),
}

/// What one [`Linear`] is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stack {
    /// What it is called in a file of quantised weights.
    pub(super) name: String,
    /// The checkpoint's tensors, from top to bottom.
    pub(super) tensors: Vec<String>,
}

impl Stack {
    /// A matrix by itself.
    pub(super) fn one(tensor: String) -> Self {
        Self { name: tensor.clone(), tensors: vec![tensor] }
    }
}

impl Linear {
    /// The exact matrix.
    pub(super) fn full(checkpoint: &Checkpoint, stack: &Stack) -> Result<Self> {
        let (outputs, inputs) = dimensions(checkpoint, stack)?;
        let parts = stack.tensors.iter().map(|name| checkpoint.floats(name)).collect::<Result<_>>()?;
        Ok(Self { inputs, outputs, weights: Weights::Full(parts) })
    }

    /// The matrix as a tensor on a device.
    pub(super) fn tensor(checkpoint: &Checkpoint, stack: &Stack, kind: DType, device: &Device) -> Result<Self> {
        let (outputs, inputs) = dimensions(checkpoint, stack)?;
        let parts = stack.tensors.iter().map(|name| checkpoint.tensor(name)).collect::<Result<Vec<_>>>()?;
        let weights =
            Tensor::cat(&parts, 0).and_then(|whole| whole.to_dtype(kind)?.to_device(device)).map_err(failed)?;
        Ok(Self { inputs, outputs, weights: Weights::Tensor(weights) })
    }

    /// Quantised weights moved to a device; others stay as they are.
    pub(super) fn on(self, device: &Device) -> Result<Self> {
        let Weights::Quantised(pieces) = &self.weights else { return Ok(self) };
        let moved = pieces.iter().filter_map(|piece| match piece {
            QMatMul::QTensor(tensor) => Some(tensor),
            _ => None,
        });
        let moved = moved.map(|tensor| {
            let storage = QStorage::from_data(tensor.data()?, device, tensor.dtype())?;
            QTensor::new(storage, tensor.shape())
        });
        Self::of_blocks(moved.collect::<candle_core::Result<_>>().map_err(failed)?, self.outputs, self.inputs)
    }

    /// Quantised now, kept in memory.
    pub(super) fn quantised(checkpoint: &Checkpoint, stack: &Stack, format: Format) -> Result<Self> {
        let (outputs, inputs) = dimensions(checkpoint, stack)?;
        let parts = stack.tensors.iter().map(|name| checkpoint.floats(name)).collect::<Result<Vec<_>>>()?;
        let slices: Vec<&[f32]> = parts.iter().map(Floats::as_slice).collect();
        let tensor = blocks::quantise(&slices, format, outputs, inputs).map_err(failed)?;
        let whole = tensor.data().map_err(failed)?;
        let tensors = pieces(outputs).map(|rows| {
            let bytes = format.bytes(rows.start * inputs)..format.bytes(rows.end * inputs);
            let storage = QStorage::from_data(Cow::Borrowed(&whole[bytes]), &Device::Cpu, tensor.dtype())?;
            QTensor::new(storage, (rows.len(), inputs))
        });
        let tensors = tensors.collect::<candle_core::Result<_>>().map_err(failed)?;
        Self::of_blocks(tensors, outputs, inputs)
    }

    /// Quantised before, in a mapped file.
    pub(super) fn from_file(file: &QuantisedFile, plan: &Plan) -> Result<Self> {
        let tensors = pieces(plan.outputs).map(|rows| file.tensor(plan, rows)).collect::<Result<_>>()?;
        Self::of_blocks(tensors, plan.outputs, plan.inputs)
    }

    fn of_blocks(tensors: Vec<QTensor>, outputs: usize, inputs: usize) -> Result<Self> {
        let products = tensors.into_iter().map(QMatMul::from_qtensor).collect::<candle_core::Result<_>>();
        Ok(Self { inputs, outputs, weights: Weights::Quantised(products.map_err(failed)?) })
    }

    /// `[rows, inputs]` to `[rows, outputs]`.
    pub(super) fn forward(&self, input: &Tensor) -> candle_core::Result<Tensor> {
        let parts = match &self.weights {
            Weights::Quantised(pieces) => {
                let input = input.contiguous()?;
                let [product] = pieces.as_slice() else {
                    let parts = pieces.par_iter().map(|piece| piece.forward(&input));
                    return Tensor::cat(&parts.collect::<candle_core::Result<Vec<_>>>()?, 1);
                };
                return product.forward(&input);
            }
            Weights::Tensor(matrix) => {
                return input.to_dtype(matrix.dtype())?.matmul(&matrix.t()?)?.to_dtype(DType::F32);
            }
            Weights::Full(parts) => parts,
        };
        let (rows, _) = input.dims2()?;
        if rows > FEW_ROWS {
            let strips = parts.iter().flat_map(|part| part.as_slice().chunks(STRIP * self.inputs)).map(|strip| {
                let matrix = Tensor::from_slice(strip, (strip.len() / self.inputs, self.inputs), &Device::Cpu)?;
                input.matmul(&matrix.t()?)
            });
            let strips = strips.collect::<candle_core::Result<Vec<_>>>()?;
            return if strips.len() == 1 { Ok(strips[0].clone()) } else { Tensor::cat(&strips, 1) };
        }
        let input = input.contiguous()?;
        let (storage, layout) = input.storage_and_layout();
        let Storage::Cpu(CpuStorage::F32(numbers)) = &*storage else {
            return Err(candle_core::Error::msg("exact products are made on the processor, in 32 bits"));
        };
        let numbers = &numbers[layout.start_offset()..][..rows * self.inputs];
        Tensor::from_vec(self.few_rows(parts, numbers, rows), (rows, self.outputs), &Device::Cpu)
    }

    /// Reads every weight once, and uses it for all rows while it is there.
    fn few_rows(&self, parts: &[Floats], input: &[f32], rows: usize) -> Vec<f32> {
        let mut by_output = vec![0.0_f32; self.outputs * rows];
        let mut rest = by_output.as_mut_slice();
        for part in parts {
            let weights = part.as_slice();
            let (own, after) = rest.split_at_mut(weights.len() / self.inputs * rows);
            rest = after;
            own.par_chunks_mut(ROWS_AT_ONCE * rows).zip(weights.par_chunks(ROWS_AT_ONCE * self.inputs)).for_each(
                |(sums, weights)| {
                    for (sums, weights) in sums.chunks_exact_mut(rows).zip(weights.chunks_exact(self.inputs)) {
                        for (sum, input) in sums.iter_mut().zip(input.chunks_exact(self.inputs)) {
                            *sum = dot(weights, input);
                        }
                    }
                },
            );
        }
        if rows == 1 {
            return by_output;
        }
        let mut result = vec![0.0; by_output.len()];
        for (output, sums) in by_output.chunks_exact(rows).enumerate() {
            for (row, &sum) in sums.iter().enumerate() {
                result[row * self.outputs + output] = sum;
            }
        }
        result
    }

    /// One product with nothing, so that what candle prepares on first use is ready.
    pub(super) fn prepare(&self) -> Result<()> {
        let Weights::Quantised(pieces) = &self.weights else { return Ok(()) };
        let Some(QMatMul::QTensor(first)) = pieces.first() else { return Ok(()) };
        let nothing = Tensor::zeros((1, self.inputs), DType::F32, &first.device()).map_err(failed)?;
        self.forward(&nothing).map(drop).map_err(failed)
    }
}

/// The rows of each piece that a quantised matrix is cut into. Candle's own threads wait for each other in a loop, and stand still whenever
/// another program takes one of their processors, as a host's audio threads do all the time. So where candle has but one thread
/// (`CANDLE_NUM_THREADS=1`), ours share the pieces, and whoever is free takes the next one.
fn pieces(outputs: usize) -> impl Iterator<Item = Range<usize>> {
    /// For each thread: enough to take some off a slow one, few enough that rounding the inputs for each costs little.
    const EACH: usize = 2;
    /// Candle's kernels work on so many rows side by side.
    const TOGETHER: usize = 16;
    let threads = rayon::current_num_threads();
    let is_shared = threads > 1 && candle_core::utils::barrier_pool().n_workers() == 0;
    let count = if is_shared { EACH * threads } else { 1 };
    let rows = outputs.div_ceil(count).next_multiple_of(TOGETHER).min(outputs.max(1));
    (0..outputs).step_by(rows).map(move |start| start..(start + rows).min(outputs))
}

/// `(outputs, inputs)` of the stacked matrix.
pub(super) fn dimensions(checkpoint: &Checkpoint, stack: &Stack) -> Result<(usize, usize)> {
    let mut outputs = 0;
    let mut inputs = 0;
    for name in &stack.tensors {
        let &[rows, columns] = checkpoint.shape(name)? else {
            return Err(super::unusable(format!("{name} is no matrix. Download the whole checkpoint again.")));
        };
        outputs += rows;
        inputs = columns;
    }
    Ok((outputs, inputs))
}

/// How a matrix of so many inputs is stored: the formats work on blocks of inputs, and fall back to one with shorter blocks.
pub(super) fn format(precision: Precision, inputs: usize) -> Option<Format> {
    let fits = |format: Format| inputs.is_multiple_of(format.block());
    match precision {
        Precision::F32 | Precision::F16 => None,
        Precision::Q8_0 => Some(Format::Q8_0).filter(|&format| fits(format)),
        Precision::Q4K => [Format::Q4K, Format::Q8_0].into_iter().find(|&format| fits(format)),
    }
}
