//! Thread: worker. Running median.

/// The median of each value and `reach` others to either side; fewer at the ends, the upper one of an even number. Values must
/// not be NaN.
pub fn filtered(values: &[f32], reach: usize) -> Vec<f32> {
    // In order of size, so that the median is at hand; one value comes in and one goes out at each step.
    let mut window: Vec<f32> = Vec::with_capacity(2 * reach + 2);
    let place = |window: &[f32], value: f32| window.partition_point(|other| *other < value);
    for &value in &values[..reach.min(values.len())] {
        window.insert(place(&window, value), value);
    }
    (0..values.len())
        .map(|index| {
            if let Some(&value) = values.get(index + reach) {
                window.insert(place(&window, value), value);
            }
            if let Some(gone) = index.checked_sub(reach + 1) {
                window.remove(place(&window, values[gone]));
            }
            window[window.len() / 2]
        })
        .collect()
}
