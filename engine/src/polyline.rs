//! Thread: any. Curves given as points, as bends and levels inside notes are.

/// A polyline's value: straight between points, flat outside, 0 without points.
pub(crate) fn value_at(points: &[(f32, f32)], at: f32) -> f32 {
    let after = points.partition_point(|point| point.0 <= at);
    match (after.checked_sub(1).and_then(|index| points.get(index)), points.get(after)) {
        (Some(before), Some(next)) => before.1 + (next.1 - before.1) * (at - before.0) / (next.0 - before.0).max(1e-6),
        (Some(only), None) | (None, Some(only)) => only.1,
        (None, None) => 0.0,
    }
}
