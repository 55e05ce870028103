//! Thread: worker. Logits to a code: guidance, temperature, top-k or top-p, and a draw, as audiocraft does it.

use super::Sampling;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Classifier-free guidance: `uncond + coefficient * (cond - uncond)`, in place of `cond`.
pub fn guide(cond: &mut [f32], uncond: &[f32], coefficient: f32) {
    for (cond, uncond) in cond.iter_mut().zip(uncond) {
        *cond = uncond + coefficient * (*cond - uncond);
    }
}

/// Draws one code. Top-p, when above 0, goes before top-k; values equal to the k-th stay in. A temperature of 0, or anything else that
/// leaves no distribution, takes the largest logit, the first of equal ones.
///
/// One number is drawn from `chance` whenever the temperature is above 0, whatever comes of it.
pub fn sample(logits: &[f32], sampling: &Sampling, chance: &mut ChaCha8Rng) -> u32 {
    if sampling.temperature <= 0.0 || sampling.temperature.is_nan() {
        return largest(logits);
    }
    let draw: f64 = chance.random();
    let mut weights = softmax(logits, sampling.temperature);
    if sampling.top_p > 0.0 {
        keep_nucleus(&mut weights, sampling.top_p);
    } else if sampling.top_k > 0 {
        keep_largest(&mut weights, sampling.top_k);
    }
    let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
    if !(total > 0.0 && total.is_finite()) {
        return largest(logits);
    }
    let mut left = draw * total;
    let mut last = 0;
    for (code, &weight) in weights.iter().enumerate() {
        if weight > 0.0 {
            last = code;
            left -= f64::from(weight);
            if left < 0.0 {
                break;
            }
        }
    }
    last as u32
}

/// Index of the largest value, the first of equal ones. Not-a-number never wins.
pub fn largest(logits: &[f32]) -> u32 {
    let better = |best: (usize, f32), next: (usize, f32)| if next.1 > best.1 { next } else { best };
    logits.iter().copied().enumerate().fold((0, f32::NEG_INFINITY), better).0 as u32
}

fn softmax(logits: &[f32], temperature: f32) -> Vec<f32> {
    let top = logits.iter().fold(f32::NEG_INFINITY, |top, &logit| top.max(logit));
    let mut weights: Vec<f32> = logits.iter().map(|&logit| ((logit - top) / temperature).exp()).collect();
    let total: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    weights
}

fn keep_largest(weights: &mut [f32], count: usize) {
    if count >= weights.len() {
        return;
    }
    let mut sorted = weights.to_vec();
    let (_, &mut least, _) = sorted.select_nth_unstable_by(count - 1, |a, b| b.total_cmp(a));
    weights.iter_mut().filter(|weight| **weight < least).for_each(|weight| *weight = 0.0);
}

fn keep_nucleus(weights: &mut [f32], mass: f32) {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    // Stable, so that equal weights keep the order of their codes.
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    let mut before = 0.0;
    for code in order {
        let weight = weights[code];
        if before > mass {
            weights[code] = 0.0;
        }
        before += weight;
    }
}
