//! Thread: any. The gates of ITU-R BS.1770-4: which moments count for how loud something is.

/// Steps in a block: 400 ms of steps of 100 ms.
const BLOCK_STEPS: usize = 4;

/// Mean energy of the blocks that pass both gates, from the energy of steps of 100 ms; `None` when no block passes `absolute`.
///
/// Blocks are 400 ms long and overlap by three quarters; the second gate lies 10 dB under the mean of those over the first.
pub fn gated_mean(steps: &[f64], absolute: f64) -> Option<f64> {
    let blocks = || steps.windows(BLOCK_STEPS).map(|block| block.iter().sum::<f64>() / BLOCK_STEPS as f64);
    let mean_over = |gate: f64| {
        let (sum, count) = blocks().filter(|&energy| energy > gate).fold((0.0, 0_u32), |(s, n), e| (s + e, n + 1));
        (count > 0).then(|| sum / f64::from(count))
    };
    let ungated = mean_over(absolute)?;
    mean_over((ungated * 0.1).max(absolute))
}
