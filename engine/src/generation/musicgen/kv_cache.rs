//! Thread: worker. Keys and values of the positions so far, in 32 or 16 bits.
//!
//! Layer by layer and row by row, `[head][position][head_size]`, so that attention reads each head in one sweep. Memory is taken for the
//! whole piece at once; the processor's is touched as it fills.

use super::tensor_layers::TensorLayer;
use candle_core::{Device, Result};
use half::f16;
use half::slice::HalfFloatSliceExt;

/// How a cache stores numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// Exact.
    F32,
    /// Half the memory and half the reading, for the quantised precisions.
    F16,
}

impl Storage {
    /// Bytes of one number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

/// Numbers in either storage.
#[derive(Debug, Clone)]
pub(super) enum Values {
    F32(Vec<f32>),
    F16(Vec<f16>),
}

impl Values {
    fn zeros(storage: Storage, length: usize) -> Self {
        match storage {
            Storage::F32 => Self::F32(vec![0.0; length]),
            // Zeroed by the system, page by page when first touched.
            Storage::F16 => Self::F16(vec![f16::ZERO; length]),
        }
    }

    fn write(&mut self, at: usize, from: &[f32]) {
        match self {
            Self::F32(values) => values[at..at + from.len()].copy_from_slice(from),
            Self::F16(values) => values[at..at + from.len()].convert_from_f32_slice(from),
        }
    }

    fn copy(&mut self, at: usize, from: &Self, from_at: usize, length: usize) {
        match (self, from) {
            (Self::F32(to), Self::F32(from)) => to[at..at + length].copy_from_slice(&from[from_at..from_at + length]),
            (Self::F16(to), Self::F16(from)) => to[at..at + length].copy_from_slice(&from[from_at..from_at + length]),
            (to, from) => {
                let mut wide = vec![0.0; length];
                to.write(at, from.read(from_at, length, &mut wide));
            }
        }
    }

    /// A stretch as 32-bit numbers; `room` is where they go if they are stored otherwise.
    pub(super) fn read<'a>(&'a self, at: usize, length: usize, room: &'a mut [f32]) -> &'a [f32] {
        match self {
            Self::F32(values) => &values[at..at + length],
            Self::F16(values) => {
                let room = &mut room[..length];
                values[at..at + length].convert_to_f32_slice(room);
                room
            }
        }
    }
}

/// Keys and values of one row in one layer.
#[derive(Debug, Clone)]
pub(super) struct RowCache {
    pub(super) keys: Values,
    pub(super) values: Values,
}

/// Where a cache lies, and whose loops read it.
#[derive(Debug)]
pub(super) enum Layers {
    /// `[layer][row]`, for our own.
    Own(Vec<Vec<RowCache>>),
    /// `[layer]`, for a device's.
    Tensors(Vec<TensorLayer>),
}

/// All layers of several rows, filled to one length.
#[derive(Debug)]
pub(super) struct KvCache {
    pub(super) layers: Layers,
    rows: usize,
    heads: usize,
    head_size: usize,
    capacity: usize,
    length: usize,
}

/// The shape of a cache, apart from its rows and its length.
#[derive(Debug, Clone)]
pub(super) struct CacheShape {
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) head_size: usize,
    pub(super) storage: Storage,
    /// Tensors there; our own numbers when absent.
    pub(super) device: Option<Device>,
}

impl CacheShape {
    /// Bytes of one row of `positions`.
    pub(super) fn bytes(&self, positions: usize) -> usize {
        2 * self.layers * self.heads * self.head_size * positions * self.storage.bytes()
    }
}

