//! Thread: any. The curves inside a note when the note is cut, joined or given another length.

use crate::polyline::value_at;

/// Seconds from the onset, and a value.
type Curve = Vec<(f32, f32)>;

/// What a curve is between two of its times, counted from the first. Outside of the curve it goes on as at its ends.
pub(super) fn between(points: &[(f32, f32)], from: f32, to: f32) -> Curve {
    let mut cut = vec![(0.0, value_at(points, from))];
    cut.extend(points.iter().filter(|point| point.0 > from && point.0 <= to).map(|point| (point.0 - from, point.1)));
    cut
}

/// One curve after another, the second moved later and raised.
pub(super) fn joined(first: &[(f32, f32)], second: &[(f32, f32)], later: f32, raised: f32) -> Curve {
    let kept = first.iter().filter(|point| point.0 < later).copied();
    kept.chain(second.iter().map(|point| (point.0 + later, point.1 + raised))).collect()
}

/// A level curve over its own loudest moment, which is what 0 dB means there.
pub(super) fn from_loudest(mut points: Curve) -> Curve {
    let loudest = points.iter().fold(f32::MIN, |loudest, point| loudest.max(point.1));
    points.iter_mut().for_each(|point| point.1 -= loudest);
    points
}
