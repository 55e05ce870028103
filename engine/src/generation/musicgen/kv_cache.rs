//! Thread: worker. Keys and values of the positions so far, in 32 or 16 bits.
//!
//! Layer by layer and row by row, `[head][position][head_size]`, so that attention reads each head in one sweep. Memory is taken for the
//! whole piece at once and touched as it fills.

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

/// All layers of several rows, filled to one length.
#[derive(Debug)]
pub(super) struct KvCache {
    /// `[layer][row]`.
    pub(super) layers: Vec<Vec<RowCache>>,
    heads: usize,
    head_size: usize,
    capacity: usize,
    length: usize,
}

/// The shape of a cache, apart from its rows and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CacheShape {
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) head_size: usize,
    pub(super) storage: Storage,
}

impl CacheShape {
    /// Bytes of one row of `positions`.
    pub(super) fn bytes(&self, positions: usize) -> usize {
        2 * self.layers * self.heads * self.head_size * positions * self.storage.bytes()
    }
}

impl KvCache {
    /// Empty, with room for `capacity` positions in each of `rows`.
    pub(super) fn new(shape: CacheShape, rows: usize, capacity: usize) -> Self {
        let CacheShape { layers, heads, head_size, storage } = shape;
        let row = || {
            let values = || Values::zeros(storage, heads * head_size * capacity);
            RowCache { keys: values(), values: values() }
        };
        let layers = (0..layers).map(|_| (0..rows).map(|_| row()).collect()).collect();
        Self { layers, heads, head_size, capacity, length: 0 }
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
    pub(super) fn write(&mut self, layer: usize, keys: &[f32], values: &[f32]) {
        let width = self.heads * self.head_size;
        let rows = self.layers[layer].len();
        let steps = keys.len() / (rows * width);
        for row in 0..rows {
            for step in 0..steps {
                let from = (row * steps + step) * width;
                for head in 0..self.heads {
                    let to = self.start_of(head) + (self.length + step) * self.head_size;
                    let range = from + head * self.head_size..from + (head + 1) * self.head_size;
                    let cache = &mut self.layers[layer][row];
                    cache.keys.write(to, &keys[range.clone()]);
                    cache.values.write(to, &values[range]);
                }
            }
        }
    }

    /// Counts positions that every layer has written.
    pub(super) fn advance(&mut self, steps: usize) {
        self.length += steps;
    }

    /// A copy of one row's filled positions, with no room for more.
    pub(super) fn row(&self, row: usize, shape: CacheShape) -> Self {
        let mut copy = Self::new(shape, 1, self.length);
        copy.fill_row(0, self, row);
        copy.length = self.length;
        copy
    }

    /// Fills an empty cache's rows, in order, with the only rows of other caches, all of one length.
    pub(super) fn fill(&mut self, rows: &[&Self]) {
        for (row, from) in rows.iter().enumerate() {
            self.fill_row(row, from, 0);
            self.length = from.length;
        }
    }

    fn fill_row(&mut self, row: usize, from: &Self, from_row: usize) {
        let length = from.length * self.head_size;
        for layer in 0..self.layers.len() {
            for head in 0..self.heads {
                let (to_at, from_at) = (self.start_of(head), from.start_of(head));
                let (to, from) = (&mut self.layers[layer][row], &from.layers[layer][from_row]);
                to.keys.copy(to_at, &from.keys, from_at, length);
                to.values.copy(to_at, &from.values, from_at, length);
            }
        }
    }
}
