//! Which edges of the engine's code an input reaches, when the engine was built to count them.
//!
//! `cargo xtask fuzz` compiles the engine with LLVM's inline counters, one byte an edge. A build without them (the suite's) has no
//! regions here, and only the answers of a target tell inputs apart.

use std::sync::Mutex;

static REGIONS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// Called by instrumented objects before `main`.
#[unsafe(no_mangle)]
pub extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    let region = (start as usize, stop as usize - start as usize);
    let mut regions = REGIONS.lock().unwrap();
    if region.1 > 0 && !regions.contains(&region) {
        regions.push(region);
    }
}

/// An edge and how often it was taken, roughly.
pub type Feature = (usize, u8);

/// What was seen so far.
#[derive(Default)]
pub struct Seen {
    edges: Vec<u8>,
    answers: std::collections::HashSet<u64>,
}

/// Forgets the counts of the last input.
pub fn clear() {
    for &(start, length) in REGIONS.lock().unwrap().iter() {
        // SAFETY: the region is a static of this program that LLVM laid out for bytes; racing increments only lose counts.
        unsafe { std::ptr::write_bytes(start as *mut u8, 0, length) };
    }
}

/// What the last input reached.
pub fn features() -> Vec<Feature> {
    let mut found = Vec::new();
    let mut first = 0;
    for &(start, length) in REGIONS.lock().unwrap().iter() {
        // SAFETY: as above; a count that another thread changes meanwhile is read as one or the other.
        let counts = unsafe { std::slice::from_raw_parts(start as *const u8, length) };
        for (eight, index) in counts.chunks(8).zip((0..).step_by(8)) {
            if eight.iter().any(|&count| count != 0) {
                let taken = eight.iter().zip(index..).filter(|(count, _)| **count != 0);
                found.extend(taken.map(|(&count, index)| (first + index, bucket(count))));
            }
        }
        first += length;
    }
    found
}

/// A bit for each order of magnitude.
fn bucket(count: u8) -> u8 {
    match count {
        0..=3 => 1 << (count.max(1) - 1),
        4..=7 => 8,
        8..=15 => 16,
        16..=31 => 32,
        32..=127 => 64,
        128.. => 128,
    }
}

impl Seen {
    /// Adds what an input reached and answered; true when any of it is new.
    pub fn add(&mut self, features: &[Feature], answer: u64) -> bool {
        let mut new = self.answers.len() < MOST_ANSWERS && self.answers.insert(answer);
        for &(edge, bucket) in features {
            if edge >= self.edges.len() {
                self.edges.resize(edge + 1, 0);
            }
            new |= self.edges[edge] & bucket == 0;
            self.edges[edge] |= bucket;
        }
        new
    }

    /// Edges reached.
    pub fn edges(&self) -> usize {
        self.edges.iter().filter(|buckets| **buckets != 0).count()
    }

    /// Different answers given.
    pub fn answers(&self) -> usize {
        self.answers.len()
    }
}

/// More answers than this say nothing new.
const MOST_ANSWERS: usize = 400;
