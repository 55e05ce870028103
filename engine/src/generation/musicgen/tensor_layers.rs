//! Thread: worker. Keys, values and attention as tensors of any device: for graphics processors, which our own loops do not run on.

use super::kv_cache::Storage;
use candle_core::{DType, Device, Result, Tensor};

/// Keys and values of all rows in one layer, `[row, head, position, head_size]`, room for later positions included.
#[derive(Debug)]
pub(super) struct TensorLayer {
    keys: Tensor,
    values: Tensor,
}

impl TensorLayer {
    /// Room for so many rows, heads, positions and numbers.
    pub(super) fn new(shape: (usize, usize, usize, usize), storage: Storage, device: &Device) -> Result<Self> {
        let kind = match storage {
            Storage::F32 => DType::F32,
            Storage::F16 => DType::F16,
        };
        Ok(Self { keys: Tensor::zeros(shape, kind, device)?, values: Tensor::zeros(shape, kind, device)? })
    }

    /// Writes keys and values `[row, head, step, head_size]` at a position.
    fn write(&mut self, at: usize, keys: &Tensor, values: &Tensor) -> Result<()> {
        for (all, new) in [(&self.keys, keys), (&self.values, values)] {
            all.slice_set(&new.to_dtype(all.dtype())?.contiguous()?, 2, at)?;
        }
        Ok(())
    }

    /// [`Self::write`] of numbers in the order of `shape`: row, step, head, head_size.
    pub(super) fn write_numbers(
        &mut self,
        at: usize,
        shape: (usize, usize, usize, usize),
        keys: &[f32],
        values: &[f32],
    ) -> Result<()> {
        let tensor = |numbers| Tensor::from_slice(numbers, shape, self.keys.device())?.transpose(1, 2);
        let (keys, values) = (tensor(keys)?, tensor(values)?);
        self.write(at, &keys, &values)
    }

    /// Copies the first positions of a row of another layer.
    pub(super) fn fill_row(&mut self, row: usize, from: &Self, from_row: usize, positions: usize) -> Result<()> {
        for (to, from) in [(&self.keys, &from.keys), (&self.values, &from.values)] {
            // A row lies in one piece, so that a view of it can be set in place.
            let part = from.narrow(0, from_row, 1)?.narrow(2, 0, positions)?.contiguous()?;
            to.narrow(0, row, 1)?.slice_set(&part, 2, 0)?;
        }
        Ok(())
    }

    /// Attends from new positions to themselves and the `before` that are there already, and keeps the new ones. `projected` is `[row * step, 3 *
    /// width]`: queries, keys and values. Returns `[row * step, width]`.
    pub(super) fn attend(&mut self, projected: &Tensor, before: usize) -> Result<Tensor> {
        let (rows, heads, _, head_size) = self.keys.dims4()?;
        let (count, _) = projected.dims2()?;
        let (steps, width) = (count / rows, heads * head_size);
        let part = |part: usize| {
            projected.narrow(1, part * width, width)?.reshape((rows, steps, heads, head_size))?.transpose(1, 2)
        };
        let queries = (part(0)? * (1.0 / (head_size as f64).sqrt()))?;
        self.write(before, &part(1)?, &part(2)?)?;
        let total = before + steps;
        let (keys, values) = (self.keys.narrow(2, 0, total)?, self.values.narrow(2, 0, total)?);
        let queries = queries.to_dtype(keys.dtype())?.contiguous()?;
        let mut scores = queries.matmul(&keys.transpose(2, 3)?)?.to_dtype(DType::F32)?;
        if steps > 1 {
            scores = scores.broadcast_add(&mask(before, steps, projected.device())?)?;
        }
        // In 32 bits, in which the weights of many positions still add up to one.
        let weights = candle_nn::ops::softmax_last_dim(&scores)?.to_dtype(values.dtype())?;
        let attended = weights.matmul(&values)?.transpose(1, 2)?.reshape((count, width))?;
        attended.to_dtype(DType::F32)
    }
}

/// `[step, position]`: nothing for what a step sees, minus infinity for what comes after it.
fn mask(before: usize, steps: usize, device: &Device) -> Result<Tensor> {
    let total = before + steps;
    let cell = |step: usize, position: usize| if position <= before + step { 0.0 } else { f32::NEG_INFINITY };
    let cells = (0..steps).flat_map(|step| (0..total).map(move |position| cell(step, position)));
    Tensor::from_vec(cells.collect::<Vec<f32>>(), (steps, total), device)
}