impl KvCache {
    /// Empty, with room for `capacity` positions in each of `rows`.
    ///
    /// # Errors
    /// When a device has no memory left.
    pub(super) fn new(shape: &CacheShape, rows: usize, capacity: usize) -> Result<Self> {
        let &CacheShape { layers, heads, head_size, storage, .. } = shape;
        let layers = match &shape.device {
            None => {
                let row = || {
                    let values = || Values::zeros(storage, heads * head_size * capacity);
                    RowCache { keys: values(), values: values() }
                };
                Layers::Own((0..layers).map(|_| (0..rows).map(|_| row()).collect()).collect())
            }
            Some(device) => {
                let layer = |_| TensorLayer::new((rows, heads, capacity, head_size), storage, device);
                Layers::Tensors((0..layers).map(layer).collect::<Result<_>>()?)
            }
        };
        Ok(Self { layers, rows, heads, head_size, capacity, length: 0 })
    }

    /// Pieces side by side.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Positions filled.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Positions there is room for.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Where a head's numbers begin.
    pub(super) fn start_of(&self, head: usize) -> usize {
        head * self.capacity * self.head_size
    }

    /// Writes one layer's new keys and values, `[row][position][head][head_size]`, behind the filled positions. Nothing is filled until
    /// [`Self::advance`], when all layers have theirs.
    ///
    /// # Errors
    /// When a device fails.
    pub(super) fn write(&mut self, layer: usize, keys: &[f32], values: &[f32]) -> Result<()> {
        let width = self.heads * self.head_size;
        let steps = keys.len() / (self.rows * width);
        let shape = (self.rows, steps, self.heads, self.head_size);
        let (heads, head_size, length, capacity) = (self.heads, self.head_size, self.length, self.capacity);
        let layer = match &mut self.layers {
            Layers::Tensors(layers) => return layers[layer].write_numbers(length, shape, keys, values),
            Layers::Own(layers) => &mut layers[layer],
        };
        for (row, cache) in layer.iter_mut().enumerate() {
            for step in 0..steps {
                let from = (row * steps + step) * width;
                for head in 0..heads {
                    let to = (head * capacity + length + step) * head_size;
                    let range = from + head * head_size..from + (head + 1) * head_size;
                    cache.keys.write(to, &keys[range.clone()]);
                    cache.values.write(to, &values[range]);
                }
            }
        }
        Ok(())
    }

    /// Counts positions that every layer has written.
    pub(super) fn advance(&mut self, steps: usize) {
        self.length += steps;
    }

    /// A copy of one row's filled positions, with no room for more.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn row(&self, row: usize, shape: &CacheShape) -> Result<Self> {
        let mut copy = Self::new(shape, 1, self.length)?;
        copy.fill_row(0, self, row)?;
        copy.length = self.length;
        Ok(copy)
    }

    /// Fills an empty cache's rows, in order, with the only rows of other caches, all of one length.
    ///
    /// # Errors
    /// When a device fails.
    pub(super) fn fill(&mut self, rows: &[&Self]) -> Result<()> {
        for (row, from) in rows.iter().enumerate() {
            self.fill_row(row, from, 0)?;
            self.length = from.length;
        }
        Ok(())
    }

    fn fill_row(&mut self, row: usize, from: &Self, from_row: usize) -> Result<()> {
        let length = from.length * self.head_size;
        let starts: Vec<_> = (0..self.heads).map(|head| (self.start_of(head), from.start_of(head))).collect();
        match (&mut self.layers, &from.layers) {
            (Layers::Own(layers), Layers::Own(from_layers)) => {
                for (to, from) in layers.iter_mut().zip(from_layers) {
                    let (to, from) = (&mut to[row], &from[from_row]);
                    for &(to_at, from_at) in &starts {
                        to.keys.copy(to_at, &from.keys, from_at, length);
                        to.values.copy(to_at, &from.values, from_at, length);
                    }
                }
                Ok(())
            }
            (Layers::Tensors(layers), Layers::Tensors(from_layers)) => {
                let mut pairs = layers.iter_mut().zip(from_layers);
                pairs.try_for_each(|(to, layer)| to.fill_row(row, layer, from_row, from.length))
            }
            _ => candle_core::bail!("caches of one model lie in one place"),
        }
    }
}
