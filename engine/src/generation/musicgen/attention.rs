//! Thread: worker. Causal attention over the cache: every row and head by itself, in plain loops.

use super::kv_cache::RowCache;
use rayon::prelude::*;

/// Positions whose keys or values are widened and used at once: 64 of 64 numbers stay in the first-level cache.
const BLOCK: usize = 64;

/// Attends from new positions to themselves and all before. `queries` are `[row][step][head][head_size]`, already scaled; keys and values of
/// the new positions are in the cache behind the `before` that were there. Returns the same shape as `queries`.
pub(super) fn attend(
    cache: &[RowCache],
    (before, capacity): (usize, usize),
    queries: &[f32],
    (heads, head_size): (usize, usize),
) -> Vec<f32> {
    let rows = cache.len();
    let width = heads * head_size;
    let steps = queries.len() / (rows * width);
    let parts: Vec<Vec<f32>> = (0..rows * heads)
        .into_par_iter()
        .map(|part| {
            let (row, head) = (part / heads, part % heads);
            let own: Vec<f32> = (0..steps)
                .flat_map(|step| {
                    let start = (row * steps + step) * width + head * head_size;
                    &queries[start..start + head_size]
                })
                .copied()
                .collect();
            attend_head(&cache[row], head * capacity * head_size, before, &own, head_size)
        })
        .collect();
    let mut result = vec![0.0; queries.len()];
    for (part, own) in parts.iter().enumerate() {
        let (row, head) = (part / heads, part % heads);
        for (step, values) in own.chunks_exact(head_size).enumerate() {
            let start = (row * steps + step) * width + head * head_size;
            result[start..start + head_size].copy_from_slice(values);
        }
    }
    result
}

/// One head of one row: `queries` `[step][head_size]`, of which step `s` sees positions up to `before + s`.
fn attend_head(row: &RowCache, start: usize, before: usize, queries: &[f32], head_size: usize) -> Vec<f32> {
    let steps = queries.len() / head_size;
    let total = before + steps;
    let mut scores = vec![0.0_f32; steps * total];
    let mut room = vec![0.0_f32; BLOCK * head_size];
    for first in (0..total).step_by(BLOCK) {
        let count = BLOCK.min(total - first);
        let keys = row.keys.read(start + first * head_size, count * head_size, &mut room);
        for (step, query) in queries.chunks_exact(head_size).enumerate() {
            let seen = (before + step + 1).saturating_sub(first).min(count);
            let scores = &mut scores[step * total + first..][..seen];
            for (score, key) in scores.iter_mut().zip(keys.chunks_exact(head_size)) {
                *score = dot(query, key);
            }
        }
    }
    for (step, scores) in scores.chunks_exact_mut(total).enumerate() {
        softmax(&mut scores[..=before + step]);
    }
    let mut result = vec![0.0_f32; queries.len()];
    for first in (0..total).step_by(BLOCK) {
        let count = BLOCK.min(total - first);
        let values = row.values.read(start + first * head_size, count * head_size, &mut room);
        for (step, result) in result.chunks_exact_mut(head_size).enumerate() {
            let seen = (before + step + 1).saturating_sub(first).min(count);
            let weights = &scores[step * total + first..][..seen];
            for (&weight, value) in weights.iter().zip(values.chunks_exact(head_size)) {
                result.iter_mut().zip(value).for_each(|(sum, value)| *sum += weight * value);
            }
        }
    }
    result
}

fn softmax(scores: &mut [f32]) {
    let top = scores.iter().fold(f32::NEG_INFINITY, |top, &score| top.max(score));
    let mut total = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - top).exp();
        total += *score;
    }
    let scale = 1.0 / total;
    scores.iter_mut().for_each(|score| *score *= scale);
}

/// Sums in sixteen lanes, which the compiler keeps in vector registers.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f32 = a_lanes.remainder().iter().zip(b_lanes.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_lanes.zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0] + rest
}
