//! Thread: worker. Sinusoidal positions: cosines first, then sines, over `half - 1` steps of frequency.

/// The row of position `position`, `width` values, added to `into`.
pub(super) fn add_position(position: usize, into: &mut [f32]) {
    let half = into.len() / 2;
    let step = 10_000_f32.ln() / (half as f32 - 1.0);
    let (cosines, sines) = into.split_at_mut(half);
    for (index, (cosine, sine)) in cosines.iter_mut().zip(sines).enumerate() {
        // The reference computes in 32 bits; another order of rounding shows at positions in the thousands.
        let angle = position as f32 * (-step * index as f32).exp();
        *cosine += angle.cos();
        *sine += angle.sin();
    }
}

/// The row of a position by itself. For comparing with the reference's table.
pub fn position(position: usize, width: usize) -> Vec<f32> {
    let mut row = vec![0.0; width];
    add_position(position, &mut row);
    row
}
