//! Thread: worker. Blocks of few bits: made from 32-bit numbers side by side, or used where they lie in a mapped file.

use super::super::weights::File;
use candle_core::quantized::k_quants::{self, BlockQ4K, BlockQ8_0};
use candle_core::quantized::{GgmlDType, GgmlType, QStorage, QTensor, QuantizedType};
use candle_core::{CpuStorage, Result};
use half::f16;
use rayon::prelude::*;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

/// A format of quantised weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Format {
    Q8_0,
    Q4K,
}

impl Format {
    /// Numbers in one block.
    pub(in super::super) fn block(self) -> usize {
        self.kind().block_size()
    }

    /// Bytes of so many numbers.
    pub(in super::super) fn bytes(self, count: usize) -> usize {
        count / self.block() * self.kind().type_size()
    }

    /// Its name in files.
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Q8_0 => "q8-0",
            Self::Q4K => "q4-k",
        }
    }

    fn kind(self) -> GgmlDType {
        match self {
            Self::Q8_0 => GgmlDType::Q8_0,
            Self::Q4K => GgmlDType::Q4K,
        }
    }
}

/// Quantises the numbers of a stacked matrix.
pub(in super::super) fn quantise(parts: &[&[f32]], format: Format, outputs: usize, inputs: usize) -> Result<QTensor> {
    let storage: Box<dyn QuantizedType> = match format {
        Format::Q8_0 => Box::new(quantise_as::<BlockQ8_0>(parts)),
        Format::Q4K => Box::new(quantise_as::<BlockQ4K>(parts)),
    };
    QTensor::new(QStorage::Cpu(storage), (outputs, inputs))
}

fn quantise_as<T: GgmlType + Send>(parts: &[&[f32]]) -> Vec<T> {
    /// Blocks of one piece of work.
    const AT_ONCE: usize = 512;
    let mut result = Vec::with_capacity(parts.iter().map(|part| part.len() / T::BLCK_SIZE).sum());
    for part in parts {
        let mut blocks = vec![T::zeros(); part.len() / T::BLCK_SIZE];
        blocks
            .par_chunks_mut(AT_ONCE)
            .zip(part.par_chunks(AT_ONCE * T::BLCK_SIZE))
            .for_each(|(blocks, numbers)| T::from_float(numbers, blocks));
        result.append(&mut blocks);
    }
    result
}

/// Rows of a matrix of so many inputs, whose blocks stay in a mapped file.
pub(super) fn mapped(
    file: Arc<File>,
    name: String,
    format: Format,
    rows: Range<usize>,
    inputs: usize,
) -> Result<QTensor> {
    let bytes = format.bytes(rows.start * inputs)..format.bytes(rows.end * inputs);
    let length = bytes.len();
    let storage: Box<dyn QuantizedType> = match format {
        Format::Q8_0 => Box::new(Mapped::<BlockQ8_0> { file, name, bytes, kind: PhantomData }),
        Format::Q4K => Box::new(Mapped::<BlockQ4K> { file, name, bytes, kind: PhantomData }),
    };
    if storage.storage_size_in_bytes() != length {
        candle_core::bail!("a tensor of the file has another size than its matrix")
    }
    QTensor::new(QStorage::Cpu(storage), (rows.len(), inputs))
}

struct Mapped<T> {
    file: Arc<File>,
    name: String,
    /// Of the tensor in the file.
    bytes: Range<usize>,
    kind: PhantomData<T>,
}

impl<T: GgmlType> Mapped<T> {
    fn blocks(&self) -> &[T] {
        let bytes = self.file.bytes(&self.name).and_then(|bytes| bytes.get(self.bytes.clone())).unwrap_or(&[]);
        // SAFETY: candle's blocks are bytes and 16-bit floats in `repr(C)`, for which every pattern of bits is a value.
        let (before, blocks, after) = unsafe { bytes.align_to::<T>() };
        if before.is_empty() && after.is_empty() { blocks } else { &[] }
    }
}

impl<T: GgmlType> QuantizedType for Mapped<T> {
    fn dtype(&self) -> GgmlDType {
        T::DTYPE
    }

    fn matmul_t(&self, mkn: (usize, usize, usize), lhs: &[f32], dst: &mut [f32]) -> Result<()> {
        k_quants::matmul(mkn, lhs, self.blocks(), dst)
    }

    fn matmul_t_f16(&self, mkn: (usize, usize, usize), lhs: &[f16], dst: &mut [f16]) -> Result<()> {
        k_quants::matmul_f16(mkn, lhs, self.blocks(), dst)
    }

    fn embedding(&self, _: &[u32], _: usize, _: usize) -> Result<CpuStorage> {
        candle_core::bail!("mapped blocks are no embedding")
    }

    fn dequantize(&self, count: usize) -> Result<CpuStorage> {
        let mut numbers = vec![0.0; count];
        T::to_float(self.blocks(), &mut numbers);
        Ok(CpuStorage::F32(numbers))
    }

    fn storage_size_in_bytes(&self) -> usize {
        size_of_val(self.blocks())
    }

    fn as_ptr(&self) -> *const u8 {
        self.blocks().as_ptr().cast()
    }

    fn block_size(&self) -> usize {
        T::BLCK_SIZE
    }

    // The file is read-only. Nothing quantises into an existing tensor.
    fn from_float(&mut self, _: &[f32]) {}

    fn from_float_imatrix(&mut self, _: &[f32], _: &[f32], _: usize) {}

    fn size(&self) -> usize {
        self.storage_size_in_bytes()
    }
}
